import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BacktestReport } from "@licet/contract";
import { cookies, t0, type Caller } from "../ato/world-fixture.ts";
import { gatewayEntryDefinitions } from "../gateway/entries.ts";
import type { JsonObject, JsonValue } from "../ledger/recorder.ts";
import { backtests } from "../policy/backtest.ts";
import { workloadRequest } from "../policy/request-fixture.ts";
import { openPolicyWorld, teamPack, type PolicyWorld } from "./publication-fixture.ts";

let policies: PolicyWorld;
let sue: Caller;
beforeEach(async () => {
  policies = await openPolicyWorld({ more: gatewayEntryDefinitions });
  sue = await policies.world.person("sue", ["security-engineer"]);
});
afterEach(() => policies.close());

interface Recorded {
  readonly id: string;
  readonly system?: string;
  readonly dataClass?: string;
  readonly decision?: "allow" | "deny";
  readonly reasons?: readonly JsonObject[];
  readonly cedar?: JsonValue;
  readonly code?: string;
  readonly space?: string;
}

let seq = 0;

/** As the gateway writes it: see gateway/record.ts. */
async function record({ id, system = "helpdesk", dataClass = "public", decision = "allow", reasons = [{ policy: "runtime.call" }], cedar, code = "policy_denied", space = "main" }: Recorded): Promise<void> {
  const request = workloadRequest({ system });
  const asked: JsonValue = JSON.parse(JSON.stringify({ ...request, context: { ...request.context, dataClasses: [dataClass] } }));
  const own = { endpoint: "/v1/chat/completions", provider: null, region: null, upstreamModel: null, stream: false, requestBytes: 1, messages: null, scanned: "none" };
  const body = { id, decision, code: decision === "allow" ? null : code, reasons, policyErrors: [], policyBundle: null, snapshot: null, cedar: cedar === undefined ? asked : cedar, deployment: "dep_1", credential: "cre_1", release: null, model: "chat", findings: [], action: "callModel", ...own };
  await policies.world.installation.recorder.append({ kind: "gateway.decision", space, actor: "dep_1", system, subject: `system:${system}`, class: "runtime", gateway: "gw_1", seq: ++seq, body });
}

async function replayed(asked: object = { packs: [teamPack()], remove: [] }): Promise<BacktestReport> {
  const { backtest } = await policies.routes.startBacktest({ params: { space: "main" }, body: asked }, sue, cookies);
  policies.backtests.begin();
  await expect.poll(async () => (await shown(backtest.id)).backtest.state, { timeout: 25_000, interval: 20 }).toBe("done");
  const { report } = await shown(backtest.id);
  if (report === null) throw new Error("a backtest that is done has a report");
  return report;
}

const shown = (id: string) => policies.routes.showBacktest({ params: { space: "main", backtest: id } }, sue, cookies);
const gatewayReason = { policy: "gateway.held", code: "held", remedy: "x" };

