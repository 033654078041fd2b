import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { program } from "../../packages/licet/src/cli/program.ts";
import { exampleBundle, exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { install, type Installation } from "./installation.ts";

let installation: Installation;
const out: string[] = [];
const terminal = { out: (text: string) => void out.push(text), err: () => undefined, colour: false, width: 100 };

beforeAll(async () => {
  installation = await install();
  const { client } = await installation.person("main", ["developer"]);
  await client("pushRelease", { params: { space: "main" }, body: exampleBundle({ ...exampleManifest, budgets: { tokensPerDay: 5000, money: { currency: "EUR", microsPerDay: 10_000_000 } } }) });
  const { token } = await installation.person("main", ["platform-engineer"]);
  vi.stubEnv("LICET_TOKEN", token);
  vi.stubEnv("LICET_URL", installation.baseUrl);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await installation.close();
});

async function licet(...words: readonly string[]): Promise<{ readonly text: string }> {
  out.length = 0;
  await program(terminal).parseAsync(["node", "licet", "budget", ...words]);
  return { text: out.join("\n") };
}

test("limits are shown with what is spent, tightened, and lifted again", async () => {
  expect((await licet("show", "example")).text).toMatch(/tokens today +0 +5,000 +-[\s\S]*money today +0\.00 EUR +10\.00 EUR +-/u);
  const set = await licet("set", "example", "--tokens-per-day", "400", "--currency", "EUR", "--money-per-call", "0.25", "--reason", "a loop");
  expect(set.text).toMatch(/tokens today +0 +5,000 +400[\s\S]*money for a call +- +0\.25 EUR[\s\S]*a loop/u);
  await expect(licet("set", "example", "--tokens-per-day", "5001", "--reason", "more")).rejects.toMatchObject({ code: "budget_wider" });
  await expect(licet("set", "example", "--money-per-call", "1", "--reason", "no currency")).rejects.toThrow("--currency");
  expect((await licet("set", "example", "--lift", "--reason", "mended")).text).toMatch(/tokens today +0 +5,000 +-/u);
  expect(JSON.parse((await licet("show", "--json")).text)).toMatchObject([{ system: null }, { system: "example", operator: null }]);
  expect(installation.entries.map(({ kind }) => kind).filter((kind) => kind === "budget.changed")).toHaveLength(2);
});

test("prices of the organisation are listed beside the tables, dated, and added to", async () => {
  await expect(licet("price", "set", "--provider", "vllm", "--model", "m", "--source", "c", "--answer-max", "9")).rejects.toMatchObject({ code: "not_found" });
  const listed = await licet("price", "list");
  expect(listed.text).toContain("no prices of your own");
  expect(listed.text).toMatch(/OpenAI +USD +2026-11-21/u);
});
