import type { KeyObject } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { sealPayload } from "./seal-payload.ts";

/** What goes to the thread that seals, and comes back. */
export interface SealRequest {
  readonly id: number;
  readonly keys: readonly KeyObject[];
  /** `key` counts into `keys`. */
  readonly jobs: readonly { readonly key: number; readonly id: string; readonly aad: Uint8Array; readonly text: string }[];
}

export interface SealResponse {
  readonly id: number;
  /** The payloads one after the other. */
  readonly payloads: Uint8Array<ArrayBuffer>;
  readonly sealed: readonly { readonly end: number; readonly digest: string; readonly commit: string }[];
}

function answer({ id, keys, jobs }: SealRequest): SealResponse {
  const sealed = jobs.map((job) => {
    const key = keys[job.key];
    if (key === undefined) throw new Error("a payload came without its key");
    return sealPayload({ ...job, key });
  });
  const payloads = new Uint8Array(sealed.reduce((sum, { payload }) => sum + payload.length, 0));
  let end = 0;
  const places = sealed.map(({ payload, digest, commit }) => {
    payloads.set(payload, end);
    end += payload.length;
    return { end, digest, commit };
  });
  return { id, payloads, sealed: places };
}

parentPort?.on("message", (request: SealRequest) => {
  const response = answer(request);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage(response, [response.payloads.buffer]);
});
