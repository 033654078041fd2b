import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BudgetLimits } from "@licet/contract";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { UpstreamMode } from "../../../../test/unit/support/upstream.ts";
import { openWire, type Wire } from "../../../../test/unit/support/wire.ts";
import { asked, openFleetWorld, post, system, until, type GatewayProcess, type World } from "./fleet-fixture.ts";

let world: World;
let wire: Wire;
let one: GatewayProcess;
let two: GatewayProcess;

beforeAll(async () => {
  world = await openFleetWorld();
  wire = await openWire(world.control.dataUrl);
  [one, two] = await Promise.all([world.gateway("one"), world.gateway("two", { control: wire.url })]);
  await until(async () => (await Promise.all([one, two].map(({ url }) => send(url)))).every(({ status }) => status === 200));
}, 120_000);

afterAll(async () => {
  await wire?.close();
  await world?.close();
});

afterEach(() => {
  world.upstream.mode = { kind: "answer" };
});

/** The provider does not say what it used, so each call spends all that it reserved. */
const uncounted: UpstreamMode = {
  kind: "raw",
  contentType: "application/json",
  body: JSON.stringify({ id: "1", object: "chat.completion", created: 1, model: "sim-1", choices: [{ index: 0, message: { role: "assistant", content: "soup", refusal: null }, finish_reason: "stop", logprobs: null }] }),
};

interface Sent {
  readonly status: number;
  readonly code: string | undefined;
  /** Undefined where another try is of no use. */
  readonly again: number | undefined;
}

async function send(url: string, word = "today"): Promise<Sent> {
  const response = await post(url, world.credential, { ...asked(word), max_tokens: 10 });
  const code = /"code":"(\w+)"/u.exec(await response.text().catch(() => ""))?.[1];
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  return { status: response.status, code, again: response.status === 429 && wait <= 1 ? wait : undefined };
}

