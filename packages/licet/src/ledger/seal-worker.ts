import type { KeyObject } from "node:crypto";
import { parentPort } from "node:worker_threads";
import { sealPacked } from "./seal-payload.ts";

/** What goes to the thread that seals, and comes back. */
export interface SealRequest {
  readonly id: number;
  readonly keys: readonly KeyObject[];
  /** Of each payload the place of its key in `keys`. */
  readonly keyOf: readonly number[];
  /** Of each payload what it is bound to and its text, one after the other: bytes go over without a copy. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of each payload where in `bytes` the entry's id ends, what it is bound to, and the text. */
  readonly ends: readonly number[];
}

export interface SealResponse {
  readonly id: number;
  /** The payloads one after the other. */
  readonly payloads: Uint8Array<ArrayBuffer>;
  readonly ends: readonly number[];
  /** Of each payload digest and commit. */
  readonly hashes: readonly string[];
}

function answer({ id, keys, keyOf, bytes, ends: given }: SealRequest): SealResponse {
  let from = 0;
  const sealed = keyOf.map((place, at) => {
    const key = keys[place];
    const [name, bound, text] = given.slice(3 * at, 3 * at + 3);
    if (key === undefined || name === undefined || bound === undefined || text === undefined) throw new Error("a payload came without its key or its text");
    const job = { key, name: bytes.subarray(from, name), aad: bytes.subarray(from, bound), plaintext: bytes.subarray(bound, text) };
    from = text;
    return sealPacked(job);
  });
  const payloads = new Uint8Array(sealed.reduce((sum, { payload }) => sum + payload.length, 0));
  let end = 0;
  const ends = sealed.map(({ payload }) => {
    payloads.set(payload, end);
    end += payload.length;
    return end;
  });
  return { id, payloads, ends, hashes: sealed.flatMap(({ digest, commit }) => [digest, commit]) };
}

parentPort?.on("message", (request: SealRequest) => {
  const response = answer(request);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage(response, [response.payloads.buffer]);
});
