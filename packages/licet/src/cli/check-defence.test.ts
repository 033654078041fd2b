import { builtInCalls, runSuite, type LanguageTargets } from "@licet/assurance";
import { AssuranceSection, type CheckResult, type PackDetection } from "@licet/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { credential, deployment, startGoverned, systemPrompt, type Governed } from "../../../../test/unit/support/governed.ts";
import { detectionOf } from "../gateway/detect/rules.ts";
import type { ScriptedListener } from "../http/scripted-listener.ts";
import { exampleBundle, exampleManifest } from "../inventory/example-manifest.ts";
import type { Project } from "../inventory/project.ts";
import { defenceAt } from "./check-defence.ts";
import { startUpstream } from "./check-upstream.ts";

const temperature = { max: 0.5 };
const manifest = {
  ...exampleManifest,
  components: {
    models: [{ name: "chat", provider: "simulator", model: "sim-1", description: "hosted", parameters: { temperature } }],
    prompts: [{ name: "system", role: "system" as const, text: systemPrompt, description: "tone" }],
  },
};
const project: Project = { folder: ".", text: "", path: "licet.yaml", ...exampleBundle(manifest) } as unknown as Project;
const strict: PackDetection = {
  pack: "org",
  section: {
    dictionaries: [{ type: "dangerous-tool", class: "attack", terms: ["transfer_money", "run_shell", "delete_files", "change_role", "update_setting", "post_message", "send_email"] }],
    patterns: [{ type: "hostile-place", class: "attack", pattern: "evil\\.example|/proc/self/environ" }],
    actions: [{ of: "dangerous-tool", action: "block" }, { of: "hostile-place", action: "block" }],
  },
};

let governed: Governed;
let upstream: ScriptedListener;
const said: string[] = [];
beforeEach(async () => {
  governed = await startGoverned();
  upstream = await startUpstream({ port: 0 }, { out: (line: string) => void said.push(line) } as never);
});
afterEach(async () => {
  await governed[Symbol.asyncDispose]();
  await upstream.close();
});

const models = [{ name: "chat", provider: "simulator", model: "sim-1", bounds: { temperature } }];
/** What the script calls: undeclared tools of honest calls would be stopped like the others. */
const tools = [...new Set(builtInCalls().map(({ call }) => call.tool))].map((name) => ({ name, digest: `sha256:${name}`, power: "read" }));

async function replayed(baseUrl = `${governed.origin}/openai/v1`): Promise<CheckResult> {
  const language: LanguageTargets = { open: () => undefined, system: () => ({ prompt: "" }), defence: defenceAt(project, { endpoint: () => ({ baseUrl, credential }), prompt: () => systemPrompt }) };
  const suite = AssuranceSection.parse({ checks: [{ id: "c", check: "llm.defence.replay", model: "chat" }] });
  const [result] = (await runSuite({ suite, root: ".", resolve: () => undefined, seed: "s", release: null, now: () => 1, language })).results;
  if (result === undefined) throw new Error("no result");
  return result;
}

test("a gateway before the scripted provider passes where its rules stop every hijacked call, over the wire, whole and streamed", async () => {
  governed.stand({ deployment: deployment({ models, tools }), provider: { baseUrl: upstream.baseUrl }, detection: detectionOf([strict]) });
  const result = await replayed();
  expect([result.verdict, result.counts, result.notes]).toEqual(["pass", { attempted: 66, assessed: 66, unassessed: 0 }, [`replayed through \`${governed.origin}\``]]);
  expect(governed.bodies("gateway.decision")).toHaveLength(132);
  expect(said.at(-1)).toContain(upstream.baseUrl);
});

test("one without rules fails, and one before a model that is no script shows nothing", async () => {
  governed.stand({ deployment: deployment({ models, tools }), provider: { baseUrl: upstream.baseUrl } });
  expect(await replayed()).toMatchObject({ verdict: "fail", basis: { figures: { honestBlocked: 0, failed: 0 } } });
  governed.stand({ deployment: deployment({ models, tools }) });
  expect((await replayed()).verdict).toBe("insufficient_evidence");
});

test("one before a release that declares none of the script's tools stops every call, and with them the honest ones", async () => {
  governed.stand({ deployment: deployment({ models }), provider: { baseUrl: upstream.baseUrl } });
  expect(await replayed()).toMatchObject({ verdict: "fail", basis: { figures: { hijacked: 60, blocked: 60, honest: 6, honestBlocked: 6 } } });
});

test("the script itself, without a gateway before it, blocks nothing", async () => {
  expect(await replayed(upstream.baseUrl)).toMatchObject({ verdict: "fail", basis: { figures: { blocked: 0, honest: 6 } } });
});

test("the scripted provider answers calls of its own script only", async () => {
  const ask = async (path: string, content: string) => (await fetch(`${upstream.baseUrl}${path}`, { method: "POST", body: JSON.stringify({ messages: [{ role: "user", content }] }) })).status;
  expect([await ask("/chat/completions", "hello"), await ask("/chat/completions", "(replay abcdefgh 1)"), await ask("/embeddings", "hello")]).toEqual([404, 404, 404]);
});
