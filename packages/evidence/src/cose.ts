import { toBase64 } from "./bytes.ts";

export interface CoseKey {
  readonly jwk: JsonWebKey;
  readonly algorithm: { readonly name: string; readonly namedCurve?: string; readonly hash?: string };
}

type CborItem = number | Uint8Array;

const membersMax = 16;

/** A public key as passkeys write it (RFC 9053): ES256, EdDSA with Ed25519, or RS256; undefined for any other. */
export function parseCoseKey(bytes: Uint8Array): CoseKey | undefined {
  const map = readMap(bytes);
  if (map === undefined) return undefined;
  const [kty, alg, curve] = [map.get(1), map.get(3), map.get(-1)];
  if (kty === 2 && alg === -7 && curve === 1) return key({ kty: "EC", crv: "P-256", x: text(map.get(-2)), y: text(map.get(-3)) }, { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" });
  if (kty === 1 && alg === -8 && curve === 6) return key({ kty: "OKP", crv: "Ed25519", x: text(map.get(-2)) }, { name: "Ed25519" });
  if (kty === 3 && alg === -257) return key({ kty: "RSA", n: text(map.get(-1)), e: text(map.get(-2)) }, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" });
  return undefined;
}

function key(jwk: Readonly<Record<string, string | undefined>>, algorithm: CoseKey["algorithm"]): CoseKey | undefined {
  const complete = Object.values(jwk).every((value) => value !== undefined);
  return complete ? { jwk: Object.fromEntries(Object.entries(jwk).map(([name, value]) => [name, value ?? ""])), algorithm } : undefined;
}

function text(item: CborItem | undefined): string | undefined {
  return item instanceof Uint8Array ? toBase64(item).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") : undefined;
}

/** The little of CBOR (RFC 8949) that a key takes: one map from integers to integers and byte strings. */
function readMap(bytes: Uint8Array): ReadonlyMap<CborItem, CborItem> | undefined {
  const head = readHead(bytes, 0);
  if (head?.major !== 5 || head.value > membersMax) return undefined;
  const map = new Map<CborItem, CborItem>();
  let at = head.end;
  for (let member = 0; member < head.value; member += 1) {
    const name = readItem(bytes, at);
    const value = name === undefined ? undefined : readItem(bytes, name.end);
    if (name === undefined || value === undefined || map.has(name.item)) return undefined;
    map.set(name.item, value.item);
    at = value.end;
  }
  return at === bytes.length ? map : undefined;
}

function readItem(bytes: Uint8Array, at: number): { readonly item: CborItem; readonly end: number } | undefined {
  const head = readHead(bytes, at);
  if (head === undefined) return undefined;
  if (head.major === 0) return { item: head.value, end: head.end };
  if (head.major === 1) return { item: -1 - head.value, end: head.end };
  const end = head.end + head.value;
  return head.major === 2 && end <= bytes.length ? { item: bytes.subarray(head.end, end), end } : undefined;
}

function readHead(bytes: Uint8Array, at: number): { readonly major: number; readonly value: number; readonly end: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const [major, info] = [first >> 5, first & 31];
  if (info < 24) return { major, value: info, end: at + 1 };
  const length = info === 24 ? 1 : info === 25 ? 2 : 0;
  if (length === 0 || at + 1 + length > bytes.length) return undefined;
  const value = bytes.subarray(at + 1, at + 1 + length).reduce((sum, byte) => sum * 256 + byte, 0);
  return { major, value, end: at + 1 + length };
}
