import type { PackSource } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sha256, start, startGoverned } from "../../../../test/unit/support/governed.ts";
import { applicationsOf } from "./application-fixture.ts";
import { absent, CelError, evaluateCel } from "./cel.ts";
import { mcpRequest, type McpMapped, type McpQuestion } from "./coaz.ts";

const token = { sub: "alice@example.com", client_id: "http://agentprovider.com/agent-app-id", iss: "https://auth.example.com", aud: "https://mcp.example.com", roles: ["treasury"], exp: 1_750_000_000 };
const subject = { type: "identity", id: "alice@example.com" };
const agent = { agent: token.client_id };

function ask(change: Partial<McpQuestion>): McpMapped {
  return mcpRequest({ method: "tools/call", params: { name: "get_customer", arguments: { id: "cust-12345", case: "case-67890" } }, token, ...change });
}

describe("the default mappings", () => {
  test.each([
    ["initialize", { protocolVersion: "2025-11-25" }, { type: "mcp_server", id: token.aud }, { protocol_version: "2025-11-25" }],
    ["tools/list", {}, { type: "mcp_server", id: token.aud }, {}],
    ["tools/call", { name: "get_customer" }, { type: "tool", id: "get_customer" }, {}],
    ["resources/read", { uri: "file:///a" }, { type: "resource", id: "file:///a" }, {}],
    ["resources/unsubscribe", { uri: "file:///a" }, { type: "resource", id: "file:///a" }, {}],
    ["prompts/get", { name: "p" }, { type: "prompt", id: "p" }, {}],
    ["completion/complete", { ref: { type: "ref/prompt", name: "p" } }, { type: "prompt", id: "p" }, {}],
    ["completion/complete", { ref: { type: "ref/resource", uri: "u" } }, { type: "resource", id: "u" }, {}],
    ["logging/setLevel", { level: "debug" }, { type: "mcp_server", id: token.aud }, { level: "debug" }],
    ["tasks/cancel", { taskId: "t" }, { type: "task", id: "t" }, {}],
  ])("%s", (method, params, resource, context) => {
    expect(ask({ method, params })).toEqual({ kind: "evaluation", request: { subject, action: { name: method }, resource, context: { ...agent, ...context } } });
  });

  test("ping and notifications pass, an unknown method is denied, never asked about", () => {
    expect(["ping", "notifications/cancelled"].map((method) => ask({ method }).kind)).toEqual(["pass", "pass"]);
    for (const method of ["tools/invent", "pings", "constructor", "notification/x"]) expect(ask({ method }).kind).toBe("denied");
  });

  test("a token without client_id leaves the agent out; one without sub, or for several servers, is a mapping error", () => {
    const { client_id: _, ...anonymous } = token;
    expect(ask({ method: "tools/list", token: anonymous })).toMatchObject({ request: { context: {} } });
    const { sub: __, ...nobody } = token;
    expect(ask({ token: nobody }).kind).toBe("mapping-error");
    expect(ask({ method: "tools/list", token: { ...token, aud: ["a"] } })).toMatchObject({ request: { resource: { id: "a" } } });
    expect(ask({ method: "tools/list", token: { ...token, aud: ["a", "b"] }, server: "b" })).toMatchObject({ request: { resource: { id: "b" } } });
  });

  test("another claim may say on whose behalf the agent acts", () => {
    expect(ask({ token: { ...token, on_behalf_of: "bob" }, subjectClaim: "on_behalf_of" })).toMatchObject({ request: { subject: { id: "bob" } } });
  });
});

