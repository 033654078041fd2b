import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { stripVTControlCharacters } from "node:util";
import { ApiError } from "@licet/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runTail } from "../../packages/licet/src/cli/tail.ts";
import { runWhy } from "../../packages/licet/src/cli/why.ts";
import { trafficWindow } from "../../packages/licet/src/insight/traffic-window.ts";
import { install, type Installation } from "./installation.ts";
import { deployed, traffic, type Traffic } from "./traffic-fixture.ts";

type Person = Awaited<ReturnType<Installation["person"]>>;

let installation: Installation;
let engineer: Person;
let developer: Person;
let executive: Person;
let second: Person;
let calls: Traffic;
const params = { space: "main" };
const code = async (work: Promise<unknown>): Promise<unknown> => work.then(() => "nothing was thrown", (error: unknown) => (error instanceof ApiError ? error.code : error));

beforeAll(async () => {
  installation = await install();
  engineer = await installation.person("main", ["security-engineer"]);
  developer = await installation.person("main", ["developer"]);
  // Without a second person a hold would be lifted by who asks.
  second = await installation.person("main", ["risk-owner", "authorizing-official"]);
  executive = await installation.person("main", ["executive"]);
  calls = traffic(installation);
});
afterAll(() => installation.close());

/** A line to the server that can be cut, as when it stops, and mended at the same address. */
async function cuttable(to: string): Promise<{ readonly url: string; cut(): Promise<void>; mend(): Promise<void> }> {
  const { port } = new URL(to);
  const sockets = new Set<Socket>();
  const relay = (socket: Socket): void => {
    const on = connect(Number(port), "127.0.0.1");
    for (const each of [socket, on]) {
      sockets.add(each);
      each.on("error", () => undefined);
    }
    socket.pipe(on).pipe(socket);
  };
  let server: Server | undefined;
  const listen = async (at: number): Promise<number> => {
    const fresh = createServer(relay);
    server = fresh;
    await new Promise<void>((resolve) => fresh.listen(at, "127.0.0.1", resolve));
    return (fresh.address() as AddressInfo).port;
  };
  const own = await listen(0);
  return {
    url: `http://127.0.0.1:${own}`,
    cut: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server?.close(resolve));
    },
    mend: async () => void (await listen(own)),
  };
}

interface Screen {
  readonly lines: string[];
  readonly terminal: Parameters<typeof runTail>[1];
}

function screen(colour = false): Screen {
  const lines: string[] = [];
  return { lines, terminal: { out: (text) => void lines.push(text), err: () => undefined, colour, width: 120 } };
}

/** Commands read the session from the environment. */
async function as<T>(person: Person, work: () => Promise<T>): Promise<T> {
  const before = process.env["LICET_TOKEN"];
  process.env["LICET_TOKEN"] = person.token;
  try {
    return await work();
  } finally {
    if (before === undefined) delete process.env["LICET_TOKEN"];
    else process.env["LICET_TOKEN"] = before;
  }
}

