import { runnerDefaults, type RouteAnswer } from "@licet/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { params, table } from "./attempts-world.ts";
import { repeatChecks, repeatWorld, type RepeatWorld } from "./repeat-world.ts";

const hourMs = 3_600_000;
const repeatMs = 48 * hourMs;

let at: RepeatWorld;
beforeAll(async () => {
  at = await repeatWorld({ runner: { ...runnerDefaults, repeatMs } });
});
afterAll(() => at.close());

const gate = (release: string): Promise<RouteAnswer<"askGate">> => at.world.client("askGate", { params, query: { to: "pilot", release } });
const shown = (release: string) => at.world.client("showChecks", { params, query: { release } });
const verdicts = async (release: string): Promise<readonly string[]> => (await gate(release)).facts.checks.map(({ verdict }) => verdict);

async function declaredRow(release: string) {
  const { answer } = await gate(release);
  return answer.requirements.find(({ id }) => id === "check.declared");
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came about");
}

test("no result of a CI's run counts at high tier before the server has made the drawn check again, and the gate says what it waits for", async () => {
  const run = await at.begun("owed");
  const { repeat } = await at.back(run);
  const { check, since, until } = repeat ?? { check: "", since: 0, until: 0 };
  expect([repeat, until - since]).toMatchObject([{ state: "owed", failed: null }, repeatMs]);
  const { facts } = await gate(run.release);
  expect(facts.checks).toMatchObject(["a", "b"].map((id) => ({ id, verdict: "awaiting_repeat", repeat: { check, ticket: run.ticket.id, since, until } })));
  const row = await declaredRow(run.release);
  expect(row).toMatchObject({ state: "unmet", turn: "server, technical-owner", since });
  expect(row?.reason).toContain(`waiting for the repeat of ${check} by the server since ${new Date(since).toISOString()}`);
  expect(row?.remedy).toContain(`\`licet check repeat ${run.ticket.id}\``);
  expect(row?.remedy).toContain("`licet check --on-server`");
  expect((await shown(run.release)).checks).toMatchObject(["a", "b"].map(() => ({ standing: "awaiting_repeat", result: { counts: false } })));
  await at.sent(run, repeat);
  expect((await at.ci(run)("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} })).repeat).toMatchObject({ state: "agrees" });
  expect(await verdicts(run.release)).toEqual(["pass", "pass"]);
  expect((await shown(run.release)).checks).toMatchObject(["a", "b"].map(() => ({ standing: "pass", result: { counts: true } })));
  expect(await declaredRow(run.release)).toMatchObject({ state: "met" });
}, 120_000);

test("a run of which some results are back shows nothing yet: whoever chose what comes first would choose what is drawn from", async () => {
  const run = await at.begun("half");
  expect((await at.back(run, ["a"])).repeat).toBeNull();
  const { facts } = await gate(run.release);
  expect(facts.checks).toMatchObject([{ id: "a", verdict: "awaiting_repeat", repeat: { check: null, ticket: run.ticket.id } }]);
  // The rest never comes: what did is drawn from all the same.
  at.world.clock.advance(hourMs + 1);
  expect((await gate(run.release)).facts.checks).toMatchObject([{ id: "a", verdict: "awaiting_repeat", repeat: { check: "a" } }]);
  const { repeat } = await at.world.client("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} });
  expect(repeat).toMatchObject({ check: "a", state: "owed" });
}, 120_000);

test("what was owed when the server stopped waits after the start, and is made by itself where the files are held", async () => {
  const run = await at.begun("restart");
  const { repeat } = await at.back(run);
  await at.world.restart();
  expect(await verdicts(run.release)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
  await at.sent(run, repeat);
  expect(await verdicts(run.release)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
  // Nobody asks for it: the files are there when the server starts.
  await at.world.restart();
  await eventually(async () => (await verdicts(run.release)).every((verdict) => verdict === "pass"));
  expect(at.world.installation.entries.filter(({ kind, body }) => kind === "check.repeated" && body["ticket"] === run.ticket.id)).toMatchObject([{ actor: "server", body: { comparison: { agrees: true } } }]);
}, 180_000);

test("results that stand in another release wait for the run that they come from", async () => {
  const run = await at.begun("carried");
  const { repeat } = await at.back(run);
  const later = await at.begun("carried", repeatChecks.map((check) => ({ ...check, id: `${check.id}-again` })));
  expect(later.ticket.settled).toHaveLength(2);
  expect(await verdicts(later.release)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
  await at.sent(run, repeat);
  await at.world.client("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} });
  expect(await verdicts(later.release)).toEqual(["pass", "pass"]);
}, 120_000);

test("a whole run of the server answers for the drawn check too", async () => {
  const run = await at.begun("whole");
  await at.back(run);
  expect(await verdicts(run.release)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
  await at.world.onServer(run.release);
  expect((await gate(run.release)).facts.checks).toMatchObject([{ verdict: "pass", producer: "licet" }, { verdict: "pass", producer: "licet" }]);
  expect((await at.world.client("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} })).repeat).toMatchObject({ state: "agrees" });
}, 120_000);

test("one that the server could not make within its time is void, its whole run is disputed, and the next run is the next attempt", async () => {
  const run = await at.begun("void");
  const { repeat } = await at.back(run);
  at.world.clock.advance(repeatMs + 1);
  // The server notices by itself.
  await at.world.restart();
  await eventually(async () => (await verdicts(run.release)).every((verdict) => verdict === "disputed"));
  const entry = at.world.installation.entries.find(({ kind, body }) => kind === "check.repeated" && body["ticket"] === run.ticket.id);
  expect(entry?.body).toMatchObject({ check: repeat?.check, comparison: { agrees: false }, voided: expect.stringContaining("the server lacks `today`, `before`") });
  expect((await shown(run.release)).attempts[0]).toMatchObject({ repeat: { state: "void", lacking: [] } });
  expect(await declaredRow(run.release)).toMatchObject({ state: "unmet", turn: "technical-owner" });
  const { ticket } = await at.world.onServer(run.release);
  expect(ticket.attempts).toMatchObject([{ check: "a", index: 2, repeats: null }, { check: "b", index: 2, repeats: null }]);
  expect(await verdicts(run.release)).toEqual(["pass", "pass"]);
}, 180_000);

test("a repetition that fails to run stays owed and says why, and nothing counts", async () => {
  const small = await repeatWorld({ runner: { ...runnerDefaults, rows: 10 } });
  try {
    const run = await small.begun("fails");
    const { repeat } = await small.back(run);
    await small.sent(run, repeat);
    // Sixty rows are more than its runner reads.
    const again = await small.world.client("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} });
    expect(again.repeat).toMatchObject({ state: "owed", lacking: [], failed: { code: "runner_failed", at: expect.any(Number) } });
    const { facts } = await small.world.client("askGate", { params, query: { to: "pilot", release: run.release } });
    expect(facts.checks.map(({ verdict }) => verdict)).toEqual(["awaiting_repeat", "awaiting_repeat"]);
    expect((await small.world.client("showChecks", { params, query: { release: run.release } })).runner).toMatchObject({ rows: 10, concurrency: 2, running: 0, waiting: 0 });
  } finally {
    await small.close();
  }
}, 120_000);

test("below high tier nothing is owed, and a person may have it made all the same", async () => {
  const limited = await repeatWorld({}, {});
  try {
    const run = await limited.begun("limited");
    expect((await limited.back(run)).repeat).toBeNull();
    const { facts } = await limited.world.client("askGate", { params, query: { to: "pilot", release: run.release } });
    expect([exampleManifest.name, facts.checks.map(({ verdict }) => verdict)]).toEqual(["example", ["pass", "pass"]]);
    await limited.world.onServer(await limited.world.push({ today: table(2, "limited"), before: table(0, "limited") }, { checks: repeatChecks }));
    expect((await limited.world.client("repeatDrawn", { params: { ...params, ticket: run.ticket.id }, body: {} })).repeat).toMatchObject({ state: "agrees" });
  } finally {
    await limited.close();
  }
}, 120_000);
