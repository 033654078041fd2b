import { attackCheckIds, taskCheckIds } from "@licet/contract";
import type { Bundle } from "../policy/bundle.ts";
import type { Decider } from "../policy/decide.ts";
import { resultRequest, type CheckFact, type CountedFor, type ResultAttributes } from "./result-request.ts";

/** A fact of a result that policies bound from one side. */
export type BoundFact = "most" | "least" | "distance" | "queries";

export interface ResultQuestion {
  readonly move: CountedFor;
  readonly row: CheckFact;
  readonly kind: string;
}

const top = Number.MAX_SAFE_INTEGER;

/**
 * The laxest value of one fact with which the policies in force would count the result, all its other facts as they are:
 * found by asking them, so that it is right whoever wrote them. Whole, in the fact's own unit. Undefined where no value
 * would do, or where the policies do not bound it from the side that is usual for this fact.
 */
export function askedBound(decider: Decider, { move, row, kind }: ResultQuestion, fact: BoundFact): number | undefined {
  const steps = literals(decider.bundle);
  const holds = (value: number) => decider.decide(resultRequest(move, row, { kind, attributes: { ...other[fact], [fact]: value } })).decision === "allow";
  return fact === "most" ? turning(holds, steps) : turning(holds, steps.toReversed());
}

/** A limit has one direction. */
const other: Readonly<Record<BoundFact, ResultAttributes>> = { most: { least: undefined }, least: { most: undefined }, distance: {}, queries: {} };

/**
 * The last whole number for which it holds on the way along `steps`, where it turns once. Policies compare with numbers
 * that are written in them, so the turn is looked for there first, and between two of them where it is nowhere else.
 */
function turning(holds: (value: number) => boolean, steps: readonly number[]): number | undefined {
  const [first = 0, last = first] = [steps[0], steps.at(-1)];
  if (!holds(first)) return undefined;
  if (holds(last)) return last;
  let [at, beyond] = [0, steps.length - 1];
  while (beyond - at > 1) {
    const middle = Math.floor((at + beyond) / 2);
    if (holds(steps[middle] ?? last)) at = middle;
    else beyond = middle;
  }
  let [yes, no] = [steps[at] ?? first, steps[beyond] ?? last];
  while (Math.abs(yes - no) > 1) {
    const middle = Math.floor(yes / 2 + no / 2);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

/** Owned by `literals`: a bundle never changes. */
const known = new WeakMap<Bundle, readonly number[]>();

/** Every whole number that a policy of the bundle is written with and its neighbours, with both ends, ascending. */
function literals(bundle: Bundle): readonly number[] {
  const before = known.get(bundle);
  if (before !== undefined) return before;
  const written = bundle.policies.flatMap(({ json }) => numbersIn(json)).flatMap((each) => [each - 1, each, each + 1]);
  const made = [...new Set([0, ...written.filter((each) => each > 0 && each < top), top])].sort((a, b) => a - b);
  known.set(bundle, made);
  return made;
}

function numbersIn(value: unknown): readonly number[] {
  if (typeof value === "number") return Number.isSafeInteger(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

/** A result of this kind of check of which nothing but its limit could be found wanting: what is asked of the kind. */
export function idealResult(check: string, { now, figure = usualFigure[check], op = "<=" }: { readonly now: number; readonly figure?: string | undefined; readonly op?: AskedLimit["op"] }): CheckFact {
  return {
    id: check,
    check,
    verdict: "pass",
    producer: "licet",
    producedBy: "",
    at: now,
    result: check,
    judged: { op, limit: op === "<=" ? 0 : Math.floor(top / 1e6), alpha: 0, attempted: top, assessed: top, origin: "native", distance: farthest, norm: "linf", queries: top, ...(figure !== undefined && { figure }) },
  };
}

/** Standard deviations: nobody moves inputs further. */
const farthest = 1e6;

const usualFigure: Readonly<Record<string, string>> = { "perf.metric": "accuracy", "perf.loss": "log_loss", "perf.score": "balanced_accuracy", "perf.fit": "r2", "privacy.membership": "auc", "drift.prediction": "scores", "fair.regression": "error", "robust.evasion": "free", ...Object.fromEntries([...attackCheckIds, ...taskCheckIds].map((check) => [check, "built-in"])) };

export interface AskedLimit {
  readonly op: "<=" | ">=";
  readonly value: number;
}

/** The limit that the policies in force ask of a kind of check in this move; undefined where none would do, or any. */
export function askedLimit(decider: Decider, question: ResultQuestion): AskedLimit | undefined {
  const most = askedBound(decider, question, "most");
  if (most !== undefined) return most === top ? undefined : { op: "<=", value: most / 1e6 };
  const least = askedBound(decider, question, "least");
  return least === undefined || least === 0 ? undefined : { op: ">=", value: least / 1e6 };
}

export function limitText({ op, value }: AskedLimit): string {
  return `${op === "<=" ? "at most" : "at least"} ${plainNumber(value)}`;
}

/** Without an exponent, as people write limits. */
export function plainNumber(value: number): string {
  return Math.abs(value) >= 1e-6 || value === 0 ? String(value) : value.toFixed(20).replace(/0+$/u, "");
}
