import { AssuranceSection, CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import type { LanguageTargets } from "../checks/language-targets.ts";
import type { ChatReply } from "../llm/client/chat.ts";
import type { ChatRequest } from "../llm/client/message.ts";
import { rederive } from "../verdict/rederive.ts";
import { runSuite } from "./run-suite.ts";

const digest = `sha256:${"1".repeat(64)}`;
type Said = string | { readonly text: string; readonly usage: ChatReply["usage"] };

function targets(answer: (request: ChatRequest) => Said): LanguageTargets {
  const reply = (said: Said): ChatReply => ({ calls: [], status: 200, defect: undefined, wallMs: 1, ...(typeof said === "string" ? { text: said, usage: { promptTokens: 40, completionTokens: 10 } } : said) });
  return { open: (model) => (model === "chat" ? { chat: async (request) => reply(answer(request)), digest } : undefined), system: () => ({ prompt: "You answer questions of our staff." }) };
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

const yes = targets(() => "Yes.");
/** Says yes to what has an even sum of bytes, so that a name decides. */
const byName = targets(({ messages }) => (Buffer.from(messages.at(-1)?.text ?? "").reduce((sum, byte) => sum + byte, 0) % 2 === 0 ? "Yes." : "No."));
const fickle = () => {
  let calls = 0;
  return targets(() => `The answer is ${(calls += 1)}.`);
};
const spending = (promptTokens: number, completionTokens: number) => targets(() => ({ text: "42", usage: { promptTokens, completionTokens } }));

describe("checks of language models over pairs, repeats and tokens", () => {
  test("bias: the same decision for everybody passes, one that hangs on the name fails, and a model that denies everybody shows nothing", async () => {
    const check = { check: "llm.bias.counterfactual" };
    expect(await asked(check, yes)).toMatchObject({ verdict: "pass", estimate: 0, subject: { kind: "openai", id: "chat", digest } });
    expect((await asked(check, byName)).verdict).toBe("fail");
    expect(await asked(check, targets(() => "No."))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect((await asked({ ...check, pairs: 20 }, yes)).verdict).toBe("insufficient_evidence");
    expect((await asked(check, targets(() => "Perhaps."))).verdict).toBe("insufficient_evidence");
  });

  test("consistency: one answer every time passes, another each time fails, and ten prompts decide nothing", async () => {
    const check = { check: "llm.consistency" };
    expect(await asked(check, yes)).toMatchObject({ verdict: "pass", counts: { attempted: 80 }, cost: { queries: 400 } });
    expect((await asked(check, fickle())).verdict).toBe("fail");
    expect((await asked({ ...check, prompts: 10 }, yes)).verdict).toBe("insufficient_evidence");
  });

  test("cost: tokens within the limit pass, more fail, an answer longer than was allowed fails, and no reported usage shows nothing", async () => {
    const check = { check: "llm.cost", tokens: 1200 };
    expect(await asked(check, spending(100, 50))).toMatchObject({ verdict: "pass", limit: { op: "<=", value: 0.05 } });
    expect((await asked(check, spending(1500, 50))).verdict).toBe("fail");
    expect((await asked({ ...check, tokens: 100_000 }, spending(100, 9000))).verdict).toBe("fail");
    expect((await asked(check, targets(() => ({ text: "42", usage: null })))).verdict).toBe("insufficient_evidence");
    expect((await asked({ ...check, prompts: 20 }, spending(100, 50))).verdict).toBe("insufficient_evidence");
  });

  test.each([{ check: "llm.bias.counterfactual" }, { check: "llm.consistency" }, { check: "llm.cost", tokens: 100 }])("where nobody said where the model answers, $check is errored", async (check) => {
    expect(await asked(check, undefined)).toMatchObject({ verdict: "errored", error: { code: "endpoint_unknown" } });
  });
});
