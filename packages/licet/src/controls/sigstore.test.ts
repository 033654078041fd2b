import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { formatEnvelope, pae, statementBytes, statementKeyId, statementPayloadType, toBase64, type Envelope, type Statement } from "@licet/evidence";
import { describe, expect, test } from "vitest";
import { namedSubject, publishedStatement } from "../ledger/entry-statement.ts";
import { sigstoreBundle, sigstoreMediaType } from "./sigstore.ts";

function newKey() {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  return { privateKey, keyid: statementKeyId(raw), der: publicKey.export({ format: "der", type: "spki" }) };
}
type Key = ReturnType<typeof newKey>;

const key = newKey();
const statement: Statement = publishedStatement("hold", namedSubject({ kind: "space", space: "main", name: "main" }), { event: "placed", entry: "ent_1", space: "main", hold: "hold_1", scope: "all", system: null, reason: "drift", by: "per_1", at: 1 });

function envelope(by: Key = key): Envelope {
  const sig = toBase64(sign(null, pae(statementPayloadType, statementBytes(statement)), by.privateKey));
  return formatEnvelope(statement, [{ keyid: by.keyid, sig }]);
}

const noAuthorities = { mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1", tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] };

/** Sigstore's own verifier, told to ask for our key and for no Rekor entry. */
function verify(bundle: unknown, known: readonly Key[] = [key]): string {
  const keys = Object.fromEntries(known.map(({ keyid, der }) => [keyid, { rawBytes: der, keyDetails: 7 }]));
  const verifier = new Verifier(toTrustMaterial(noAuthorities, keys), { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  try {
    const signer = verifier.verify(toSignedEntity(bundleFromJSON(bundle)));
    return signer.key.equals(createPublicKey({ key: known[0]?.der ?? Buffer.alloc(0), format: "der", type: "spki" })) ? "accepted" : "another key";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

type Json = { readonly dsseEnvelope: { readonly payload: string; readonly payloadType: string; readonly signatures: readonly { readonly sig: string; readonly keyid: string }[] } };
const bundle = () => JSON.parse(JSON.stringify(sigstoreBundle(envelope()))) as Json;

function flipped(base64: string, at = 0): string {
  const bytes = Buffer.from(base64, "base64");
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString("base64");
}

describe("a statement as a Sigstore bundle", () => {
  test("is accepted by Sigstore's verifier with our key", () => {
    expect(sigstoreBundle(envelope())).toMatchObject({ mediaType: sigstoreMediaType });
    expect(verify(bundle())).toBe("accepted");
  });

  test("is rejected with a byte of the payload changed, wherever it is", () => {
    const { dsseEnvelope } = bundle();
    const length = Buffer.from(dsseEnvelope.payload, "base64").length;
    const outcomes = Array.from({ length }, (_, at) => verify({ ...bundle(), dsseEnvelope: { ...dsseEnvelope, payload: flipped(dsseEnvelope.payload, at) } }));
    expect(new Set(outcomes)).toEqual(new Set(["SIGNATURE_ERROR"]));
    expect(outcomes.length).toBeGreaterThan(200);
  });

  test("is rejected with a byte of the signature or the payload's type changed", () => {
    const { dsseEnvelope } = bundle();
    const [signature] = dsseEnvelope.signatures;
    const tampered = Array.from({ length: 64 }, (_, at) => verify({ ...bundle(), dsseEnvelope: { ...dsseEnvelope, signatures: [{ keyid: key.keyid, sig: flipped(signature?.sig ?? "", at) }] } }));
    expect(new Set(tampered)).toEqual(new Set(["SIGNATURE_ERROR"]));
    expect(verify({ ...bundle(), dsseEnvelope: { ...dsseEnvelope, payloadType: "application/json" } })).toBe("SIGNATURE_ERROR");
  });

  test("is rejected when another key has signed it, or when the key is not known", () => {
    const other = newKey();
    const { dsseEnvelope } = JSON.parse(JSON.stringify(sigstoreBundle(envelope(other)))) as Json;
    expect(verify({ ...bundle(), dsseEnvelope })).toBe("SIGNATURE_ERROR");
    expect(verify(bundle(), [other])).toBe("PUBLIC_KEY_ERROR");
    expect(verify(sigstoreBundle(envelope(other)), [other])).toBe("accepted");
  });

  test("holds the first of several signatures, and none is no bundle", () => {
    const other = newKey();
    const two = { ...envelope(), signatures: [...envelope().signatures, ...envelope(other).signatures] };
    expect(verify(JSON.parse(JSON.stringify(sigstoreBundle(two))))).toBe("accepted");
    expect(() => sigstoreBundle({ ...two, signatures: [] })).toThrow("has a signature");
  });
});
