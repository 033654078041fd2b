import { fromUtf8, owned } from "./bytes.ts";
import { isRecord, parseCanonical } from "./canonical.ts";
import { payloadAad, payloadCommit, type Leaf } from "./leaf.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { digestOfBytes } from "./sha256.ts";

/** The content of an entry: canonical JSON, sealed with AES-256-GCM. */
export interface Plaintext {
  readonly kind: string;
  /** A person's id, a deployment's id, or `server`. */
  readonly actor: string;
  readonly system: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

/**
 * Opens an entry's payload and proves that it is the one the leaf commits to: digest and size of the ciphertext,
 * key commitment, seal over id, space and class, canonical form, kind.
 */
export async function openPayload(sealed: { readonly leaf: Leaf; readonly ciphertext: Uint8Array; readonly key: Uint8Array }): Promise<Parsed<Plaintext>> {
  const { leaf, ciphertext, key } = sealed;
  const named = leaf.payload;
  if (ciphertext.length !== named.size || digestOfBytes(ciphertext) !== named.digest) return refused("payload_digest", "the payload is not the one that the log commits to");
  if (key.length !== keyBytes || payloadCommit(key, leaf.id) !== named.commit) return refused("payload_key", "the key is not the one that the log commits to");
  const opened = await decrypt(sealed);
  if (opened === undefined) return refused("payload_tag", "the payload does not open with its key");
  const text = fromUtf8(opened);
  if (!text.ok) return text;
  const json = parseCanonical(text.value);
  if (!json.ok) return json;
  const plaintext = asPlaintext(json.value);
  if (plaintext === undefined) return refused("payload_malformed", "the opened payload does not have the members kind, actor, system, body");
  return plaintext.kind === leaf.kind ? parsed(plaintext) : refused("payload_kind", "the opened payload is of another kind than its entry");
}

async function decrypt({ leaf, ciphertext, key }: { readonly leaf: Leaf; readonly ciphertext: Uint8Array; readonly key: Uint8Array }): Promise<Uint8Array | undefined> {
  if (ciphertext.length < nonceBytes + tagBytes) return undefined;
  const [iv, data] = [owned(ciphertext.subarray(0, nonceBytes)), owned(ciphertext.subarray(nonceBytes))];
  const additionalData = payloadAad({ id: leaf.id, space: leaf.space, class: leaf.payload.class });
  try {
    const imported = await crypto.subtle.importKey("raw", owned(key), "AES-GCM", false, ["decrypt"]);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData, tagLength: tagBytes * 8 }, imported, data));
  } catch {
    return undefined;
  }
}

const members = new Set(["kind", "actor", "system", "body"]);

function asPlaintext(value: unknown): Plaintext | undefined {
  if (!isRecord(value) || !Object.keys(value).every((name) => members.has(name))) return undefined;
  const { kind, actor, body } = value;
  const system = value["system"] ?? null;
  if (typeof kind !== "string" || typeof actor !== "string" || !isRecord(body)) return undefined;
  return system === null || typeof system === "string" ? { kind, actor, system, body } : undefined;
}