describe("a backtest", () => {
  test("finds exactly the planted changes, and names every decision that it could not make again", async () => {
    for (let at = 0; at < 30; at++) await record({ id: `dec_plain_${at}` });
    for (let at = 0; at < 9; at++) await record({ id: `dec_internal_${at}`, dataClass: "internal" });
    for (let at = 0; at < 4; at++) await record({ id: `dec_other_${at}`, dataClass: "internal", system: "tumour" });
    for (let at = 0; at < 7; at++) await record({ id: `dec_freed_${at}`, decision: "deny", reasons: [{ policy: "old.rule", requirement: "x" }] });
    for (let at = 0; at < 3; at++) await record({ id: `dec_held_${at}`, decision: "deny", reasons: [gatewayReason, { policy: "runtime.call" }] });
    await record({ id: "dec_held_internal", dataClass: "internal", decision: "deny", reasons: [gatewayReason, { policy: "runtime.call" }] });
    for (let at = 0; at < 2; at++) await record({ id: `dec_before_${at}`, decision: "deny", reasons: [{ policy: "gateway.credential_unknown", code: "credential_unknown", remedy: "x" }], cedar: null });
    await record({ id: "dec_misfit", cedar: JSON.parse(JSON.stringify({ ...workloadRequest(), context: {} })) });
    await record({ id: "dec_obliged", decision: "deny", code: "obligation_unsupported" });
    await record({ id: "dec_gone", system: "erased" });
    const { keyring } = policies.world.installation;
    await keyring.destroy(keyring.keysOf("main", "system:erased", { class: "runtime" }));
    const report = await replayed();
    expect(report.counts).toEqual({ decisions: 59, allowToDeny: 9, denyToAllow: 7, reasons: 1, unchanged: 38 });
    expect(report.undecided).toEqual({ refusedBefore: 2, erased: 1, misfit: 1, unreadable: 0 });
    expect(report.bySystem.map(({ system, counts }) => [system, counts.decisions, counts.allowToDeny, counts.denyToAllow, counts.reasons])).toEqual([["helpdesk", 54, 9, 7, 1], ["tumour", 4, 0, 0, 0], [null, 1, 0, 0, 0]]);
    expect(report.byPolicy.map(({ policy, allowToDeny, denyToAllow, reasons }) => [policy, allowToDeny, denyToAllow, reasons])).toEqual([["helpdesk-rules.no-internal", 9, 0, 1], ["old.rule", 0, 7, 0], ["runtime.call", 0, 0, 1]]);
    expect(report.byPolicy[0]?.examples).toEqual([0, 1, 2, 3, 4].map((at) => `dec_internal_${at}`));
    expect(report.examples.filter(({ change }) => change === "deny-to-allow").map(({ decision }) => decision)).toEqual([0, 1, 2, 3, 4, 5, 6].map((at) => `dec_freed_${at}`));
    expect(policies.world.failures).toEqual([]);
  });

  test("looks at the period and the system that were named, and at no other space", async () => {
    await record({ id: "dec_early", dataClass: "internal" });
    policies.world.clock.advance(120_000);
    await record({ id: "dec_late", dataClass: "internal" });
    await record({ id: "dec_tumour", system: "tumour" });
    await record({ id: "dec_lab", dataClass: "internal", space: "lab" });
    expect((await replayed({ packs: [teamPack()], from: t0 + 60_000 })).examples.map(({ decision }) => decision)).toEqual(["dec_late"]);
    expect((await replayed({ packs: [teamPack()], to: t0 + 60_000 })).examples.map(({ decision }) => decision)).toEqual(["dec_early"]);
    expect((await replayed({ packs: [teamPack()], system: "tumour" })).counts).toMatchObject({ decisions: 1, unchanged: 1 });
  });

  test("takes a bundle that was published once, and exactly one candidate", async () => {
    await record({ id: "dec_1", dataClass: "internal" });
    const { digest } = await policies.routes.showPolicies({ params: { space: "main" } }, sue, cookies);
    expect((await replayed({ digest })).counts).toMatchObject({ decisions: 1, unchanged: 1 });
    const start = (body: object) => policies.routes.startBacktest({ params: { space: "main" }, body }, sue, cookies).then(() => "started", (error: { code?: string }) => error.code);
    expect(await start({})).toBe("backtest_candidate");
    expect(await start({ digest, packs: [] })).toBe("backtest_candidate");
    expect(await start({ digest: `sha256:${"0".repeat(64)}` })).toBe("not_found");
  });

  test("fails where a row was changed behind the log's back", async () => {
    await record({ id: "dec_1", decision: "deny", reasons: [{ policy: "old.rule" }] });
    const { recorder, database } = policies.world.installation;
    await recorder.settle();
    const { detail } = await database.read.selectFrom("decision").select("detail").where("id", "=", "dec_1").executeTakeFirstOrThrow();
    await database.write((tx) => tx.updateTable("decision").set({ detail: detail.replace('"decision":"deny"', '"decision":"allow"') }).where("id", "=", "dec_1").execute());
    const { backtest } = await policies.routes.startBacktest({ params: { space: "main" }, body: { packs: [teamPack()] } }, sue, cookies);
    policies.backtests.begin();
    await expect.poll(async () => (await shown(backtest.id)).backtest.state, { timeout: 25_000, interval: 20 }).toBe("failed");
    expect((await shown(backtest.id)).backtest.error).toMatch(/^record_differs: .*dec_1/u);
  });

  test("is entered in the log with its report when it is done", async () => {
    await record({ id: "dec_1", dataClass: "internal" });
    const { backtest } = await policies.routes.startBacktest({ params: { space: "main" }, body: { packs: [teamPack()] } }, sue, cookies);
    policies.backtests.begin();
    await expect.poll(async () => (await shown(backtest.id)).backtest.state, { timeout: 25_000, interval: 20 }).toBe("done");
    const { backtest: done, report } = await shown(backtest.id);
    const entry = await policies.world.installation.recorder.read("main", done.entry ?? "");
    expect(entry).toMatchObject({ kind: "policy.backtested", actor: sue.personId, body: { backtest: backtest.id, report: JSON.parse(JSON.stringify(report)) } });
    const { items } = await policies.routes.listBacktests({ params: { space: "main" }, query: { limit: 5 } }, sue, cookies);
    expect(items).toMatchObject([{ id: backtest.id, state: "done", askedBy: "sue@example.com" }]);
  });

  test("that is cancelled never ends with a report", async () => {
    const { backtest } = await policies.routes.startBacktest({ params: { space: "main" }, body: { packs: [teamPack()] } }, sue, cookies);
    const params = { space: "main", backtest: backtest.id };
    expect(await policies.routes.cancelBacktest({ params, body: {} }, sue, cookies)).toMatchObject({ backtest: { state: "cancelled" }, report: null });
    await expect(policies.routes.cancelBacktest({ params, body: {} }, sue, cookies)).rejects.toMatchObject({ code: "backtest_ended" });
    policies.backtests.begin();
    await expect.poll(async () => (await policies.world.installation.database.read.selectFrom("task").select("done_at").where("id", "=", backtest.id).executeTakeFirst())?.done_at, { timeout: 25_000 }).not.toBeNull();
    expect(await shown(backtest.id)).toMatchObject({ backtest: { state: "cancelled", entry: null }, report: null });
  });

  test("goes on after a restart from where it was saved, and counts nothing twice", async () => {
    for (let at = 0; at < 5; at++) await record({ id: `dec_a${at}`, dataClass: "internal" });
    const { database, log, keyring, recorder } = policies.world.installation;
    const { backtest } = await policies.routes.startBacktest({ params: { space: "main" }, body: { packs: [teamPack()] } }, sue, cookies);
    // As a process leaves it that ended after the first three decisions.
    const middle = log.size - 2;
    const counts = { decisions: 3, allowToDeny: 3, denyToAllow: 0, reasons: 0, unchanged: 0 };
    const policy = { denyToAllow: 0, allowToDeny: 3, reasons: 0, warnings: 0, shadowed: 0, examples: ["dec_a0", "dec_a1", "dec_a2"] };
    const tally = { counts, undecided: { refusedBefore: 0, erased: 0, misfit: 0, unreadable: 0 }, systems: { ":helpdesk": counts }, policies: { ":helpdesk-rules.no-internal": policy }, examples: [] };
    await database.operational.updateTable("backtest").set({ state: "running", cursor: middle, tally: JSON.stringify(tally) }).where("id", "=", backtest.id).execute();
    const { deps, world } = policies;
    const after = backtests({ ...deps, recorder, database, log, keyring, clock: world.clock, onFailure: (error) => void world.failures.push(error), pollMilliseconds: 20 });
    after.begin();
    await expect.poll(async () => (await shown(backtest.id)).backtest.state, { timeout: 25_000, interval: 20 }).toBe("done");
    await after.stop();
    const { report } = await shown(backtest.id);
    expect(report?.counts).toEqual({ decisions: 5, allowToDeny: 5, denyToAllow: 0, reasons: 0, unchanged: 0 });
    expect(report?.byPolicy[0]?.examples).toEqual(["dec_a0", "dec_a1", "dec_a2", "dec_a3", "dec_a4"]);
  });
});
