import type { FindingCount } from "@licet/contract";
import { newId } from "../base/ids.ts";
import type { Draft, JsonObject, JsonValue, Recorder } from "../ledger/recorder.ts";
import type { CedarCall } from "./decide.ts";
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
  readonly model?: string | undefined;
  readonly policyBundle?: string | null | undefined;
  readonly cedar?: CedarCall | undefined;
  readonly reasons: readonly JsonObject[];
  readonly policyErrors: readonly string[];
  readonly findings: readonly FindingCount[];
  /** What only this kind of decision holds. */
  readonly more: JsonObject;
}

export interface Recording {
  readonly kind: "gateway.decision" | "access.decision";
  readonly facts: DecisionFacts;
  readonly refusal?: Refusal | undefined;
}

export interface OutcomeRecording {
  readonly decision: string;
  readonly credential: CredentialView;
  readonly body: JsonObject;
}

export interface DecisionRecord {
  /** Appends the decision; when the promise resolves it is durable. Answers its id, or why nothing may happen. */
  decision(recording: Recording): Promise<{ readonly id: string } | { readonly refusal: Refusal }>;
  /** False when the log did not take it. */
  outcome(recording: OutcomeRecording): Promise<boolean>;
}

export interface RecordOptions {
  readonly ledger: GatewayLedger;
  /** Names this run of a gateway process: it counts from 1 without a gap, so a removed decision shows. */
  readonly gateway: string;
  /** Where calls are recorded that no deployment answers for. */
  readonly space?: string;
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
  const append = async (draft: Omit<Draft, "gateway" | "seq" | "class">): Promise<void> => {
    const seq = numbers.take(draft.space);
    try {
      await options.ledger.append({ ...draft, class: "runtime", gateway: options.gateway, seq });
    } catch (error) {
      // Refused before it was queued, or the log is poisoned and takes nothing more: either way the number is unused.
      numbers.giveBack(draft.space, seq);
      throw error;
    }
  };
  return {
    decision: async ({ kind, facts, refusal }) => {
      const id = newId("dec", facts.time);
      try {
        await append({ kind, ...owner(facts.credential, fallback), body: decisionBody(id, facts, refusal) });
        return { id };
      } catch {
        // The cause stands in the ledger's own log; the caller learns that without evidence nothing happens.
        return { refusal: refuse("evidence_unavailable") };
      }
    },
    outcome: async ({ credential, body, decision }) => {
      try {
        await append({ kind: "gateway.outcome", ...owner(credential, fallback), body: { decision, ...body } });
        return true;
      } catch {
        return false;
      }
    },
  };
}

function owner(credential: CredentialView | undefined, fallback: string) {
  if (credential === undefined) {
    return { space: fallback, actor: "unknown", subject: "space" };
  }
  const { id, space, system } = credential.deployment;
  return { space, actor: id, system, subject: `system:${system}` };
}

function decisionBody(id: string, facts: DecisionFacts, refusal: Refusal | undefined): JsonObject {
  return {
    id,
    decision: refusal === undefined ? "allow" : "deny",
    code: refusal?.code ?? null,
    reasons: facts.reasons,
    policyErrors: facts.policyErrors,
    policyBundle: facts.policyBundle ?? null,
    snapshot: stamp(facts.snapshot),
    cedar: facts.cedar ?? null,
    ...caller(facts.credential),
    model: facts.model ?? null,
    findings: facts.findings,
    action: facts.action,
    ...facts.more,
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
