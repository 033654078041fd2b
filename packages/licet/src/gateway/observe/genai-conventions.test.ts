import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { expect, it } from "vitest";
import { apiTypes, genai, genaiMetrics, licetNames, operations, providerNames } from "./genai-conventions.ts";

/** `http.response.status_code` and the service's names are attributes of the same package. */
const published = (prefix: string): ReadonlySet<unknown> => new Set(Object.entries(conventions).filter(([name]) => name.startsWith(prefix)).map(([, value]) => value));

it.each([
  ["attribute", "ATTR_", Object.values(genai)],
  ["metric", "METRIC_", Object.values(genaiMetrics)],
  ["operation", "GEN_AI_OPERATION_NAME_VALUE_", Object.values(operations)],
  ["interface", "OPENAI_API_TYPE_VALUE_", Object.values(apiTypes)],
  ["provider", "GEN_AI_PROVIDER_NAME_VALUE_", Object.values(providerNames)],
])("every name of an %s is one that the conventions publish", (_, prefix, names) => {
  const known = published(prefix);
  expect(names.length).toBeGreaterThan(1);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

it("the names of our own are under our own prefix, and are none of the conventions' names", () => {
  const known = published("ATTR_");
  expect(Object.values(licetNames).filter((name) => !name.startsWith("licet.") || known.has(name))).toEqual([]);
});

it("no name is one that holds content", () => {
  const content = ["input.messages", "output.messages", "system_instructions", "tool.call.arguments", "tool.call.result", "gen_ai.prompt", "gen_ai.completion"];
  const names: readonly string[] = Object.values(genai);
  expect(names.filter((name) => content.some((word) => name.endsWith(word)))).toEqual([]);
});
