import { toHex, utf8, type Bytes } from "./bytes.ts";

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4 section 4.2.2). */
const roundConstants = fractionalBits(64, 3);
const initialState = fractionalBits(8, 2);

/** Computed with integers, so that no 72 literals have to be trusted. */
function fractionalBits(count: number, root: 2 | 3): Uint32Array {
  const bits = new Uint32Array(count);
  for (let at = 0, candidate = 2; at < count; candidate += 1) {
    if (!isPrime(candidate)) continue;
    bits[at] = Number(integerRoot(BigInt(candidate) << BigInt(32 * root), root) & 0xffffffffn);
    at += 1;
  }
  return bits;
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) {
    if (candidate % divisor === 0) return false;
  }
  return true;
}

function integerRoot(value: bigint, root: 2 | 3): bigint {
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(root) <= value) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * SHA-256 in plain TypeScript (FIPS 180-4), for browsers, which offer it only asynchronously.
 * `sha256` prefers Node's own where there is one.
 */
export function sha256Portable(message: Uint8Array): Bytes {
  const blocks = padded(message);
  const state = initialState.slice();
  const schedule = new Uint32Array(64);
  const view = new DataView(blocks.buffer);
  for (let at = 0; at < blocks.length; at += 64) compress(state, schedule, { view, at });
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  state.forEach((word, at) => out.setUint32(at * 4, word));
  return digest;
}

function padded(message: Uint8Array): Bytes {
  const blocks = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  blocks.set(message);
  blocks[message.length] = 0x80;
  new DataView(blocks.buffer).setBigUint64(blocks.length - 8, BigInt(message.length) * 8n);
  return blocks;
}

interface Block {
  readonly view: DataView;
  readonly at: number;
}

function compress(state: Uint32Array, schedule: Uint32Array, block: Block): void {
  expand(schedule, block);
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  schedule.forEach((word, at) => {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (roundConstants[at] ?? 0) + word) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  });
  [a, b, c, d, e, f, g, h].forEach((word, at) => {
    state[at] = (state[at] ?? 0) + word;
  });
}

function expand(schedule: Uint32Array, block: Block): void {
  const w = (at: number): number => schedule[at] ?? 0;
  for (let at = 0; at < 16; at += 1) schedule[at] = block.view.getUint32(block.at + at * 4);
  for (let at = 16; at < 64; at += 1) {
    const s0 = rotate(w(at - 15), 7) ^ rotate(w(at - 15), 18) ^ (w(at - 15) >>> 3);
    const s1 = rotate(w(at - 2), 17) ^ rotate(w(at - 2), 19) ^ (w(at - 2) >>> 10);
    schedule[at] = w(at - 16) + s0 + w(at - 7) + s1;
  }
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** Writes the 32 bytes of a digest to a place in `target`. */
type HashInto = (message: Uint8Array, target: Uint8Array, at: number) => void;

/**
 * `getBuiltinModule` needs no import, so a browser bundle of this file holds no trace of Node; an older Node without
 * the one-call hash gets the portable one. The text answer costs a quarter of the one as a Buffer, which has to be allocated.
 */
function fromNode(): HashInto | undefined {
  const crypto = globalThis.process?.getBuiltinModule?.("node:crypto");
  if (typeof crypto?.hash !== "function") return undefined;
  return (message, target, at) => {
    const text = crypto.hash("sha256", message, "binary");
    for (let byte = 0; byte < 32; byte += 1) target[at + byte] = text.charCodeAt(byte);
  };
}

/** SHA-256 of `message` into 32 bytes of `target` from `at` on, so that a million hashes need no million arrays. */
export const sha256Into: HashInto = fromNode() ?? ((message, target, at) => target.set(sha256Portable(message), at));

/** SHA-256 of bytes: 32 bytes, synchronous, in Node and browsers. */
export function sha256(message: Uint8Array): Bytes {
  const digest = new Uint8Array(32);
  sha256Into(message, digest, 0);
  return digest;
}

/** SHA-256 of bytes, or of the UTF-8 of a text, as 64 lower-case hex digits. */
export function sha256Hex(message: Uint8Array | string): string {
  return toHex(sha256(typeof message === "string" ? utf8(message) : message));
}

/** A digest as JSON carries it: `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

/** `sha256:…` of bytes, or of the UTF-8 of a text. */
export function digestOfBytes(message: Uint8Array | string): Digest {
  return `sha256:${sha256Hex(message)}`;
}

export function isDigest(value: unknown): value is Digest {
  return typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value);
}
