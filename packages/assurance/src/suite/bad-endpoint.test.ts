import type { CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { type OipModel, json, startOipModel } from "../../../../test/unit/support/oip-model.ts";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import type { LanguageTargets } from "../checks/language-targets.ts";
import { openChat } from "../llm/client/chat.ts";
import type { Send } from "../llm/client/send.ts";
import { languageChecks, languageFaults, scored, servedFaults, slowFaults } from "./bad-endpoint-fixture.ts";
import { goodTable, isOpen, model, rows } from "./bad-input-fixture.ts";

const said = ({ verdict, reason = "" }: CheckResult) => `${verdict} ${reason}`;

describe("a language model that lies or dies", () => {
  const digest = `sha256:${"1".repeat(64)}`;
  const behaviours = ["request", ...Array.from({ length: 100 }, (_, at) => `Explain thing ${at}`)].join("\n");
  const labelled = ["request,answer,label", ...Array.from({ length: 100 }, (_, at) => `do ${at},text ${at},${at % 2 === 0 ? "harmful" : "harmless"}`)].join("\n");

  function behind(send: Send): LanguageTargets {
    const chat = openChat({ dialect: "openai", baseUrl: "https://model.example/v1", model: "m" }, { send, retriesMax: 0 });
    return {
      open: () => ({ chat, digest }),
      system: () => ({ prompt: "You answer questions of our staff." }),
      defence: () => ({ digest, notes: [], gateway: { baseUrl: "https://gateway.example/openai/v1", model: "m", prompt: "", sendWith: () => send } }),
    };
  }

  test.each(languageChecks)("$check shows nothing, with a reason", async (check) => {
    const wrong: string[] = [];
    for (const [fault, send] of Object.entries(languageFaults)) {
      const result = await checkResult({ model: "chat", ...check }, { behaviours, labelled }, "s", { language: behind(send) });
      if (!isOpen(result)) wrong.push(`${fault}: ${said(result)}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe("a served model that lies or dies", () => {
  const asking = rows.filter(({ models }) => models !== undefined).map((row, at) => ({ name: `${row.check.check} (${at + 1})`, row }));

  const slowly: ReadonlySet<string> = new Set(["perf.metric", "robust.evasion"]);
  /** Enough rows for two questions. */
  const some = (contents: Readonly<Record<string, string | Uint8Array>>) => Object.fromEntries(Object.entries(contents).map(([name, content]) => [name, typeof content === "string" ? content.split("\n").slice(0, 301).join("\n") : content]));

  async function served(row: (typeof rows)[number], endpoint: OipModel): Promise<CheckResult> {
    const { model: _, ...files } = row.good;
    const scoring = { protocol: "oip", timeoutMs: 100, batchRows: 200, inFlight: 4 } as const;
    const digest = `sha256:${"ab".repeat(32)}`;
    return checkResult(row.check, { ...some(files), ...("champion" in row.good && { champion: model }) }, "s", { models: { isolation: "none", served: { model: { address: endpoint.baseUrl, model: "risk-net", digest, scoring } } } });
  }

  test("an output that is declared and not there is named, with those that are", async () => {
    await using endpoint = await startOipModel();
    endpoint.infer = (_request, response, body) => json(response, 200, scored(body));
    const scoring = { protocol: "oip", output: "probabilities" } as const;
    const check = { check: "perf.metric", metric: "auc", floor: 0.5, model: "model", dataset: "test", target: "y", positive: 1, features: ["s", "other"] };
    const result = await checkResult(check, { test: goodTable(50) }, "s", { models: { served: { model: { address: endpoint.baseUrl, model: "risk-net", digest: `sha256:${"ab".repeat(32)}`, scoring } } } });
    expect(result).toMatchObject({ verdict: "errored", error: { code: "model_output_unclear", message: "the model answers with no output `probabilities`: correct `output`; it has `y`" } });
  });

  test.each(asking)("$name shows nothing, with a reason", async ({ row }) => {
    await using endpoint = await startOipModel();
    endpoint.infer = (_request, response, body) => json(response, 200, scored(body));
    expect((await served(row, endpoint)).verdict).not.toBe("errored");
    const wrong: string[] = [];
    const faults = { ...servedFaults, ...(slowly.has(row.check.check) && slowFaults) };
    for (const [fault, infer] of Object.entries(faults)) {
      endpoint.infer = infer();
      const result = await served(row, endpoint);
      if (!isOpen(result) && result.verdict !== row.unanswerable?.[0]) wrong.push(`${fault}: ${said(result)}`);
    }
    expect(wrong).toEqual([]);
  });
});
