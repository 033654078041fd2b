import { gatewayEntries } from "@licet/contract";
import OpenAI, { APIError, AuthenticationError, InternalServerError, PermissionDeniedError } from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, grantedAto, messages, start, startGoverned, systemPrompt, withoutAto, type Governed } from "../../../../test/unit/support/governed.ts";
import { toolDigest } from "../inventory/release.ts";
import type { CedarCall } from "./decide.ts";

let governed: Governed;

beforeEach(async () => {
  governed = await startGoverned();
});

afterEach(async () => {
  await governed[Symbol.asyncDispose]();
});

type Params = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

function ask(change: Partial<Params> = {}) {
  return governed.client.chat.completions.create({ model: "chat", messages, ...change });
}

/** The refusal that the official client reports. */
async function refusal(call: Promise<unknown>): Promise<{ error: APIError; code: string; licet: Record<string, unknown> }> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(APIError);
  const api = error as APIError;
  const body = api.error as { code: string; licet: Record<string, unknown> };
  return { error: api, code: body.code, licet: body.licet };
}

function lastDecision(): Record<string, unknown> {
  return governed.bodies("gateway.decision").at(-1) ?? {};
}

describe("200", () => {
  test("an allowed call gets the provider's answer, a decision that was there before it, and an outcome", async () => {
    let decisionsBefore = -1;
    governed.upstream.onRequest = () => {
      decisionsBefore = governed.bodies("gateway.decision").length;
    };
    const { data, response } = await ask().withResponse();
    expect(data.choices[0]?.message.content).toBe("hello");
    expect(decisionsBefore).toBe(1);
    const decision = gatewayEntries["gateway.decision"].body.parse(lastDecision());
    expect(decision).toMatchObject({ decision: "allow", code: null, model: "chat", upstreamModel: "sim-1", provider: "simulator", scanned: "full" });
    expect(response.headers.get("x-licet-decision")).toBe(decision.id);
    const outcome = gatewayEntries["gateway.outcome"].body.parse(governed.bodies("gateway.outcome")[0]);
    expect(outcome).toMatchObject({ decision: decision.id, status: 200, finish: "complete", usage: { prompt: 12, completion: 5, total: 17 }, timings: { connectionMs: expect.any(Number) } });
    expect(governed.ledger.entries.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(governed.ledger.entries[0]).toMatchObject({ space: "main", actor: "dep_helpdesk", system: "helpdesk", class: "runtime", gateway: "gw_test" });
  });

  test("the provider gets its own key and model name, and none of the caller's headers", async () => {
    await governed.client.chat.completions.create({ model: "chat", messages }, { headers: { cookie: "a=b", "x-secret": "1" } });
    const [request] = governed.upstream.received;
    expect(request?.path).toBe("/v1/chat/completions");
    expect(request?.headers.authorization).toBe("Bearer sk-provider-key");
    expect(request?.headers["cookie"]).toBeUndefined();
    expect(request?.headers["x-secret"]).toBeUndefined();
    expect(JSON.stringify(request)).not.toContain(credential);
    expect(request?.body["model"]).toBe("sim-1");
  });

  test("a streamed answer arrives whole, and its usage is recorded though the caller did not ask for it", async () => {
    governed.upstream.mode = { kind: "answer", pieces: ["Turn ", "it ", "off ", "and on."] };
    const stream = await governed.client.chat.completions.create({ model: "chat", messages, stream: true });
    let text = "";
    let usageChunks = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usageChunks += chunk.usage === undefined || chunk.usage === null ? 0 : 1;
    }
    expect(text).toBe("Turn it off and on.");
    expect(usageChunks).toBe(0);
    expect(governed.bodies("gateway.outcome")[0]).toMatchObject({ finish: "complete", usage: { total: 17 }, scanned: "window" });
  });

  test("the usage chunk reaches a caller that asked for it", async () => {
    const stream = await governed.client.chat.completions.create({ model: "chat", messages, stream: true, stream_options: { include_usage: true } });
    const totals: (number | undefined)[] = [];
    for await (const chunk of stream) {
      totals.push(chunk.usage?.total_tokens);
    }
    expect(totals.at(-1)).toBe(17);
  });

  test("the models of the deployed release are listed", async () => {
    const models = await governed.client.models.list();
    expect(models.data.map(({ id }) => id)).toEqual(["chat", "capped"]);
  });

  test("the policies see the workload, the model and the classes of data in Cedar's form", async () => {
    const seen: CedarCall[] = [];
    governed.stand({
      decide: async (call) => {
        seen.push(call);
        return { decision: "allow", reasons: [], errors: [] };
      },
    });
    await ask();
    const [call] = seen;
    expect(call?.principal).toEqual({ type: "Licet::Workload", id: "dep_helpdesk" });
    expect(call?.action).toEqual({ type: "Licet::Action", id: "callModel" });
    expect(call?.resource).toEqual({ type: "Licet::Model", id: "simulator/chat" });
    expect(call?.context).toEqual({
      now: { __extn: { fn: "datetime", arg: "2026-11-21T12:00:00.000Z" } },
      release: deployment().release,
      dataClasses: [],
    });
    expect(call?.entities[0]?.attrs).toMatchObject({ system: "helpdesk", held: false, boundary: ["internal", "public"], ato: { id: "ato_1", state: "granted" } });
    expect(call?.entities[1]?.attrs).toEqual({ provider: "simulator", name: "chat", region: "eu", declared: true, vendor: { __entity: { type: "Licet::Vendor", id: "test" } } });
    expect(call?.entities[2]).toEqual({ uid: { type: "Licet::Vendor", id: "test" }, attrs: { suspended: false }, parents: [] });
    expect(lastDecision()["cedar"]).toEqual(call);
  });

  test("the same question within one second is asked once, another class of data or second asks again", async () => {
    const asked: CedarCall[] = [];
    governed.stand({
      deployment: deployment({ boundary: { classes: ["internal", "personal"], regions: ["eu"] } }),
      decide: async (call) => {
        asked.push(call);
        return { decision: "allow", reasons: [], errors: [] };
      },
    });
    await ask();
    governed.clock.advance(900);
    await ask();
    expect(asked).toHaveLength(1);
    await ask({ messages: [...messages, { role: "user", content: "jo@example.com" }] });
    expect(asked.map(({ context }) => context.dataClasses)).toEqual([[], ["personal"]]);
    governed.clock.advance(99);
    governed.snapshots.renew(2);
    governed.clock.advance(1);
    await ask();
    expect(asked).toHaveLength(3);
  });

  test("a declared tool passes, and what a tool returned is read", async () => {
    const parameters = { type: "object", properties: { id: { type: "string" } } };
    const digest = toolDigest({ name: "lookup", description: "Looks up a ticket", parameters });
    governed.stand({ deployment: deployment({ tools: [{ name: "lookup", digest }] }) });
    const tools = [{ type: "function" as const, function: { name: "lookup", description: "Looks up a ticket", parameters } }];
    const history = [
      ...messages,
      { role: "assistant" as const, content: null, tool_calls: [{ id: "c1", type: "function" as const, function: { name: "lookup", arguments: "{}" } }] },
    ];
    await ask({ tools, messages: [...history, { role: "tool", tool_call_id: "c1", content: "open" }] });
    const { code } = await refusal(ask({ tools, messages: [...history, { role: "tool", tool_call_id: "c1", content: "mail jo@example.com" }] }));
    expect(code).toBe("data_outside_boundary");
    expect(governed.upstream.received).toHaveLength(1);
  });
});

