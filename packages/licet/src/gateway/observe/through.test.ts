import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deployment, messages, startGoverned, withoutAto, type Governed } from "../../../../../test/unit/support/governed.ts";
import { budgetUse } from "./budget-use.ts";
import type { ObservedDecision, ObservedOutcome } from "./observer.ts";

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const consoleUrl = "https://licet.example";
const body = (more: object = {}): string => JSON.stringify({ model: "chat", messages, ...more });

let governed: Governed;
let decided: ObservedDecision[];
let ended: ObservedOutcome[];
beforeEach(async () => {
  decided = [];
  ended = [];
  governed = await startGoverned({ consoleUrl, observer: { decided: (call) => void decided.push(call), ended: (call) => void ended.push(call) } });
});
afterEach(() => governed[Symbol.asyncDispose]());

interface Said {
  readonly error: { readonly licet: { readonly decision: string; readonly url?: string } };
}

describe("what an observer is told of calls through the gateway", () => {
  it("an allowed call: once when it is decided and once when it ended, with the ids of its record and no word of its content", async () => {
    const response = await governed.post("/openai/v1/chat/completions", body(), { traceparent: parent });
    expect(response.status).toBe(200);
    await response.text();
    await expect.poll(() => ended.length).toBe(1);
    const [record] = governed.bodies("gateway.decision");
    expect(record?.["trace"]).toBe("0af7651916cd43dd8448eb211c80319c");
    expect(decided).toHaveLength(1);
    expect(decided[0]).toMatchObject({ id: record?.["id"], space: "main", system: "helpdesk", deployment: "dep_helpdesk", dialect: "openai.chat", upstreamModel: "sim-1", decision: "allow", provider: { id: "simulator", kind: "openai" } });
    expect(ended[0]).toMatchObject({ status: 200, finish: "complete", recorded: true, usage: { prompt: expect.any(Number) } });
    expect(ended[0]?.call).toBe(decided[0]);
    expect(decided[0]?.decisionMs).toBeGreaterThanOrEqual(decided[0]?.durableMs ?? Infinity);
    expect(ended[0]?.totalMs).toBeGreaterThanOrEqual(ended[0]?.upstreamMs ?? Infinity);
    const told = JSON.stringify([decided, ended]);
    for (const { content } of messages) expect(told).not.toContain(content);
  });

  it("the provider gets the caller's trace with the gateway's own span as its parent, which is the span that observers are told", async () => {
    await (await governed.post("/openai/v1/chat/completions", body(), { traceparent: parent, tracestate: "vendor=1" })).text();
    const sent = governed.upstream.received[0]?.headers;
    expect(sent?.["traceparent"]).toBe(`00-0af7651916cd43dd8448eb211c80319c-${decided[0]?.trace?.spanId}-01`);
    expect(decided[0]?.trace).toMatchObject({ parentId: "b7ad6b7169203331" });
  });

  it("a refused call: its code and what refused it, and no end", async () => {
    governed.stand({ deployment: withoutAto() });
    await (await governed.post("/openai/v1/chat/completions", body())).text();
    expect(decided).toMatchObject([{ decision: "deny", code: "ato_missing", system: "helpdesk" }]);
    expect(ended).toEqual([]);
  });

  it.each([
    ["gateway.decision", "/openai/v1/chat/completions"],
    ["gateway.decision", "/oip/v2/models/chat/infer"],
    ["access.decision", "/access/v1/evaluation"],
    ["access.decision", "/ext-authz/v1/chat"],
  ])("a stranger's refusal belongs to no system: %s of %s", async (kind, path) => {
    await (await governed.post(path, body(), { authorization: "Bearer lic_nobody", traceparent: parent })).text();
    const [record] = governed.bodies(kind);
    expect(record).toMatchObject({ code: "credential_invalid", trace: "0af7651916cd43dd8448eb211c80319c" });
    expect(decided).toMatchObject([{ id: record?.["id"], decision: "deny", code: "credential_invalid", system: undefined, trace: { parentId: "b7ad6b7169203331" } }]);
  });

  it("a question to the decision API is recorded with its trace, and with none where the caller names none", async () => {
    const question = JSON.stringify({ subject: { type: "workload", id: "helpdesk" }, action: { name: "callModel" }, resource: { type: "model", id: "chat" } });
    for (const headers of [{ traceparent: parent }, { traceparent: "00-malformed" }, {}]) await (await governed.post("/access/v1/evaluation", question, headers)).text();
    expect(governed.bodies("access.decision").map(({ decision, trace }) => [decision, trace])).toEqual([["allow", "0af7651916cd43dd8448eb211c80319c"], ["allow", undefined], ["allow", undefined]]);
  });
});

describe("every refusal carries the id of its decision and the address of its page", () => {
  it.each(["/openai/v1/chat/completions", "/openai/v1/nothing"])("of %s, in the body and in the header", async (path) => {
    governed.stand({ deployment: withoutAto() });
    const response = await governed.post(path, body());
    const { licet } = ((await response.json()) as Said).error;
    expect(governed.bodies("gateway.decision").at(-1)?.["id"]).toBe(licet.decision);
    expect(licet.url).toBe(`${consoleUrl}/decisions/${licet.decision}`);
    expect(response.headers.get("x-licet-decision")).toBe(licet.decision);
  });

  it("of Anthropic's surface, in its own form", async () => {
    governed.stand({ deployment: withoutAto() });
    const response = await governed.post("/anthropic/v1/messages", JSON.stringify({ model: "chat", max_tokens: 5, messages: [{ role: "user", content: "hi" }] }));
    expect(await response.json()).toMatchObject({ type: "error", error: { licet: { url: expect.stringMatching(/^https:\/\/licet\.example\/decisions\/dec_/u) } } });
  });

  it("of a stream that is broken off, in its last event", async () => {
    governed.upstream.mode = { kind: "midstream", pieces: ["Take ", "water "], how: "reset" };
    const response = await governed.post("/openai/v1/chat/completions", body({ stream: true }));
    let said = "";
    try {
      for await (const chunk of response.body ?? []) said += Buffer.from(chunk).toString("utf8");
    } catch {
      // It is broken off on purpose.
    }
    expect(said).toContain(`"url":"${consoleUrl}/decisions/${String(governed.bodies("gateway.decision")[0]?.["id"])}"`);
  });

  it("and none where the log did not take the decision: there is no page of it", async () => {
    governed.ledger.broken = true;
    const response = await governed.post("/openai/v1/chat/completions", body());
    expect(response.status).toBe(503);
    expect(((await response.json()) as Said).error.licet).toMatchObject({ decision: null });
    expect(response.headers.get("x-licet-decision")).toBeNull();
  });
});

it("budget use is the part of each limit that is used, the nearest to its end where several hold", () => {
  governed.stand({ deployment: deployment({ budgets: { release: { tokensPerDay: 1000, concurrency: 4 }, system: { tokensPerDay: 500 }, space: { money: { currency: "EUR", microsPerMonth: 2_000_000 } } } }) });
  const window = { endsAt: 0, tokens: 250, openTokens: 0, money: { EUR: 500_000 } };
  const spending = { day: window, month: window, inFlight: 1, callsThisMinute: 3 };
  expect(budgetUse({ spending: () => spending }, governed.snapshots.current(), governed.clock.now())).toEqual([
    { space: "main", system: "helpdesk", budget: "tokens per day", used: 0.5 },
    { space: "main", system: "helpdesk", budget: "concurrency", used: 0.25 },
    { space: "main", system: "", budget: "money per month", used: 0.25 },
  ]);
});
