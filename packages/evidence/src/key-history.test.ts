import fc from "fast-check";
import { expect, test } from "vitest";
import { toBase64 } from "./bytes.ts";
import { formatCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { statementKeyId, type Envelope } from "./dsse.ts";
import { extendTrust, keyRotationStatement } from "./key-history.ts";
import { formatNote } from "./note.ts";
import type { KeyRole, KeyRotationPredicate } from "./predicates.ts";
import { cosigner, ed25519Signer, signStatement, statementSigner, valid, type StatementSigner } from "./signers-fixture.ts";
import { formatEnvelope } from "./statement.ts";
import { keysAt, logOf, parseTrust, type Trust, type TrustFile } from "./trust.ts";

const origin = "log.example/one";
const shardOrigin = `${origin}/2-0a1b2c3d`;
const log = ed25519Signer(origin, 1);
const shard = ed25519Signer(shardOrigin, 1);
const newLog = ed25519Signer(origin, 2);
const newShard = ed25519Signer(shardOrigin, 2);
const pq = cosigner(origin, "ml-dsa-44");
const newPq = cosigner(origin, "ml-dsa-44");
const witness = cosigner("w.example", "ed25519-cosignature");
const first = statementSigner();
const second = statementSigner();
const third = statementSigner();
const stranger = statementSigner();

function trusted(change: Partial<TrustFile> = {}): Trust {
  const file: TrustFile = {
    v: 2,
    origin,
    log: [log.text],
    logs: [{ origin: shardOrigin, vkeys: [shard.text] }],
    statementKeys: [{ keyid: first.keyid, publicKey: toBase64(first.publicKey), notBefore: 1000 }],
    witnesses: { policy: `witness w ${witness.text}\nquorum w\n` },
    ...change,
  };
  return valid(parseTrust(JSON.stringify(file)));
}

const algorithms = { log: "ed25519", "log-mldsa": "ml-dsa-44", statement: "ed25519", root: "aes-256-gcm" } as const;

interface Rotation {
  readonly role: KeyRole;
  readonly publicKey: Uint8Array;
  readonly previous: Uint8Array | null;
  readonly notBefore: number;
}

function predicateOf({ role, publicKey, previous, notBefore }: Rotation): KeyRotationPredicate {
  return { role, keyid: statementKeyId(publicKey), publicKey: toBase64(publicKey), algorithm: algorithms[role], previous: previous && statementKeyId(previous), notBefore };
}

function rotated(rotation: Rotation, signers: readonly StatementSigner[]): Envelope {
  return signStatement(keyRotationStatement(predicateOf(rotation)), signers);
}

const toSecond = rotated({ role: "statement", publicKey: second.publicKey, previous: first.publicKey, notBefore: 2000 }, [first, second]);
const toThird = rotated({ role: "statement", publicKey: third.publicKey, previous: second.publicKey, notBefore: 3000 }, [second, third]);
const logRotation: Rotation = { role: "log", publicKey: newLog.vkey.publicKey, previous: log.vkey.publicKey, notBefore: 2500 };

test("a holder of the first trust file accepts the keys that came later, each from its time on and the one before until then", async () => {
  const trust = valid(await extendTrust(trusted(), [toSecond, toThird]));
  const idsAt = (time: number) => keysAt(trust, time).map(({ keyid }) => keyid);
  expect([idsAt(999), idsAt(1000), idsAt(1999), idsAt(2000), idsAt(2999), idsAt(3000)]).toEqual([[], [first.keyid], [first.keyid], [second.keyid], [second.keyid], [third.keyid]]);
  expect(trust.fingerprint).toBe(trusted().fingerprint);
  expect(await extendTrust(trusted(), [])).toEqual({ ok: true, value: trusted() });
});

test("a holder of a newer trust file passes over what it knows already", async () => {
  const newer = trusted({
    statementKeys: [
      { keyid: first.keyid, publicKey: toBase64(first.publicKey), notBefore: 1000, notAfter: 2000 },
      { keyid: second.keyid, publicKey: toBase64(second.publicKey), notBefore: 2000 },
    ],
  });
  expect(await extendTrust(newer, [toSecond])).toEqual({ ok: true, value: newer });
  expect(valid(await extendTrust(newer, [toSecond, toThird])).keys.map(({ notAfter }) => notAfter)).toEqual([2000, 3000, Infinity]);
  const twice = valid(await extendTrust(trusted(), [toSecond, toSecond]));
  expect(twice).toEqual(valid(await extendTrust(trusted(), [toSecond])));
});

test("a chain with a gap, out of order or forked is refused", async () => {
  expect(await extendTrust(trusted(), [toThird])).toMatchObject({ code: "key_history_broken" });
  expect(await extendTrust(trusted(), [toThird, toSecond])).toMatchObject({ code: "key_history_broken", message: expect.stringContaining("key statement 1") });
  const other = rotated({ role: "statement", publicKey: third.publicKey, previous: first.publicKey, notBefore: 2100 }, [first, third]);
  expect(await extendTrust(trusted(), [toSecond, other])).toMatchObject({ code: "key_history_forked" });
  const backwards = rotated({ role: "statement", publicKey: second.publicKey, previous: first.publicKey, notBefore: 1000 }, [first, second]);
  expect(await extendTrust(trusted(), [backwards])).toMatchObject({ code: "key_history_order" });
  const fromNothing = rotated({ role: "statement", publicKey: second.publicKey, previous: null, notBefore: 2000 }, [first, second]);
  expect(await extendTrust(trusted(), [fromNothing])).toMatchObject({ code: "key_history_broken" });
});

test("a statement key is replaced only by a statement that both keys have signed", async () => {
  const rotation: Rotation = { role: "statement", publicKey: second.publicKey, previous: first.publicKey, notBefore: 2000 };
  for (const signers of [[first], [second], [stranger], [second, stranger]]) {
    expect(await extendTrust(trusted(), [rotated(rotation, signers)])).toMatchObject({ code: "key_history_signature" });
  }
  const wrong = { ...toSecond, signatures: toSecond.signatures.map((signature, at) => (at === 0 ? { ...signature, sig: toBase64(new Uint8Array(64)) } : signature)) };
  expect(await extendTrust(trusted(), [wrong])).toMatchObject({ code: "key_history_signature" });
});

test("a new log key is accepted for the log and its shards, beside the one it replaces", async () => {
  const trust = valid(await extendTrust(trusted(), [rotated(logRotation, [first])]));
  expect(trust.vkeys).toEqual(trust.logs[0]?.vkeys);
  expect(trust.vkeys.map(({ keyHash, notBefore, notAfter }) => [keyHash, notBefore, notAfter])).toEqual([
    [log.vkey.keyHash, undefined, 2500],
    [newLog.vkey.keyHash, 2500, undefined],
  ]);
  expect(logOf(trust, shardOrigin)?.vkeys.map(({ keyHash }) => keyHash)).toEqual([shard.vkey.keyHash, newShard.vkey.keyHash]);
  const text = formatCheckpoint({ origin, size: 2, root: new Uint8Array(32) });
  expect(await verifyCheckpoint(formatNote(text, [newLog.line(text)]), trust)).toMatchObject({ ok: true, value: { signatures: [{ key: { notBefore: 2500 } }] } });
  expect(await verifyCheckpoint(formatNote(text, [log.line(text)]), trust)).toMatchObject({ ok: true, value: { signatures: [{ key: { notAfter: 2500 } }] } });
  expect(await verifyCheckpoint(formatNote(text, [newLog.line(text)]), trusted())).toMatchObject({ code: "note_signature_missing" });
});

test("a log key is replaced once, from a listed key on, and by a statement key in use", async () => {
  const history = rotated(logRotation, [first]);
  const again = rotated({ ...logRotation, publicKey: ed25519Signer(origin, 3).vkey.publicKey }, [first]);
  expect(await extendTrust(trusted(), [history, again])).toMatchObject({ code: "key_history_forked" });
  expect(await extendTrust(trusted(), [rotated({ ...logRotation, previous: stranger.publicKey }, [first])])).toMatchObject({ code: "key_history_broken" });
  expect(await extendTrust(trusted(), [rotated({ ...logRotation, previous: null }, [first])])).toMatchObject({ code: "key_history_broken" });
  expect(await extendTrust(trusted(), [rotated(logRotation, [stranger])])).toMatchObject({ code: "key_history_signature" });
  expect(await extendTrust(trusted(), [rotated({ ...logRotation, notBefore: 999 }, [first])])).toMatchObject({ code: "key_history_signature" });
  const next = rotated({ ...logRotation, previous: newLog.vkey.publicKey, publicKey: ed25519Signer(origin, 3).vkey.publicKey, notBefore: 2500 }, [first]);
  expect(await extendTrust(trusted(), [history, next])).toMatchObject({ code: "key_history_order" });
});

test("a thief of a statement key that was replaced cannot name a log key, whatever time he writes", async () => {
  const stolen = rotated({ ...logRotation, notBefore: 1500 }, [first]);
  expect(await extendTrust(trusted(), [toSecond, stolen])).toMatchObject({ code: "key_history_signature" });
  expect(await extendTrust(trusted(), [stolen, toSecond])).toMatchObject({ ok: true });
});

test("a witness cannot become the log that it witnesses", async () => {
  const history = rotated({ ...logRotation, publicKey: witness.vkey.publicKey }, [first]);
  expect(await extendTrust(trusted(), [history])).toMatchObject({ code: "key_history_witness" });
});

test("a first ML-DSA key does not make older checkpoints invalid, and a listed one stays required when it is replaced", async () => {
  const text = formatCheckpoint({ origin, size: 2, root: new Uint8Array(32) });
  const edOnly = formatNote(text, [log.line(text)]);
  const added = valid(await extendTrust(trusted(), [rotated({ role: "log-mldsa", publicKey: pq.vkey.publicKey, previous: null, notBefore: 2500 }, [first])]));
  expect(await verifyCheckpoint(edOnly, added)).toMatchObject({ ok: true, value: { mldsa: "absent-not-required" } });
  expect(await verifyCheckpoint(formatNote(text, [log.line(text), await pq.line(text)]), added)).toMatchObject({ ok: true, value: { mldsa: "verified" } });
  const replaced = rotated({ role: "log-mldsa", publicKey: newPq.vkey.publicKey, previous: pq.vkey.publicKey, notBefore: 2500 }, [first]);
  const listed = valid(await extendTrust(trusted({ log: [log.text, pq.text] }), [replaced]));
  expect(await verifyCheckpoint(edOnly, listed)).toMatchObject({ code: "checkpoint_mldsa_missing" });
  expect(await verifyCheckpoint(formatNote(text, [log.line(text), await newPq.line(text)]), listed)).toMatchObject({ ok: true, value: { mldsa: "verified" } });
  const secondFirst = rotated({ role: "log-mldsa", publicKey: newPq.vkey.publicKey, previous: null, notBefore: 2500 }, [first]);
  expect(await extendTrust(trusted({ log: [log.text, pq.text] }), [secondFirst])).toMatchObject({ code: "key_history_broken" });
  const unlisted = valid(await extendTrust(trusted(), [replaced]));
  expect(await verifyCheckpoint(edOnly, unlisted)).toMatchObject({ ok: true, value: { mldsa: "absent-not-required" } });
  expect(unlisted.logs.map(({ vkeys }) => vkeys.map(({ name, type }) => [name, type]))).toEqual([
    [
      [origin, "ed25519"],
      [origin, "ml-dsa-44"],
    ],
    [
      [shardOrigin, "ed25519"],
      [shardOrigin, "ml-dsa-44"],
    ],
  ]);
});

test("a new root key changes nobody's trust, but its statement must be signed by a key of its time", async () => {
  const rotation: KeyRotationPredicate = { role: "root", keyid: "ab".repeat(32), publicKey: "", algorithm: "aes-256-gcm", previous: null, notBefore: 1500 };
  const envelope = signStatement(keyRotationStatement(rotation), [first]);
  expect(await extendTrust(trusted(), [envelope])).toEqual({ ok: true, value: trusted() });
  expect(await extendTrust(trusted(), [toSecond, envelope])).toMatchObject({ ok: true });
  const later = keyRotationStatement({ ...rotation, notBefore: 2500 });
  expect(await extendTrust(trusted(), [signStatement(later, [second])])).toMatchObject({ code: "key_history_signature" });
  expect(await extendTrust(trusted(), [toSecond, signStatement(later, [first])])).toMatchObject({ code: "key_history_signature" });
});

test("a statement that does not fit itself is refused", async () => {
  const predicate = predicateOf({ role: "statement", publicKey: second.publicKey, previous: first.publicKey, notBefore: 2000 });
  const statement = keyRotationStatement(predicate);
  const signed = (change: object, subject = statement.subject) => signStatement({ ...statement, subject, predicate: { ...predicate, ...change } }, [first, second]);
  const wrongs: readonly (readonly [Envelope, string])[] = [
    [signed({ role: "owner" }), "key_rotation_malformed"],
    [signed({ notBefore: -1 }), "key_rotation_malformed"],
    [signed({ previous: "x" }), "key_rotation_malformed"],
    [signed({ algorithm: "ml-dsa-44" }), "key_rotation_key"],
    [signed({ publicKey: toBase64(new Uint8Array(31)) }), "key_rotation_key"],
    [signed({ keyid: third.keyid }), "key_rotation_key"],
    [signed({}, [{ digest: { sha256: third.keyid } }]), "key_rotation_subject"],
    [signStatement({ ...statement, predicateType: "https://licet.dev/predicate/approval/v1" }, [first, second]), "key_rotation_malformed"],
    [{ ...formatEnvelope(statement, toSecond.signatures), payloadType: "text/plain" }, "key_history_malformed"],
  ];
  for (const [envelope, code] of wrongs) expect(await extendTrust(trusted(), [envelope])).toMatchObject({ code });
});

test("hostile input never throws, and never extends the trust", async () => {
  const trust = trusted();
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.anything(), fc.record({ payloadType: fc.constant(toSecond.payloadType), payload: fc.oneof(fc.base64String(), fc.constant(toSecond.payload)), signatures: fc.array(fc.record({ keyid: fc.constantFrom(first.keyid, second.keyid, "x"), sig: fc.base64String() })) })), async (envelope) => {
      expect((await extendTrust(trust, [envelope])).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
  expect(await extendTrust(trust, Array.from({ length: 10_001 }, () => toSecond))).toMatchObject({ code: "key_history_too_long" });
});
