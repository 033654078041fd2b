import { builtInCalls, runSuite, scriptOf, type LanguageTargets, type Send } from "@licet/assurance";
import { AssuranceSection, type CheckResult, type PackDetection } from "@licet/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Upstream } from "../../../../../test/unit/support/upstream.ts";
import { exampleManifest } from "../../inventory/example-manifest.ts";
import { testedWorld, type Opened, type TestedSpace as Space, type TestedWorld } from "./tested-fixture.ts";

let world: TestedWorld;
let upstream: Upstream;
beforeEach(async () => {
  world = await testedWorld();
  ({ upstream } = world);
});
afterEach(() => world[Symbol.asyncDispose]());

const tested = (space?: Space): Promise<Opened> => world.open(space);

const question = JSON.stringify({ model: "other", stream: true, max_tokens: 64, messages: [{ role: "user", content: "hello" }] });

describe("a question of the server's runner", () => {
  test("goes to the registered address of the model's provider, with its key and under its own name, and to nobody else", async () => {
    const { models, ask } = await tested();
    expect([...models]).toEqual([["chat", { dialect: "openai", model: "sim-1" }]]);
    const { status, body } = await ask("chat", question);
    expect([status, JSON.parse(body)]).toMatchObject([200, { choices: [{ message: { content: "hello" } }] }]);
    const [request] = upstream.received;
    expect([request?.path, request?.headers["authorization"], request?.body]).toMatchObject(["/v1/chat/completions", "Bearer sk-provider-key", { model: "sim-1", stream: false }]);
  });

  test("takes a vendor's own place for the key and its own path", async () => {
    await (await tested({ provider: { kind: "azure", apiVersion: "2024-10-21" } })).ask("chat", question);
    await (await tested({ provider: { kind: "anthropic" } })).ask("chat", question);
    expect(upstream.received.map(({ path, headers }) => [path, headers["api-key"], headers["x-api-key"], headers["authorization"]])).toEqual([
      ["/v1/chat/completions?api-version=2024-10-21", "sk-provider-key", undefined, undefined],
      ["/v1/messages", undefined, "sk-provider-key", undefined],
    ]);
  });

  test.each<readonly [string, Space, string]>([
    ["whose provider is not registered", { provider: null }, "provider_unknown"],
    ["of a system on hold", { holds: [{ id: "h", scope: "system", system: "example", reason: "r" }] }, "held"],
    ["in a space on hold", { holds: [{ id: "h", scope: "all", reason: "r" }] }, "held"],
    ["whose vendor is suspended", { holds: [{ id: "h", scope: "vendor", vendor: "Test", reason: "r" }] }, "vendor_suspended"],
    ["whose provider lies outside the declared regions", { provider: { region: "us" } }, "data_outside_boundary"],
    ["whose provider leads into a private network that nobody has allowed", { provider: { allow: [] } }, "outbound_refused"],
    ["while the standing is stale", { stale: true }, "snapshot_stale"],
  ])("is not sent to a model %s", async (_, space, code) => {
    const { ask } = await tested(space);
    await expect(ask("chat", question)).rejects.toMatchObject({ code });
    expect(upstream.received).toHaveLength(0);
  });

  test("to a model that the release does not declare is not sent", async () => {
    await expect((await tested()).ask("other", question)).rejects.toMatchObject({ code: "provider_unknown" });
  });

  test("that nobody answers is an error, and the status of a provider is passed on", async () => {
    upstream.mode = { kind: "status", status: 429, headers: { "retry-after": "3" } };
    expect(await (await tested()).ask("chat", question)).toMatchObject({ status: 429, retryAfter: "3" });
    upstream.mode = { kind: "reset" };
    await expect((await tested()).ask("chat", question)).rejects.toMatchObject({ code: "unreachable" });
  });
});

