import type { FindingCount } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Draft, JsonObject, JsonValue, Recorder } from "../ledger/recorder.ts";
import type { Words } from "./content.ts";
import type { Advice, CedarCall } from "./decide.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { CredentialView, Snapshot } from "./snapshot.ts";

/** What the gateway needs of the ledger. */
export type GatewayLedger = Pick<Recorder, "append" | "now">;

/** Known of a call when it is decided; what was not reached stays absent and is recorded as null. */
export interface DecisionFacts {
  readonly action: string;
  readonly time: number;
  readonly snapshot?: Snapshot | undefined;
  readonly credential?: CredentialView | undefined;
  /** The decision client that asks, where no deployment does. */
  readonly client?: { readonly id: string; readonly space: string } | undefined;
  readonly model?: string | undefined;
  readonly policyBundle?: string | null | undefined;
  readonly cedar?: CedarCall | JsonObject | undefined;
  readonly reasons: readonly JsonObject[];
  readonly policyErrors: readonly string[];
  readonly advice?: Advice | undefined;
  readonly findings: readonly FindingCount[];
  /** Id of the trace that the call belongs to. */
  readonly trace?: string | undefined;
  /** What only this kind of decision holds. */
  readonly more: JsonObject;
}

export interface Recording {
  readonly kind: "gateway.decision" | "access.decision";
  readonly facts: DecisionFacts;
  readonly refusal?: Refusal | undefined;
  /** The prompt, where it is recorded: durable with the decision. */
  readonly words?: Words | undefined;
}

export interface OutcomeRecording {
  readonly decision: string;
  readonly credential: CredentialView;
  readonly body: JsonObject;
  /** The answer, where it is recorded. */
  readonly words?: Words | undefined;
}

/** The id of the decision, or why nothing may happen; both where the decision stands in the log and its words do not. */
export type Recorded = { readonly id: string } | { readonly refusal: Refusal } | { readonly id: string; readonly refusal: Refusal };

export interface DecisionRecord {
  /** Appends the decision and the words; when the promise resolves both are durable. */
  decision(recording: Recording): Promise<Recorded>;
  /** False when the log did not take it, or the words. */
  outcome(recording: OutcomeRecording): Promise<boolean>;
}

export interface RecordOptions {
  readonly ledger: GatewayLedger;
  /** Names this run of a gateway process: it counts from 1 without a gap, so a removed decision shows. */
  readonly gateway: string;
  /** Where calls are recorded that no deployment answers for. */
  readonly space?: string;
  /** The subject that an end user's words are sealed under; without it such words cannot be recorded. */
  readonly endUser?: ((space: string, user: string) => Promise<string>) | undefined;
}

/** Numbers of one gateway, from 1 in each space. One that the log did not take is used again: a gap would mean a removal. */
function sequence(): { take(space: string): number; giveBack(space: string, seq: number): void } {
  const next = new Map<string, number>();
  const free = new Map<string, number[]>();
  return {
    take: (space) => {
      const again = free.get(space)?.shift();
      if (again !== undefined) {
        return again;
      }
      const seq = next.get(space) ?? 1;
      next.set(space, seq + 1);
      return seq;
    },
    giveBack: (space, seq) => {
      free.set(space, [...(free.get(space) ?? []), seq].sort((a, b) => a - b));
    },
  };
}

