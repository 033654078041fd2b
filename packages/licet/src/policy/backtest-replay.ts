import { isRecord, parseJson } from "@licet/evidence";
import type { Decider, EntityBase, PolicyDecision } from "./decide.ts";
import type { PolicyRequest } from "./request.ts";
import type { Change, Replayed } from "./backtest-tally.ts";
import { membersIn } from "./json-members.ts";
import { distinct, outcomeMembers, recordedOutcome, type Outcome } from "./recorded-outcome.ts";

/** What of a recorded decision the candidate is asked, and what it is compared with. */
export interface RecordedDecision {
  readonly id: string;
  readonly system: string | null;
  /** When it was made, in milliseconds. */
  readonly time: number;
  /** Canonical JSON of the body of `gateway.decision` or `access.decision`. */
  readonly text: string;
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
  const outcomes = new Map<string, Outcome>();
  const answer = (asked: string): Answered | Unreadable => {
    const { question, entities } = withoutEntities(asked);
    const { base } = entities === undefined ? unprepared : remembered(bases, entities, () => prepared(decider, parseJson(entities)));
    const request: unknown = parseJson(base === undefined ? asked : question);
    if (!isRequest(request)) return unreadable;
    return answered(base === undefined ? decider.decide(request) : decider.decide(request, base));
  };
  return ({ id, system, time, text }) => {
    const [asked, ...said] = membersIn(text, recordedMembers)?.texts ?? [];
    if (asked === undefined || asked === "null") return { kind: "refusedBefore", system };
    const now = remembered(answers, asked, () => answer(asked));
    if ("unreadable" in now) return { kind: "unreadable", system };
    if (now.misfit) return { kind: "misfit", system };
    const before = remembered(outcomes, said.join("\n"), () => recordedOutcome(parseJson(text)));
    return { kind: "decided", id, system, at: time, ...compared(before, now), warnings: now.warnings, shadowed: now.shadowed };
  };
}

const recordedMembers = ["cedar", ...outcomeMembers];

/** Entities are most of a question, and recur more often than it does. */
function withoutEntities(asked: string): { readonly question: string; readonly entities: string | undefined } {
  const [action, context, entities, principal, resource] = membersIn(asked, ["action", "context", "entities", "principal", "resource"])?.texts ?? [];
  return { question: `{"action":${action},"context":${context},"entities":[],"principal":${principal},"resource":${resource}}`, entities: entities?.startsWith("[") === true ? entities : undefined };
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

const unprepared: Base = { base: undefined };

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

function compared(before: Outcome, now: Answered): { readonly change?: Change; readonly policies: readonly string[] } {
  const allowed = now.allowed && !before.refused;
  if (before.allowed && !allowed) return { change: "allow-to-deny", policies: now.policies.length > 0 ? now.policies : [noPermit] };
  if (!before.allowed && allowed) return { change: "deny-to-allow", policies: before.policies.length > 0 ? before.policies : [noPermit] };
  const differing = [...before.policies.filter((id) => !now.policies.includes(id)), ...now.policies.filter((id) => !before.policies.includes(id))];
  return differing.length === 0 ? { policies: [] } : { change: "reasons", policies: differing };
}
