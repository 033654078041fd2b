import type { AssuranceCheck, CheckBasis, CheckResult } from "@licet/contract";
import type { PersonalDataDetector } from "../data/personal-data.ts";
import type { Components } from "../suite/component.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import type { LanguageTargets } from "./language-targets.ts";
import type { Measurement } from "./measure.ts";

type Subject = CheckResult["subject"];
type Input = CheckResult["inputs"][number];

/** A measurement with the files it was made on. */
export interface Measured {
  readonly measurement: Measurement;
  readonly subject: Subject;
  readonly inputs: readonly Input[];
  readonly group?: string;
  /** Default: measured here. */
  readonly origin?: CheckResult["origin"];
}

/** What a check may use beside the files that it names. */
export interface RunContext {
  /** Of the attempt and the check: whatever is drawn comes from it, so that the same run gives the same figures. */
  readonly seed: string;
  /** Error rate that the attempt may spend: of whatever is resampled. */
  readonly alpha: number;
  /** Absent where no model of a provider can be asked. */
  readonly language?: LanguageTargets | undefined;
  /** Kinds of personal data in a cell. Absent where there is nothing to find them with. */
  readonly personalData?: PersonalDataDetector | undefined;
}

/** Cases of one kind; `of` is empty where there is only one. */
export interface CaseCount {
  readonly of: string;
  readonly n: number;
}

export type DeclaredLimit = Pick<CheckResult["limit"], "op" | "value">;

/** One kind of check: how a declared one is limited, measured, and recognised in a record. */
export interface CheckDefinition<C extends AssuranceCheck = AssuranceCheck> {
  readonly check: C["check"];
  /** Raised whenever the same counts could lead to another verdict, or are recorded in another form. */
  readonly version: string;
  readonly op: DeclaredLimit["op"];
  /** True where it draws nothing: another seed gives the same figures. */
  readonly exact?: true;
  /** True where it depends on more than files and seed: never remembered from an earlier run. */
  readonly fresh?: true;
  /** What its results are derived from. */
  readonly bases: readonly CheckBasis["kind"][];
  limitValue(check: C): number;
  /** Names of the components that it reads: its subject first. */
  components(check: C): readonly string[];
  /** Where a basis of the right kind is not one of this check. */
  mismatch?(basis: CheckBasis): string | undefined;
  /** Present where the basis is figures of its own form. */
  decide?(basis: CheckBasis, limit: Limit): Outcome;
  /** Present where the basis is figures of its own form: how many cases of the kind that `requiredN` speaks of there are. */
  cases?(basis: CheckBasis): readonly CaseCount[];
  /** Loads what the check names and counts. Throws LicetError when a file, table or model cannot be used. */
  measure(check: C, components: Components, context: RunContext): Promise<Measured>;
}