describe("live traffic", () => {
  test("pages go back from the newest decision without a gap or a repetition, whatever is filtered", async () => {
    for (let at = 0; at < 7; at++) await calls.decide({ system: "paging", ...(at % 2 === 0 && { code: "held" }) });
    await calls.settle();
    const seen: string[] = [];
    let before: number | undefined;
    do {
      const page = await engineer.client("listTraffic", { params, query: { system: "paging", limit: 3, ...(before !== undefined && { before }) } });
      seen.push(...page.items.map(({ id }) => id));
      before = page.older ?? undefined;
    } while (before !== undefined);
    expect([seen.length, new Set(seen).size]).toEqual([7, 7]);
    const refused = await engineer.client("listTraffic", { params, query: { system: "paging", decision: "deny" } });
    expect(refused.items.map((row) => row.code)).toEqual(["held", "held", "held", "held"]);
    expect((await engineer.client("listTraffic", { params, query: { system: "paging", decision: "allow" } })).items).toHaveLength(3);
  });

  test("who waits after a place in the log gets what comes next, and how a running call ended", async () => {
    const running = await calls.decide({ system: "waiting" });
    await calls.settle();
    const { newest, items } = await engineer.client("listTraffic", { params, query: { system: "waiting" } });
    expect(items).toMatchObject([{ id: running, ended: null }]);
    const began = performance.now();
    const [page] = await Promise.all([engineer.client("listTraffic", { params, query: { system: "waiting", after: newest, wait: 10 } }), calls.decide({ system: "elsewhere" }).then(() => calls.decide({ system: "waiting", code: "held" }))]);
    expect(page.items).toMatchObject([{ code: "held", system: "waiting" }]);
    expect(performance.now() - began).toBeLessThan(5000);
    const [later] = await Promise.all([engineer.client("listTraffic", { params, query: { system: "waiting", after: page.newest, wait: 10, pending: running } }), calls.end(running, "waiting", { totalMs: 77, cost: { costMicros: 1200, currency: "EUR" } })]);
    expect(later).toMatchObject({ items: [], ended: [{ id: running, ended: { totalMs: 77, tokens: 15, finish: "complete", costMicros: 1200, currency: "EUR" } }] });
  });

  test("nothing new is an empty answer when the wait is over, and the place to go on from stays", async () => {
    await calls.settle();
    const { newest } = await engineer.client("listTraffic", { params, query: {} });
    expect(await engineer.client("listTraffic", { params, query: { after: newest, wait: 0 } })).toMatchObject({ items: [], ended: [], newest });
  });

  test("who may not read decisions sees no traffic, and nobody sees that of another space", async () => {
    expect(await code(executive.client("listTraffic", { params, query: {} }))).toBe("permission_denied");
    expect(await code(executive.client("showTraffic", { params, query: {} }))).toBe("permission_denied");
    expect(await code(engineer.client("listTraffic", { params: { space: "other" }, query: {} }))).toBe("not_found");
  });

  test("the summary counts each system's calls, reasons, findings, tokens, spend and times", async () => {
    for (let at = 0; at < 3; at++) await calls.end(await calls.decide({ system: "summed", findings: [{ type: "email", dataClass: "personal", count: 2 }] }), "summed", { totalMs: 100 * (at + 1), cost: { costMicros: 500, currency: "EUR" } });
    await calls.end(await calls.decide({ system: "summed" }), "summed", { totalMs: 50, finish: "refused", code: "answer_outside_boundary" });
    await calls.decide({ system: "summed", code: "held" });
    await calls.decide({ system: "summed", code: "held" });
    await calls.decide({ system: "summed" });
    await calls.settle();
    const window = trafficWindow({ read: installation.database.read, now: () => installation.recorder.now() });
    const { systems, complete } = await window.summary("main", 60);
    expect(complete).toBe(true);
    expect(systems.find(({ system }) => system === "summed")).toMatchObject({
      calls: 7,
      refused: 2,
      running: 1,
      codes: [
        { code: "held", calls: 2, what: "a hold stops this system" },
        { code: "answer_outside_boundary", calls: 1 },
      ],
      findings: [{ type: "email", dataClass: "personal", count: 6 }],
      tokens: { prompt: 40, completion: 20 },
      cost: [{ currency: "EUR", micros: 1500 }],
      decisionMs: { p50: 2 },
      totalMs: { p50: 100, p95: 300, p99: 300 },
    });
    expect((await engineer.client("listTraffic", { params, query: { code: "answer_outside_boundary" } })).items).toMatchObject([{ system: "summed", decision: "allow", ended: { code: "answer_outside_boundary" } }]);
  });

  test("the summary goes on from where it was, learns of ends that come later, and says when it had to leave calls out", async () => {
    let time = installation.recorder.now();
    const window = trafficWindow({ read: installation.database.read, now: () => time, limits: { callsMax: 5, rowsPerRead: 2, refreshMs: 0 } });
    const of = async () => (await window.summary("main", 60)).systems.find(({ system }) => system === "window");
    expect(await of()).toBeUndefined();
    const running = await calls.decide({ system: "window" });
    await calls.settle();
    expect(await of()).toMatchObject({ calls: 1, running: 1, totalMs: null });
    await calls.end(running, "window");
    await calls.settle();
    expect(await of()).toMatchObject({ calls: 1, running: 0, totalMs: { p50: 40 } });
    for (let at = 0; at < 9; at++) await calls.decide({ system: "window", code: "held" });
    await calls.settle();
    expect(await of()).toMatchObject({ calls: 5 });
    expect((await window.summary("main", 60)).complete).toBe(false);
    time += 2 * 86_400_000;
    expect((await window.summary("main", 1440)).systems).toEqual([]);
  });
});

