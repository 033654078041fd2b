import { hash } from "node:crypto";
import { LicetError } from "../base/errors.ts";
import type { Inbound } from "../gateway/answer.ts";
import { bearer } from "../gateway/authenticate.ts";
import { admit, readmit, type Admission, type PipelineParts, type Stranger } from "../gateway/admission.ts";
import { traceIdOf } from "../gateway/observe/trace-context.ts";
import { watched, type Watched } from "../gateway/observed-call.ts";
import type { DecisionClient, Snapshot } from "../gateway/snapshot.ts";

/** A decision client, by which snapshot, at what time. */
export interface ClientAdmission {
  readonly now: number;
  readonly snapshot: Snapshot;
  readonly client: DecisionClient;
}

/** Who asks: the workload of a deployment for itself, or a program for an application's subjects. */
export type Asker = ({ readonly admission: Admission } | { readonly asking: ClientAdmission } | { readonly stranger: Stranger; readonly watched: Watched }) & {
  /** The trace that the question belongs to, where the caller names one. */
  readonly trace?: string | undefined;
};

export function asker(parts: PipelineParts, inbound: Inbound): Asker {
  const asking = knownClient(parts, bearer(inbound.authorization));
  const trace = traceIdOf(inbound.header("traceparent"));
  if (asking !== undefined) return { asking, trace };
  const admitted = admit(parts, inbound);
  return "stranger" in admitted ? { ...admitted, watched: watched(parts, inbound), trace } : { ...admitted, trace };
}

/** The same caller by what stands now: a body may come slowly. Who has lost its standing meanwhile is looked at afresh. */
export function askerAgain(parts: PipelineParts, inbound: Inbound, before: Exclude<Asker, { readonly stranger: unknown }>): Asker {
  if ("asking" in before) {
    const asking = clientBy(parts, before.asking.client.digest);
    return asking === undefined ? asker(parts, inbound) : { asking, trace: before.trace };
  }
  const admission = readmit(parts, before.admission);
  return admission === undefined ? asker(parts, inbound) : { admission, trace: before.trace };
}

/** What is no client's token, or comes at a time that cannot be trusted, is left to `admit`, which refuses it. */
function knownClient(parts: PipelineParts, token: string | undefined): ClientAdmission | undefined {
  const nobody = token === undefined || (parts.snapshots.current()?.byClientDigest.size ?? 0) === 0;
  return nobody ? undefined : clientBy(parts, hash("sha256", token, "hex"));
}

function clientBy({ snapshots, ledger }: PipelineParts, digest: string): ClientAdmission | undefined {
  const snapshot = snapshots.current();
  const client = snapshot?.byClientDigest.get(digest);
  if (snapshot === undefined || client === undefined) return undefined;
  try {
    const now = ledger.now();
    return now < client.expiresAt ? { now, snapshot, client } : undefined;
  } catch (error) {
    if (error instanceof LicetError && error.code === "clock_regressed") return undefined;
    throw error;
  }
}
