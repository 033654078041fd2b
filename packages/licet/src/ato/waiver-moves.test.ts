import { WaiverPredicate } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dump } from "../ledger/recorder-fixture.ts";
import { waiverEntries } from "../oversight/waiver-entries.ts";
import { expireWaivers } from "../oversight/waiver-moves.ts";
import { cookies, fresh, helpdesk, hour, openWorld, type Caller, type World } from "./world-fixture.ts";

const day = 24 * hour;
let world: World;
let ops: Caller;
let rita: Caller;
let release: string;

beforeEach(async () => {
  world = await openWorld();
  ops = await world.person("ops", ["platform-engineer"]);
  rita = await world.person("r", ["risk-owner"]);
  release = await world.push(helpdesk, ops.personId);
});
afterEach(() => world.close());

const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));
const ask = (by: Caller, days = 14, environment = "staging") =>
  world.routes.requestWaiver({ params: { space: "main", system: "helpdesk" }, body: { kind: "observe", environment, days, reason: "runs since spring", compensation: ["reviewed daily"] } }, by, cookies);
const approve = (request: string, by: Caller, role: "risk-owner" | "security-engineer" = "risk-owner") =>
  world.routes.giveApproval({ params: { space: "main", request }, body: { role, answer: "approve", comment: "" } }, fresh(world, by), cookies);
const list = async () => (await world.routes.listWaivers({ params: { space: "main" }, query: { limit: 50 } }, ops, cookies)).items;
const deploy = (stage: "experiment" | "production" = "production") =>
  world.routes.recordDeployment({ params: { space: "main", system: "helpdesk" }, body: { release, environment: "staging", stage, credentialDays: 30 } }, ops, cookies);

async function granted(days = 14) {
  world.clock.advance(1);
  const { request } = await ask(ops, days);
  await approve(request.id, rita);
  const [waiver] = await list();
  if (waiver === undefined) throw new Error("no waiver was granted");
  return waiver;
}

describe("an observe waiver", () => {
  test("waits in the queue of a risk owner who did not ask for it, and of nobody else", async () => {
    const sec = await world.person("sec", ["security-engineer"]);
    const rolf = await world.person("rolf", ["risk-owner"]);
    const asked = await ask(rita);
    expect(asked.done).toBe(false);
    expect(await code(approve(asked.request.id, rita))).toBe("approval_not_yours");
    await approve(asked.request.id, sec, "security-engineer");
    expect((await list()).length).toBe(0);
    const { items } = await world.routes.showQueue({ params: { space: "main" } }, rolf, cookies);
    expect(items.map(({ request, mayAnswer }) => [request.title, mayAnswer])).toEqual([["observe helpdesk in staging for 14 days: runs since spring", true]]);
    expect((await approve(asked.request.id, rolf)).status).toBe("granted");
    expect(await list()).toMatchObject([{ system: "helpdesk", environment: "staging", state: "in-force", requestedBy: "r@example.com", refused: [] }]);
  });

  test("lasts as long as was asked and 30 days at most, and asking again does not begin it anew", async () => {
    const first = await granted(10);
    expect(first.notAfter - first.notBefore).toBe(10 * day);
    expect(await code(ask(ops))).toBe("waiver_in_force");
    world.clock.advance(25 * day);
    const { request } = await ask(ops, 30);
    await approve(request.id, rita);
    const second = (await list()).find(({ id }) => id !== first.id);
    expect(second?.notAfter).toBe(first.notBefore + 30 * day);
    world.clock.advance(6 * day);
    expect(await code(ask(ops))).toBe("waiver_over");
  });

  test("is for an environment that the manifest names", async () => {
    expect(await code(ask(ops, 3, "moon"))).toBe("waiver_environment");
  });

  test("lets a release run without an authorization, and no longer than it lasts", async () => {
    expect(await code(deploy())).toBe("ato_not_granted");
    const waiver = await granted(2);
    const { deployment } = await deploy();
    const rows = await dump(world.installation.database);
    expect(rows["deployment"]?.length).toBe(1);
    const row: unknown = JSON.parse(rows["deployment"]?.[0] ?? "{}");
    const entry = await world.installation.recorder.read("main", typeof row === "object" && row !== null && "entry" in row ? String(row.entry) : "");
    expect(entry?.body).toMatchObject({ deployment: deployment.id, ato: null, waiver: waiver.id });
    world.clock.advance(2 * day);
    expect(await code(deploy())).toBe("ato_not_granted");
  });

  test("is ended by a person at once, or by its time, and the log says which", async () => {
    const first = await granted(5);
    const { read } = world.installation.database;
    const { recorder } = world.installation;
    expect(await expireWaivers({ read, recorder })).toBe(0);
    const ended = await world.routes.endWaiver({ params: { space: "main", waiver: first.id }, body: { reason: "enforced early" } }, ops, cookies);
    expect(ended).toMatchObject({ state: "revoked", endedBy: "ops@example.com", endReason: "enforced early" });
    expect(await code(world.routes.endWaiver({ params: { space: "main", waiver: first.id }, body: { reason: "again" } }, ops, cookies))).toBe("waiver_ended_already");
    const second = await granted(5);
    world.clock.advance(5 * day);
    expect((await list()).map(({ state }) => state)).toEqual(["expired", "revoked"]);
    expect(await expireWaivers({ read, recorder })).toBe(1);
    expect(await expireWaivers({ read, recorder })).toBe(0);
    expect((await list())[0]).toMatchObject({ id: second.id, state: "expired", endedBy: "server", endReason: "its time is over" });
  });

  test("says in its statement for what it is, by whom and until when", async () => {
    const waiver = await granted(5);
    const entry = await world.installation.recorder.read("main", waiver.entry);
    const definition = waiverEntries.find(({ kind }) => kind === "waiver.granted");
    if (entry === undefined || definition?.statement === undefined) throw new Error("no statement is made");
    const { predicateType, predicate } = definition.statement(entry);
    expect(predicateType).toBe("https://licet.dev/predicate/waiver/v1");
    expect(WaiverPredicate.parse(predicate)).toMatchObject({ event: "granted", waiver: waiver.id, kind: "observe", system: "helpdesk", environment: "staging", approvals: [{ person: rita.personId, role: "risk-owner" }], notAfter: waiver.notAfter });
  });
});

test("where nobody else could agree the sole operator observes alone, and the record says so", async () => {
  const alone = await openWorld();
  try {
    const only = await alone.person("only", ["platform-engineer"]);
    await alone.push(helpdesk, only.personId);
    const asked = await alone.routes.requestWaiver({ params: { space: "main", system: "helpdesk" }, body: { kind: "observe", environment: "local", days: 30, reason: "a first look", compensation: [] } }, only, cookies);
    expect(asked).toMatchObject({ done: true, request: { detail: { outcome: "sole operator" } } });
  } finally {
    await alone.close();
  }
});
