import { GateAnswer, type RouteAnswer } from "@licet/contract";
import { canonicalize, parseStatement, verifyStatement } from "@licet/evidence";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dump, newDirectory, removeDirectory } from "../ledger/recorder-fixture.ts";
import { registryOf } from "../ledger/registry.ts";
import { rebuildDatabase } from "../ledger/replay.ts";
import { builtinBundle } from "../policy/bundle.ts";
import { decideGate } from "./gate.ts";
import { openRequest } from "./lifecycle.ts";
import { changed, cookies, definitions, fresh, helpdesk, hour, laxTumour, openWorld, tumour, type Caller, type World } from "./world-fixture.ts";

let world: World;
let tom: Caller, rita: Caller, ada: Caller, pia: Caller;

beforeEach(async () => {
  world = await openWorld();
  tom = await world.person("t", ["developer"]);
  rita = await world.person("r", ["risk-owner"]);
  ada = await world.person("ada", ["authorizing-official"]);
  pia = await world.person("pia", ["platform-engineer"]);
  await world.provider("simulator");
});
afterEach(async () => {
  await world.close();
  if (world.failures.length > 0) throw new Error("settling failed in the background", { cause: world.failures[0] });
});

type Request = RouteAnswer<"showRequest">;
const at = (system: string) => ({ params: { space: "main", system } });
const promote = (system: string, to: "experiment" | "pilot" | "production" = "pilot", by = tom): Promise<Request> =>
  world.routes.requestPromotion({ ...at(system), body: { to, environment: "local" } }, by, cookies);
const answer = (request: string, by: Caller, role: "risk-owner" | "authorizing-official" | "assessor" | "security-engineer", word: "approve" | "return" | "refuse" = "approve"): Promise<Request> =>
  world.routes.giveApproval({ params: { space: "main", request }, body: { role, answer: word, comment: "looked at it" } }, fresh(world, by), cookies);
const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));

async function assured(): Promise<string> {
  const release = await world.push(tumour, tom.personId);
  for (const [id, check] of [["schema", "data.schema"], ["recall", "perf.metric"], ["opportunity", "fair.opportunity"]] as const) await world.result({ system: "tumour", release, id, check, verdict: "pass" });
  await world.result({ system: "tumour", release, id: "odds", check: "fair.odds", verdict: "insufficient_evidence" });
  return release;
}

const unmet = (request: Request): readonly string[] => (request.gate?.requirements ?? []).filter((each) => each.state !== "met").map((each) => each.id);

describe("a minimal-tier pilot", () => {
  test("is granted at once, without any human, by a statement that verifies", async () => {
    const release = await world.push(helpdesk, tom.personId);
    const request = await promote("helpdesk");
    expect(request.status).toBe("granted");
    const { items } = await world.routes.listAtos(at("helpdesk"), tom, cookies);
    const [ato] = items;
    expect(ato).toMatchObject({ id: request.ato, release, stage: "pilot", environment: "local", state: "granted" });
    expect(ato?.notAfter).toBe((ato?.notBefore ?? 0) + 90 * 24 * hour);
    const key = world.keys.trustFile().statementKeys[0];
    if (ato === undefined || key === undefined) throw new Error("no ato");
    const verified = await verifyStatement(ato.statement, [{ keyid: key.keyid, publicKey: Buffer.from(key.publicKey, "base64") }]);
    expect(verified.ok).toBe(true);
    const statement = parseStatement(Buffer.from(ato.statement.payload, "base64"));
    expect(statement.ok && statement.value.subject.map((each) => each.name)).toEqual(["helpdesk", "model/chat", "prompt/system"]);
  });

  test("moves the system, and a pilot without a registered provider waits for one and is then granted by itself", async () => {
    await world.close();
    world = await openWorld();
    tom = await world.person("t", ["developer"]);
    await world.push(helpdesk, tom.personId);
    const request = await promote("helpdesk");
    expect(unmet(request)).toEqual(["declared.providers"]);
    const stop = world.oversight.watch();
    await world.provider("simulator");
    await expect.poll(async () => (await world.routes.showRequest({ params: { space: "main", request: request.id } }, tom, cookies)).status).toBe("granted");
    await stop();
    const shown = await world.routes.showRequest({ params: { space: "main", request: request.id } }, tom, cookies);
    expect(shown.status).toBe("granted");
    const rows = await dump(world.installation.database);
    expect(rows["system"]?.join()).toContain('"stage":"pilot"');
  });

  test("asked for twice while it waits is one request", async () => {
    await world.push(helpdesk, tom.personId);
    const hold = await world.routes.placeHold({ params: { space: "main" }, body: { scope: "system", system: "helpdesk", reason: "look" } }, rita, cookies);
    const first = await promote("helpdesk");
    expect(unmet(first)).toEqual(["gate.no-hold"]);
    expect((await promote("helpdesk")).id).toBe(first.id);
    expect(hold.placedBy).toBe("r@example.com");
  });
});