describe("why, and asking for access", () => {
  test("a missing authorization is explained with the exact commands, and asking opens one promotion", async () => {
    await deployed(installation, developer.client, "unauthorised");
    const decision = await calls.decide({ system: "unauthorised", code: "ato_missing", policy: "gateway.ato_missing" });
    await calls.settle();
    const why = await developer.client("explainDecision", { params: { space: "main", decision } });
    expect(why).toMatchObject({ code: "ato_missing", system: "unauthorised", environment: "local", stillSo: true, mayRequest: true, open: null, turn: "technical-owner", people: ["t@example.com"], request: { kind: "promote", to: "pilot", environment: "local" } });
    expect(why.steps.join("\n")).toContain("`licet promote --system unauthorised --to pilot --environment local`");
    expect(why.url).toMatch(new RegExp(`/decisions/${decision}$`, "u"));
    expect(await code(executive.client("explainDecision", { params: { space: "main", decision } }))).toBe("permission_denied");
    const { done, request } = await developer.client("requestAccess", { params: { space: "main", decision }, body: { reason: "the pilot begins" } });
    expect({ done, move: request.move, stage: request.stage, environment: request.environment }).toEqual({ done: false, move: "promote", stage: "pilot", environment: "local" });
    expect(await developer.client("explainDecision", { params: { space: "main", decision } })).toMatchObject({ open: request.id });
  });

  test("a hold on everything is told as what it is", async () => {
    const hold = await engineer.client("placeHold", { params, body: { scope: "all", reason: "looks wrong" } });
    const decision = await calls.decide({ system: "unauthorised", code: "held" });
    await calls.settle();
    expect(await engineer.client("explainDecision", { params: { space: "main", decision } })).toMatchObject({ request: { hold: hold.id, title: "lift the hold on everything" } });
    const { request } = await engineer.client("liftHold", { params: { space: "main", hold: hold.id }, body: { reason: "looked at" } });
    await second.client("giveApproval", { params: { space: "main", request: request.id }, body: { role: "risk-owner", answer: "approve", comment: "agreed" } });
    expect(await engineer.client("explainDecision", { params: { space: "main", decision } })).toMatchObject({ stillSo: false, request: null });
  });

  test("a hold is explained with who can lift it; asking opens the same request once, for those who may", async () => {
    await deployed(installation, developer.client, "stopped");
    const hold = await engineer.client("placeHold", { params, body: { scope: "system", system: "stopped", reason: "looks wrong" } });
    const decision = await calls.decide({ system: "stopped", code: "held", policy: "runtime.held" });
    await calls.settle();
    const asked = { params: { space: "main", decision } };
    expect(await engineer.client("explainDecision", asked)).toMatchObject({ stillSo: true, mayRequest: true, request: { kind: "lift-hold", hold: hold.id }, people: expect.arrayContaining([engineer.email]) });
    expect(await developer.client("explainDecision", asked)).toMatchObject({ mayRequest: false });
    expect(await code(developer.client("requestAccess", { ...asked, body: { reason: "please" } }))).toBe("permission_denied");
    const { request } = await engineer.client("requestAccess", { ...asked, body: { reason: "looked at" } });
    expect(request).toMatchObject({ move: "lift-hold", system: "stopped" });
    expect(await engineer.client("explainDecision", asked)).toMatchObject({ open: request.id });
    expect((await engineer.client("requestAccess", { ...asked, body: { reason: "again" } })).request.id).toBe(request.id);
  });

  test("data outside the boundary is a change of the release, which nobody can approve past it", async () => {
    const decision = await calls.decide({ system: "unauthorised", code: "data_outside_boundary", policy: "runtime.data", findings: [{ type: "iban", dataClass: "financial", count: 1 }] });
    await calls.settle();
    const asked = { params: { space: "main", decision } };
    const why = await developer.client("explainDecision", asked);
    expect(why).toMatchObject({ request: null, stillSo: null });
    expect(why.steps.join("\n")).toMatch(/`financial`[\s\S]*`licet push`[\s\S]*`licet promote/u);
    expect(await code(developer.client("requestAccess", { ...asked, body: { reason: "please" } }))).toBe("nothing_to_request");
  });

  test("a policy of the bundle that decided gives its own title, remedy and turn", async () => {
    const { digest } = await engineer.client("showPolicies", { params });
    const decision = await calls.decide({ system: "unauthorised", code: "held", policy: "runtime.held", bundle: digest });
    await calls.settle();
    expect(await engineer.client("explainDecision", { params: { space: "main", decision } })).toMatchObject({ turn: "security-engineer, risk-owner", checks: [{ policy: "runtime.held", title: "no hold is in force", requirement: "held", turn: "security-engineer, risk-owner" }] });
  });

  test("a policy that permitted the call is not named among what refused it", async () => {
    const { digest } = await engineer.client("showPolicies", { params });
    const decision = await calls.decide({ system: "unauthorised", code: "data_outside_boundary", bundle: digest, permitted: "runtime.call" });
    await calls.settle();
    const { checks } = await engineer.client("explainDecision", { params: { space: "main", decision } });
    expect(checks).toMatchObject([{ policy: "gateway.data_outside_boundary", title: "demanded by the gateway itself" }]);
  });

  test("an allowed call needs nothing, and an unknown decision is not there", async () => {
    const decision = await calls.decide({ system: "unauthorised" });
    await calls.settle();
    expect(await engineer.client("explainDecision", { params: { space: "main", decision } })).toMatchObject({ code: null, verdict: "allow", request: null, steps: [], turn: "" });
    expect(await code(engineer.client("explainDecision", { params: { space: "main", decision: "dec_nothing" } }))).toBe("not_found");
  });
});

describe("in a terminal", () => {
  test("licet why takes an id or the link, says what to do, and asks with --request", async () => {
    await deployed(installation, developer.client, "cli");
    const decision = await calls.decide({ system: "cli", code: "ato_missing" });
    await calls.settle();
    const { lines, terminal } = screen();
    const options = { url: installation.baseUrl };
    expect(await as(developer, () => runWhy(`${installation.baseUrl}/decisions/${decision}?space=main`, options, terminal))).toBe(1);
    expect(lines.join("\n")).toMatch(/refused: ato_missing[\s\S]*turn: technical-owner[\s\S]*1\. see what is unmet[\s\S]*ask for it: licet why dec_/u);
    expect(lines.join("\n")).not.toContain("\u001B[");
  });

  test("licet tail shows what was, what comes, and how running calls end; colours only for a person", async () => {
    await calls.decide({ system: "tailed", code: "held" });
    await calls.settle();
    const { lines, terminal } = screen(true);
    let over = false;
    const tail = as(engineer, () => runTail({ url: installation.baseUrl, system: "tailed", last: 5 }, terminal, { over: () => over }));
    await expect.poll(() => lines.length, { timeout: 30_000 }).toBe(1);
    const running = await calls.decide({ system: "tailed", findings: [{ type: "email", dataClass: "personal", count: 1 }] });
    await expect.poll(() => lines.length, { timeout: 30_000 }).toBe(2);
    over = true;
    await calls.end(running, "tailed", { totalMs: 123 });
    await tail;
    const said = stripVTControlCharacters(lines.join("\n"));
    expect(said).toMatch(/refused held {2}tailed → gpt-test {2}by gateway\.held/u);
    expect(said).toMatch(/allowed, runs {2}tailed → gpt-test {2}found email×1/u);
    expect(said).toMatch(/allowed, answered {2}tailed → gpt-test {2}123 ms {2}15 tokens/u);
    expect(said).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}(?:Z|[+-]\d{2}:\d{2}) /u);
    expect(lines.join("\n")).toContain("\u001B[");
  });

  test("licet tail goes on where it was when the server comes back: nothing is missed and nothing said twice", async () => {
    const line = await cuttable(installation.baseUrl);
    const { lines, terminal } = screen();
    const told: string[] = [];
    let over = false;
    const tail = as(engineer, () => runTail({ url: line.url, system: "cut", last: 0 }, { ...terminal, err: (text) => void told.push(text) }, { over: () => over }));
    await expect.poll(() => told.length, { timeout: 30_000 }).toBe(1);
    await line.cut();
    await expect.poll(() => told.join("\n"), { timeout: 30_000 }).toContain("does not answer");
    for (const model of ["first", "second"]) await calls.decide({ system: "cut", code: "held", model });
    await calls.settle();
    await line.mend();
    await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(2);
    over = true;
    await calls.decide({ system: "cut", code: "held", model: "third" });
    await tail;
    await line.cut();
    expect(lines.map((text) => /→ (\w+)/u.exec(text)?.[1])).toEqual(["first", "second", "third"]);
    expect(told.at(-1)).toBe("the server answers again");
  });

  test("licet tail --json --refused is one object a line", async () => {
    const { lines, terminal } = screen();
    await as(engineer, () => runTail({ url: installation.baseUrl, system: "tailed", refused: true, json: true, last: 50, once: true }, terminal));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ system: "tailed", decision: "deny", code: "held" }]);
  });

  test("names that would steer a terminal are shown, not obeyed", async () => {
    await calls.decide({ system: "steered", model: "\u001B]0;owned\u0007\u202E", code: "held" });
    await calls.settle();
    const { lines, terminal } = screen();
    await as(engineer, () => runTail({ url: installation.baseUrl, system: "steered", last: 5, once: true }, terminal));
    expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(lines.join("")).toContain("owned");
  });
});