async function replayed(space: Space): Promise<CheckResult> {
  const { replay, notes } = await tested(space);
  async function* once(text: string): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  const sendWith = (script: ReturnType<typeof scriptOf>["upstream"]): Send => async ({ body }) => {
    const answer = await replay("chat", body, script(body));
    return { ...answer, retryAfter: undefined, body: once(answer.body) };
  };
  const language: LanguageTargets = {
    open: () => undefined,
    system: () => ({ prompt: "" }),
    defence: () => ({ digest: `sha256:${"1".repeat(64)}`, notes, gateway: { baseUrl: "http://x.invalid/v1", model: "chat", prompt: exampleManifest.components.prompts?.[0]?.text ?? "", sendWith } }),
  };
  const suite = AssuranceSection.parse({ checks: [{ id: "c", check: "llm.defence.replay", model: "chat" }] });
  const [result] = (await runSuite({ suite, root: ".", resolve: () => undefined, seed: "s", release: null, now: () => 1, language })).results;
  if (result === undefined) throw new Error("no result");
  return result;
}

/** What an organisation may publish against the calls that come with Licet: names of tools, and where they are led. */
const strict: PackDetection = {
  pack: "org",
  section: {
    dictionaries: [{ type: "dangerous-tool", class: "attack", terms: ["transfer_money", "run_shell", "delete_files", "change_role", "update_setting", "post_message", "send_email"] }],
    patterns: [{ type: "hostile-place", class: "attack", pattern: "evil\\.example|/proc/self/environ" }],
    actions: [{ of: "dangerous-tool", action: "block" }, { of: "hostile-place", action: "block" }],
  },
};

describe("a replay through the gateway's own pipeline", () => {
  test("passes where the published detectors stop every call of a hijacked model, and honest ones come through", async () => {
    const result = await replayed({ sections: [strict] });
    expect([result.verdict, result.estimate, result.counts, result.notes]).toEqual(["pass", 1, { attempted: 66, assessed: 66, unassessed: 0 }, [`decided by the policies and detectors of sha256:${"b".repeat(64)}`]]);
    expect(upstream.received).toHaveLength(0);
  });

  test("gives the same counts twice", async () => {
    const [one, two] = [await replayed({ sections: [strict] }), await replayed({ sections: [strict] })];
    expect(one.basis).toEqual(two.basis);
  });

  test("fails where one tool is left out of the rules, and names its calls", async () => {
    const terms = ["transfer_money", "run_shell", "delete_files", "change_role", "update_setting", "send_email"];
    const result = await replayed({ sections: [{ ...strict, section: { ...strict.section, dictionaries: [{ type: "dangerous-tool", class: "attack", terms }] } }] });
    const posted = builtInCalls().filter(({ call }) => call.tool === "post_message").map(({ id }) => id);
    expect(result).toMatchObject({ verdict: "fail", basis: { figures: { hijacked: 60, blocked: 55, honestBlocked: 0, failed: 0, wrong: posted } } });
  });

  test("fails with the detectors that are everywhere: they look for data, not for what tools do", async () => {
    const { verdict, basis } = await replayed({});
    expect([verdict, basis]).toMatchObject(["fail", { figures: { hijacked: 60, honest: 6, honestBlocked: 0, failed: 0 } }]);
  });

  test("asks the published policies about every call", async () => {
    const asked: string[] = [];
    const result = await replayed({ sections: [strict], decide: async ({ action, principal }) => (asked.push(`${action.id} ${principal.id}`), { decision: "deny", reasons: [{ policy: "test.no" }], errors: [] }) });
    expect(result).toMatchObject({ verdict: "fail", basis: { figures: { blocked: 60, honestBlocked: 6 } } });
    // What was asked before about the same facts is remembered, as for every call.
    expect(new Set(asked)).toEqual(new Set(["callModel dep_test"]));
  });

  test.each<readonly [string, Space]>([
    ["the provider is not registered", { provider: null }],
    ["an external detector cannot be asked", { sections: [{ pack: "org", section: { external: [{ name: "lab", url: "http://127.0.0.1:9/find", classes: { x: "special" }, on: ["request"], allow: ["loopback"] }] } }] }],
    ["the standing is stale", { stale: true }],
  ])("shows nothing where %s", async (_, space) => {
    expect((await replayed(space)).verdict).toBe("insufficient_evidence");
  });

  test("blocks everything, and so fails, where no policies are published", async () => {
    expect((await replayed({ decide: null })).verdict).not.toBe("pass");
  });
});
