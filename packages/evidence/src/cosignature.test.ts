import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { concat, fromBase64, toHex, utf8 } from "./bytes.ts";
import { formatCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { cosignedMessage, formatCosignature } from "./cosignature.ts";
import { verifyMlDsa44 } from "./ml-dsa.ts";
import { checkNote, formatNote, parseSignatureLine, verifyNote } from "./note.ts";
import { cosigner, ed25519Signer, mutants, someTime, valid } from "./signers-fixture.ts";
import { formatVkey, noteKeyHash, parseVkey } from "./vkey.ts";

const origin = "log.example/one";
const root = new Uint8Array(32).fill(7);
const text = formatCheckpoint({ origin, size: 20_852_163, root });
const log = ed25519Signer(origin);
const pq = cosigner(origin, "ml-dsa-44");
const witness = cosigner("witness.example/w1", "ed25519-cosignature");
const pqWitness = cosigner("witness.example/w2", "ml-dsa-44");
const noMlDsa = { mlDsa44: () => Promise.resolve("unsupported" as const) };

test("an ed25519 cosigner signs the two lines of the specification and the whole checkpoint", () => {
  const message = cosignedMessage({ type: "ed25519-cosignature", name: "w", text: `${text}extension\n`, timestamp: 1_679_315_147 });
  expect(new TextDecoder().decode(message)).toBe(`cosignature/v1\ntime 1679315147\n${text}extension\n`);
});

test("an ml-dsa-44 cosigner signs the structure of the specification, without extension lines", () => {
  const message = cosignedMessage({ type: "ml-dsa-44", name: "w1", text: `${text}extension\n`, timestamp: 1_679_315_147, size: 20_852_163, root });
  const label = "737562747265652f76310a00";
  const name = "027731";
  const time = "00000000641850cb";
  const logOrigin = `0f${toHex(utf8(origin))}`;
  const range = `${"00".repeat(8)}00000000013e2dc3`;
  expect(toHex(message)).toBe(label + name + time + logOrigin + range + "07".repeat(32));
});

test("what cannot be signed is not", () => {
  const tree = { type: "ml-dsa-44", name: "w", text, timestamp: 1 } as const;
  const wrongs = [{ text: "no checkpoint\n" }, { timestamp: -1 }, { timestamp: 0.5 }, { timestamp: 2 ** 53 }, { name: "" }, { name: "n".repeat(256) }, { size: 1 }, { root: new Uint8Array(32) }, { text: formatCheckpoint({ origin: "o".repeat(256), size: 1, root }) }];
  for (const [at, wrong] of wrongs.entries()) expect(() => cosignedMessage({ ...tree, ...wrong }), `case ${at}`).toThrow(TypeError);
  expect(cosignedMessage({ ...tree, name: "n".repeat(255) })).toHaveLength(12 + 256 + 8 + 16 + 16 + 32);
});

test("a verifier key's id covers its type, so that one key has another id for another use", () => {
  const key = new Uint8Array(32).fill(9);
  for (const [type, byte] of [["ed25519", 1], ["ed25519-cosignature", 4]] as const) {
    const expected = createHash("sha256").update("w.example\n").update(Uint8Array.of(byte)).update(key).digest("hex").slice(0, 8);
    expect(noteKeyHash("w.example", key, type)).toBe(expected);
    expect(formatVkey({ type, name: "w.example", publicKey: key })).toContain(`w.example+${expected}+`);
  }
});

test("verifier keys of each type come back, and no changed character is accepted as the same key", () => {
  for (const { text: vkey } of [log, witness, pq]) {
    expect(formatVkey(valid(parseVkey(vkey)))).toBe(vkey);
    for (const { mutant } of mutants(vkey)) expect(parseVkey(mutant).ok).toBe(false);
  }
  expect(parseVkey(`a+00000000+${"A".repeat(5000)}`)).toMatchObject({ code: "vkey_invalid" });
  expect(() => formatVkey({ type: "ml-dsa-44", name: "a", publicKey: new Uint8Array(32) })).toThrow(TypeError);
});

test("no text makes the key parser throw", () => {
  const garbage = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("+", "a", "0", "A", "=", " ", "\ud800") }));
  fc.assert(
    fc.property(garbage, (vkey) => {
      expect(parseVkey(vkey).ok).toBe(false);
    }),
  );
});

