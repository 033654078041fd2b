import { createSecretKey, hash } from "node:crypto";
import { parseJson, parseLeaf, payloadAad, type Leaf } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { canonicalText } from "./canonical-text.ts";
import type { Entry, JsonObject, RetentionClass } from "./entry.ts";
import { type Frame, payloadBytesMax } from "./frame.ts";
import type { KeyEncryptionKey, Keyring } from "./keyring.ts";
import { ciphertextAt, ciphertextBytesMin, payloadBytes, payloadVersion, type SealedPayload } from "./seal-payload.ts";
import { sealSoon } from "./seal-thread.ts";
import { unseal } from "./secret.ts";

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

/** Seals an entry under a key of its own. Waits while a new subject's key is made durable, or when many are sealed at once. */
export function sealEntry(keyring: Keyring, entry: Entry): SealedEntry | Promise<SealedEntry> {
  refuseUnloggable(entry);
  const { space, subject, actor, system } = entry;
  const kek = keyring.cached(space, subject, entry.class, entry.time);
  const actorName = keyring.cachedPseudonym(space, actor);
  const systemName = system === undefined ? undefined : keyring.cachedPseudonym(space, `system:${system}`);
  if (kek && actorName !== undefined && (system === undefined || systemName !== undefined)) {
    return sealWith(keyring, { kek, actor: actorName, system: systemName }, entry);
  }
  return makeKeys(keyring, entry).then((keys) => sealWith(keyring, keys, entry));
}

async function makeKeys(keyring: Keyring, { space, subject, actor, system, ...entry }: Entry): Promise<SealKeys> {
  const actorName = await keyring.pseudonym(space, actor);
  const systemName = system === undefined ? undefined : await keyring.pseudonym(space, `system:${system}`);
  // Last, so that a key that is retired meanwhile seals nothing more.
  return { kek: await keyring.keyFor(space, subject, entry.class, entry.time), actor: actorName, system: systemName };
}

const name = /^[\p{L}\p{N}_.:/@-]{1,200}$/u;
const subjectPattern = /^(?:space|(?:system|person):.{1,300})$/su;

/** The leaf's names are what verifiers accept; a leaf that none would accept must not become evidence. */
function refuseUnloggable(entry: Entry): void {
  const { kind, space, id, gateway = "none", subject } = entry;
  if (!isCount(entry.time) || !isCount(entry.v) || !isCount(entry.seq ?? 0)) throw new LicetError("internal", { message: "time, version or sequence of an entry is not a count" });
  requireName(name, kind);
  requireName(name, space);
  requireName(name, id);
  requireName(name, gateway);
  requireName(subjectPattern, subject);
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}

function requireName(pattern: RegExp, text: string): void {
  if (pattern.test(text)) return;
  throw new LicetError("invalid_request", { message: `\`${text.slice(0, 80)}\` cannot stand in an evidence entry` });
}

function sealWith(keyring: Keyring, keys: SealKeys, entry: Entry): SealedEntry | Promise<SealedEntry> {
  const body = canonicalText(entry.body);
  const head = `{"actor":${canonicalText(entry.actor)},"body":`;
  // Canonical too: the four members stand in their order.
  const text = `${head}${body},"kind":"${entry.kind}","system":${canonicalText(entry.system ?? null)}}`;
  const size = payloadBytes(text);
  if (size > payloadBytesMax) {
    throw new LicetError("body_too_large", { message: `the evidence would take ${size - ciphertextAt} bytes, over ${payloadBytesMax}` });
  }
  const sealed = sealSoon({ key: keys.kek.key, id: entry.id, place: `${entry.space}\n${entry.class}`, text, textBytes: size - ciphertextAt - ciphertextBytesMin });
  // A part of the one text: what was written piece by piece would be kept in its pieces.
  const frozen = { ...entry, text: text.slice(head.length, head.length + body.length), kid: keys.kek.kid };
  if (!(sealed instanceof Promise)) return framed(keys, frozen, sealed);
  return sealed.then((payload) => {
    // A key that was retired meanwhile seals nothing more.
    const current = keyring.cached(entry.space, entry.subject, entry.class, entry.time);
    return current?.kid === keys.kek.kid ? framed(keys, frozen, payload) : sealEntry(keyring, entry);
  });
}

function framed(keys: SealKeys, entry: Entry, { payload, digest, commit }: SealedPayload): SealedEntry {
  const leaf = leafText(keys, entry, { digest: `sha256:${digest}`, commit: `sha256:${commit}`, size: payload.length - ciphertextAt });
  return { frame: { leaf: Buffer.from(leaf), payload }, entry };
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

function sha256(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${hash("sha256", bytes, "hex")}`;
}

export interface OpenedFrame {
  readonly leaf: Leaf;
  readonly ciphertext: Uint8Array;
  /** The payload's own key: whoever gets it can open this one payload and nothing else. */
  readonly key: Uint8Array;
}

/** The part of a journal payload that its leaf commits to. */
export function ciphertextIn(payload: Uint8Array): Uint8Array {
  return payload.subarray(ciphertextAt);
}

/** What an export discloses for one entry. Throws `payload_erased`, `keys_missing`, `payload_damaged`. */
export function discloseFrame(keyring: Keyring, frame: Frame): OpenedFrame {
  const leaf = leafIn(frame);
  const { payload } = frame;
  if (payload.length === 0) throw reclaimed(keyring, leaf);
  if (payload[0] !== payloadVersion || payload.length < ciphertextAt + ciphertextBytesMin) throw new LicetError("payload_damaged");
  const key = unseal(keyring.byId(leaf.payload.kid).key, payload.subarray(1, ciphertextAt), Buffer.from(leaf.id));
  const ciphertext = payload.subarray(ciphertextAt);
  const committed = sha256(ciphertext) === leaf.payload.digest && sha256(Buffer.concat([key, Buffer.from(leaf.id)])) === leaf.payload.commit;
  if (!committed) throw new LicetError("payload_damaged", { at: { id: leaf.id } });
  return { leaf, ciphertext, key };
}

/** Only the payload of a destroyed key is ever dropped from the journal. */
function reclaimed(keyring: Keyring, { id, payload }: Leaf): LicetError {
  if (keyring.isDestroyed(payload.kid)) return new LicetError("payload_erased", { at: { kid: payload.kid } });
  return new LicetError("log_damaged", { message: `the payload of the entry \`${id}\` is gone, and its key is not`, at: { id } });
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
  const content: { kind: string; actor: string; system: string | null; body: JsonObject } = parseJson(plaintext.toString("utf8"));
  if (content.kind !== leaf.kind || !isRetentionClass(retention)) throw new LicetError("payload_damaged");
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
    kid,
    ...(leaf.gateway === undefined ? {} : { gateway: leaf.gateway }),
    ...(leaf.seq === undefined ? {} : { seq: leaf.seq }),
  };
}

function isRetentionClass(text: string): text is RetentionClass {
  return text === "governance" || text === "runtime" || text === "content";
}

/** The ciphertext of an entry whose key is gone: all that is left of it, and what its leaf still commits to. */
export function sealedCiphertext(frame: Frame): Uint8Array {
  return frame.payload.subarray(ciphertextAt);
}
