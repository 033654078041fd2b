import { describe, expect, test } from "vitest";
import { deployment, grantedAto, messages, sha256, start, startGoverned, systemPrompt, withoutAto, type Standing } from "../../../../test/unit/support/governed.ts";
import { builtinBundle } from "../policy/bundle.ts";
import { createDecider } from "../policy/decide.ts";

const decider = createDecider(builtinBundle());
const decide = async (call: Parameters<typeof decider.decide>[0]) => decider.decide({ ...call });

async function answer(standing: Standing, content = "My printer is on fire.") {
  await using governed = await startGoverned();
  governed.stand({ ...standing, decide });
  const asked = [{ role: "system" as const, content: systemPrompt }, { role: "user" as const, content }];
  const call = governed.client.chat.completions.create({ model: "chat", messages: asked });
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const decision = governed.bodies("gateway.decision").at(-1) ?? {};
  return { error: error as { code: string; error: { licet: { policy: string } } } | undefined, decision };
}

describe("with the policies that come with Licet", () => {
  test("a call that fits its release and boundary is allowed", async () => {
    const { error, decision } = await answer({});
    expect(error).toBeUndefined();
    expect(decision).toMatchObject({ decision: "allow", policyErrors: [] });
    expect(decision["reasons"]).not.toEqual([]);
  });

  test.each<[string, Standing, string?]>([
    ["ato_missing", { deployment: withoutAto() }],
    ["ato_expired", { deployment: deployment({ ato: { ...grantedAto, notAfter: start } }) }],
    ["ato_suspended", { deployment: deployment({ ato: { ...grantedAto, state: "suspended" } }) }],
    ["ato_revoked", { deployment: deployment({ ato: { ...grantedAto, state: "revoked" } }) }],
    ["held", { holds: [{ id: "hold_1", scope: "all", reason: "exercise" }] }],
    ["vendor_suspended", { holds: [{ id: "hold_1", scope: "vendor", vendor: "test", reason: "exercise" }] }],
    ["oversight_missing", { deployment: deployment({ tier: "high", oversight: "none" }) }],
    ["data_outside_boundary", {}, "write to jo@example.com"],
    ["data_outside_boundary", { provider: { region: "us" } }],
  ])("%s is refused by a policy too, and the policy is named", async (code, standing, content) => {
    const { error, decision } = await answer(standing, content);
    expect(error?.code).toBe(code);
    expect(decision["policyErrors"]).toEqual([]);
    expect((decision["reasons"] as { code?: string }[]).some((reason) => reason.code === undefined)).toBe(true);
  });
});

test("what a policy on trial would have refused passes, is recorded, and a warning reaches the caller", async () => {
  await using governed = await startGoverned();
  governed.stand({ decide: async (call) => ({ ...decider.decide({ ...call }), warnings: [{ policy: "acme.hours" }], shadowed: [{ policy: "acme.trial" }] }) });
  const messagesOf = [{ role: "system" as const, content: systemPrompt }, { role: "user" as const, content: "hello" }];
  const { response } = await governed.client.chat.completions.create({ model: "chat", messages: messagesOf }).withResponse();
  expect(response.headers.get("x-licet-warnings")).toBe("acme.hours");
  expect(governed.bodies("gateway.decision").at(-1)).toMatchObject({ decision: "allow", warnings: ["acme.hours"], shadowed: ["acme.trial"] });
});

test("the fixtures themselves are what the release declares", () => {
  expect(messages[0]?.content).toBe(systemPrompt);
  expect(deployment().prompts[0]?.digest).toBe(`sha256:${sha256(systemPrompt)}`);
});
