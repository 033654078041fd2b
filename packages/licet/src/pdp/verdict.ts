import { parseJson } from "@licet/evidence";
import type { JsonObject, JsonValue } from "../ledger/recorder.ts";
import type { Caller } from "../gateway/answer.ts";
import { refusalHeaders, type AnswerHeaders, type Refused } from "../gateway/answer.ts";
import type { DecisionFacts } from "../gateway/record.ts";
import type { Refusal } from "../gateway/refusal.ts";
import type { Requestable } from "./approvals.ts";
import type { Obligation } from "./obligations.ts";

/** One evaluation, decided and not recorded yet. */
export interface Verdict {
  readonly facts: DecisionFacts;
  /** Absent: allowed. */
  readonly refusal?: Refusal;
  readonly obligations: readonly Obligation[];
  /** Set where an approval is all that is missing. */
  readonly requestable?: Omit<Requestable, "decision">;
  /** Beyond what every decision's context has. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Of `access.decision`, what is not reached is recorded as null. */
export const unasked = { digest: null, client: null, asked: null, obligations: [], exported: null } as const satisfies JsonObject;

/** AuthZEN's decision object: why not, for programs, for people and for administrators, and what to do next. */
export function decisionObject(id: string, { refusal, obligations, more }: Verdict): object {
  const also = { ...(obligations.length > 0 && { obligations }), ...more };
  if (refusal === undefined) return { decision: true, context: { id, ...also } };
  const { code, message, policy, remedy, component } = refusal;
  const reason = { code, reason: code, message, policy, remedy, ...(component !== undefined && { component }) };
  return { decision: false, context: { id, ...reason, reason_user: { en: `${message}; ${remedy}` }, ...also } };
}

/** Errors of the API itself carry a string (section 10.1.2); programs read the code from a header. */
export function answerError(caller: Caller, refused: Refused, headers: AnswerHeaders = {}): void {
  const { refusal } = refused;
  caller.json(refusal.status, { ...refusalHeaders(refused), "x-licet-code": refusal.code, ...headers }, JSON.stringify(`${refusal.message}; ${refusal.remedy}`));
}

/** A copy that JSON can write; what it cannot becomes null. */
export function plainJson(value: unknown): JsonValue {
  const copy: JsonValue = parseJson(JSON.stringify(value) ?? "null");
  return copy;
}
