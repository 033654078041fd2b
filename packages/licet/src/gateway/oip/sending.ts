import type { OutboundCall, OutboundFailure } from "../../base/outbound.ts";
import { LicetError } from "../../base/errors.ts";
import type { Caller } from "../answer.ts";
import { neverSent, type CutLatch } from "../exchange.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { AbortedBy, RelayEnd } from "../relay.ts";
import { digestRefusal } from "./judge-score.ts";
import { headersFor, modelPath, type ModelMetadataCache, type Serving } from "./metadata.ts";

export interface Sending {
  readonly serving: Serving;
  readonly metadata: ModelMetadataCache;
  readonly body: string;
  readonly caller: Caller;
  readonly latch: CutLatch;
  readonly now: () => number;
}

/** Who says that the weights are the declared ones. */
export type Attested = "provider" | "release" | "none";

/** A whole answer that nobody has read yet, or the end that came before it. */
export type Sent =
  | { readonly kind: "answer"; readonly end: RelayEnd; readonly bytes: Uint8Array; readonly attested: Attested }
  | { readonly kind: "ended"; readonly end: RelayEnd; readonly attested: Attested };

/** Compares the weights with the declared ones, then sends. Called once the decision is durable. */
export async function sent(sending: Sending): Promise<Sent> {
  const { latch, caller } = sending;
  const attested = await attestation(sending);
  if (typeof attested !== "string") return { kind: "ended", end: { ...neverSent(attested), abortedBy: "upstream" }, attested: "none" };
  const early = latch.refusal();
  if (early !== undefined || caller.gone) return { kind: "ended", end: neverSent(early), attested };
  return { ...(await exchange(sending)), attested };
}

async function attestation({ serving, metadata }: Sending): Promise<Attested | Refusal> {
  if (serving.model.digest === undefined) return "none";
  try {
    const found = (await metadata.read(serving))?.parameters?.digest;
    return digestRefusal(serving.model, found) ?? (found === undefined ? "release" : "provider");
  } catch (error) {
    if (error instanceof LicetError) return refuse("upstream_unreachable", { message: "the provider does not say what it serves" });
    throw error;
  }
}

const failures = {
  timeout: { code: "upstream_timeout", by: "upstream" },
  unreachable: { code: "upstream_unreachable", by: "upstream" },
  reset: { code: "upstream_unreachable", by: "upstream" },
  too_large: { code: "upstream_too_large", by: "limit" },
  aborted: { code: "upstream_unreachable", by: "upstream" },
} as const satisfies Readonly<Record<OutboundFailure, object>>;

type Exchanged = { readonly kind: "answer"; readonly end: RelayEnd; readonly bytes: Uint8Array } | { readonly kind: "ended"; readonly end: RelayEnd };

/** One request and its whole answer; bounds of time and size are the outbound client's. */
function exchange({ serving, body, caller, latch, now }: Sending): Promise<Exchanged> {
  const { promise, resolve } = Promise.withResolvers<Exchanged>();
  const { refusal: _, abortedBy: _by, ...nothing } = neverSent(undefined);
  const chunks: Uint8Array[] = [];
  const seen: { status: number | null; firstByteAt: number | null; bytes: number } = { status: null, firstByteAt: null, bytes: 0 };
  const end = (): RelayEnd => ({ ...nothing, bytes: seen.bytes, upstreamStatus: seen.status, firstByteAt: seen.firstByteAt });
  const ended = (refusal: Refusal, abortedBy: AbortedBy): void => resolve({ kind: "ended", end: { ...end(), refusal, abortedBy } });
  const headers = { ...headersFor(serving.key), "content-type": "application/json" };
  const call: OutboundCall = serving.outbound.send(
    { method: "POST", path: `${modelPath(serving.model)}/infer`, headers, body },
    {
      onHead: (status) => {
        seen.status = status;
        seen.firstByteAt = now();
      },
      onData: (chunk) => {
        seen.bytes += chunk.length;
        chunks.push(chunk);
        return true;
      },
      onEnd: () => resolve({ kind: "answer", end: end(), bytes: Buffer.concat(chunks) }),
      onError: (failure) => ended(refuse(failures[failure].code), failures[failure].by),
    },
  );
  const cut = (refusal: Refusal, by: AbortedBy): void => {
    ended(refusal, by);
    call.abort();
  };
  latch.onCut((refusal) => cut(refusal, refusal.code === "snapshot_stale" ? "snapshot" : "hold"));
  caller.onGone(() => cut(refuse("upstream_unreachable", { message: "the caller has left" }), "client"));
  return promise;
}