describe("a tool's own mapping", () => {
  test("one decision", () => {
    const mapping = { evaluation: { subject: { type: "identity", id: "$token.sub" }, action: { name: "get_customer" }, resource: { type: "customer", id: "$params.arguments.id" }, context: { agent: "$token.?client_id", case: "$params.arguments.case", price: "$$50" } } };
    expect(ask({ mapping })).toEqual({ kind: "evaluation", request: { subject, action: { name: "get_customer" }, resource: { type: "customer", id: "cust-12345" }, context: { ...agent, case: "case-67890", price: "$50" } } });
  });

  test("several decisions", () => {
    const mapping = { evaluations: { subject: { type: "identity", id: "$token.sub" }, context: { agent: "$token.?client_id" }, evaluations: [{ action: { name: "read" }, resource: { type: "storage_object", id: "$params.arguments.source" } }, { action: { name: "write" }, resource: { type: "storage_object", id: "$params.arguments.destination" } }] } };
    expect(ask({ mapping, params: { arguments: { source: "/a", destination: "/b" } } })).toEqual({
      kind: "evaluations",
      request: { subject, context: agent, evaluations: [{ action: { name: "read" }, resource: { type: "storage_object", id: "/a" } }, { action: { name: "write" }, resource: { type: "storage_object", id: "/b" } }] },
    });
  });

  test("conditions over arguments and claims", () => {
    const mapping = {
      evaluation: {
        subject: { type: "$token.roles.exists(r, r == 'treasury') ? 'treasury_user' : 'standard_user'", id: "$token.sub" },
        action: { name: "$params.arguments.currency == 'USD' ? 'domestic_transfer' : 'international_transfer'" },
        resource: { type: "account", id: "$params.arguments.from", properties: { sensitivity: "$params.arguments.amount > 10000 ? 'high' : 'standard'" } },
      },
    };
    expect(ask({ mapping, params: { arguments: { currency: "EUR", from: "a1", amount: 20_000 } } })).toMatchObject({
      request: { subject: { type: "treasury_user", id: token.sub }, action: { name: "international_transfer" }, resource: { id: "a1", properties: { sensitivity: "high" } } },
    });
  });

  test("a subject that it leaves out is the token's; one from elsewhere is warned about", () => {
    const bare = { evaluation: { action: { name: "a" }, resource: { type: "t", id: "i" } } };
    expect(ask({ mapping: bare })).toEqual({ kind: "evaluation", request: { subject, action: { name: "a" }, resource: { type: "t", id: "i" } } });
    expect(ask({ mapping: { evaluation: { ...bare.evaluation, subject: { id: "$params.arguments.id" } } } })).toMatchObject({ warning: expect.any(String), request: { subject: { id: "cust-12345" } } });
  });

  test.each([
    ["no member", {}],
    ["two members", { evaluation: {}, evaluations: {} }],
    ["another API", { search: {} }],
    ["a text", "evaluation"],
    ["a subject in an entry", { evaluations: { evaluations: [{ subject: { type: "identity", id: "eve" }, action: { name: "a" }, resource: { type: "t", id: "i" } }] } }],
    ["a missing key", { evaluation: { action: { name: "$params.arguments.nothing" } } }],
    ["an absent identity", { evaluation: { subject: { id: "$token.?nobody" } } }],
    ["a subject that is no object", { evaluation: { subject: "$token" } }],
    ["half an expression", { evaluation: { action: { name: "$params.(" } } }],
  ])("%s is a mapping error", (_, mapping) => {
    expect(ask({ mapping }).kind).toBe("mapping-error");
  });
});

function thrownBy(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof CelError ? "CelError" : String(error);
  }
}

describe("expressions", () => {
  const variables = { a: { b: [1, 2, { c: "x" }], "d-e": true, n: null }, s: "text" };
  test.each<[string, unknown]>([
    ["a.b[2].c", "x"],
    ['a["d-e"]', true],
    ["a.?z", absent],
    ["a.?z.y", absent],
    ["a.?z.orValue('none')", "none"],
    ["a.?b.orValue(1)", [1, 2, { c: "x" }]],
    ["has(a.b) && !has(a.z)", true],
    ["a.z == 1 || true", true],
    ["false && a.z", false],
    ["1 + 2 * 3 - -4", 11],
    ["7 / 2", 3],
    ["7 % 4 == 3 ? 'y' : 'n'", "y"],
    ["'a\\'b' + \"c\"", "a'bc"],
    ["2 in [1, 2] && 'b' in a", true],
    ["{'k': [1]} == {'k': [1]}", true],
    ["a.b.filter(x, x == 1).size()", 1],
    ["[1, 2].map(x, x * 2)", [2, 4]],
    ["[1, 2].all(x, x > 0)", true],
    ["size(s) == 4 && s.startsWith('te') && s.contains('ex') && string(1) == '1'", true],
    ["a.n == null", true],
    ["in_x", 1],
  ])("%s", (source, expected) => {
    expect(evaluateCel(source, { ...variables, in_x: 1 })).toEqual(expected);
  });

  test.each(["", "a.z", "z", "a..b", "1 +", "1 / 0", "!1", "'a' < 1", "a.constructor", "a.__proto__", "s.length", "f(1)", "a.?z + 1", "1 2", "(".repeat(100), "x".repeat(3000), "[1,2,3].map(x, [1,2,3].map(y, z))", "'\\q'"])("%s is an error of its own", (source) => {
    expect(() => evaluateCel(source, variables)).toThrow(CelError);
  });

  test("whatever is written, nothing but a CelError is thrown, and no work is without end", () => {
    const pieces = fc.constantFrom("a", ".", ".?", "b", "[", "]", "(", ")", "1", "'x'", "+", "==", "?", ":", "!", "&&", ",", "{", "}", "map", "exists", "in", " ", "-", "has");
    fc.assert(
      fc.property(fc.oneof(fc.array(pieces, { maxLength: 25 }).map((parts) => parts.join("")), fc.string({ maxLength: 60 })), (source) => {
        expect(thrownBy(() => evaluateCel(source, variables))).toBeOneOf([undefined, "CelError"]);
      }),
      { numRuns: 3000 },
    );
    const deep = "[1,2,3,4,5,6,7,8,9,0]";
    expect(() => evaluateCel(`${deep}.map(a, ${deep}.map(b, ${deep}.map(c, ${deep}.map(d, a))))`, {})).toThrow(/steps/u);
  });
});

