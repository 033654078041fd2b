import type { Refusal } from "../gateway/refusal.ts";
import type { Caller, Inbound } from "../gateway/answer.ts";
import type { ClientAdmission } from "./asker.ts";
import { askedDigest } from "./grants.ts";
import type { DecisionParts } from "./parts.ts";
import type { Evaluation } from "./protocol.ts";

/** Whether an approval that the caller presents covers its question, and what the answer says of it. */
export interface Covering {
  readonly covers: boolean;
  /** Members of the decision's context. */
  told(refusal: Refusal | undefined, requestable: boolean): object;
}

/** A denial that an approval lifts, once its decision is recorded. */
export interface Requestable {
  readonly space: string;
  /** Id of the recorded decision. */
  readonly decision: string;
  readonly template: string;
  readonly evaluation: Evaluation;
  readonly now: number;
}

/** How long a denial can be turned into a request. */
export const requestableMs = 600_000;

/** What the record keeps of a denial that an approval lifts: enough to know the request for it again, whoever serves it. */
export function noteOf({ template, evaluation, now }: Omit<Requestable, "decision">): { readonly template: string; readonly asked: string; readonly until: number } {
  return { template, asked: askedDigest(evaluation), until: now + requestableMs };
}

/** The access request and approval profile. */
export interface Approvals {
  /** Undefined where the question presents no approval. */
  covering(asked: { readonly asking: ClientAdmission; readonly evaluation: Evaluation }): Covering | undefined;
  /** Members of a denial's context that say how to ask for an approval. */
  requestable(denial: Requestable): object;
  submit(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void>;
  show(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void>;
}