export function decisionRecord(options: RecordOptions): DecisionRecord {
  const fallback = options.space ?? "main";
  const numbers = sequence();
  const append = async (draft: Omit<Draft, "gateway" | "seq">): Promise<void> => {
    const seq = numbers.take(draft.space);
    try {
      await options.ledger.append({ ...draft, gateway: options.gateway, seq });
    } catch (error) {
      // Refused before it was queued, or the log is poisoned and takes nothing more: either way the number is unused.
      numbers.giveBack(draft.space, seq);
      throw error;
    }
  };
  /** The cause of a failure stands in the ledger's own log; the caller learns that without evidence nothing happens. */
  const appended = async (draft: Omit<Draft, "gateway" | "seq">): Promise<boolean> =>
    append(draft).then(
      () => true,
      () => false,
    );
  const appendWords = async (of: WordsOf): Promise<boolean> => {
    const owned = owner(of.credential, fallback);
    try {
      const subject = of.words.user === undefined ? owned.subject : await endUserSubject(options, owned.space, of.words.user);
      // Without a number: the numbers are of decisions and their outcomes, and the decision names its words.
      await options.ledger.append({ kind: "gateway.content", ...owned, subject, class: "content", body: wordsBody(of) });
      return true;
    } catch {
      return false;
    }
  };
  return {
    decision: async ({ kind, facts, refusal, words }) => {
      const id = newId("dec", facts.time);
      const content = words === undefined ? undefined : { id: newId("con", facts.time), decision: id, part: "prompt" as const, words, credential: facts.credential };
      // Side by side, so that both come with one sync of the log.
      const [said, decided] = await Promise.all([
        content === undefined ? true : appendWords(content),
        appended({ kind, ...ownerOf(facts, fallback), class: "runtime", body: decisionBody({ id, facts, refusal, content: content?.id }) }),
      ]);
      if (!decided) return { refusal: refuse("evidence_unavailable") };
      return said ? { id } : { id, refusal: refuse("evidence_unavailable") };
    },
    outcome: async ({ credential, body, decision, words }) => {
      const results = await Promise.all([
        words === undefined ? true : appendWords({ id: newId("con", options.ledger.now()), decision, part: "answer", words, credential }),
        appended({ kind: "gateway.outcome", ...owner(credential, fallback), class: "runtime", body: { decision, ...body } }),
      ]);
      return results.every(Boolean);
    },
  };
}

interface WordsOf {
  readonly id: string;
  readonly decision: string;
  readonly part: "prompt" | "answer";
  readonly words: Words;
  readonly credential: CredentialView | undefined;
}

function wordsBody({ id, decision, part, words }: WordsOf): JsonObject {
  const { mode, messages, texts, truncated } = words;
  return { id, decision, part, mode, messages, texts: texts === null ? null : texts.map(({ at, text }) => ({ at, text })), truncated };
}

function endUserSubject({ endUser }: RecordOptions, space: string, user: string): Promise<string> {
  if (endUser === undefined) throw new LicetError("internal", { message: "nothing here says whose key an end user's words are sealed under" });
  return endUser(space, user);
}

function ownerOf({ credential, client }: DecisionFacts, fallback: string) {
  return client === undefined ? owner(credential, fallback) : { space: client.space, actor: client.id, subject: "space" };
}

function owner(credential: CredentialView | undefined, fallback: string) {
  if (credential === undefined) {
    return { space: fallback, actor: "unknown", subject: "space" };
  }
  const { id, space, system } = credential.deployment;
  return { space, actor: id, system, subject: `system:${system}` };
}

interface Deciding {
  readonly id: string;
  readonly facts: DecisionFacts;
  readonly refusal: Refusal | undefined;
  readonly content: string | undefined;
}

function decisionBody({ id, facts, refusal, content }: Deciding): JsonObject {
  return {
    id,
    decision: refusal === undefined ? "allow" : "deny",
    code: refusal?.code ?? null,
    reasons: facts.reasons,
    policyErrors: facts.policyErrors,
    ...facts.advice,
    policyBundle: facts.policyBundle ?? null,
    snapshot: stamp(facts.snapshot),
    cedar: facts.cedar ?? null,
    ...caller(facts.credential),
    model: facts.model ?? null,
    findings: facts.findings.map(findingJson),
    action: facts.action,
    ...(facts.trace !== undefined && { trace: facts.trace }),
    ...facts.more,
    // The words hold more than their digests do, and an erasure of the words must not leave digests to guess by.
    ...(content === undefined ? {} : { content, messages: null }),
  };
}

function stamp(snapshot: Snapshot | undefined): JsonObject | null {
  return snapshot === undefined
    ? null
    : { version: snapshot.version, builtAt: snapshot.builtAt, leaseUntil: snapshot.leaseUntil };
}

function caller(credential: CredentialView | undefined): JsonObject {
  return credential === undefined
    ? { deployment: null, credential: null, release: null }
    : { deployment: credential.deployment.id, credential: credential.id, release: credential.deployment.release };
}

/** One refusal as it stands in a decision's reasons. */
export function reasonOf(refusal: Refusal): JsonObject {
  const component: { readonly component?: JsonValue } = refusal.component === undefined ? {} : { component: refusal.component };
  return { policy: refusal.policy, code: refusal.code, remedy: refusal.remedy, ...component };
}

/** One finding as it stands in a record: type and count, never the value. */
export function findingJson({ type, dataClass, count, action }: FindingCount): JsonObject {
  return { type, dataClass, count, ...(action !== undefined && { action }) };
}