describe("a high-tier pilot", () => {
  test("waits for two people, is granted by the second, and spends both approvals once", async () => {
    const release = await assured();
    const request = await promote("tumour");
    expect(request.status).toBe("open");
    expect(unmet(request)).toEqual(["approval.high"]);
    const queue = await world.routes.showQueue({ params: { space: "main" } }, rita, cookies);
    expect(queue.items.map((item) => [item.request.id, item.roles, item.mayAnswer])).toEqual([[request.id, ["risk-owner"], true]]);
    expect((await answer(request.id, rita, "risk-owner")).status).toBe("open");
    world.clock.advance(1000);
    const granted = await answer(request.id, ada, "authorizing-official");
    expect(granted.status).toBe("granted");
    expect(granted.approvals.map((each) => [each.person, each.counts])).toEqual([["r@example.com", true], ["ada@example.com", true]]);
    const rows = await dump(world.installation.database);
    expect(rows["approval"]?.every((row) => row.includes(`"spent_by":"${granted.ato ?? "?"}"`))).toBe(true);
    world.clock.advance(hour);
    const again = await promote("tumour");
    expect(again.status).toBe("open");
    expect(unmet(again)).toEqual(["approval.high"]);
    const gate = await world.routes.askGate({ ...at("tumour"), query: { to: "pilot", release } }, tom, cookies);
    expect(canonicalize(decideGate(gate.facts, builtinBundle()))).toBe(canonicalize(GateAnswer.parse(gate.answer)));
  });

  test("approvals of an older result, release or environment are stale and do not count", async () => {
    const release = await assured();
    const request = await promote("tumour");
    await answer(request.id, rita, "risk-owner");
    world.clock.advance(1000);
    await world.result({ system: "tumour", release, id: "recall", check: "perf.metric", verdict: "pass" });
    const shown = await answer(request.id, ada, "authorizing-official");
    expect(shown.status).toBe("open");
    expect(shown.approvals.map((each) => [each.person, each.counts, each.why])).toEqual([
      ["r@example.com", false, "stale: the facts have changed since"],
      ["ada@example.com", true, ""],
    ]);
    expect(shown.gate?.requirements.find((each) => each.id === "approval.high")?.state).toBe("stale");
    expect((await answer(request.id, rita, "risk-owner")).status).toBe("granted");
  });

  test("a new release starts without the approvals of the one before", async () => {
    await assured();
    const request = await promote("tumour");
    await answer(request.id, rita, "risk-owner");
    await answer(request.id, ada, "authorizing-official");
    await world.push(changed(tumour, "Another purpose."), tom.personId);
    const next = await promote("tumour");
    expect(next.status).toBe("open");
    expect(next.approvals).toEqual([]);
    expect(unmet(next)).toContain("approval.high");
    expect(unmet(next)).toContain("check.declared");
  });

  test("an author, an administrator, and a role of today approve nothing", async () => {
    await assured();
    const request = await promote("tumour");
    const admin = await world.person("admin", ["administrator", "risk-owner"]);
    const young = await world.person("young", ["risk-owner"], { early: false });
    const technical: Caller = { ...tom, roles: ["risk-owner"] };
    expect(await code(answer(request.id, admin, "risk-owner"))).toBe("approval_not_yours");
    expect(await code(answer(request.id, young, "risk-owner"))).toBe("approval_not_yours");
    expect(await code(answer(request.id, technical, "risk-owner"))).toBe("approval_not_yours");
    expect(await code(answer(request.id, rita, "authorizing-official"))).toBe("approval_role_missing");
    world.clock.advance(25 * hour);
    expect((await answer(request.id, young, "risk-owner")).approvals.map((each) => each.counts)).toEqual([true]);
  });

  test("a role that an author gave does not count, unless in the first hour", async () => {
    await assured();
    const request = await promote("tumour");
    const friend = await world.person("friend", ["risk-owner"], { by: tom.personId, early: false });
    world.clock.advance(25 * hour);
    expect(await code(answer(request.id, friend, "risk-owner"))).toBe("approval_not_yours");
    const early = await world.person("early", ["risk-owner"], { by: tom.personId });
    expect((await answer(request.id, early, "risk-owner")).approvals.map((each) => each.counts)).toEqual([true]);
  });

  test("a session older than 15 minutes approves nothing", async () => {
    await assured();
    const request = await promote("tumour");
    world.clock.advance(15 * 60_000 + 1);
    const stale = { params: { space: "main", request: request.id }, body: { role: "risk-owner", answer: "approve", comment: "" } } as const;
    expect(await code(world.routes.giveApproval(stale, rita, cookies))).toBe("approval_reauthenticate");
    expect(await code(world.routes.draftApproval(stale, rita, cookies))).toBe("approval_reauthenticate");
  });

  test("the same person counts once, in whichever roles", async () => {
    const both = await world.person("both", ["risk-owner", "authorizing-official"]);
    await assured();
    const request = await promote("tumour");
    await answer(request.id, both, "risk-owner");
    expect(await code(answer(request.id, both, "authorizing-official"))).toBe("approval_not_yours");
  });

  test("a return closes the request, and later answers are refused", async () => {
    await assured();
    const request = await promote("tumour");
    expect((await answer(request.id, rita, "risk-owner", "return")).status).toBe("returned");
    expect(await code(answer(request.id, ada, "authorizing-official"))).toBe("request_closed");
  });

  test("a check that was declared with a limit which everything passes meets no requirement, until it is tightened", async () => {
    const release = await world.push(laxTumour, tom.personId);
    for (const [id, check, limit] of [["schema", "data.schema", 0], ["recall", "perf.metric", 0.8], ["opportunity", "fair.opportunity", 1]] as const) await world.result({ system: "tumour", release, id, check, limit, verdict: "pass" });
    const request = await promote("tumour");
    expect(unmet(request)).toEqual(["check.fairness", "approval.high"]);
    expect(request.gate?.requirements.find(({ id }) => id === "check.fairness")).toMatchObject({
      reason: "opportunity: `max: 1` is laxer than 0.1, which tier high asks for",
      remedy: "tighten the check: `max: 0.1` or stricter in `opportunity`; then push, and run `licet check --on-server`",
      turn: "technical-owner",
    });
    await answer(request.id, rita, "risk-owner");
    world.clock.advance(1000);
    expect((await answer(request.id, ada, "authorizing-official")).status).toBe("open");
    await assured();
    expect(unmet(await promote("tumour"))).toEqual(["approval.high"]);
  });

  test("results of the developer's own machine do not count", async () => {
    const release = await world.push(tumour, tom.personId);
    for (const [id, check] of [["schema", "data.schema"], ["recall", "perf.metric"], ["opportunity", "fair.opportunity"]] as const) await world.result({ system: "tumour", release, id, check, verdict: "pass", producer: "self", by: tom.personId });
    expect(unmet(await promote("tumour"))).toEqual(expect.arrayContaining(["check.declared", "check.data", "check.performance", "check.fairness"]));
  });
});

