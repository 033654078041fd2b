import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { main } from "../../../../examples/helpdesk-assistant/ask.ts";
import { startSimulator, type Simulator } from "../../../../examples/helpdesk-assistant/simulator.ts";
import { credential, deployment, sha256, startGoverned, withoutAto, type Governed, type Standing } from "../../../../test/unit/support/governed.ts";

let governed: Governed;
let simulator: Simulator;
let printed = "";

beforeEach(async () => {
  governed = await startGoverned();
  simulator = await startSimulator(0);
  printed = "";
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
  await simulator.close();
});

async function standing(change: Standing = {}): Promise<Standing> {
  const prompt = await readFile(new URL("../../../../examples/helpdesk-assistant/prompts/system.md", import.meta.url), "utf8");
  const prompts = [{ name: "system", role: "system" as const, digest: `sha256:${sha256(prompt)}` }];
  return { deployment: deployment({ prompts }), provider: { baseUrl: simulator.baseUrl }, ...change };
}

function run(...args: string[]): Promise<number> {
  const env = { LICET_OPENAI_URL: `${governed.origin}/openai/v1`, LICET_CREDENTIAL: credential };
  return main(args, env, (text) => {
    printed += text;
  });
}

async function requests(): Promise<number> {
  const response = await fetch(simulator.baseUrl.replace("/v1", "/stats"));
  return ((await response.json()) as { requests: number }).requests;
}

test.each([["My printer does not print"], ["--stream", "My printer does not print"]])("the example is answered: %s", async (...args) => {
  governed.stand(await standing());
  expect(await run(...args)).toBe(0);
  expect(printed).toMatch(/I am an AI system.*Switch the printer off.*decision: dec_/su);
  expect(await requests()).toBe(1);
});

test("the example prints a refusal's code, policy, remedy and decision, and exits with 1", async () => {
  governed.stand({ ...(await standing()), deployment: withoutAto() });
  expect(await run("hello")).toBe(1);
  expect(printed).toMatch(/refused: ato_missing\nwhy: .+\npolicy: gateway\.ato_missing\nremedy: .*licet promote.*\ndecision: dec_/su);
  expect(await requests()).toBe(0);
});

test("every answer of the simulator says that it is one", async () => {
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "vpn" }] });
  const response = await fetch(`${simulator.baseUrl}/chat/completions`, { method: "POST", body });
  expect(await response.json()).toMatchObject({ model: "m (simulator)", system_fingerprint: "helpdesk-simulator", usage: { total_tokens: expect.any(Number) } });
});