describe("401", () => {
  test.each([
    ["unknown", {}, "lic_other"],
    ["revoked", { credential: { revokedAt: start - 1 } }, credential],
    ["expired", { credential: { expiresAt: start } }, credential],
  ])("an %s credential is refused, recorded, and never reaches the provider", async (_, standing, apiKey) => {
    governed.stand(standing);
    const client = new OpenAI({ baseURL: `${governed.origin}/openai/v1`, apiKey, maxRetries: 0 });
    const { error, code } = await refusal(client.chat.completions.create({ model: "chat", messages }));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(code).toBe("credential_invalid");
    expect(lastDecision()).toMatchObject({ decision: "deny", code: "credential_invalid", deployment: null });
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("strangers cannot fill the log: past the bound one record stands for the rest of the minute, and known callers go on", async () => {
    const stranger = { authorization: "Bearer lic_other" };
    const knock = async (path: string) => (await governed.post(path, "{}", stranger)).status;
    const statuses: number[] = [];
    for (let n = 0; n < 40; n++) statuses.push(await knock(n % 2 === 0 ? "/openai/v1/chat/completions" : "/access/v1/evaluation"));
    expect(statuses).toEqual([...Array<number>(30).fill(401), ...Array<number>(10).fill(429)]);
    const codes = governed.ledger.entries.map(({ body }) => body["code"]);
    expect(codes).toEqual([...Array<string>(30).fill("credential_invalid"), "caller_limited"]);
    const limited = await governed.post("/openai/v1/chat/completions", "{}", stranger);
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "60"]);
    expect((await ask()).choices).toHaveLength(1);
    expect(governed.ledger.entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 33 }, (_, n) => n + 1));
    governed.clock.advance(60_000);
    governed.stand();
    expect(await knock("/openai/v1/chat/completions")).toBe(401);
  });

  test("a stale snapshot is said to everybody, and its records are bounded as well", async () => {
    governed.clock.advance(1000);
    for (let n = 0; n < 32; n++) await governed.post("/openai/v1/chat/completions", "{}");
    expect(governed.ledger.entries).toHaveLength(31);
    const last = await governed.post("/openai/v1/chat/completions", "{}");
    expect(await last.json()).toMatchObject({ error: { code: "snapshot_stale" } });
  });
});

