import { RunnerAnswered, RunnerAsked, type ModelPrices } from "@licet/contract";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LicetError } from "../../base/errors.ts";
import { testedWorld, type TestedWorld } from "./tested-fixture.ts";

let world: TestedWorld;
beforeEach(async () => {
  world = await testedWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const question = (answer = 64): string => JSON.stringify({ model: "x", max_tokens: answer, messages: [{ role: "user", content: "hello" }] });
const asked = (): readonly RunnerAsked[] => world.entered.filter(({ kind }) => kind === "runner.asked").map(({ body }) => RunnerAsked.parse(body));
const answered = (): readonly RunnerAnswered[] => world.entered.filter(({ kind }) => kind === "runner.answered").map(({ body }) => RunnerAnswered.parse(body));
const whole = (usage: object): string => JSON.stringify({ id: "c", object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }], usage });
const full = (): Promise<void> => Promise.reject(new LicetError("disk_full"));
const code = (call: Promise<unknown>): Promise<string> => call.then(() => "none", (error: unknown) => (error instanceof LicetError ? error.code : String(error)));
const sha256 = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

describe("a question of the server's runner", () => {
  test("is in the log with ticket, provider, model, digest and what it can come to, before the provider gets anything", async () => {
    const { ask } = await world.open();
    let before = -1;
    world.upstream.onRequest = () => void (before = world.entered.length);
    await ask("chat", question());
    expect(before).toBe(1);
    const [entry] = world.entered;
    expect(entry).toMatchObject({ kind: "runner.asked", space: "main", actor: "server", system: "example", subject: "system:example", class: "runtime" });
    const [request] = world.upstream.received;
    const sent = JSON.stringify(request?.body);
    expect(asked()).toMatchObject([{ ticket: "tkt_1", decision: "allow", code: null, number: 1, model: "chat", upstreamModel: "sim-1", provider: "simulator", vendor: "test", region: "eu", digest: sha256(sent), bytes: Buffer.byteLength(sent), reserved: { tokens: Buffer.byteLength(sent) + 1024 + 64, costMicros: null }, snapshot: { version: 1 } }]);
    expect(answered()).toMatchObject([{ question: asked()[0]?.id, status: 200, code: null }]);
  });

  test("is not sent while it is being entered", async () => {
    const { ask } = await world.open();
    let durable: () => void = () => undefined;
    world.onAppend = ({ kind }) => (kind === "runner.asked" ? new Promise<void>((resolve) => void (durable = resolve)) : Promise.resolve());
    const answer = ask("chat", question());
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(world.upstream.received).toHaveLength(0);
    durable();
    expect(await answer).toMatchObject({ status: 200 });
    expect(world.upstream.received).toHaveLength(1);
  });

  test("does not leave when the log takes nothing, and leaves its part of the budget to the next", async () => {
    const { ask } = await world.open({ budget: { queries: 1 } });
    world.onAppend = full;
    expect(await code(ask("chat", question()))).toBe("evidence_unavailable");
    expect(world.upstream.received).toHaveLength(0);
    world.onAppend = async () => undefined;
    expect(await ask("chat", question())).toMatchObject({ status: 200 });
  });

  test("has no answer when what came of it could not be entered", async () => {
    const { ask } = await world.open();
    world.onAppend = ({ kind }) => (kind === "runner.answered" ? full() : Promise.resolve());
    expect(await code(ask("chat", question()))).toBe("evidence_unavailable");
  });

  test("does not leave when a hold was placed while it was being entered, and the record says so", async () => {
    const { ask, hold } = await world.open();
    world.onAppend = async ({ kind }) => void (kind === "runner.asked" && hold());
    expect(await code(ask("chat", question()))).toBe("held");
    expect(world.upstream.received).toHaveLength(0);
    expect(answered()).toMatchObject([{ question: asked()[0]?.id, status: null, code: "held", tokens: 0 }]);
  });

  test("that nobody answers is entered as that, and what was reserved counts as spent", async () => {
    const { ask } = await world.open({ budget: { tokens: 2500 } });
    world.upstream.mode = { kind: "reset" };
    expect(await code(ask("chat", question()))).toBe("unreachable");
    expect(answered()).toMatchObject([{ status: null, code: "unreachable", tokens: null, digest: null }]);
    expect([await code(ask("chat", question())), await code(ask("chat", question()))]).toEqual(["unreachable", "budget_exceeded"]);
  });

  test("that is refused is entered once for each reason, and never sent", async () => {
    const { ask } = await world.open({ provider: null });
    for (const model of ["chat", "chat", "other"]) expect(await code(ask(model, question()))).toBe("provider_unknown");
    expect(asked()).toMatchObject([{ decision: "deny", code: "provider_unknown", number: 0, reserved: null, model: "chat", provider: null }]);
    expect(answered()).toEqual([]);
  });
});

describe("a run's budget", () => {
  const price: ModelPrices = { promptTokensMax: 100_000, answerTokensMax: 100, prices: [{ from: "2025-01-01", currency: "USD", input: 1_000_000, output: 2_000_000 }] };

  test("of questions ends them at its bound, however many come at once", async () => {
    const { ask } = await world.open({ budget: { queries: 3 } });
    const codes = await Promise.all(Array.from({ length: 10 }, () => code(ask("chat", question()))));
    expect(codes.toSorted()).toEqual([...Array.from({ length: 7 }, () => "budget_exceeded"), "none", "none", "none"]);
    expect(world.upstream.received).toHaveLength(3);
    expect(asked().filter(({ decision }) => decision === "deny")).toMatchObject([{ code: "budget_exceeded", number: 3 }]);
  });

  test("of tokens takes the most that a question can come to, and gives back what it did not", async () => {
    const { ask } = await world.open({ budget: { tokens: 2000 } });
    world.upstream.mode = { kind: "raw", contentType: "application/json", body: whole({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }) };
    const codes = await Promise.all([code(ask("chat", question())), code(ask("chat", question()))]);
    expect(codes.toSorted()).toEqual(["budget_exceeded", "none"]);
    expect(await code(ask("chat", question(3000)))).toBe("budget_exceeded");
    for (const _ of [1, 2, 3]) expect(await code(ask("chat", question()))).toBe("none");
    expect(answered().at(-1)).toMatchObject({ tokens: 15 });
  });

  test("of money counts what a question costs, and lets none leave whose price is not known in its currency", async () => {
    const money = { currency: "USD", micros: 2_000_000_000 };
    const { ask } = await world.open({ budget: { money }, prices: () => price });
    world.upstream.mode = { kind: "raw", contentType: "application/json", body: whole({ prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }) };
    expect(await code(ask("chat", question()))).toBe("none");
    // A hundred tokens at one dollar, fifty at two.
    expect([asked()[0]?.reserved?.currency, answered()[0]?.costMicros]).toEqual(["USD", 200_000_000 / 1_000_000]);
    for (const open of [{ budget: { money } }, { budget: { money: { ...money, currency: "EUR" } }, prices: () => price }]) expect(await code((await world.open(open)).ask("chat", question()))).toBe("price_unknown");
    expect(await code((await world.open({ budget: { money: { ...money, micros: 1 } }, prices: () => price })).ask("chat", question()))).toBe("budget_exceeded");
    expect(world.upstream.received).toHaveLength(1);
  });

  test("cannot hold a question without a bound on its answer, and that is not sent", async () => {
    const { ask } = await world.open();
    expect(await code(ask("chat", JSON.stringify({ messages: [] })))).toBe("answer_unbounded");
    expect(world.upstream.received).toHaveLength(0);
  });
});
