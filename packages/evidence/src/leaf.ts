import { concat, fromUtf8, utf8, type Bytes } from "./bytes.ts";
import { canonicalize, parseCanonical } from "./canonical.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { fits, isCount, isTime, optional, type Shape, type Test } from "./shape.ts";
import { digestOfBytes, isDigest, type Digest } from "./sha256.ts";
import { entryBytesMax } from "./tiles.ts";

/**
 * What the log commits to for one entry. No plaintext of persons or content: actor and system are pseudonyms,
 * the payload is known by the digest of its ciphertext.
 */
export interface Leaf {
  readonly v: 1;
  readonly id: string;
  /** Milliseconds since the Unix epoch, UTC. */
  readonly time: number;
  readonly space: string;
  readonly kind: string;
  /** Version of the kind's body. */
  readonly kv: number;
  /** Pseudonym in hex. */
  readonly actor: string;
  /** Pseudonym in hex. */
  readonly system?: string;
  readonly gateway?: string;
  /** Number of a decision at its gateway, without gaps. */
  readonly seq?: number;
  readonly payload: LeafPayload;
}

export interface LeafPayload {
  readonly alg: "A256GCM";
  /** Names the key that wraps the payload's own. */
  readonly kid: string;
  /** Of the ciphertext bytes: nonce, ciphertext, tag. */
  readonly digest: Digest;
  /** Bytes of ciphertext with nonce and tag. */
  readonly size: number;
  /** Retention class. */
  readonly class: string;
  /** SHA-256 of the payload's key and the leaf's id: AES-GCM alone would let one ciphertext open under two keys. */
  readonly commit: Digest;
}

/** The leaf's bytes as they are logged and hashed. Throws a TypeError for a leaf that `parseLeaf` would refuse. */
export function leafBytes(leaf: Leaf): Bytes {
  const bytes = utf8(canonicalize(leaf));
  const again = parseLeaf(bytes);
  if (!again.ok) throw new TypeError(again.message);
  return bytes;
}

/** Takes canonical JSON of at most 65,535 bytes with exactly the members of a leaf. */
export function parseLeaf(bytes: Uint8Array): Parsed<Leaf> {
  if (bytes.length > entryBytesMax) return refused("leaf_too_large", `a leaf has at most ${entryBytesMax} bytes`);
  const text = fromUtf8(bytes);
  if (!text.ok) return text;
  const json = parseCanonical(text.value);
  if (!json.ok) return json;
  return isLeaf(json.value) ? parsed(json.value) : refused("leaf_malformed", "the entry is not a leaf of version 1");
}

/** No control characters, since id, space and class stand on lines of their own in what the payload's seal covers. */
const isName: Test = (value) => typeof value === "string" && value.length <= 200 && /^[\p{L}\p{N}_.:/@-]+$/u.test(value);
const isPseudonym: Test = (value) => typeof value === "string" && /^(?:[0-9a-f]{2}){4,64}$/.test(value);

const payloadShape: Shape = {
  alg: (value) => value === "A256GCM",
  kid: isName,
  digest: isDigest,
  size: isCount,
  class: isName,
  commit: isDigest,
};

const leafShape: Shape = {
  v: (value) => value === 1,
  id: isName,
  time: isTime,
  space: isName,
  kind: isName,
  kv: (value) => isCount(value) && value !== 0,
  actor: isPseudonym,
  system: optional(isPseudonym),
  gateway: optional(isName),
  seq: optional(isCount),
  payload: (value) => fits(value, payloadShape),
};

function isLeaf(value: unknown): value is Leaf {
  return fits(value, leafShape);
}

/** What the payload's seal covers besides its content: id, space and class, one to a line. */
export function payloadAad(leaf: { readonly id: string; readonly space: string; readonly class: string }): Bytes {
  return utf8(`${leaf.id}\n${leaf.space}\n${leaf.class}`);
}

/** `commit` of a payload: `sha256:` of the 32 key bytes and the UTF-8 of the leaf's id. */
export function payloadCommit(key: Uint8Array, leafId: string): Digest {
  return digestOfBytes(concat(key, utf8(leafId)));
}
