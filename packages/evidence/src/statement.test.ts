import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toBase64, utf8 } from "./bytes.ts";
import { pae, parseEnvelope, statementKeyId, verifyEnvelope, type Envelope } from "./dsse.ts";
import { sha256Hex } from "./sha256.ts";
import { formatEnvelope, parseStatement, predicateType, statementBytes, statementPayloadType, statementType, verifyStatement, type Statement } from "./statement.ts";

function signer() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(-32));
  const keyid = statementKeyId(raw);
  return { key: { keyid, publicKey: raw }, sign: (message: Uint8Array) => ({ keyid, sig: toBase64(sign(null, message, privateKey)) }) };
}

const ours = signer();
const theirs = signer();
const statement: Statement = {
  _type: statementType,
  subject: [{ name: "release", digest: { sha256: sha256Hex("release") } }],
  predicateType: predicateType("approval"),
  predicate: { answer: "approve" },
};
const message = pae(statementPayloadType, statementBytes(statement));
const envelope = formatEnvelope(statement, [ours.sign(message)]);

test("the encoding that is signed is the one of DSSE's protocol text", () => {
  expect(new TextDecoder().decode(pae("http://example.com/HelloWorld", utf8("hello world")))).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  expect(new TextDecoder().decode(pae("é", utf8("ü")))).toBe("DSSEv1 2 é 2 ü");
});

test("a statement comes back with its signer", async () => {
  expect(await verifyStatement(envelope, [theirs.key, ours.key])).toMatchObject({ ok: true, value: { statement, signers: [ours.key.keyid] } });
});

test("without a trusted signature nothing is believed, and a wrong one of a trusted key sinks it", async () => {
  expect(await verifyEnvelope(envelope, [theirs.key])).toMatchObject({ code: "signature_missing" });
  expect(await verifyEnvelope(envelope, [])).toMatchObject({ code: "signature_missing" });
  const lent: Envelope = { ...envelope, signatures: [...envelope.signatures, { keyid: theirs.key.keyid, sig: envelope.signatures[0]?.sig ?? "" }] };
  expect(await verifyEnvelope(lent, [ours.key, theirs.key])).toMatchObject({ code: "signature_wrong" });
  expect(await verifyEnvelope({ ...envelope, payloadType: "text/plain" }, [ours.key])).toMatchObject({ code: "signature_wrong" });
});

test("an envelope that holds no statement is refused although it is signed", async () => {
  const signed = (payloadType: string, payload: Uint8Array): Envelope => ({ payloadType, payload: toBase64(payload), signatures: [ours.sign(pae(payloadType, payload))] });
  expect(await verifyStatement(signed("text/plain", statementBytes(statement)), [ours.key])).toMatchObject({ code: "payload_type" });
  expect(await verifyStatement(signed(statementPayloadType, utf8(JSON.stringify(statement, null, 1))), [ours.key])).toMatchObject({ code: "json_not_canonical" });
  expect(await verifyStatement(signed(statementPayloadType, utf8("{}")), [ours.key])).toMatchObject({ code: "statement_malformed" });
  expect(await verifyStatement(signed(statementPayloadType, Uint8Array.of(0xff)), [ours.key])).toMatchObject({ code: "utf8_invalid" });
});

test("any value at all gets an answer, never an exception", () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      expect(parseEnvelope(value).ok).toBe(false);
    }),
  );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => !parseStatement(bytes).ok));
});

test("wrong members of an envelope are refused", () => {
  expect(parseEnvelope(envelope).ok).toBe(true);
  for (const wrong of [{ payload: 1 }, { payload: "a" }, { signatures: [] }, { signatures: [{}] }, { signatures: {} }, { extra: 1 }, { payloadType: null }, { signatures: Array.from({ length: 17 }, () => envelope.signatures[0]) }]) {
    expect(parseEnvelope({ ...envelope, ...wrong }).ok).toBe(false);
  }
});

test("a statement without subject, or with a digest that is none, is refused", () => {
  for (const wrong of [{ subject: [] }, { subject: [{ digest: { sha256: "AB" } }] }, { subject: [{ name: 1, digest: { sha256: sha256Hex("") } }] }, { _type: "x" }, { predicate: [] }]) {
    expect(parseStatement(utf8(JSON.stringify({ ...statement, ...wrong }))).ok).toBe(false);
  }
});
