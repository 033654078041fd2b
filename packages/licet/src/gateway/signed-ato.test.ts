import { generateKeyPairSync, sign } from "node:crypto";
import { formatEnvelope, pae, predicateType, statementBytes, statementKeyId, statementPayloadType, statementType, type Statement } from "@licet/evidence";
import type { AtoPredicate } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { SignedAtos } from "./signed-ato.ts";

const digest = `sha256:${"ab".repeat(32)}` as const;

function signer() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const keyid = statementKeyId(raw);
  const envelope = (statement: Statement) => {
    const bytes = pae(statementPayloadType, statementBytes(statement));
    return formatEnvelope(statement, [{ keyid, sig: sign(null, bytes, privateKey).toString("base64") }]);
  };
  return { key: { keyid, publicKey: raw }, envelope };
}

function predicate(change: Partial<AtoPredicate> = {}): AtoPredicate {
  return {
    id: "ato_1",
    decision: "granted",
    request: "req_1",
    space: "main",
    system: "helpdesk",
    release: digest,
    tier: "minimal",
    stage: "pilot",
    environment: "local",
    dataBoundary: {},
    conditions: [],
    requestedBy: "dana@example.com",
    approvers: [],
    checks: [],
    policyDigest: digest,
    factsDigest: digest,
    notBefore: 1000,
    notAfter: 2000,
    ...change,
  };
}

function statementOf(said: AtoPredicate): Statement {
  return { _type: statementType, subject: [{ name: said.system, digest: { sha256: said.release.slice(7) } }], predicateType: predicateType("authorization-to-operate"), predicate: { ...said } };
}

const row = { id: "ato_1", space: "main", system: "helpdesk" };

describe("an authorization to operate", () => {
  test("is read from its signed statement", async () => {
    const { key, envelope } = signer();
    const read = await new SignedAtos([key]).read({ ...row, statement: JSON.stringify(envelope(statementOf(predicate()))) });
    expect(read).toMatchObject({ id: "ato_1", notAfter: 2000, release: digest });
  });

  test("authorises nothing when somebody else signed it, or nobody", async () => {
    const [ours, other] = [signer(), signer()];
    const atos = new SignedAtos([ours.key]);
    const unsigned = { ...ours.envelope(statementOf(predicate())), signatures: [] };
    expect(await atos.read({ ...row, statement: JSON.stringify(other.envelope(statementOf(predicate()))) })).toBeUndefined();
    expect(await atos.read({ ...row, statement: JSON.stringify(unsigned) })).toBeUndefined();
    expect(await atos.read({ ...row, statement: "not json" })).toBeUndefined();
  });

  test("authorises nothing once a byte of its statement was edited in the database", async () => {
    const { key, envelope } = signer();
    const signed = envelope(statementOf(predicate()));
    const longer = envelope(statementOf(predicate({ notAfter: 9_999_999 })));
    const edited = { ...signed, payload: longer.payload };
    expect(await new SignedAtos([key]).read({ ...row, statement: JSON.stringify(edited) })).toBeUndefined();
  });

  test("cannot be moved to another row, system or space", async () => {
    const { key, envelope } = signer();
    const atos = new SignedAtos([key]);
    const statement = JSON.stringify(envelope(statementOf(predicate())));
    for (const change of [{ id: "ato_2" }, { system: "payroll" }, { space: "other" }]) {
      expect(await atos.read({ ...row, ...change, statement })).toBeUndefined();
    }
  });
});
