import fc from "fast-check";
import { expect, test } from "vitest";
import { toBase64 } from "./bytes.ts";
import { formatCheckpoint } from "./checkpoint.ts";
import { formatNote } from "./note.ts";
import { cosigner, ed25519Signer, statementSigner, valid } from "./signers-fixture.ts";
import { keysAt, logOf, parseTrust, trustFingerprint, verifyTrustedCheckpoint, type TrustFile } from "./trust.ts";
import { formatVkey } from "./vkey.ts";

const origin = "log.example/one";
const shardOrigin = `${origin}/2-0a1b2c3d`;
const log = ed25519Signer(origin, 1);
const pq = cosigner(origin, "ml-dsa-44");
const shard = ed25519Signer(shardOrigin, 1);
const witness = cosigner("w.example", "ed25519-cosignature");
const statement = statementSigner();
const policy = `witness w ${witness.text}\nquorum w\n`;

const file1: TrustFile = {
  v: 1,
  origin,
  log: [log.text],
  statementKeys: [{ keyid: statement.keyid, publicKey: toBase64(statement.publicKey), notBefore: 1000 }],
  witnesses: null,
};
const file2: TrustFile = { ...file1, v: 2, log: [log.text, pq.text], logs: [{ origin: shardOrigin, vkeys: [shard.text] }], witnesses: { policy } };

function textOf(file: TrustFile, change: object = {}): string {
  const changed = { ...file, ...change };
  return JSON.stringify({ ...changed, fingerprint: trustFingerprint(changed) });
}

test("a trust file of version 1 is read as before", () => {
  const trust = valid(parseTrust(textOf(file1)));
  expect(trust).toMatchObject({ origin, witnesses: null, vkeys: [log.vkey], logs: [{ origin, vkeys: [log.vkey] }], keys: [{ keyid: statement.keyid, notBefore: 1000, notAfter: Infinity }] });
  expect(trust.fingerprint).toBe(trustFingerprint(file1));
  expect(keysAt(trust, 999)).toEqual([]);
  expect(keysAt(trust, 1000)).toHaveLength(1);
});

test("a trust file of version 2 holds ML-DSA keys, further shards and a witness policy", () => {
  const trust = valid(parseTrust(textOf(file2)));
  expect(trust.vkeys).toEqual([log.vkey, pq.vkey]);
  expect(logOf(trust, origin)?.vkeys).toEqual([log.vkey, pq.vkey]);
  expect(logOf(trust, shardOrigin)?.vkeys).toEqual([shard.vkey]);
  expect(logOf(trust, "log.example")).toBeUndefined();
  expect(trust.witnesses).toMatchObject({ quorum: "w", witnesses: [{ name: "w", vkey: witness.vkey }] });
});

test("a version 1 file holds nothing of version 2", () => {
  const changes = [{ log: [log.text, pq.text] }, { logs: [] }, { witnesses: { policy } }];
  expect(changes.map((change) => parseTrust(textOf(file1, change)))).toMatchObject([{ code: "trust_log_key" }, { code: "trust_malformed" }, { code: "trust_malformed" }]);
});

test.each([
  ["trust_malformed", { v: 3 }],
  ["trust_malformed", { log: [] }],
  ["trust_malformed", { more: 1 }],
  ["trust_malformed", { witnesses: {} }],
  ["trust_malformed", { witnesses: undefined }],
  ["trust_malformed", { statementKeys: [] }],
  ["trust_malformed", { logs: [{ origin: shardOrigin, vkeys: [] }] }],
  ["trust_log_key", { log: [pq.text] }],
  ["trust_log_key", { log: [log.text, witness.text] }],
  ["trust_log_key", { logs: [{ origin: shardOrigin, vkeys: ["x"] }] }],
  ["trust_origin_twice", { logs: [{ origin, vkeys: [shard.text] }] }],
  ["trust_policy", { witnesses: { policy: "quorum w\n" } }],
  ["trust_policy", { witnesses: { policy: `log ${ed25519Signer("other.example").text}\n${policy}` } }],
  ["trust_policy", { witnesses: { policy: `witness w ${formatVkey({ ...log.vkey, type: "ed25519-cosignature", name: "w.example" })}\nquorum w\n` } }],
  ["trust_statement_key", { statementKeys: [{ keyid: "00", publicKey: toBase64(statement.publicKey), notBefore: 1 }] }],
])("a trust file is refused as %s with %o", (code, change) => {
  expect(parseTrust(textOf(file2, change))).toMatchObject({ ok: false, code });
});

test("a policy may name logs that the trust file lists", () => {
  expect(parseTrust(textOf(file2, { witnesses: { policy: `log ${log.text}\n${policy}` } }))).toMatchObject({ ok: true });
});

test("every changed character of a trust file with a fingerprint is noticed", () => {
  const text = textOf(file2);
  for (let at = 0; at < text.length; at += 2) {
    const mutant = `${text.slice(0, at)}${text[at] === "a" ? "b" : "a"}${text.slice(at + 1)}`;
    expect(parseTrust(mutant).ok, `character ${at}`).toBe(false);
  }
});

test("no text makes the parser throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), fc.object().map((members) => JSON.stringify({ ...file2, ...members }))), (text) => {
      expect(typeof parseTrust(text).ok).toBe("boolean");
    }),
  );
});

test("a checkpoint is judged by the keys of the log that it names, and of no other", async () => {
  const trust = valid(parseTrust(textOf(file2)));
  const root = new Uint8Array(32).fill(3);
  const ofShard = formatCheckpoint({ origin: shardOrigin, size: 2, root });
  expect(await verifyTrustedCheckpoint(formatNote(ofShard, [shard.line(ofShard)]), trust)).toMatchObject({ ok: true, value: { origin: shardOrigin, mldsa: "absent-not-required" } });
  expect(await verifyTrustedCheckpoint(formatNote(ofShard, [log.line(ofShard)]), trust)).toMatchObject({ code: "note_signature_missing" });
  const ofLog = formatCheckpoint({ origin, size: 2, root });
  expect(await verifyTrustedCheckpoint(formatNote(ofLog, [log.line(ofLog)]), trust)).toMatchObject({ code: "checkpoint_mldsa_missing" });
  expect(await verifyTrustedCheckpoint(formatNote(ofLog, [log.line(ofLog), await pq.line(ofLog)]), trust)).toMatchObject({ ok: true, value: { mldsa: "verified" } });
  const stranger = formatCheckpoint({ origin: "log.example", size: 2, root });
  expect(await verifyTrustedCheckpoint(formatNote(stranger, [log.line(stranger)]), trust)).toMatchObject({ code: "checkpoint_origin" });
  expect(await verifyTrustedCheckpoint("", trust)).toMatchObject({ code: "note_malformed" });
});
