import { readFileSync } from "node:fs";
import { lintSource } from "@secretlint/core";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readLabelled } from "./labelled.ts";
import { builtinScanner } from "./scanner.ts";

const config = { rules: [{ id: "preset", rule: creator, options: {} }] };

/** Places that secretlint reports. */
async function reported(content: string): Promise<readonly (readonly [number, number])[]> {
  const result = await lintSource({ source: { filePath: "text.txt", ext: ".txt", contentType: "text", content }, options: { config, noPhysicFilePath: true } });
  return result.messages.map(({ range }) => [range[0] ?? 0, range[1] ?? 0] as const);
}

function missed(content: string, places: readonly (readonly [number, number])[]): readonly string[] {
  const secrets = builtinScanner.scan(content).filter(({ type }) => builtinScanner.classes.get(type) === "secret");
  return places.filter(([from, to]) => !secrets.some(({ start, end }) => start < to && from < end)).map(([from, to]) => content.slice(from, to));
}

test("what secretlint reports in the labelled texts is found here as well", async () => {
  const texts = readLabelled(readFileSync(new URL("corpus/synthetic.jsonl", import.meta.url), "utf8"));
  const all = texts.map(({ text }) => text).join("\n\n");
  const places = await reported(all);
  expect(places.length).toBeGreaterThan(40);
  expect(missed(all, places)).toEqual([]);
});

/** Forms of secretlint's rules, of which each is drawn at random. */
const forms: readonly RegExp[] = [
  /^sk-proj-[A-Za-z0-9_-]{58}T3BlbkFJ[A-Za-z0-9_-]{58}$/u,
  /^sk-ant-api03-[A-Za-z0-9_-]{93}AA$/u,
  /^gsk_[a-zA-Z0-9]{52}$/u,
  /^hf_[a-zA-Z]{34}$/u,
  /^lin_api_[a-zA-Z0-9_]{40}$/u,
  /^ntn_[0-9]{11}[A-Za-z0-9]{35}$/u,
  /^shp(?:pa|ca|at|ss)_[a-zA-Z0-9]{32}$/u,
  /^(?:sk|rk)_(?:live|test)_[a-zA-Z0-9]{24,60}$/u,
  /^gh[pousr]_[A-Za-z0-9_]{36}$/u,
  /^github_pat_[A-Za-z0-9_]{82}$/u,
  /^glpat-[A-Za-z0-9_-]{20,60}$/u,
  /^glc_[A-Za-z0-9+/]{60}$/u,
  /^glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}$/u,
  /^npm_[A-Za-z0-9_]{36}$/u,
  /^hvs\.[A-Za-z0-9_-]{95}$/u,
  /^vc[piark]_[A-Za-z0-9]{40}$/u,
  /^dapi[A-Fa-f0-9]{32}$/u,
  /^dckr_pat_[a-zA-Z0-9_-]{27}$/u,
  /^figd_[A-Za-z0-9_-]{60}$/u,
  /^cf(?:k|ut|at)_[A-Za-z0-9]{40}[0-9a-f]{8}$/u,
  /^tskey-auth-[0-9A-Za-z_]{12}-[0-9A-Za-z_]{32}$/u,
  /^SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/u,
  /^AKIA[A-Z0-9]{16}$/u,
  /^xoxb-[0-9]{12}-[0-9]{12}-[a-zA-Z0-9]{24}$/u,
  /^postgres:\/\/[a-z]{3,8}:[A-Za-z0-9]{6,12}@[a-z]{3,8}\.example\.com\/app$/u,
];

test("what secretlint reports of tokens drawn at random from its forms is found here as well", async () => {
  const drawn = fc.sample(fc.oneof(...forms.map((form) => fc.stringMatching(form))), { numRuns: 200, seed: 7 });
  const all = drawn.map((token) => `the token ${token} is here`).join("\n");
  const places = await reported(all);
  expect(places.length).toBeGreaterThan(100);
  expect(missed(all, places)).toEqual([]);
});
