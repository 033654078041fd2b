import type { RouteAnswer } from "@licet/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openWorld, t0, type Caller, type World } from "../../ato/world-fixture.ts";
import { exampleBundle, exampleManifest } from "../../inventory/example-manifest.ts";
import { budgetedReleases, standingRows } from "../store.ts";
import { gatewayEntryDefinitions } from "../entries.ts";
import { decisionRecord } from "../record.ts";
import type { CredentialView, DeploymentView } from "../snapshot.ts";
import { createBudgets, type Reservation } from "./budgets.ts";
import { declaredBudgets } from "./declared.ts";
import { budgetEntryDefinitions } from "./entries.ts";
import { openBudgets } from "./open.ts";
import { packagedTables, priceBook } from "./price-tables.ts";
// oxlint-disable-next-line no-restricted-imports -- this test mounts the routes as server/compose.ts does
import { budgetRoutes } from "./routes.ts";
import { budgetsOf, pricesOf } from "./standing.ts";

const limits = { tokensPerDay: 1000, money: { currency: "EUR", microsPerDay: 5000 } };
const price = { from: "2026-01-01", currency: "EUR", input: 1_000_000, output: 1_000_000 };
const release = `sha256:${"a".repeat(64)}`;
const deployment = { id: "dep_1", space: "main", system: "example", environment: "local", stage: "pilot", release, budgets: { release: limits } };
const view: CredentialView = { id: "cred_1", space: "main", digest: "", expiresAt: 0, revokedAt: null, deployment: deployment as Partial<DeploymentView> as DeploymentView };

let world: World;
let ada: Caller;
let routes: ReturnType<typeof budgetRoutes>;

beforeAll(async () => {
  world = await openWorld({ more: [...gatewayEntryDefinitions, ...budgetEntryDefinitions] });
  const { recorder, database } = world.installation;
  routes = budgetRoutes({ read: database.read, recorder, tables: packagedTables() });
  ada = await world.person("ada", ["platform-engineer"]);
  await world.provider("simulator");
  await world.push(exampleBundle({ ...exampleManifest, budgets: limits }), ada.personId);
});

afterAll(() => world.close());

const params = { space: "main" };
const cookies = { add: () => undefined };
const code = (work: Promise<unknown>) => work.then(() => "done", (error: unknown) => (error instanceof Error && "code" in error ? error.code : error));

describe("an operator", () => {
  test("tightens a system's and the space's limits, each by one logged entry that the next snapshot has", async () => {
    const set = await routes.setBudget({ params, body: { system: "example", limits: { tokensPerDay: 400 }, reason: "a loop" } }, ada, cookies);
    expect(set).toMatchObject({ system: "example", declared: limits, operator: { limits: { tokensPerDay: 400 }, reason: "a loop", changedBy: "ada@example.com" }, day: { tokens: 0 } });
    await routes.setBudget({ params, body: { system: null, limits: { requestsPerMinute: 10 }, reason: "the contract" } }, ada, cookies);
    const rows = await world.installation.database.read.transaction().execute(standingRows);
    expect(budgetsOf(rows, deployment, deployment.budgets)).toEqual({ budgets: { release: limits, system: { tokensPerDay: 400 }, space: { requestsPerMinute: 10 } } });
    expect(budgetsOf(rows, { space: "main", system: "other" }, undefined)).toEqual({ budgets: { space: { requestsPerMinute: 10 } } });
  });

  test.each([
    ["more tokens than the release declares", { tokensPerDay: 1001 }],
    ["more money than the release declares", { money: { currency: "EUR", microsPerDay: 5001 } }],
    ["another currency", { money: { currency: "USD", microsPerDay: 1 } }],
  ])("cannot set %s", async (_, wider) => {
    expect(await code(Promise.resolve(routes.setBudget({ params, body: { system: "example", limits: wider, reason: "generosity" } }, ada, cookies)))).toBe("budget_wider");
  });

  test("lifts its limits, and the release's go on", async () => {
    await routes.setBudget({ params, body: { system: null, limits: null, reason: "over" } }, ada, cookies);
    const lifted = await routes.setBudget({ params, body: { system: "example", limits: null, reason: "mended" } }, ada, cookies);
    expect(lifted).toMatchObject({ operator: null, declared: limits });
    expect(await code(Promise.resolve(routes.setBudget({ params, body: { system: "nobody", limits: null, reason: "?" } }, ada, cookies)))).toBe("system_unknown");
  });

  test("records prices of its own, which the gateway finds at the provider", async () => {
    await routes.setPrice({ params, body: { provider: "simulator", model: "sim-1", known: { prices: [price], answerTokensMax: 500 }, source: "contract 12" } }, ada, cookies);
    const rows = await world.installation.database.read.transaction().execute(standingRows);
    expect(pricesOf(rows, { space: "main", id: "simulator" })).toEqual({ prices: { "sim-1": { prices: [price], answerTokensMax: 500 } } });
    expect(pricesOf(rows, { space: "main", id: "other" })).toEqual({});
    expect(await code(Promise.resolve(routes.setPrice({ params, body: { provider: "nobody", model: "m", known: null, source: "?" } }, ada, cookies)))).toBe("not_found");
  });
});

