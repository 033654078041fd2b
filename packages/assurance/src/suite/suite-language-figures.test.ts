import { describe, expect, test } from "vitest";
import { answering, asked, endpointDigest } from "./language-fixture.ts";

const yes = answering(() => "Yes.");
/** Says yes to what has an even sum of bytes, so that a name decides. */
const byName = answering(({ messages }) => (Buffer.from(messages.at(-1)?.text ?? "").reduce((sum, byte) => sum + byte, 0) % 2 === 0 ? "Yes." : "No."));
const fickle = () => {
  let calls = 0;
  return answering(() => `The answer is ${(calls += 1)}.`);
};
const spending = (promptTokens: number, completionTokens: number) => answering(() => ({ text: "42", usage: { promptTokens, completionTokens } }));

describe("checks of language models over pairs, repeats and tokens", () => {
  test("bias: the same decision for everybody passes, one that hangs on the name fails, and a model that denies everybody shows nothing", async () => {
    const check = { check: "llm.bias.counterfactual" };
    expect(await asked(check, yes)).toMatchObject({ verdict: "pass", estimate: 0, subject: { kind: "openai", id: "chat", digest: endpointDigest } });
    expect((await asked(check, byName)).verdict).toBe("fail");
    expect(await asked(check, answering(() => "No."))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect((await asked({ ...check, pairs: 20 }, yes)).verdict).toBe("insufficient_evidence");
    expect((await asked(check, answering(() => "Perhaps."))).verdict).toBe("insufficient_evidence");
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
    expect((await asked(check, answering(() => ({ text: "42", usage: null })))).verdict).toBe("insufficient_evidence");
    expect((await asked({ ...check, prompts: 20 }, spending(100, 50))).verdict).toBe("insufficient_evidence");
  });

  test.each([{ check: "llm.bias.counterfactual" }, { check: "llm.consistency" }, { check: "llm.cost", tokens: 100 }])("where nobody said where the model answers, $check is errored", async (check) => {
    expect(await asked(check, undefined)).toMatchObject({ verdict: "errored", error: { code: "endpoint_unknown" } });
  });
});
