import { createCipheriv, createSecretKey, hash, type KeyObject, randomFillSync } from "node:crypto";
import { type Leaf, parseLeaf, payloadAad } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { canonicalText } from "./canonical-text.ts";
import type { Entry, JsonObject } from "./entry.ts";
import { type Frame, payloadBytesMax } from "./frame.ts";
import type { KeyEncryptionKey, Keyring } from "./keyring.ts";
import { nonceBytes, tagBytes, unseal } from "./secret.ts";

/** Journal payload: this byte, the payload's own key sealed under its key-encryption key, the ciphertext. */
const payloadVersion = 1;
const keyBytes = 32;
const wrappedBytes = nonceBytes + keyBytes + tagBytes;
const ciphertextAt = 1 + wrappedBytes;

export interface SealedEntry {
  readonly frame: Frame;
  /** The entry as everybody who opens the payload will see it. */
  readonly entry: Entry;
}

interface SealKeys {
  readonly kek: KeyEncryptionKey;
  readonly actor: string;
  readonly system: string | undefined;
}

/** Seals an entry under a key of its own. Waits only while a new subject's key is made durable. */
export function sealEntry(keyring: Keyring, entry: Entry): SealedEntry | Promise<SealedEntry> {
  refuseUnloggable(entry);
  const { space, subject, actor, system } = entry;
  const kek = keyring.cached(space, subject, entry.class);
  const actorName = keyring.cachedPseudonym(space, actor);
  const systemName = system === undefined ? undefined : keyring.cachedPseudonym(space, `system:${system}`);
  if (kek && actorName !== undefined && (system === undefined || systemName !== undefined)) {
    return sealWith({ kek, actor: actorName, system: systemName }, entry);
  }
  return makeKeys(keyring, entry).then((keys) => sealWith(keys, entry));
}

async function makeKeys(keyring: Keyring, { space, subject, actor, system, ...entry }: Entry): Promise<SealKeys> {
  const kek = await keyring.keyFor(space, subject, entry.class);
  const actorName = await keyring.pseudonym(space, actor);
  return { kek, actor: actorName, system: system === undefined ? undefined : await keyring.pseudonym(space, `system:${system}`) };
}

const name = /^[\p{L}\p{N}_.:/@-]{1,200}$/u;
const subjectPattern = /^(?:space|(?:system|person):.{1,300})$/su;

/** The leaf's names are what verifiers accept; a leaf that none would accept must not become evidence. */
function refuseUnloggable(entry: Entry): void {
  const named = [entry.kind, entry.space, entry.id, ...(entry.gateway === undefined ? [] : [entry.gateway])];
  const counted = [entry.time, entry.v, entry.seq ?? 0].every((number) => Number.isSafeInteger(number) && number >= 0);
  if (!counted) throw new LicetError("internal", { message: "time, version or sequence of an entry is not a count" });
  const wrong = named.find((text) => !name.test(text)) ?? (subjectPattern.test(entry.subject) ? undefined : entry.subject);
  if (wrong !== undefined) {
    throw new LicetError("invalid_request", { message: `\`${wrong.slice(0, 80)}\` cannot stand in an evidence entry` });
  }
}

function sealWith(keys: SealKeys, entry: Entry): SealedEntry {
  const text = canonicalText({ kind: entry.kind, actor: entry.actor, system: entry.system ?? null, body: entry.body });
  const plaintext = Buffer.from(text);
  const size = nonceBytes + plaintext.length + tagBytes;
  if (ciphertextAt + size > payloadBytesMax) {
    throw new LicetError("body_too_large", { message: `the evidence would take ${size} bytes, over ${payloadBytesMax}` });
  }
  const secrets = random(keyBytes + 2 * nonceBytes);
  const key = secrets.subarray(0, keyBytes);
  const payload = Buffer.allocUnsafe(ciphertextAt + size);
  payload[0] = payloadVersion;
  const aad = payloadAad({ id: entry.id, space: entry.space, class: entry.class });
  encryptInto(payload.subarray(1), { key: keys.kek.key, nonce: secrets.subarray(keyBytes, keyBytes + nonceBytes), data: key, aad: Buffer.from(entry.id) });
  encryptInto(payload.subarray(ciphertextAt), { key: createSecretKey(key), nonce: secrets.subarray(keyBytes + nonceBytes), data: plaintext, aad });
  const leaf = leafText(keys, entry, {
    digest: sha256(payload.subarray(ciphertextAt)),
    commit: sha256(Buffer.concat([key, Buffer.from(entry.id)])),
    size,
  });
  key.fill(0);
  const parsed: { body: JsonObject } = JSON.parse(text);
  return { frame: { leaf: Buffer.from(leaf), payload }, entry: { ...entry, body: parsed.body } };
}