test("of several releases that carry traffic the tightest budget is shown, else that of the latest", async () => {
  const { read } = world.installation.database;
  expect(await budgetedReleases(read, "main", "example")).toMatchObject([{ system: "example", active: false }]);
  expect(await declaredBudgets(read, "main")).toEqual(new Map([["example", limits]]));
});

describe("what was spent", () => {
  const model = { name: "chat", provider: "simulator", model: "sim-1", bounds: {} };
  const provider = { id: "simulator", baseUrl: "", region: "eu", vendor: "v", keyRef: "", prices: { "sim-1": { prices: [price] } } };
  const budgets = createBudgets({ prices: priceBook([]), now: t0 });

  const reserve = (): Reservation => {
    const taken = budgets.reserve({ credential: view, model, provider, promptTokensAtMost: 100, answerTokensMax: 100, now: t0 });
    if ("refusal" in taken) throw new Error(taken.refusal.code);
    return taken.reservation;
  };

  const decide = async (open: Reservation): Promise<string> => {
    const record = decisionRecord({ ledger: world.installation.recorder, gateway: "gw_1" });
    const more = { endpoint: "/openai/v1/chat/completions", dialect: "openai.chat", provider: "simulator", region: "eu", upstreamModel: "sim-1", stream: false, requestBytes: 1, messages: null, scanned: "full", budget: { ...open.facts, spent: { ...open.facts.spent } } };
    const written = await record.decision({ kind: "gateway.decision", facts: { action: "callModel", time: t0, credential: view, model: "chat", reasons: [], policyErrors: [], findings: [], more } });
    if (!("id" in written)) throw new Error(written.refusal.code);
    return written.id;
  };

  const end = (decision: string, open: Reservation): Promise<boolean> => {
    const cost = open.settle({ prompt: 10, completion: 20, total: 30 }, t0);
    const body = { deployment: "dep_1", release, status: 200, code: null, finish: "complete", finishReasons: ["stop"], abortedBy: null, usage: { prompt: 10, completion: 20, total: 30 }, findings: [], scanned: "full", answerBytes: 1, timings: { decisionMs: 1, firstByteMs: 1, totalMs: 1 }, upstreamStatus: 200, cost: { ...cost, reserved: { ...cost.reserved } } };
    return decisionRecord({ ledger: world.installation.recorder, gateway: "gw_1" }).outcome({ decision, credential: view, body });
  };

  test("is read from the record at a start: settled calls by what they came to, unsettled ones by all that they reserved", async () => {
    const settled = reserve();
    expect(await end(await decide(settled), settled)).toBe(true);
    await decide(reserve());
    const { recorder, database } = world.installation;
    await recorder.settle();
    const again = await openBudgets({ read: database.read, now: t0 });
    expect(again.spending("main", "example", t0)).toMatchObject({ inFlight: 0, day: { tokens: 30 + 200, openTokens: 0, money: { EUR: 230 } }, month: { tokens: 230 } });
    expect(again.spending("main", null, t0).day.tokens).toBe(230);
    const { items } = await routes.listBudgets({ params, query: { limit: 50 } }, ada, cookies);
    expect(items).toMatchObject([{ system: null, day: { tokens: 230 } }, { system: "example", day: { tokens: 230, money: [{ currency: "EUR", micros: 230 }] } }]);
  });

  test("is shown page by page: the space first, then its systems by name, each once", async () => {
    for (const name of ["zebra", "another"]) await world.push(exampleBundle({ ...exampleManifest, name }), ada.personId);
    const seen: (readonly (string | null)[])[] = [];
    for (let cursor: string | undefined | null = undefined; cursor !== null; ) {
      const page: RouteAnswer<"listBudgets"> = await routes.listBudgets({ params, query: { limit: seen.length === 0 ? 1 : 2, cursor } }, ada, cookies);
      seen.push(page.items.map(({ system }) => system));
      cursor = page.next;
    }
    expect(seen).toEqual([[null], ["another", "example"], ["zebra"]]);
    expect(await code(Promise.resolve(routes.listBudgets({ params, query: { limit: 1, system: "nobody" } }, ada, cookies)))).toBe("system_unknown");
  });
});