/** Without the answers of a machine that is too busy to keep a feed alive. */
async function steady(url: string): Promise<Sent> {
  for (;;) {
    const sent = await send(url);
    if (sent.code !== "snapshot_stale" && sent.code !== "budget_share_missing" && sent.code !== "caller_limited") return sent;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** How many of so many callers at once ended with which code; each tries again as long as that may help. */
async function crowd(count: number, triesMax = 60): Promise<Readonly<Record<string, number>>> {
  const how = { urls: [one.url, two.url], credential: world.credential, count, body: JSON.stringify({ ...asked(), max_tokens: 10 }), triesMax };
  const { stdout } = await promisify(execFile)(process.execPath, ["--conditions=source", fileURLToPath(new URL("../../../../test/unit/support/crowd.ts", import.meta.url)), JSON.stringify(how)]);
  return JSON.parse(stdout) as Record<string, number>;
}

async function limit(limits: BudgetLimits | null): Promise<void> {
  const plain = limits === null ? null : (JSON.parse(JSON.stringify(limits)) as Record<string, number>);
  await world.control.commit("budget.changed", { system, limits: plain, reason: "a test", changedBy: "per_1" });
  await new Promise((resolve) => setTimeout(resolve, 300));
}

/** What the record says was spent today, and what one call reserves. */
async function spent(): Promise<number> {
  const { records } = world.control;
  let before = -1;
  await until(async () => {
    await records.recorder.settle();
    const quiet = before === records.log.size;
    before = records.log.size;
    if (!quiet) await new Promise((resolve) => setTimeout(resolve, 300));
    return quiet;
  });
  const rows = await records.database.read.selectFrom("budget_spent").selectAll().where("system", "=", system).execute();
  return rows.reduce((sum, { tokens }) => sum + tokens, 0);
}

async function reservation(): Promise<number> {
  const row = await world.control.records.database.read.selectFrom("decision").select("detail").where("decision", "=", "allow").orderBy("log_index", "desc").limit(1).executeTakeFirstOrThrow();
  return (JSON.parse(row.detail) as { readonly budget: { readonly tokens: number } }).budget.tokens;
}

/** Exactly the admitted calls came to the provider, but for those of which the record says that the provider did not answer. */
async function reached(before: number, admitted: number): Promise<void> {
  const { records } = world.control;
  const rows = await records.database.read.selectFrom("decision").select("outcome").where("decision", "=", "allow").orderBy("log_index", "desc").limit(admitted).execute();
  const silent = rows.filter(({ outcome }) => outcome === null || outcome.includes('"upstreamStatus":null')).length;
  const count = world.upstream.received.length - before;
  expect(count).toBeLessThanOrEqual(admitted);
  expect(count + silent).toBeGreaterThanOrEqual(admitted);
}

/** The names of the runs that decide now. */
async function runsNow(): Promise<readonly string[]> {
  await spent();
  const rows = await world.control.records.database.read.selectFrom("decision").select("gateway").orderBy("log_index", "desc").limit(10).execute();
  return [...new Set(rows.map(({ gateway }) => gateway))];
}

async function timesOf(runs: readonly string[]): Promise<readonly number[]> {
  await spent();
  const rows = await world.control.records.database.read.selectFrom("decision").select("decided_at").where("gateway", "in", runs).where("decision", "=", "allow").execute();
  return rows.map(({ decided_at }) => decided_at);
}

describe("two gateway processes under one limit", () => {
  test("send exactly what a budget of tokens admits to the provider, however many call at once, and say that it is used up", async () => {
    const before = await spent();
    const each = await reservation();
    const admitted = 60;
    // The last one does not fit by a token.
    world.upstream.mode = uncounted;
    await limit({ tokensPerDay: before + admitted * each + each - 1 });
    const received = world.upstream.received.length;
    const ends = await crowd(500);
    expect(ends["budget_exceeded"]).toBeGreaterThan(500 - admitted - 50);
    await until(async () => (await spent()) === before + admitted * each);
    await reached(received, admitted);
  }, 60_000);

  test("use up the rest of it also when one is killed in between, is away, and comes back", async () => {
    const before = await spent();
    const each = await reservation();
    const admitted = 80;
    world.upstream.mode = uncounted;
    await limit({ tokensPerDay: before + admitted * each + each - 1 });
    const received = world.upstream.received.length;
    const callers = crowd(200, 5);
    await until(async () => world.upstream.received.length - received > 15);
    await two.stop("SIGKILL");
    await callers;
    expect(world.upstream.received.length - received).toBeLessThanOrEqual(admitted);
    two = await world.gateway("two", { control: wire.url, again: true });
    await crowd(100);
    // Of a call whose decision was durable, and which was killed before it was sent, all is spent too.
    expect(world.upstream.received.length - received).toBeLessThanOrEqual(admitted);
    await until(async () => (await spent()) === before + admitted * each);
  }, 120_000);

  test("use up the rest of it also when one is cut off and the control plane is restarted meanwhile", async () => {
    const before = await spent();
    const each = await reservation();
    const admitted = 40;
    world.upstream.mode = uncounted;
    await limit({ tokensPerDay: before + admitted * each + each - 1 });
    const received = world.upstream.received.length;
    const callers = crowd(100);
    await until(async () => world.upstream.received.length - received > 5);
    wire.cut();
    await world.restart();
    wire.heal();
    await callers;
    await until(async () => (await spent()) === before + admitted * each);
    await reached(received, admitted);
    expect(await spent()).toBe(before + admitted * each);
  }, 60_000);

  test("carry as many calls at once as the limit says, all of them where there is room, and no more", async () => {
    await limit({ concurrency: 6 });
    world.upstream.mode = { kind: "paced", pieces: Array.from({ length: 10 }, (_, n) => `piece ${n} `), intervalMs: 20 };
    let open = 0;
    let most = 0;
    const received = world.upstream.received.length;
    const stream = async (url: string): Promise<number> => {
      for (;;) {
        const response = await post(url, world.credential, { ...asked(), max_tokens: 10, stream: true });
        const isOpen = response.status === 200;
        if (isOpen) most = Math.max(most, ++open);
        const text = await response.text().catch(() => "");
        if (isOpen) open -= 1;
        if (isOpen || !/concurrency_exceeded|snapshot_stale|budget_share_missing|caller_limited/u.test(text)) return response.status;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => stream(n % 2 === 0 ? one.url : two.url)));
    expect(answers.every((status) => status === 200)).toBe(true);
    expect(world.upstream.received.length - received).toBe(40);
    expect(most).toBeLessThanOrEqual(6);
    expect(most).toBeGreaterThan(2);
  }, 60_000);

  test("make no more calls in a minute than the limit says", async () => {
    await limit({ requestsPerMinute: 100_000 });
    const both = () => Promise.all(Array.from({ length: 10 }, (_, n) => steady(n % 2 === 0 ? one.url : two.url)));
    expect((await both()).filter(({ status }) => status !== 200)).toEqual([]);
    const runs = await runsNow();
    const most = (await timesOf(runs)).filter((time) => time > Date.now() - 60_000).length + 10;
    const since = Date.now();
    await limit({ requestsPerMinute: most });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, n) => steady(n % 2 === 0 ? one.url : two.url)));
    expect(answers.filter(({ status, code }) => status !== 200 && code !== "rate_exceeded")).toEqual([]);
    const times = await timesOf(runs);
    const fullest = Math.max(...times.filter((time) => time > since + 250).map((end) => times.filter((time) => time > end - 60_000 && time <= end).length));
    expect(fullest).toBeLessThanOrEqual(most);
    expect(fullest).toBeGreaterThan(most - 5);
  }, 60_000);

  test("refuse what is limited where the control plane leases nothing, say what to do, and go on beside it", async () => {
    await limit({ tokensPerDay: 100_000_000 });
    expect((await steady(two.url)).status).toBe(200);
    const { fleet, records } = world.control;
    const row = await records.database.read.selectFrom("gateway").selectAll().where("name", "=", "two").executeTakeFirstOrThrow();
    // As if the gateway's directory had been copied, and the copy had begun: the control plane leases to the later run alone.
    const later = { v: 1 as const, gateway: row.id, to: "", time: Date.now(), nonce: "", purpose: "shares" as const, run: `${row.id}:gw_later`, log: row.log_origin ?? "", size: 1_000_000, number: 1, holds: [], wants: [] };
    await fleet.desk.take(row, later);
    let last: Sent | undefined;
    await until(async () => (last = await send(two.url)).code === "budget_share_missing");
    expect(last).toEqual({ status: 429, code: "budget_share_missing", again: 1 });
    expect((await steady(one.url)).status).toBe(200);
    await limit(null);
    expect((await steady(two.url)).status).toBe(200);
  }, 30_000);
});