describe("a crash", () => {
  test("between request and grant is made good at the next start, and the log rebuilds the same rows", async () => {
    const directory = await newDirectory();
    let at = await openWorld({ directory });
    const dev = await at.person("t", ["developer"]);
    await at.provider("simulator");
    await at.push(helpdesk, dev.personId);
    const id = await openRequest(at.installation.recorder, { space: "main", system: "helpdesk", to: "pilot", environment: "local", by: dev.personId });
    await at.installation.crash();
    at = await openWorld({ directory, clock: at.clock });
    expect((await at.routes.showRequest({ params: { space: "main", request: id } }, dev, cookies)).status).toBe("open");
    await at.oversight.reconcile();
    await at.oversight.reconcile();
    const shown = await at.routes.showRequest({ params: { space: "main", request: id } }, dev, cookies);
    expect(shown.status).toBe("granted");
    const { items } = await at.routes.listAtos({ params: { space: "main", system: "helpdesk" } }, dev, cookies);
    expect(items.length).toBe(1);
    expect(at.failures).toEqual([]);
    const { database, log, keyring } = at.installation;
    const lived = await dump(database);
    await rebuildDatabase({ database, log, keyring, registry: registryOf(definitions), now: () => at.clock.now() });
    expect(await dump(database)).toEqual(lived);
    await at.close();
    await removeDirectory(directory);
  });
});

