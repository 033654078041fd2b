import { describe, expect, test } from "vitest";
import type { Chat, ChatReply } from "../client/chat.ts";
import { countAttempts } from "../statistics.ts";
import { execute, type FinishedAttempt } from "./execute.ts";
import type { Exchange } from "./exchange.ts";

const reply = (text: string, more: Partial<ChatReply> = {}): ChatReply => ({ text, calls: [], defect: undefined, status: 200, usage: { promptTokens: 10, completionTokens: 5 }, wallMs: 1, ...more });

function plan(count: number, repeats = 1): readonly Exchange[] {
  return Array.from({ length: count * repeats }, (_, index) => ({
    id: `a${index}`,
    cluster: `c${Math.floor(index / repeats)}`,
    request: { messages: [{ role: "user", text: String(index) }], tokensMax: 5 },
    judge: ({ whole }) => (whole.defect === undefined ? { outcome: whole.text === "yes" ? "event" : "no_event", why: "" } : { outcome: "unassessed", why: whole.defect }),
  }));
}

describe("a run", () => {
  test("makes every attempt once, no more at a time than allowed, and reports them in the plan's order", async () => {
    let now = 0;
    let most = 0;
    const chat: Chat = async ({ messages }) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, Number(messages[0]?.text) % 3));
      now -= 1;
      return reply("no");
    };
    const run = await execute(plan(40), { chat, parallelMax: 4 });
    expect(most).toBe(4);
    expect(run.attempts.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, index) => `a${index}`));
    expect(run).toMatchObject({ stopped: "complete", uncounted: 0, cost: { queries: 40, promptTokens: 400, completionTokens: 200 } });
  });

  test("resumes with the attempts that were finished, and asks only the rest", async () => {
    const asked: string[] = [];
    const chat: Chat = async ({ messages }) => {
      asked.push(messages[0]?.text ?? "");
      return reply("no");
    };
    const first = await execute(plan(10), { chat, budget: { queriesMax: 4 }, parallelMax: 1 });
    expect(first.stopped).toBe("budget");
    const stored = JSON.parse(JSON.stringify(first.attempts)) as FinishedAttempt[];
    const second = await execute(plan(10), { chat, finished: stored });
    expect(asked.toSorted()).toEqual(Array.from({ length: 10 }, (_, index) => String(index)));
    expect(second.attempts).toHaveLength(10);
    expect(countAttempts(second)).toEqual(countAttempts(await execute(plan(10), { chat })));
  });

  test.each([
    ["queries", { queriesMax: 7 }, 7],
    ["tokens", { tokensMax: 60 }, 4],
    ["money", { moneyMax: 0.00006, price: { prompt: 1, completion: 1 } }, 4],
    ["no time", { timeMsMax: 0 }, 0],
  ])("ends at its budget of %s, and is then not complete", async (_, budget, made) => {
    const run = await execute(plan(50), { chat: async () => reply("no"), budget, parallelMax: 1 });
    expect(run).toMatchObject({ stopped: "budget", cost: { queries: made } });
    expect(countAttempts(run).complete).toBe(false);
  });

  test("stops where the attempts so far decide, looking at them in the plan's order and not in that of arrival", async () => {
    // The first answers are the slowest, and the only ones with the event.
    const chat: Chat = async ({ messages }) => {
      const index = Number(messages[0]?.text);
      await new Promise((resolve) => setTimeout(resolve, index < 3 ? 40 : 0));
      return reply(index < 3 ? "yes" : "no");
    };
    const seen: number[] = [];
    const run = await execute(plan(30), {
      chat,
      parallelMax: 10,
      decided: (prefix) => {
        seen.push(prefix.length);
        return prefix.filter(({ judgement }) => judgement.outcome === "event").length === 3;
      },
    });
    expect(run.stopped).toBe("decided");
    expect(run.attempts).toHaveLength(3);
    expect(run.uncounted).toBeGreaterThan(0);
    expect(seen).toEqual([1, 2, 3]);
  });

  test("asks whether it is decided at the ends of clusters only", async () => {
    const seen: number[] = [];
    await execute(plan(4, 5), { chat: async () => reply("no"), decided: (prefix) => (seen.push(prefix.length), false) });
    expect(seen).toEqual([5, 10, 15, 20]);
  });

  test("ends early when too much has no answer, because nothing could be concluded any more", async () => {
    let asked = 0;
    const run = await execute(plan(200), { chat: async () => ((asked += 1), reply("", { defect: "timeout", status: null })), parallelMax: 2 });
    expect(run.stopped).toBe("unassessed_budget");
    expect(asked).toBeLessThan(20);
  });

  test("counts an attempt whose judge throws as unassessed", async () => {
    const throwing = plan(1).map((exchange) => ({ ...exchange, judge: () => Promise.reject(new Error("no")) }));
    const run = await execute(throwing, { chat: async () => reply("yes") });
    expect(run.attempts[0]?.judgement).toEqual({ outcome: "unassessed", why: "judge_failed" });
  });

  test("ends when it is told to, without the attempts that were under way", async () => {
    const ending = new AbortController();
    let asked = 0;
    const chat: Chat = async () => {
      asked += 1;
      if (asked === 5) ending.abort();
      return reply("no");
    };
    const run = await execute(plan(30), { chat, parallelMax: 1, signal: ending.signal });
    expect(run).toMatchObject({ stopped: "aborted" });
    expect(run.attempts).toHaveLength(4);
  });

  test("holds conversations to their end, answers calls by script, and stops at a cut reply", async () => {
    const sent: string[][] = [];
    const chat: Chat = async ({ messages }) => {
      sent.push(messages.map(({ role }) => role));
      if (sent.length === 1) return reply("", { calls: [{ id: "1", name: "look", input: "{}" }] });
      if (sent.length === 4) return reply("half", { defect: "stream_cut" });
      return reply("fine");
    };
    const [base] = plan(1);
    if (base === undefined) throw new Error("no plan");
    const run = await execute([{ ...base, followUps: ["and then", "and last", "never sent"], toolResult: () => "seen" }], { chat });
    expect(sent.at(-1)).toEqual(["user", "assistant", "tool", "assistant", "user", "assistant", "user"]);
    expect(run.attempts[0]).toMatchObject({ queries: 4, judgement: { outcome: "unassessed", why: "stream_cut" } });
  });
});
