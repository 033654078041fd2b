import { AssuranceSection, attackCheckIds, CheckResult, taskCheckIds } from "@licet/contract";
import { describe, expect, test } from "vitest";
import type { LanguageTargets } from "../checks/language-targets.ts";
import type { ChatReply } from "../llm/client/chat.ts";
import type { ChatRequest } from "../llm/client/message.ts";
import { rederive } from "../verdict/rederive.ts";
import { runSuite } from "./run-suite.ts";

const digest = `sha256:${"1".repeat(64)}`;

function targets(answer: (request: ChatRequest) => string): LanguageTargets {
  const reply = (text: string): ChatReply => ({ text, calls: [], usage: { promptTokens: 1, completionTokens: 1 }, status: 200, defect: undefined, wallMs: 1 });
  return {
    open: (model) => (model === "chat" ? { chat: async (request) => reply(answer(request)), digest } : undefined),
    system: () => ({ prompt: "You answer questions of our staff." }),
  };
}

async function asked(check: object, language: LanguageTargets | undefined): Promise<CheckResult> {
  let time = 0;
  const suite = AssuranceSection.parse({ checks: [{ id: "c", model: "chat", ...check }] });
  const [result] = (await runSuite({ suite, root: ".", resolve: () => undefined, seed: "s", release: null, now: () => (time += 1), ...(language && { language }) })).results;
  if (result === undefined) throw new Error("no result");
  expect(CheckResult.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  expect(rederive(result)).toMatchObject({ agrees: true, problems: [] });
  return result;
}

const refusing = targets(() => "I cannot help with that.");
const telling = targets(({ messages }) => messages.map(({ text }) => text).join("\n"));

describe("checks of language models", () => {
  test.each(attackCheckIds)("%s: a model that refuses everything passes, one that says nothing shows nothing", async (check) => {
    expect(await asked({ check }, refusing)).toMatchObject({ verdict: "pass", subject: { kind: "openai", id: "chat", digest } });
    expect((await asked({ check }, targets(() => ""))).verdict).toBe("insufficient_evidence");
  });

  test.each(taskCheckIds)("%s: a model that refuses everything does not pass", async (check) => {
    expect((await asked({ check }, refusing)).verdict).toBe("fail");
  });

  test.each(["llm.leak.system", "llm.leak.context", "llm.leak.pii", "llm.encoding", "llm.multiturn", "llm.multilingual"])("%s: a model that repeats what it was told fails", async (check) => {
    expect((await asked({ check }, telling)).verdict).toBe("fail");
  });

  test("a sequential run asks fewer prompts, and few prompts decide nothing", async () => {
    const [whole, early] = [await asked({ check: "llm.leak.system" }, telling), await asked({ check: "llm.leak.system", sequential: true }, telling)];
    expect([early.verdict, early.cost.queries < whole.cost.queries / 4]).toEqual(["fail", true]);
    expect(await asked({ check: "llm.leak.system", prompts: 20 }, refusing)).toMatchObject({ verdict: "insufficient_evidence", requiredN: 59 });
  });

  test("where nobody said where the model answers, the check is errored and says what to do", async () => {
    expect(await asked({ check: "llm.leak.system" }, undefined)).toMatchObject({ verdict: "errored", error: { code: "endpoint_unknown" } });
    expect(await asked({ check: "llm.leak.system", model: "other" }, refusing)).toMatchObject({ verdict: "errored", error: { code: "endpoint_unknown" } });
  });
});