/**
 * RFC 8785 by hand, at a tenth of the general writer's cost: members in their order, and no text in it needs an
 * escape, because `refuseUnloggable` let only names through and the rest is hex. A property test holds it to `parseLeaf`.
 */
function leafText(keys: SealKeys, entry: Entry, sealed: Pick<Leaf["payload"], "digest" | "commit" | "size">): string {
  const { id, time, space, kind, v, gateway, seq } = entry;
  const payload = `{"alg":"A256GCM","class":"${entry.class}","commit":"${sealed.commit}","digest":"${sealed.digest}","kid":"${keys.kek.kid}","size":${sealed.size}}`;
  const atGateway = gateway === undefined ? "" : `"gateway":"${gateway}",`;
  const numbered = seq === undefined ? "" : `"seq":${seq},`;
  const system = keys.system === undefined ? "" : `"system":"${keys.system}",`;
  return `{"actor":"${keys.actor}",${atGateway}"id":"${id}","kind":"${kind}","kv":${v},"payload":${payload},${numbered}"space":"${space}",${system}"time":${time},"v":1}`;
}

interface Encryption {
  /** Not bytes: for those, Node tries and fails to see a KeyObject in them, which costs twice the encryption. */
  readonly key: KeyObject;
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
  readonly aad: Uint8Array;
}

/** nonce ‖ ciphertext ‖ tag, without a copy of the whole. */
function encryptInto(target: Buffer, { key, nonce, data, aad }: Encryption): void {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(aad);
  target.set(nonce, 0);
  target.set(cipher.update(data), nonceBytes);
  cipher.final();
  target.set(cipher.getAuthTag(), nonceBytes + data.length);
}

function sha256(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${hash("sha256", bytes, "hex")}`;
}

let pool = Buffer.alloc(0);

/** One system call for many keys; no byte is handed out twice. */
function random(bytes: number): Buffer {
  if (pool.length < bytes) pool = randomFillSync(Buffer.allocUnsafeSlow(16_384));
  const taken = pool.subarray(0, bytes);
  pool = pool.subarray(bytes);
  return taken;
}

export interface OpenedFrame {
  readonly leaf: Leaf;
  readonly ciphertext: Uint8Array;
  /** The payload's own key: whoever gets it can open this one payload and nothing else. */
  readonly key: Uint8Array;
}

/** What an export discloses for one entry. Throws `payload_erased`, `keys_missing`, `payload_damaged`. */
export function discloseFrame(keyring: Keyring, frame: Frame): OpenedFrame {
  const leaf = leafIn(frame);
  const { payload } = frame;
  if (payload[0] !== payloadVersion || payload.length < ciphertextAt + nonceBytes + tagBytes) throw new LicetError("payload_damaged");
  const key = unseal(keyring.byId(leaf.payload.kid).key, payload.subarray(1, ciphertextAt), Buffer.from(leaf.id));
  const ciphertext = payload.subarray(ciphertextAt);
  const committed = sha256(ciphertext) === leaf.payload.digest && sha256(Buffer.concat([key, Buffer.from(leaf.id)])) === leaf.payload.commit;
  if (!committed) throw new LicetError("payload_damaged", { at: { id: leaf.id } });
  return { leaf, ciphertext, key };
}

export function leafIn(frame: Frame): Leaf {
  const leaf = parseLeaf(frame.leaf);
  if (leaf.ok) return leaf.value;
  throw new LicetError("log_damaged", { message: `an entry of the log does not parse: ${leaf.message}` });
}

/** Opens an entry and proves that its payload is the one that the leaf commits to. */
export function openEntry(keyring: Keyring, frame: Frame): Entry {
  const { leaf, ciphertext, key } = discloseFrame(keyring, frame);
  const { kid, class: retention } = leaf.payload;
  const plaintext = unseal(createSecretKey(key), ciphertext, payloadAad({ id: leaf.id, space: leaf.space, class: retention }));
  const content: { kind: string; actor: string; system: string | null; body: JsonObject } = JSON.parse(plaintext.toString("utf8"));
  if (content.kind !== leaf.kind || (retention !== "governance" && retention !== "runtime")) throw new LicetError("payload_damaged");
  return {
    id: leaf.id,
    v: leaf.kv,
    time: leaf.time,
    kind: leaf.kind,
    space: leaf.space,
    actor: content.actor,
    ...(content.system === null ? {} : { system: content.system }),
    subject: keyring.byId(kid).subject,
    class: retention,
    body: content.body,
    ...(leaf.gateway === undefined ? {} : { gateway: leaf.gateway }),
    ...(leaf.seq === undefined ? {} : { seq: leaf.seq }),
  };
}
