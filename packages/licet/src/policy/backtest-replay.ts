import { isRecord } from "@licet/evidence";
import type { Decider, EntityBase, PolicyDecision } from "./decide.ts";
import type { PolicyRequest } from "./request.ts";
import type { Change, Replayed } from "./backtest-tally.ts";
import { cutOut } from "./json-cut.ts";

/** What of a recorded decision the candidate is asked, and what it is compared with. */
export interface RecordedDecision {
  readonly id: string;
  readonly system: string | null;
  readonly at: number;
  /** The body of `gateway.decision` or `access.decision`, without its question. */
  readonly body: Readonly<Record<string, unknown>>;
  /** The question, as JSON text; undefined where the policies were not asked. */
  readonly asked: string | undefined;
}

/** So many different questions are answered once; then they are forgotten, and asked again. Within a second they recur, and many take much memory. The same holds for the entities of questions. */
const answersMax = 4096;

interface Answered {
  readonly allowed: boolean;
  /** Ids of policies that determined it, or errored, sorted. */
  readonly policies: readonly string[];
  readonly misfit: boolean;
  readonly warnings: readonly string[];
  readonly shadowed: readonly string[];
}

interface Unreadable {
  readonly unreadable: true;
}

const unreadable: Unreadable = { unreadable: true };

const noPermit = "(no permit)";

/**
 * Decides recorded requests again. A call goes through when the policies and the gateway's own checks allow it: what
 * the gateway refused by itself stays refused under every bundle.
 */
export function replayer(decider: Pick<Decider, "decide" | "entities">): (recorded: RecordedDecision) => Replayed {
  const answers = new Map<string, Answered | Unreadable>();
  const bases = new Map<string, Base>();
  const answer = (asked: string): Answered | Unreadable => {
    const cut = cutOut(asked, "entities", "[");
    const question: unknown = cut && JSON.parse(cut.rest);
    if (cut !== undefined && isRecord(question) && question["entities"] === 0) {
      const { base } = remembered(bases, cut.value, () => prepared(decider, JSON.parse(cut.value)));
      const request = { ...question, entities: [] };
      if (base !== undefined && isRequest(request)) return answered(decider.decide(request, base));
    }
    const request: unknown = JSON.parse(asked);
    return isRequest(request) ? answered(decider.decide(request)) : unreadable;
  };
  return ({ id, system, at, body, asked }) => {
    if (asked === undefined) return { kind: "refusedBefore", system };
    const now = remembered(answers, asked, () => answer(asked));
    if ("unreadable" in now) return { kind: "unreadable", system };
    if (now.misfit) return { kind: "misfit", system };
    return { kind: "decided", id, system, at, ...compared(recordedOutcome(body), now), warnings: now.warnings, shadowed: now.shadowed };
  };
}

function remembered<T extends object>(known: Map<string, T>, question: string, make: () => T): T {
  const before = known.get(question);
  if (before !== undefined) return before;
  if (known.size >= answersMax) known.clear();
  const made = make();
  known.set(question, made);
  return made;
}

interface Base {
  /** Undefined where an entity does not fit the schema: then the whole request is asked, and says so. */
  readonly base: EntityBase | undefined;
}

function prepared(decider: Pick<Decider, "entities">, entities: PolicyRequest["entities"]): Base {
  try {
    return { base: decider.entities(entities) };
  } catch {
    return { base: undefined };
  }
}

function isRequest(value: unknown): value is PolicyRequest {
  return isRecord(value) && isRecord(value["principal"]) && isRecord(value["action"]) && isRecord(value["resource"]) && isRecord(value["context"]) && Array.isArray(value["entities"]);
}

function answered({ decision, reasons, errors, warnings, shadowed }: PolicyDecision): Answered {
  const ids = (of: readonly { readonly policy: string }[]): readonly string[] => distinct(of.map(({ policy }) => policy));
  return { allowed: decision === "allow", policies: ids([...reasons, ...errors]), misfit: errors.some(({ policy }) => policy === "request"), warnings: ids(warnings), shadowed: ids(shadowed) };
}

interface Outcome {
  readonly allowed: boolean;
  readonly policies: readonly string[];
  /** The gateway itself refused, whatever the policies said. */
  readonly refused: boolean;
}

/** Reasons with a code are the gateway's own, or stand for the lack of a permit; the others are policies. */
function recordedOutcome(body: Readonly<Record<string, unknown>>): Outcome {
  const reasons = Array.isArray(body["reasons"]) ? body["reasons"].filter(isRecord) : [];
  const errors = Array.isArray(body["policyErrors"]) ? body["policyErrors"].filter((each) => typeof each === "string") : [];
  const policies = reasons.flatMap(({ policy, code }) => (code === undefined && typeof policy === "string" ? [policy] : []));
  const refused = reasons.some(({ policy, code }) => typeof code === "string" && policy === `gateway.${code}`) || isObligationRefusal(body["code"], errors);
  // Under an observe waiver a call went on that the policies had refused: what they said is compared, not the waiver.
  const allowed = body["decision"] === "allow" && !Array.isArray(body["observed"]);
  return { allowed, policies: distinct([...policies, ...errors]), refused };
}

/** Mostly there is one, or none. */
function distinct(ids: readonly string[]): readonly string[] {
  return ids.length < 2 ? ids : [...new Set(ids)].sort();
}

/** The decision API refuses what policies permit when the caller cannot carry out what they oblige it to. */
function isObligationRefusal(code: unknown, errors: readonly unknown[]): boolean {
  return code === "obligation_unsupported" || (code === "policy_errored" && errors.length === 0);
}

function compared(before: Outcome, now: Answered): { readonly change?: Change; readonly policies: readonly string[] } {
  const allowed = now.allowed && !before.refused;
  if (before.allowed && !allowed) return { change: "allow-to-deny", policies: now.policies.length > 0 ? now.policies : [noPermit] };
  if (!before.allowed && allowed) return { change: "deny-to-allow", policies: before.policies.length > 0 ? before.policies : [noPermit] };
  const differing = [...before.policies.filter((id) => !now.policies.includes(id)), ...now.policies.filter((id) => !before.policies.includes(id))];
  return differing.length === 0 ? { policies: [] } : { change: "reasons", policies: differing };
}
