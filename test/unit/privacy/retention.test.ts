import { afterAll, beforeAll, expect, test } from "vitest";
import type { Caller } from "../../../packages/licet/src/http/handlers.ts";
import { applyRetention, runRetention } from "../../../packages/licet/src/privacy/retention.ts";
import { findPrivacy, listErasures } from "../../../packages/licet/src/privacy/store.ts";
import { day, modes, privateInstallation, type PrivateInstallation } from "../support/private.ts";

let at: PrivateInstallation;
let admin: Caller;
let owner: Caller;
const nothing = { add: () => undefined };

/** One installation that grows older: each test begins in a later month than the one before. */
beforeAll(async () => {
  at = await privateInstallation();
  admin = await at.person("admin@example.org", "Ada", ["administrator"]);
  owner = await at.person("owner@example.org", "Olga", ["risk-owner"]);
});
afterAll(async () => {
  await at.stop();
  await at.remove();
});

/** What was erased since the newest that was known before. */
async function applied(since = 0) {
  const all = await listErasures(at.records.database.read, "main", { limit: 50 });
  return all.slice(0, all.length - since).map(({ body }) => [body.class, body.counts.keys, body.counts.entries]);
}

async function expectRebuilt(): Promise<void> {
  await at.records.recorder.settle();
  const live = at.rows();
  await at.rebuild();
  expect(at.rows()).toEqual(live);
}

test("the daily task leaves tomorrow's behind, whatever becomes of its own work", async () => {
  await runRetention(at.deps());
  const tasks = await at.records.database.read.selectFrom("task").select(["id", "run_at"]).orderBy("id").execute();
  expect(tasks).toEqual([
    { id: "retention-2026-11-21", run_at: Date.UTC(2026, 10, 21) },
    { id: "retention-2026-11-22", run_at: Date.UTC(2026, 10, 22) },
  ]);
});

test("a month's words go 30 days after its end and its decisions after 400, on the day and not before", async () => {
  // 21 November 2026: the month ends on 1 December.
  expect((await at.ask({ content: "in november", modes: modes("encrypted") })).status).toBe(200);
  at.clock.set(Date.UTC(2026, 11, 5));
  expect((await at.ask({ content: "in december", modes: modes("encrypted") })).status).toBe(200);
  await at.records.recorder.settle();
  at.clock.set(Date.UTC(2026, 11, 31) - 1);
  expect(await applyRetention(at.deps())).toBe(0);
  const shown = await at.composed.handlers.showPrivacy({ params: { space: "main" }, query: {} } as never, admin, nothing);
  expect(shown).toMatchObject({ nextDue: { content: Date.UTC(2026, 11, 31), runtime: Date.UTC(2026, 11, 1) + 400 * day }, keys: { content: { living: 2 }, runtime: { living: 2 } } });
  at.clock.set(Date.UTC(2026, 11, 31));
  expect(await applyRetention(at.deps())).toBe(1);
  expect(await applyRetention(at.deps())).toBe(0);
  expect(await applied()).toEqual([["content", 1, 2]]);
  at.clock.set(Date.UTC(2026, 11, 1) + 400 * day);
  expect(await applyRetention(at.deps())).toBe(2);
  expect((await applied()).toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([["content", 1, 2], ["content", 1, 2], ["runtime", 1, 2]]);
  const kept = await at.records.database.read.selectFrom("decision").select("decided_at").execute();
  expect(kept).toEqual([{ decided_at: Date.UTC(2026, 11, 5) }]);
  await expectRebuilt();
});

test("the outcome of a decision that is kept goes with its own month", async () => {
  at.clock.set(Date.UTC(2028, 4, 1) - 1);
  // Of the test before.
  expect(await applyRetention(at.deps())).toBe(1);
  at.upstream.onRequest = () => at.clock.set(Date.UTC(2028, 4, 1));
  expect((await at.ask({ content: "over midnight" })).status).toBe(200);
  at.upstream.onRequest = () => undefined;
  await at.records.recorder.settle();
  const decision = at.records.database.read.selectFrom("decision").select(["decided_at", "kid", "outcome_kid"]);
  const [row] = await decision.execute();
  expect(row?.outcome_kid).not.toBe(row?.kid);
  at.clock.set(Date.UTC(2028, 4, 1) + 400 * day);
  expect(await applyRetention(at.deps())).toBe(1);
  expect(await decision.execute()).toEqual([]);
  await expectRebuilt();
});

test("of two who destroy the same months at once, while the clock leaps, one does and says so", async () => {
  at.clock.set(Date.UTC(2029, 9, 3));
  // Of the test before.
  await applyRetention(at.deps());
  expect((await at.ask({ content: "in october", modes: modes("encrypted") })).status).toBe(200);
  await at.records.recorder.settle();
  const { length: before } = await applied();
  at.clock.set(Date.UTC(2029, 11, 1));
  const daily = runRetention(at.deps());
  at.clock.advance(62 * day);
  await Promise.all([daily, applyRetention(at.deps()), applyRetention(at.deps())]);
  expect(await applied(before)).toEqual([["content", 1, 2]]);
  await expectRebuilt();
});

test("settings change when a second person has agreed, and the retention follows them", async () => {
  at.clock.set(Date.UTC(2031, 10, 21));
  // Of the tests before.
  await applyRetention(at.deps());
  const wanted = { contentModes: modes("encrypted"), retentionDays: { runtime: 10, content: 5 } };
  const { done, request } = await at.composed.handlers.setPrivacy({ params: { space: "main" }, query: {}, body: wanted } as never, admin, nothing);
  expect(done).toBe(false);
  expect((await findPrivacy(at.records.database.read, "main")).setBy).toBeNull();
  await at.approve(request.id, owner);
  expect(await findPrivacy(at.records.database.read, "main")).toMatchObject({ ...wanted, setBy: admin.personId });
  expect((await at.ask({ content: "in november" })).status).toBe(200);
  at.clock.set(Date.UTC(2031, 11, 11));
  expect(await applyRetention(at.deps())).toBe(1);
  await expectRebuilt();
});