test("cosignatures of both kinds verify and tell their time", async () => {
  const note = formatNote(text, [log.line(text), await pq.line(text), await witness.line(text, 1), await pqWitness.line(text, 0)]);
  const verified = valid(await verifyNote(note, [log.vkey, pq.vkey, witness.vkey, pqWitness.vkey]));
  expect(verified.signers).toEqual([origin, "witness.example/w1", "witness.example/w2"]);
  expect(verified.signatures.map(({ key, timestamp }) => [key.type, timestamp])).toEqual([
    ["ed25519", undefined],
    ["ml-dsa-44", someTime],
    ["ed25519-cosignature", 1],
    ["ml-dsa-44", 0],
  ]);
  expect(verified.unsupported).toEqual([]);
});

test("a cosignature holds for its checkpoint, its cosigner and its time only", async () => {
  for (const signer of [witness, pqWitness]) {
    const line = await signer.line(text);
    const other = formatCheckpoint({ origin, size: 20_852_164, root });
    expect(await verifyNote(formatNote(other, [line]), [signer.vkey])).toMatchObject({ code: "note_signature_wrong" });
    const { signature } = valid(parseSignatureLine(line.trimEnd()));
    const later = formatCosignature({ ...cosignerOf(signer.vkey), timestamp: someTime + 1, signature: signature.subarray(8) });
    expect(await verifyNote(formatNote(text, [later]), [signer.vkey])).toMatchObject({ code: "note_signature_wrong" });
    const unread = formatCosignature({ ...cosignerOf(signer.vkey), timestamp: Number.MAX_SAFE_INTEGER, signature: signature.subarray(0, 0) });
    expect(await verifyNote(formatNote(text, [unread]), [signer.vkey])).toMatchObject({ code: "note_signature_wrong" });
  }
  const renamed = { ...pqWitness.vkey, name: "witness.example/w3", keyHash: noteKeyHash("witness.example/w3", pqWitness.vkey.publicKey, "ml-dsa-44") };
  const { signature } = valid(parseSignatureLine((await pqWitness.line(text)).trimEnd()));
  const line = formatCosignature({ ...cosignerOf(renamed), timestamp: someTime, signature: signature.subarray(8) });
  expect(await verifyNote(formatNote(text, [line]), [renamed])).toMatchObject({ code: "note_signature_wrong" });
});

function cosignerOf({ name, publicKey, type }: typeof witness.vkey) {
  return { name, publicKey, type: type === "ml-dsa-44" ? type : ("ed25519-cosignature" as const) };
}

test("a log's ed25519 signature is no cosignature, even by the same key", async () => {
  const asWitness = valid(parseVkey(formatVkey({ type: "ed25519-cosignature", name: origin, publicKey: log.vkey.publicKey })));
  const { signature } = valid(parseSignatureLine(log.line(text).trimEnd()));
  const posed = formatCosignature({ ...cosignerOf(asWitness), timestamp: someTime, signature });
  expect(await verifyNote(formatNote(text, [log.line(text), posed]), [log.vkey, asWitness])).toMatchObject({ code: "note_signature_wrong" });
});

test("a key signs a note once", async () => {
  const twice = formatNote(text, [await witness.line(text, 1), await witness.line(text, 2)]);
  expect(await verifyNote(twice, [witness.vkey])).toMatchObject({ code: "note_signature_twice" });
});

