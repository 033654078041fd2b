import { equalBytes, fromBase64 } from "./bytes.ts";
import type { LogKey, LogTrust } from "./checkpoint.ts";
import { parseEnvelope, statementKeyId, verifyEnvelope, type Envelope, type SignerKey } from "./dsse.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { keyRotationPredicateType, readKeyRotation, type KeyRotationPredicate } from "./predicates.ts";
import { parseStatement, statementPayloadType, statementType, type Statement } from "./statement.ts";
import { isWitnessKey, keysAt, type Trust } from "./trust.ts";
import { noteKeyHash, type VkeyType } from "./vkey.ts";

const rotationsMax = 10_000;

/** The statement to sign when a key is replaced: of role `statement` by the previous and the new statement key, of others by the current one. */
export function keyRotationStatement(rotation: KeyRotationPredicate): Statement {
  const subject = [{ name: rotation.role, digest: { sha256: rotation.keyid } }];
  return { _type: statementType, subject, predicateType: keyRotationPredicateType, predicate: { ...rotation } };
}

/**
 * Accepts newer keys than the trust file lists, by the statements of the entries `key.rotated` in the order of the log.
 * The chain has to be unbroken from a listed key. Statements about listed keys are passed over. The fingerprint stays
 * that of the trust file. Refuses `key_history_…`; then nothing of it may be used.
 */
export async function extendTrust(trust: Trust, envelopes: readonly unknown[]): Promise<Parsed<Trust>> {
  if (envelopes.length > rotationsMax) return refused("key_history_too_long", `the key history has more than ${rotationsMax} statements`);
  let extended = trust;
  for (const [at, value] of envelopes.entries()) {
    const next = await extendBy(extended, value);
    if (!next.ok) return refused(next.code, `key statement ${at + 1}: ${next.message}`);
    extended = next.value;
  }
  return parsed(extended);
}

async function extendBy(trust: Trust, value: unknown): Promise<Parsed<Trust>> {
  const envelope = parseEnvelope(value);
  if (!envelope.ok) return envelope;
  const rotation = readUnverified(envelope.value);
  if (!rotation.ok) return rotation;
  const { role } = rotation.value;
  if (role === "statement") return extendStatementKeys(trust, envelope.value, rotation.value);
  if (role === "root") return signedBy(envelope.value, keysAt(trust, rotation.value.notBefore), trust);
  return extendLogKeys(trust, envelope.value, rotation.value);
}

/** Needed before the signature can be checked, because the statement itself names one of the keys that must have signed it. */
function readUnverified(envelope: Envelope): Parsed<KeyRotationPredicate> {
  const payload = fromBase64(envelope.payload);
  if (!payload.ok || envelope.payloadType !== statementPayloadType) return refused("key_history_malformed", "the envelope does not hold an in-toto statement");
  const statement = parseStatement(payload.value);
  return statement.ok ? readKeyRotation(statement.value) : statement;
}

async function signedBy<T>(envelope: Envelope, keys: readonly SignerKey[], granted: T): Promise<Parsed<T>> {
  const verified = await verifyEnvelope(envelope, keys);
  return verified.ok ? parsed(granted) : refused("key_history_signature", `no current statement key has signed it: ${verified.message}`);
}

async function extendStatementKeys(trust: Trust, envelope: Envelope, rotation: KeyRotationPredicate): Promise<Parsed<Trust>> {
  const { keyid, notBefore } = rotation;
  if (trust.keys.some((key) => key.keyid === keyid)) return parsed(trust);
  const previous = trust.keys.find((key) => key.keyid === rotation.previous);
  if (previous === undefined) return broken();
  if (previous.notAfter !== Infinity) return forked();
  if (notBefore <= previous.notBefore) return disordered();
  const added = { keyid, publicKey: keyOf(rotation), notBefore, notAfter: Infinity };
  const verified = await verifyEnvelope(envelope, [previous, added]);
  const both = verified.ok && verified.value.signers.includes(previous.keyid) && verified.value.signers.includes(keyid);
  if (!both) return refused("key_history_signature", "the previous and the new statement key have not both signed it");
  return parsed({ ...trust, keys: [...trust.keys.map((key) => (key === previous ? { ...key, notAfter: notBefore } : key)), added] });
}

const logKeyTypes: Readonly<Record<string, VkeyType>> = { log: "ed25519", "log-mldsa": "ml-dsa-44" };

async function extendLogKeys(trust: Trust, envelope: Envelope, rotation: KeyRotationPredicate): Promise<Parsed<Trust>> {
  const publicKey = keyOf(rotation);
  const type = logKeyTypes[rotation.role] ?? "ed25519";
  const listed = trust.logs.flatMap(({ vkeys }) => vkeys).filter((key) => key.type === type);
  if (listed.some((key) => equalBytes(key.publicKey, publicKey))) return parsed(trust);
  if (isWitnessKey(trust.witnesses, publicKey)) return refused("key_history_witness", "the new key of the log is that of a witness");
  const previous = isFirst(type, listed) ? null : rotation.previous;
  const replaced = listed.filter((key) => statementKeyId(key.publicKey) === previous);
  if (replaced.length === 0 && !isFirst(type, listed)) return broken();
  if (replaced.some((key) => rotation.notBefore <= (key.notBefore ?? -1))) return disordered();
  if (replaced.length > 0 && replaced.every((key) => key.notAfter !== undefined)) return forked();
  const logs = trust.logs.map((log) => replaceKey(log, { type, publicKey, notBefore: rotation.notBefore, previous }));
  // Not `keysAt`: a key that was replaced could date its statement back.
  const current = trust.keys.filter((key) => key.notAfter === Infinity && key.notBefore <= rotation.notBefore);
  return signedBy(envelope, current, { ...trust, vkeys: logs[0]?.vkeys ?? [], logs });
}

/** A holder of a trust file without ML-DSA keys takes the first one that comes, whatever it replaces: it is not required of any checkpoint. */
function isFirst(type: VkeyType, listed: readonly LogKey[]): boolean {
  return type === "ml-dsa-44" && listed.length === 0;
}

interface NewLogKey {
  readonly type: VkeyType;
  readonly publicKey: Uint8Array;
  readonly notBefore: number;
  readonly previous: string | null;
}

/** Shards share the log's key, each under the name of its own. */
function replaceKey(log: LogTrust, { type, publicKey, notBefore, previous }: NewLogKey): LogTrust {
  const replaced = log.vkeys.find((key) => (previous === null ? key.type === "ed25519" : key.type === type && key.notAfter === undefined && statementKeyId(key.publicKey) === previous));
  if (replaced === undefined) return log;
  const { name } = replaced;
  const added: LogKey = { type, name, keyHash: noteKeyHash(name, publicKey, type), publicKey, notBefore };
  const kept = log.vkeys.map((key) => (key === replaced && previous !== null ? { ...key, notAfter: notBefore } : key));
  return { ...log, vkeys: [...kept, added] };
}

/** `readKeyRotation` has checked that it is base64 of the right length. */
function keyOf({ publicKey }: KeyRotationPredicate): Uint8Array {
  const bytes = fromBase64(publicKey);
  return bytes.ok ? bytes.value : new Uint8Array(0);
}

function broken(): Parsed<never> {
  return refused("key_history_broken", "the key that it replaces is not one of those known so far");
}

function forked(): Parsed<never> {
  return refused("key_history_forked", "the key that it replaces was already replaced by another one");
}

function disordered(): Parsed<never> {
  return refused("key_history_order", "the new key begins before the one that it replaces");
}