describe("POST /access/v1/mcp", () => {
  const pack: PackSource = {
    name: "mcp",
    manifest: { v: 1, name: "mcp", title: "Tools", description: "Who calls which tool.", kind: "application", authzen: { namespace: "Mcp", types: { identity: { entity: "Identity", unknown: "deny", properties: {} }, tool: { entity: "Tool", unknown: "ask", properties: {} } }, actions: { "tools/call": "call" }, actionProperties: {}, context: {} } },
    schema: `namespace Mcp { entity Identity; entity Tool; action call, read appliesTo { principal: Identity, resource: Tool }; }`,
    policies: [{ path: "mcp.cedar", text: `@id("mcp.weather") permit (principal, action == Mcp::Action::"call", resource == Mcp::Tool::"get_weather"); @id("mcp.read") permit (principal, action == Mcp::Action::"read", resource);` }],
    scenarios: [],
  };

  test("decides a message by its mapping, records every decision, and words the JSON-RPC error", async () => {
    const bearer = "lpd_0123456789";
    await using governed = await startGoverned();
    const applications = applicationsOf([pack], [{ uid: { type: "Mcp::Identity", id: token.sub }, attrs: {}, parents: [] }]);
    governed.stand({ clients: [{ id: "pep_mcp", space: "main", name: "a server", digest: sha256(bearer), expiresAt: start + 60_000 }], applications: new Map([["main", applications]]) });
    const post = async (message: object, more: object = {}) => (await governed.post("/access/v1/mcp", JSON.stringify({ message: { jsonrpc: "2.0", id: 7, ...message }, token, ...more }), { authorization: `Bearer ${bearer}` })).json() as Promise<Record<string, unknown>>;
    const call = (name: string) => ({ method: "tools/call", params: { name, arguments: {} } });
    expect(await post(call("get_weather"))).toMatchObject({ decision: true, evaluations: [{ decision: true }] });
    expect(await post(call("wipe_disk"))).toMatchObject({ decision: false, error: { jsonrpc: "2.0", id: 7, error: { code: -32_001 } } });
    const copy = { evaluations: { evaluations: ["read", "tools/call"].map((name) => ({ action: { name }, resource: { type: "tool", id: "x" } })) } };
    expect(await post(call("copy"), { mapping: copy })).toMatchObject({ decision: false, evaluations: [{ decision: true }, { decision: false }] });
    expect(governed.bodies("access.decision").map(({ decision }) => decision)).toEqual(["allow", "deny", "allow", "deny"]);
    expect(await post(call("x"), { mapping: { evaluations: { evaluations: [] } } })).toMatchObject({ decision: false });
    expect(await post(call("x"), { mapping: {} })).toMatchObject({ decision: false, error: { error: { code: -32_602 } } });
    expect(await post({ method: "ping" })).toEqual({ decision: true, context: { pass_through: true } });
    expect(await post({ method: "tools/invent" })).toMatchObject({ decision: false, error: { error: { code: -32_001 } } });
  });
});
