import { concat, fromBase64, toBase64, toHex, utf8 } from "./bytes.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { sha256 } from "./sha256.ts";

/**
 * What a verifier key signs: `ed25519` (0x01) any note, `ed25519-cosignature` (0x04) a checkpoint and a time,
 * `ml-dsa-44` (0x06) a tree and a time (C2SP signed-note and tlog-cosignature).
 */
export type VkeyType = "ed25519" | "ed25519-cosignature" | "ml-dsa-44";

/** The kinds of keys whose signatures carry a time. */
export type CosignatureType = Exclude<VkeyType, "ed25519">;

/** A verifier key of C2SP signed-note. */
export interface Vkey {
  readonly type: VkeyType;
  readonly name: string;
  /** 8 hex digits, computed from name, type and key. */
  readonly keyHash: string;
  /** 32 bytes (RFC 8032), or 1312 bytes (FIPS 204) of an `ml-dsa-44` key. */
  readonly publicKey: Uint8Array;
}

/** What identifies a key; `type` is `ed25519` if absent. */
export interface KeyMaterial {
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly type?: VkeyType;
}

interface TypeOfKey {
  readonly type: VkeyType;
  readonly byte: number;
  readonly keyBytes: number;
}

const ed25519: TypeOfKey = { type: "ed25519", byte: 0x01, keyBytes: 32 };
const types: readonly TypeOfKey[] = [ed25519, { type: "ed25519-cosignature", byte: 0x04, keyBytes: 32 }, { type: "ml-dsa-44", byte: 0x06, keyBytes: 1312 }];

/** The base64 of an ML-DSA-44 key takes 1752 characters. */
const vkeyCharsMax = 4096;

function typeOf(type: VkeyType): TypeOfKey {
  return types.find((known) => known.type === type) ?? ed25519;
}

/** First four bytes of SHA-256(name ‖ newline ‖ type byte ‖ key), as 8 hex digits. */
export function noteKeyHash(name: string, publicKey: Uint8Array, type: VkeyType = "ed25519"): string {
  return toHex(keyHashBytes({ name, publicKey, type }));
}

/** The four bytes that stand before a signature in its line. */
export function keyHashBytes({ name, publicKey, type = "ed25519" }: KeyMaterial): Uint8Array {
  return sha256(concat(utf8(`${name}\n`), Uint8Array.of(typeOf(type).byte), publicKey)).subarray(0, 4);
}

/** `<name>+<key id>+<base64 of the type byte and the key>`. Throws a TypeError for a name with spaces or `+`, or a key of a wrong length. */
export function formatVkey({ name, publicKey, type = "ed25519" }: KeyMaterial): string {
  const { byte, keyBytes } = typeOf(type);
  if (!isKeyName(name) || publicKey.length !== keyBytes) throw new TypeError(`a vkey needs a name without spaces or \`+\` and a ${keyBytes}-byte key`);
  return `${name}+${noteKeyHash(name, publicKey, type)}+${toBase64(concat(Uint8Array.of(byte), publicKey))}`;
}

/** Takes keys of the types 0x01, 0x04 and 0x06, and only if the key id is the one that follows from name, type and key. */
export function parseVkey(text: string): Parsed<Vkey> {
  if (text.length > vkeyCharsMax) return refused("vkey_invalid", `the verifier key is longer than ${vkeyCharsMax} characters`);
  const [, name = "", keyHash = "", encoded = ""] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text) ?? [];
  const material = fromBase64(encoded);
  if (!isKeyName(name) || !material.ok) return refused("vkey_invalid", "the text is not a verifier key");
  const publicKey = material.value.subarray(1);
  const known = types.find(({ byte, keyBytes }) => byte === material.value[0] && keyBytes === publicKey.length);
  if (known === undefined) return refused("vkey_unsupported", "the verifier key is neither an ed25519 nor an ml-dsa-44 key");
  if (noteKeyHash(name, publicKey, known.type) !== keyHash) return refused("vkey_hash_mismatch", "the key id does not belong to this name and key");
  return parsed({ type: known.type, name, keyHash, publicKey });
}

/** Key names are not empty and hold neither spaces nor `+`. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.isWellFormed() && !/[\s+\p{Cc}\p{Z}]/u.test(name);
}
