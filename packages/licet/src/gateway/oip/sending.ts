import { LicetError } from "../../base/errors.ts";
import type { Caller } from "../answer.ts";
import { neverSent, type CutLatch } from "../exchange.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { RelayEnd } from "../relay.ts";
import { wholeExchange, type WholeEnd } from "../whole-exchange.ts";
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

/** One request and its whole answer. */
async function exchange({ serving, body, caller, latch, now }: Sending): Promise<WholeEnd> {
  const headers = { ...headersFor(serving.key), "content-type": "application/json" };
  const request = { method: "POST", path: `${modelPath(serving.model)}/infer`, headers, body } as const;
  const exchanging = wholeExchange({ outbound: serving.outbound, request, now });
  latch.onCut((refusal) => exchanging.cut(refusal, refusal.code === "snapshot_stale" ? "snapshot" : "hold"));
  caller.onGone(() => exchanging.cut(refuse("upstream_unreachable", { message: "the caller has left" }), "client"));
  return exchanging.ended;
}