describe("data split over the parts of one message", () => {
  test.each([
    ["an e-mail address", ["Write to jo@", "example.org today"], 1],
    ["an address that is whole in its part", ["Write to jo@example.org", " today"], 1],
  ])("is found like %s in one text, and counted once", async (_, parts, count) => {
    const content = parts.map((text) => ({ type: "text" as const, text }));
    const { code } = await refusal(ask({ messages: [{ role: "system", content: systemPrompt }, { role: "user", content }] }));
    expect(code).toBe("data_outside_boundary");
    expect(lastDecision()).toMatchObject({ findings: [{ type: "email", dataClass: "personal", count }] });
    expect(governed.upstream.received).toHaveLength(0);
  });
});

const held = { id: "hold_1", scope: "system" as const, system: "helpdesk", reason: "wrong answers" };

describe("403", () => {
  test.each([
    ["ato_missing", "without an ATO", { deployment: withoutAto() }],
    ["ato_missing", "before the ATO begins", { deployment: deployment({ ato: { ...grantedAto, notBefore: start + 1 } }) }],
    ["ato_missing", "with an ATO for another environment", { deployment: deployment({ ato: { ...grantedAto, environment: "cloud" } }) }],
    ["ato_missing", "with an ATO that was denied", { deployment: deployment({ ato: { ...grantedAto, state: "denied" } }) }],
    ["ato_expired", "from the moment the ATO ends", { deployment: deployment({ ato: { ...grantedAto, notAfter: start } }) }],
    ["ato_suspended", "while the ATO is suspended", { deployment: deployment({ ato: { ...grantedAto, state: "suspended" } }) }],
    ["ato_revoked", "once the ATO is revoked", { deployment: deployment({ ato: { ...grantedAto, state: "revoked" } }) }],
    ["release_mismatch", "with an ATO for another release", { deployment: deployment({ ato: { ...grantedAto, release: `sha256:${"c".repeat(64)}` } }) }],
    ["deployment_inactive", "after the deployment was replaced", { deployment: deployment({ active: false }) }],
    ["deployment_inactive", "at a stage without traffic", { deployment: deployment({ stage: "retired" }) }],
    ["held", "under a hold on the system", { holds: [held] }],
    ["held", "under a hold on everything", { holds: [{ id: "hold_2", scope: "all" as const, reason: "exercise" }] }],
    ["provider_unknown", "when the provider is not registered", { provider: null }],
    ["outbound_refused", "when the provider's address is not allowed", { provider: { allow: [] } }],
    ["data_outside_boundary", "when the provider's region is not in the boundary", { provider: { region: "us" } }],
    ["policy_denied", "without a published policy bundle", { decide: null }],
    ["policy_denied", "when no policy permits", { decide: async () => ({ decision: "deny" as const, reasons: [], errors: [] }) }],
    ["policy_errored", "when a policy errors, even if another allows", { decide: async () => ({ decision: "allow" as const, reasons: [], errors: [{ policy: "p1", message: "type" }] }) }],
    ["policy_errored", "when the evaluation itself fails", { decide: async () => Promise.reject(new Error("worker died")) }],
  ])("%s %s", async (expected, _, standing) => {
    governed.stand(standing);
    const { code, licet, error } = await refusal(ask());
    expect(code).toBe(expected);
    expect(error.status).toBe(expected === "outbound_refused" ? 502 : 403);
    const decision = gatewayEntries["gateway.decision"].body.parse(lastDecision());
    expect(decision).toMatchObject({ decision: "deny", code: expected });
    expect(licet).toMatchObject({ decision: decision.id, remedy: expect.any(String), policy: expect.any(String) });
    expect(error.headers?.get("x-licet-decision")).toBe(decision.id);
    expect(governed.upstream.received).toHaveLength(0);
    expect(governed.bodies("gateway.outcome")).toHaveLength(0);
  });

  const system = { role: "system" as const, content: systemPrompt };
  const user = { role: "user" as const, content: "hello" };
  test.each<[string, string, Partial<Params>]>([
    ["model_undeclared", "model", { model: "gpt-other" }],
    ["release_mismatch", "messages[0].content", { messages: [{ ...system, content: `${systemPrompt} ` }, user] }],
    ["release_mismatch", "messages[1].content", { messages: [system, { role: "developer", content: systemPrompt }] }],
    ["release_mismatch", "messages", { messages: [user] }],
    ["release_mismatch", "tools[0]", { tools: [{ type: "function", function: { name: "lookup", parameters: {} } }] }],
    ["release_mismatch", "response_format", { response_format: { type: "json_object" } }],
    ["release_mismatch", "temperature", { temperature: 1.5 }],
    ["release_mismatch", "max_tokens", { model: "capped", temperature: 0, max_tokens: 501 }],
    ["release_mismatch", "max_completion_tokens", { model: "capped", temperature: 0, max_completion_tokens: 501 }],
    ["release_mismatch", "max_tokens", { model: "capped", temperature: 0 }],
    ["release_mismatch", "temperature", { model: "capped", max_tokens: 10 }],
    ["field_unsupported", "logprobs", { logprobs: true }],
    ["field_unsupported", "audio", { audio: { format: "wav", voice: "alloy" } }],
    ["permission_undeclared", "store", { store: true }],
    ["permission_undeclared", "messages[1].content[0].image_url", { messages: [system, { role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }] }],
    ["data_outside_boundary", "messages", { messages: [system, { role: "user", content: "write to jo@example.com" }] }],
    ["data_outside_boundary", "messages", { messages: [system, { role: "user", content: [{ type: "text", text: "card 4111 1111 1111 1111" }] }] }],
    ["data_outside_boundary", "messages", { messages: [system, { ...user, name: "AKIAIOSFODNN7EXAMPLE" }] }],
    ["data_outside_boundary", "messages", { messages, stop: "-----BEGIN RSA PRIVATE KEY-----" }],
  ])("%s names %s", async (expected, param, change) => {
    const { code, error } = await refusal(ask(change));
    expect([code, error.param]).toEqual([expected, param]);
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(gatewayEntries["gateway.decision"].body.parse(lastDecision())).toMatchObject({ decision: "deny", code: expected });
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("a value that was found stands neither in the record nor in the answer", async () => {
    const { error } = await refusal(ask({ messages: [system, { role: "user", content: "write to jo.secret@example.com" }] }));
    expect(JSON.stringify(error.error) + JSON.stringify(governed.ledger.entries)).not.toContain("jo.secret");
    expect(lastDecision()["findings"]).toEqual([{ type: "email", dataClass: "personal", count: 1, action: "block" }]);
  });

  test("a policy that says the same as the gateway gives the refusal its name and remedy", async () => {
    const reason = { policy: "runtime.ato", requirement: "ato_missing", remedy: "ask Rita" };
    governed.stand({
      deployment: withoutAto(),
      decide: async () => ({ decision: "deny", reasons: [reason], errors: [] }),
    });
    const { licet } = await refusal(ask());
    expect(licet).toMatchObject({ policy: "runtime.ato", remedy: "ask Rita" });
  });

  test("an answer with data outside the boundary is withheld, and its outcome says so without the value", async () => {
    governed.upstream.mode = { kind: "answer", text: "Ask jo.secret@example.com" };
    const { code, error } = await refusal(ask());
    expect(code).toBe("answer_outside_boundary");
    expect(JSON.stringify(error.error) + JSON.stringify(governed.ledger.entries)).not.toContain("jo.secret");
    expect(governed.bodies("gateway.outcome")[0]).toMatchObject({ finish: "refused", abortedBy: "boundary", findings: [{ type: "email", dataClass: "personal", count: 1 }] });
  });
});

describe("404", () => {
  test.each(["/openai/v1/completions", "/openai/v1/audio/speech", "/v1/chat/completions", "/openai/v1/chat/completions/", "/log/checkpoint"])("%s is not governed, so it is refused and recorded", async (path) => {
    const response = await governed.post(path, "{}");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { code: "endpoint_unsupported", type: "licet_refused" } });
    expect(lastDecision()).toMatchObject({ action: "unknown", endpoint: `POST ${path}`, code: "endpoint_unsupported" });
  });

  test("a WebSocket upgrade is refused", async () => {
    const response = await fetch(`${governed.origin}/openai/v1/responses`, { headers: { "x-test": "1" } });
    expect(response.status).toBe(404);
  });
});

