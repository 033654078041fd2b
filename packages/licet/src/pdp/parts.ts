import type { PipelineParts } from "../gateway/admission.ts";
import type { Approvals } from "./approvals.ts";
import type { KnownBodies } from "./known-bodies.ts";
import type { OpenScorings } from "./scoring-outcome.ts";

/** What the decision API works with; made once when it is mounted on the data plane. */
export interface DecisionParts {
  readonly pipeline: PipelineParts;
  /** The data plane's address as callers see it. */
  readonly origin: () => string;
  /** What questions say, as far as it was asked before. */
  readonly bodies: KnownBodies;
  /** Allowed scorings whose end was not reported yet. */
  readonly scorings: OpenScorings;
  /** Access requests; absent where nobody could decide on one. */
  readonly approvals?: Approvals | undefined;
}