test("every byte of a checkpoint with an ed25519 and an ml-dsa-44 signature counts", async () => {
  const note = formatNote(text, [log.line(text), await pq.line(text)]);
  const trust = { origin, vkeys: [log.vkey, pq.vkey] };
  expect(await verifyCheckpoint(note, trust)).toMatchObject({ ok: true, value: { mldsa: "verified", size: 20_852_163 } });
  for (const { at, mutant } of mutants(note, 3)) expect((await verifyCheckpoint(mutant, trust)).ok, `byte ${at}`).toBe(false);
});

test("where ML-DSA cannot be checked, its signature is required and told, but never counted", async () => {
  const trust = { origin, vkeys: [log.vkey, pq.vkey] };
  const both = formatNote(text, [log.line(text), await pq.line(text)]);
  expect(await verifyCheckpoint(both, trust, noMlDsa)).toMatchObject({ ok: true, value: { mldsa: "unsupported", signatures: [{ key: log.vkey }] } });
  expect(await verifyCheckpoint(formatNote(text, [await pq.line(text)]), trust, noMlDsa)).toMatchObject({ code: "note_signature_unsupported" });
  expect(await checkNote(both, [pq.vkey], noMlDsa)).toMatchObject({ ok: true, value: { signatures: [], unsupported: [pq.vkey] } });
});

test("a listed ML-DSA key must have signed, and an Ed25519 key always", async () => {
  const edOnly = formatNote(text, [log.line(text)]);
  const pqOnly = formatNote(text, [await pq.line(text)]);
  expect(await verifyCheckpoint(edOnly, { origin, vkeys: [log.vkey, pq.vkey] })).toMatchObject({ code: "checkpoint_mldsa_missing" });
  expect(await verifyCheckpoint(pqOnly, { origin, vkeys: [log.vkey, pq.vkey] })).toMatchObject({ code: "note_signature_missing" });
  expect(await verifyCheckpoint(edOnly, { origin, vkeys: [log.vkey] })).toMatchObject({ ok: true, value: { mldsa: "absent-not-required" } });
  const added = { ...pq.vkey, notBefore: 5 };
  expect(await verifyCheckpoint(edOnly, { origin, vkeys: [log.vkey, added] })).toMatchObject({ ok: true, value: { mldsa: "absent-not-required" } });
});

test("ML-DSA-44 signatures of a wrong length or form are wrong, not unsupported", async () => {
  const message = utf8("m");
  expect(await verifyMlDsa44({ publicKey: pq.vkey.publicKey, signature: new Uint8Array(2419), message })).toBe("wrong");
  expect(await verifyMlDsa44({ publicKey: new Uint8Array(1311), signature: new Uint8Array(2420), message })).toBe("wrong");
  expect(await verifyMlDsa44({ publicKey: pq.vkey.publicKey, signature: new Uint8Array(2420).fill(255), message })).toBe("wrong");
});

test("WebCrypto, which browsers have, and node:crypto judge ML-DSA-44 signatures alike", async () => {
  const message = cosignedMessage({ type: "ml-dsa-44", name: origin, text, timestamp: someTime });
  const signature = concat(valid(fromBase64((await pq.line(text)).trimEnd().split(" ")[2] ?? ""))).slice(12);
  const spki = concat(Buffer.from("30820532300b06096086480165030403110382052100", "hex"), pq.vkey.publicKey);
  const key = await crypto.subtle.importKey("spki", spki, { name: "ML-DSA-44" }, false, ["verify"]);
  expect(await crypto.subtle.verify({ name: "ML-DSA-44" }, key, signature, message)).toBe(true);
  expect(await verifyMlDsa44({ publicKey: pq.vkey.publicKey, signature, message })).toBe("verified");
  signature[0] = (signature[0] ?? 0) ^ 1;
  expect(await crypto.subtle.verify({ name: "ML-DSA-44" }, key, signature, message)).toBe(false);
  expect(await verifyMlDsa44({ publicKey: pq.vkey.publicKey, signature, message })).toBe("wrong");
});
