import { parseLeaf, type Leaf } from "../leaf.ts";
import type { Parsed } from "../parsed.ts";

/** What the check of a whole log needs of each leaf. */
export type LeafHead = Pick<Leaf, "kind" | "space" | "time"> & { readonly gateway?: string | undefined; readonly seq?: number | undefined };

const name = "[A-Za-z0-9_.:/@-]{1,200}";
/** At most 15 digits, which no count or time exceeds; a longer one goes the slow way. */
const positive = String.raw`[1-9]\d{0,14}`;
const digest = "sha256:[0-9a-f]{64}";
const pseudonym = "(?:[0-9a-f]{2}){4,64}";

/**
 * A leaf in the one spelling of RFC 8785, members in their order, with plain characters only: whatever fits is what
 * `parseLeaf` takes, at a tenth of its cost. What does not fit is left to `parseLeaf`.
 */
const plainLeaf = new RegExp(
  `\\{"actor":"${pseudonym}",(?:"gateway":"(${name})",)?"id":"${name}","kind":"(${name})","kv":${positive},` +
    `"payload":\\{"alg":"A256GCM","class":"${name}","commit":"${digest}","digest":"${digest}","kid":"${name}","size":(?:0|${positive})\\},` +
    `(?:"seq":(0|${positive}),)?"space":"(${name})",(?:"system":"${pseudonym}",)?"time":(0|${positive}),"v":1\\}`,
  "y",
);

/** Entries of one bundle: their bytes, and all of it as text with one character for each byte. */
export interface BundleText {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** One character a byte; which character a byte beyond ASCII becomes does not matter. */
const byteDecoder = new TextDecoder("latin1");

/** Node's Buffer, which is global there, does it faster. */
export function bundleText(bytes: Uint8Array): BundleText {
  const buffer = globalThis.Buffer?.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, text: buffer === undefined ? byteDecoder.decode(bytes) : buffer.toString("latin1") };
}

/** The leaf at `start` to `end` of a bundle: canonical, with the members of a leaf and none beside them. */
export function scanLeaf({ bytes, text }: BundleText, start: number, end: number): Parsed<LeafHead> {
  plainLeaf.lastIndex = start;
  const match = plainLeaf.exec(text);
  if (match === null || plainLeaf.lastIndex !== end) return parseLeaf(bytes.subarray(start, end));
  const [, gateway, kind = "", seq, space = "", time] = match;
  return { ok: true, value: { kind, space, time: Number(time), gateway, seq: seq === undefined ? undefined : Number(seq) } };
}
