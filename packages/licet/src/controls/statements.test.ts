import { CheckRecorded } from "@licet/contract";
import { canonicalize, fromBase64, verifyStatement, type Statement } from "@licet/evidence";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testResultType } from "../assurance/statement.ts";
import { cookies, fresh, helpdesk, hour, openWorld, tumour, type Caller, type World } from "../ato/world-fixture.ts";
import { placeHold } from "../oversight/holds.ts";
import { svrType, vsaType } from "./statements-derived.ts";
import { exportStatement, type ExportDeps } from "./statements.ts";

let world: World;
let tom: Caller;
let deps: ExportDeps;
let ato: string;
let release: string;
beforeAll(async () => {
  world = await openWorld();
  tom = await world.person("t", ["developer"]);
  await world.provider("simulator");
  release = await world.push(helpdesk, tom.personId);
  ato = (await world.routes.requestPromotion({ params: { space: "main", system: "helpdesk" }, body: { to: "pilot", environment: "local" } }, tom, cookies)).ato ?? "";
  const { database, recorder, log } = world.installation;
  deps = { read: database.read, recorder, origin: log.origin, signStatement: (statement) => world.keys.signStatement(statement), leafAt: async (index) => (await log.read(index))?.leaf, proved: () => Promise.reject(new Error("no proof is asked for here")) };
});
afterAll(() => world.close());

type Format = Parameters<typeof exportStatement>[1]["format"];

async function exported(entry: string, format: Format): Promise<Statement> {
  const { content } = await exportStatement(deps, { space: "main", entry, format });
  const [key] = world.keys.trustFile().statementKeys;
  const publicKey = fromBase64(key?.publicKey ?? "");
  const verified = await verifyStatement(JSON.parse(content), publicKey.ok ? [{ keyid: key?.keyid ?? "", publicKey: publicKey.value }] : []);
  if (!verified.ok) throw new Error(verified.message);
  return verified.value.statement;
}

const about = () => [{ name: "helpdesk", digest: { sha256: release.slice("sha256:".length) } }];

describe("an authorization that is in force", () => {
  test("gives a simple verification result about the release alone, with its policy and its last day", async () => {
    const svr = await exported(ato, "svr");
    expect([svr.predicateType, svr.subject]).toEqual([svrType, about()]);
    const said = await exported(ato, "dsse");
    expect(svr.predicate).toMatchObject({
      verifier: { id: "https://licet.dev/verifier/authorization-to-operate/v1", policy: { digest: { sha256: String(said.predicate["policyDigest"]).slice(7) } } },
      timeCreated: new Date(world.clock.now()).toISOString(),
      properties: ["LICET_AUTHORIZED_TO_OPERATE", "LICET_STAGE_PILOT", "LICET_TIER_MINIMAL"],
      "https://licet.dev/extension/authorization/v1": { id: ato, environment: "local", state: "granted", notAfter: new Date(Number(said.predicate["notAfter"])).toISOString() },
    });
  });

  test("gives a verification summary that PASSED, names the statement it rests on, and claims no SLSA level", async () => {
    const vsa = await exported(ato, "vsa");
    expect([vsa.predicateType, vsa.subject]).toEqual([vsaType, about()]);
    expect(vsa.predicate).toMatchObject({ resourceUri: `pkg:generic/helpdesk?checksum=${release}`, verificationResult: "PASSED", verifiedLevels: ["LICET_AUTHORIZED_TO_OPERATE"], inputAttestations: [{ digest: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/u) } }] });
    for (const member of ["verifier", "timeVerified", "resourceUri", "policy", "verificationResult", "verifiedLevels"]) expect(vsa.predicate).toHaveProperty(member);
    expect(canonicalize(vsa)).not.toContain("SLSA_");
  });

  test("is refused as a test result, and is not found in another space", async () => {
    await expect(exportStatement(deps, { space: "main", entry: ato, format: "test-result" })).rejects.toMatchObject({ code: "statement_format_unfit" });
    await expect(exportStatement(deps, { space: "other", entry: ato, format: "svr" })).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a check result", () => {
  test("is exported as the in-toto test result beside it, FAILED where it is not a pass", async () => {
    const digest = await world.push(tumour, tom.personId);
    const { database, recorder } = world.installation;
    const resultEntry = async (verdict: "pass" | "insufficient_evidence"): Promise<string> => {
      await world.result({ system: "tumour", release: digest, id: verdict === "pass" ? "recall" : "schema", check: "perf.metric", verdict });
      const row = await database.read.selectFrom("entry").select("id").where("kind", "=", "check.recorded").orderBy("log_index", "desc").executeTakeFirstOrThrow();
      return row.id;
    };
    const [passed, insufficient] = [await resultEntry("pass"), await resultEntry("insufficient_evidence")];
    expect((await exported(passed, "test-result")).predicate).toMatchObject({ result: "PASSED", passedTests: ["recall"] });
    const failed = await exported(insufficient, "test-result");
    expect([failed.predicateType, failed.predicate["result"], failed.predicate["warnedTests"]]).toEqual([testResultType, "FAILED", []]);
    const body = CheckRecorded.parse((await recorder.read("main", insufficient))?.body);
    expect((await exportStatement(deps, { space: "main", entry: insufficient, format: "dsse" })).content).toBe(`${canonicalize(body.statement)}\n`);
  });
});

describe("an approval", () => {
  test("is exported as the exact text that the person was shown, signed by the server", async () => {
    const rita = await world.person("r", ["risk-owner"]);
    const request = await world.routes.requestPromotion({ params: { space: "main", system: "tumour" }, body: { to: "pilot", environment: "local" } }, tom, cookies);
    await world.routes.giveApproval({ params: { space: "main", request: request.id }, body: { role: "risk-owner", answer: "approve", comment: "looked at it" } }, fresh(world, rita), cookies);
    const { database, recorder } = world.installation;
    const row = await database.read.selectFrom("entry").select("id").where("kind", "=", "approval.given").executeTakeFirstOrThrow();
    const text = (await recorder.read("main", row.id))?.body["statement"];
    expect(canonicalize(await exported(row.id, "dsse"))).toBe(text);
  });
});

/** Last, because it ends what the others stand on. */
describe("an authorization that is not in force", () => {
  test("under a hold and after its last day: no result, and a summary that FAILED", async () => {
    const ended = async (state: string): Promise<void> => {
      await expect(exportStatement(deps, { space: "main", entry: ato, format: "svr" })).rejects.toMatchObject({ code: "ato_not_in_force", message: expect.stringContaining(state) });
      expect((await exported(ato, "vsa")).predicate).toMatchObject({ verificationResult: "FAILED", verifiedLevels: ["FAILED"], "https://licet.dev/extension/authorization/v1": { state } });
    };
    await placeHold(world.installation.recorder, { space: "main", scope: "system", system: "helpdesk", reason: "drift", by: tom.personId });
    await ended("suspended");
    world.clock.advance(91 * 24 * hour);
    await ended("expired");
  });
});