describe("400 and 413", () => {
  test.each([
    ["not JSON", "{"],
    ["not UTF-8", "\u0000"],
    ["no messages", JSON.stringify({ model: "chat", messages: [] })],
    ["a wrong type", JSON.stringify({ model: 3, messages })],
    ["deep nesting", `{"model":"chat","messages":${"[".repeat(5000)}${"]".repeat(5000)}}`],
    ["half a surrogate pair", `{"model":"chat","messages":[{"role":"user","content":"\\ud800"}]}`],
  ])("%s is refused and recorded", async (_, body) => {
    const response = await governed.post("/openai/v1/chat/completions", body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "request_unreadable" } });
    expect(lastDecision()).toMatchObject({ decision: "deny", code: "request_unreadable", deployment: "dep_helpdesk" });
  });

  test("a body over ten megabytes is refused with its code, not with a broken connection", async () => {
    const response = await governed.post("/openai/v1/chat/completions", `"${"a".repeat(10 * 1024 * 1024)}"`);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: "body_too_large" } });
  });

  test("a form cannot be posted, so no browser can be made to call without asking first", async () => {
    const response = await governed.post("/openai/v1/chat/completions", "{}", { "content-type": "text/plain" });
    expect(response.status).toBe(400);
  });
});

describe("503", () => {
  test("a snapshot whose lease lapsed denies, and a heartbeat for its version opens again", async () => {
    governed.clock.advance(1000);
    const { code, error } = await refusal(ask());
    expect(code).toBe("snapshot_stale");
    expect(error).toBeInstanceOf(InternalServerError);
    expect(lastDecision()).toMatchObject({ code: "snapshot_stale", snapshot: null });
    expect(governed.snapshots.renew(2)).toBe(false);
    expect(governed.snapshots.renew(1)).toBe(true);
    await ask();
    expect(governed.upstream.received).toHaveLength(1);
  });

  test("without a log that takes entries nothing is sent", async () => {
    governed.ledger.broken = true;
    expect((await refusal(ask())).code).toBe("evidence_unavailable");
    expect((await refusal(ask({ model: "gpt-other" }))).code).toBe("evidence_unavailable");
    expect(governed.upstream.received).toHaveLength(0);
  });

  test("an answer whose outcome cannot be recorded is withheld", async () => {
    governed.upstream.onRequest = () => {
      governed.ledger.broken = true;
    };
    expect((await refusal(ask())).code).toBe("evidence_unavailable");
  });

  test("a clock behind the log denies", async () => {
    governed.ledger.ahead = 5001;
    expect((await refusal(ask())).code).toBe("clock_regressed");
    expect(governed.upstream.received).toHaveLength(0);
  });
});

test("nothing but JSON leaves, with nosniff, and no cookie is set", async () => {
  for (const path of ["/healthz", "/.well-known/authzen-configuration", "/nowhere"]) {
    const response = await fetch(governed.origin + path);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("set-cookie")).toBeNull();
  }
});

test("sequence numbers of one gateway have no gap under concurrent calls", async () => {
  await Promise.all(Array.from({ length: 20 }, () => ask()));
  const numbers = governed.ledger.entries.map(({ seq }) => seq ?? 0).sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  expect(governed.failures).toEqual([]);
});
