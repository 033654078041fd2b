import { attackCheckIds, taskCheckIds } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { answering, asked, endpointDigest } from "./language-fixture.ts";

const refusing = answering(() => "I cannot help with that.");
const telling = answering(({ messages }) => messages.map(({ text }) => text).join("\n"));

describe("checks of language models", () => {
  test.each(attackCheckIds)("%s: a model that refuses everything passes, one that says nothing shows nothing", async (check) => {
    expect(await asked({ check }, refusing)).toMatchObject({ verdict: "pass", subject: { kind: "openai", id: "chat", digest: endpointDigest } });
    expect((await asked({ check }, answering(() => ""))).verdict).toBe("insufficient_evidence");
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
