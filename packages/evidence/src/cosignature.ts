import { concat, equalBytes, toBase64, utf8, type Bytes } from "./bytes.ts";
import { parseCheckpoint } from "./checkpoint-text.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { keyHashBytes, type CosignatureType } from "./vkey.ts";

/** Name and origin each have one byte for their length in an ML-DSA-44 message. */
const nameBytesMax = 255;

/** What a cosigner signs. */
export interface CosignedTree {
  readonly type: CosignatureType;
  /** Name of the cosigner, as in its vkey. */
  readonly name: string;
  /** The checkpoint's text, with its last newline and without signatures. */
  readonly text: string;
  /** Seconds since the Unix epoch; an `ml-dsa-44` cosigner may say 0 for no time. */
  readonly timestamp: number;
  /** Where given, they must be those in the text. */
  readonly size?: number;
  readonly root?: Uint8Array;
}

/** The bytes to sign (C2SP tlog-cosignature). Throws a TypeError for a text that is no checkpoint, or a name, origin or time that does not fit. */
export function cosignedMessage(tree: CosignedTree): Bytes {
  const message = messageOf(tree);
  if (!message.ok) throw new TypeError(message.message);
  return message.value;
}

/** As `cosignedMessage`, for what others have written. */
export function messageOf({ type, name, text, timestamp, size, root }: CosignedTree): Parsed<Bytes> {
  const checkpoint = parseCheckpoint(text);
  if (!checkpoint.ok) return checkpoint;
  const { value } = checkpoint;
  if ((size !== undefined && size !== value.size) || (root !== undefined && !equalBytes(root, value.root))) return refused("cosignature_tree", "the size or root is not that of the checkpoint's text");
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) return refused("cosignature_time", "the cosignature's time is not a number of seconds");
  if (type === "ed25519-cosignature") return parsed(utf8(`cosignature/v1\ntime ${timestamp}\n${text}`));
  const [cosigner, origin] = [utf8(name), utf8(value.origin)];
  if (cosigner.length === 0 || Math.max(cosigner.length, origin.length) > nameBytesMax) return refused("cosignature_name", `a cosigner's name and a log's origin have 1 to ${nameBytesMax} bytes`);
  const [start, end] = [uint64(0), uint64(value.size)];
  return parsed(concat(utf8("subtree/v1\n\0"), Uint8Array.of(cosigner.length), cosigner, uint64(timestamp), Uint8Array.of(origin.length), origin, start, end, value.root));
}

/** Big-endian; `value` is a safe integer. */
export function uint64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Who cosigns. */
export interface Cosigner {
  readonly type: CosignatureType;
  readonly name: string;
  /** 32 bytes, or 1312 of an `ml-dsa-44` key. */
  readonly publicKey: Uint8Array;
}

/** One cosignature line of a note, with its newline. `signature` is over `cosignedMessage` with the same timestamp. */
export function formatCosignature({ timestamp, signature, ...by }: Cosigner & { readonly timestamp: number; readonly signature: Uint8Array }): string {
  return `— ${by.name} ${toBase64(concat(keyHashBytes(by), uint64(timestamp), signature))}\n`;
}

export interface CosignRequest {
  readonly by: Cosigner;
  /** The checkpoint's text, without signatures. */
  readonly text: string;
  /** Seconds since the Unix epoch. */
  readonly timestamp: number;
  /** Ed25519, or ML-DSA-44 with the empty context. */
  readonly sign: (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

/** Builds the message, has it signed, and writes the line. Throws what `cosignedMessage` throws. */
export async function cosign({ by, text, timestamp, sign }: CosignRequest): Promise<string> {
  const signature = await sign(cosignedMessage({ type: by.type, name: by.name, text, timestamp }));
  return formatCosignature({ ...by, timestamp, signature });
}
