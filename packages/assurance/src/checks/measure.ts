import type { CheckBasis, CheckResult } from "@licet/contract";

/** What a check counted, before anything is concluded from it. */
export interface Measurement {
  readonly basis: CheckBasis;
  readonly counts: CheckResult["counts"];
  readonly unit: string;
  readonly limit: { readonly op: "<=" | ">="; readonly value: number };
  readonly notes: readonly string[];
  /** Rows sent to a model. */
  readonly queries: number;
}
