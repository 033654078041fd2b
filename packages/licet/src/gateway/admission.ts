import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { answerRefusal, type AnswerHeaders, type Caller, type ErrorForm, type Inbound } from "./answer.ts";
import { authenticate, presentedCredential } from "./authenticate.ts";
import type { Budgets } from "./budgets/budgets.ts";
import type { ExternalLines } from "./detect/external.ts";
import type { BoundIds } from "./files/bound-ids.ts";
import type { Inflight } from "./inflight.ts";
import type { CallObserver } from "./observe/observer.ts";
import { tellDecided, traced, type Watched } from "./observed-call.ts";
import type { ProviderLines } from "./provider.ts";
import { reasonOf, type DecisionFacts, type DecisionRecord, type GatewayLedger, type Recording } from "./record.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { CredentialView, Snapshot, SnapshotSource } from "./snapshot.ts";
import type { StrangerLimit } from "./stranger-limit.ts";

/** What every call needs; made once by serve.ts. */
export interface PipelineParts {
  readonly clock: Clock;
  readonly ledger: GatewayLedger;
  readonly snapshots: SnapshotSource;
  readonly record: DecisionRecord;
  readonly lines: ProviderLines;
  readonly inflight: Inflight;
  readonly strangers: StrangerLimit;
  /** The provider's key, from the vault. Rejects when there is none. */
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  readonly observer: CallObserver;
  readonly external: ExternalLines;
  /** Files and batches at providers, by the ids that these gave out. */
  readonly boundIds: BoundIds;
  /** What may be spent; nothing is limited without. */
  readonly budgets?: Budgets | undefined;
}

/** Who asks, by which snapshot, at what time. */
export interface Admission {
  readonly now: number;
  readonly snapshot: Snapshot;
  readonly credential: CredentialView;
}

export type Admitted =
  | { readonly admission: Admission }
  | { readonly stranger: Stranger };

/** A refusal of a caller that no credential names, at the time and by the snapshot that refused. */
export interface Stranger {
  readonly refusal: Refusal;
  readonly now: number;
  readonly snapshot?: Snapshot | undefined;
  /** False when one record stands for this refusal already: nothing was done, and strangers may not fill the log. */
  readonly recorded: boolean;
  readonly headers: AnswerHeaders;
}

/** The first two steps of every journey: a time that can be trusted, a standing that is fresh, a caller that is known. */
export function admit(parts: PipelineParts, inbound: Inbound): Admitted {
  const now = trustedTime(parts);
  if (now === undefined) {
    return stranger(parts, inbound, { refusal: refuse("clock_regressed"), now: parts.clock.now() });
  }
  const snapshot = parts.snapshots.current();
  if (snapshot === undefined) {
    return stranger(parts, inbound, { refusal: refuse("snapshot_stale"), now });
  }
  const credential = authenticate(snapshot, presentedCredential(inbound), now);
  return credential === undefined
    ? stranger(parts, inbound, { refusal: refuse("credential_invalid"), now, snapshot })
    : { admission: { now, snapshot, credential } };
}

/** What fails for everybody is said to everybody; the bound is a stranger's own. */
function stranger({ strangers }: PipelineParts, { address }: Inbound, found: Pick<Stranger, "refusal" | "now" | "snapshot">): Admitted {
  const { record, retryAfterSeconds } = strangers.take(address);
  const limited = record !== "each" && (record === "summary" || found.refusal.code === "credential_invalid");
  const refusal = limited ? refuse("caller_limited") : found.refusal;
  return { stranger: { ...found, refusal, recorded: record !== "silent", headers: limited ? { "retry-after": String(retryAfterSeconds) } : {} } };
}

export interface RefusingStranger {
  readonly stranger: Stranger;
  readonly kind: Recording["kind"];
  readonly facts: DecisionFacts;
  readonly form?: ErrorForm;
  /** Observers are told where it is there. */
  readonly watched?: Watched;
}

/** Records a stranger's refusal, unless one record stands for it already, and answers it. */
export async function refusedStranger(parts: PipelineParts, caller: Caller, refusing: RefusingStranger): Promise<void> {
  const { stranger: { refusal, recorded, headers }, kind, facts, form, watched } = refusing;
  if (!recorded) {
    return answerRefusal(caller, { refusal }, headers, form);
  }
  const writingAt = performance.now();
  const known = { ...facts, reasons: [reasonOf(refusal)] };
  const written = await parts.record.decision({ kind, facts: watched === undefined ? known : traced(known, watched), refusal });
  if (watched !== undefined) tellDecided(parts, { facts, watched, refusal: "id" in written ? refusal : written.refusal, id: "id" in written ? written.id : undefined, writingAt });
  // A clock behind the log keeps its refusals out of the log as well; what is wrong is still the clock.
  const unwritten = refusal.code === "clock_regressed" ? refusal : undefined;
  answerRefusal(caller, "id" in written ? { refusal, decision: written.id } : { refusal: unwritten ?? written.refusal }, headers, form);
}

function trustedTime({ ledger }: PipelineParts): number | undefined {
  try {
    return ledger.now();
  } catch (error) {
    if (error instanceof LicetError && error.code === "clock_regressed") {
      return undefined;
    }
    throw error;
  }
}

/** The same caller once its body is here: that may come slowly, and what is decided on is what stands then. */
export function admitAgain(parts: PipelineParts, inbound: Inbound, before: Admission): Admitted {
  const admission = readmit(parts, before);
  return admission === undefined ? admit(parts, inbound) : { admission };
}

/** The same caller by the newest snapshot; undefined when it has lost its standing meanwhile. */
export function readmit(parts: PipelineParts, { credential }: Admission): Admission | undefined {
  const now = trustedTime(parts);
  const snapshot = now === undefined ? undefined : parts.snapshots.current();
  const known = snapshot?.byCredentialDigest.get(credential.digest);
  const valid = now !== undefined && known !== undefined && known.revokedAt === null && now < known.expiresAt;
  return valid && snapshot !== undefined ? { now, snapshot, credential: known } : undefined;
}