describe("a deployment", () => {
  const record = (release: string, environment = "local", stage: "experiment" | "pilot" = "pilot") =>
    world.routes.recordDeployment({ ...at("helpdesk"), body: { release, environment, stage, credentialDays: 90 } }, pia, cookies);

  test("needs an authorization in force for exactly its release, stage and environment", async () => {
    const release = await world.push(helpdesk, tom.personId);
    expect(await code(record(release))).toBe("ato_not_granted");
    const { ato } = await promote("helpdesk");
    expect(await code(record(release, "staging"))).toBe("ato_not_granted");
    expect(await code(record(release, "local", "experiment"))).toBe("ato_not_granted");
    expect(await code(record(`sha256:${"00".repeat(32)}`))).toBe("release_unknown");
    await world.routes.revokeAto({ params: { space: "main", ato: ato ?? "" }, body: { reason: "no" } }, rita, cookies);
    expect(await code(record(release))).toBe("ato_not_in_force");
    const renewed = await promote("helpdesk");
    expect(renewed.status).toBe("granted");
    world.clock.advance(90 * 24 * hour);
    expect(await code(record(release))).toBe("ato_not_in_force");
  });

  test("keeps the credential's digest alone, and another release retires it", async () => {
    const release = await world.push(helpdesk, tom.personId);
    await promote("helpdesk");
    const { deployment, credential } = await record(release);
    expect(credential.secret).toMatch(/^lct_[\w-]{43}$/u);
    expect(JSON.stringify(await dump(world.installation.database))).not.toContain(credential.secret);
    const next = await world.push(changed(helpdesk, "Something else."), tom.personId);
    world.clock.advance(1000);
    await promote("helpdesk");
    const second = await record(next);
    const rows = await dump(world.installation.database);
    const active = new Map(rows["deployment"]?.map((row) => [JSON.parse(row).id, JSON.parse(row).active]));
    expect([active.get(deployment.id), active.get(second.deployment.id)]).toEqual([0, 1]);
    const revoked = await world.routes.revokeCredential({ params: { space: "main", credential: credential.id }, body: { reason: "leaked" } }, pia, cookies);
    expect(revoked.revokedAt).toBe(world.clock.now());
  });
});
