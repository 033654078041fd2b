import { gatewayEntries } from "@licet/contract";
import { toFile } from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, messages, start, startGoverned, systemPrompt, withoutAto, type Governed, type Standing } from "../../../../../test/unit/support/governed.ts";
import { builtinBundle } from "../../policy/bundle.ts";
import { createDecider } from "../../policy/decide.ts";
import type { CedarCall, CedarDecision } from "../decide.ts";
import type { DeploymentView, ModelView, ObserveView } from "../snapshot.ts";

let governed: Governed;
beforeEach(async () => {
  governed = await startGoverned();
});
afterEach(() => governed[Symbol.asyncDispose]());

type Json = Readonly<Record<string, unknown>>;

const model: ModelView = { name: "chat", provider: "simulator", model: "sim-1", bounds: {}, permissions: ["batches", "server-tool:web_search", "connector:tickets"] };
const view = (change: Partial<DeploymentView> = {}): DeploymentView => deployment({ models: [model], tools: [{ name: "lookup", digest: "sha256:lookup", power: "read" }, { name: "pay", digest: "sha256:pay", power: "pay" }], ...change });
const allow: CedarDecision = { decision: "allow", reasons: [{ policy: "test.permit" }], errors: [] };
type Decide = NonNullable<Standing["decide"]>;
/** Policies that let everything be asked, and say this of tools. */
const ofTools =
  (said: (call: CedarCall) => CedarDecision): Decide =>
  async (call) =>
    call.action.id === "callTool" ? said(call) : allow;
const outcome = () => gatewayEntries["gateway.outcome"].body.parse(governed.bodies("gateway.outcome").at(-1));

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const sse = (events: readonly Json[]) => events.map((value) => `event: ${String(value["type"])}\n${data(value)}`).join("");

interface Surface {
  readonly path: string;
  readonly kind: "openai" | "anthropic";
  readonly body: Json;
  readonly whole: (name: string) => Json;
  readonly events: (name: string) => string;
  /** What ends a complete stream, and where the code of a refusal stands. */
  readonly end: string;
  readonly code: (body: Json) => unknown;
}

const codeOf = (body: Json) => (body["error"] as Json)["code"];
const head = { id: "c", created: 1, model: "sim-1" };
const functionCall = (name: string) => ({ id: "fc", type: "function_call", status: "completed", call_id: "c1", name, arguments: '{"id":"secret-words"}' });
const response = (status: string, output: readonly Json[]) => ({ id: "r", object: "response", status, output });
const toolUse = (name: string) => ({ type: "tool_use", id: "t", name, input: { id: "secret-words" } });
const message = (content: readonly Json[]) => ({ id: "m", type: "message", role: "assistant", model: "sim-1", content, stop_reason: "tool_use", usage: { input_tokens: 1, output_tokens: 1 } });

const surfaces: Readonly<Record<string, Surface>> = {
  chat: {
    path: "/openai/v1/chat/completions",
    kind: "openai",
    body: { model: "chat", messages },
    whole: (name) => ({ ...head, object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content: null, tool_calls: [{ id: "c1", type: "function", function: { name, arguments: '{"id":"secret-words"}' } }] }, finish_reason: "tool_calls" }] }),
    events: (name) => [{ content: "one moment. " }, { tool_calls: [{ index: 0, id: "c1", function: { name, arguments: "" } }] }, { tool_calls: [{ index: 0, function: { arguments: '{"id":"secret-words"}' } }] }].map((delta) => data({ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: null }] })).join("") + data({ ...head, choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] }) + "data: [DONE]\n\n",
    end: "[DONE]",
    code: codeOf,
  },
  responses: {
    path: "/openai/v1/responses",
    kind: "openai",
    body: { model: "chat", instructions: systemPrompt, input: "hello" },
    whole: (name) => response("completed", [functionCall(name)]),
    events: (name) =>
      sse([
        { type: "response.created", sequence_number: 0, response: response("in_progress", []) },
        { type: "response.output_item.added", sequence_number: 1, output_index: 0, item: { ...functionCall(name), arguments: "" } },
        { type: "response.function_call_arguments.delta", sequence_number: 2, output_index: 0, item_id: "fc", delta: '{"id":"secret-words"}' },
        { type: "response.output_item.done", sequence_number: 3, output_index: 0, item: functionCall(name) },
        { type: "response.completed", sequence_number: 4, response: response("completed", [functionCall(name)]) },
      ]),
    end: "response.completed",
    code: codeOf,
  },
  messages: {
    path: "/anthropic/v1/messages",
    kind: "anthropic",
    body: { model: "chat", max_tokens: 20, system: systemPrompt, messages: [{ role: "user", content: "hello" }] },
    whole: (name) => message([toolUse(name)]),
    events: (name) =>
      sse([
        { type: "message_start", message: { ...message([]), stop_reason: null } },
        { type: "content_block_start", index: 0, content_block: { ...toolUse(name), input: {} } },
        { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: '{"id":"secret-words"}' } },
        { type: "content_block_stop", index: 0 },
        { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 2 } },
        { type: "message_stop" },
      ]),
    end: "message_stop",
    code: (body) => ((body["error"] as Json)["licet"] as Json)["code"],
  },
};

async function asked(surface: Surface, name: string, { stream, standing = {} }: { readonly stream: boolean; readonly standing?: Standing }) {
  governed.stand({ deployment: view(), ...standing, provider: { kind: surface.kind } });
  const body = stream ? surface.events(name) : JSON.stringify(surface.whole(name));
  governed.upstream.mode = { kind: "raw", contentType: stream ? "text/event-stream" : "application/json", body };
  const answer = await fetch(governed.origin + surface.path, { method: "POST", headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" }, body: JSON.stringify({ ...surface.body, ...(stream && { stream: true }) }) });
  let text = "";
  const cut = await (async () => {
    for await (const chunk of answer.body ?? []) text += Buffer.from(chunk).toString();
  })().then(() => false, () => true);
  return { status: answer.status, text, cut };
}

const cases = Object.entries(surfaces).flatMap(([title, surface]) => [false, true].map((stream) => [`${title}${stream ? ", streamed" : ""}`, surface, stream] as const));

describe.each(cases)("a tool that an answer calls: %s", (_, surface, stream) => {
  const complete = ({ text, cut }: Awaited<ReturnType<typeof asked>>) => !cut && (stream ? text.includes(surface.end) : !text.includes('"error"'));

  test("passes where the release declares it, and stands in the outcome", async () => {
    const answer = await asked(surface, "lookup", { stream });
    expect(complete(answer)).toBe(true);
    expect(answer.text).toContain("lookup");
    expect(outcome()).toMatchObject({ finish: "complete", code: null, tools: [{ tool: "function:lookup", calls: 1, decision: "allow" }] });
  });

  test.each<[string, string, readonly [code: string, policy: string], Standing]>([
    ["the release does not declare it", "erase", ["tool_undeclared", "gateway.tool_undeclared"], {}],
    ["a policy denies it", "lookup", ["policy_denied", "acme.no-lookup"], { decide: ofTools(({ resource }) => ({ decision: resource.id === "local/lookup" ? "deny" : "allow", reasons: [{ policy: "acme.no-lookup" }], errors: [] })) }],
    ["a policy errs", "lookup", ["policy_errored", "acme.odd"], { decide: ofTools(() => ({ ...allow, errors: [{ policy: "acme.odd", message: "overflow" }] })) }],
    ["the policies cannot be asked", "lookup", ["policy_errored", "bundle"], { decide: async (call) => (call.action.id === "callTool" ? Promise.reject(new Error("lost")) : allow) }],
    ["no policy permits it", "lookup", ["policy_denied", "none"], { decide: ofTools(() => ({ decision: "deny", reasons: [], errors: [] })) }],
  ])("ends the answer before anything of it left where %s", async (__, name, [code, policy], standing) => {
    const answer = await asked(surface, name, { stream, standing });
    expect(complete(answer)).toBe(false);
    expect(answer.text).toContain(code);
    expect(answer.text.replaceAll(/"message":"[^"]*"|"component":"[^"]*"/gu, "")).not.toContain(name === "erase" ? name : `"${name}"`);
    expect(answer.text).not.toContain("secret-words");
    expect(outcome()).toMatchObject({ finish: "refused", abortedBy: "boundary", code, tools: [{ tool: `function:${name}`, calls: 1, decision: "deny", code, policy }] });
  });
});

describe("the outcome of a refused call of a tool", () => {
  test("is durable before the caller hears of it; where the log takes nothing the caller hears that", async () => {
    governed.upstream.onRequest = () => {
      governed.ledger.broken = true;
    };
    const { chat } = surfaces;
    if (chat === undefined) throw new Error("no surface");
    const { text } = await asked(chat, "erase", { stream: true });
    expect(text).toContain("evidence_unavailable");
    expect(text).not.toContain("tool_undeclared");
  });

  test("holds no data that the model put into the name", async () => {
    const { chat } = surfaces;
    if (chat === undefined) throw new Error("no surface");
    governed.stand({ deployment: view() });
    const { text } = await asked(chat, "mail.jo.secret@example.org", { stream: false });
    expect(text + JSON.stringify(governed.ledger.entries)).not.toContain("jo.secret@");
  });
});

describe("the question that policies are asked", () => {
  test("names the tool, what it can do and that it stands in an answer; once a second for each tool", async () => {
    const seen: CedarCall[] = [];
    const decide = ofTools((call) => {
      seen.push(call);
      return allow;
    });
    const { chat } = surfaces;
    if (chat === undefined) throw new Error("no surface");
    await asked(chat, "pay", { stream: false, standing: { decide } });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.resource).toEqual({ type: "Licet::Tool", id: "local/pay" });
    expect(seen[0]?.context).toMatchObject({ release: deployment().release, inAnswer: true, definition: "sha256:pay", dataClasses: [] });
    expect(seen[0]?.entities[1]?.attrs).toEqual({ name: "pay", declared: true, quarantined: false, power: "pay", definition: "sha256:pay" });
  });

  test("is asked by what stands when the answer comes: a tool that was forbidden meanwhile does not leave", async () => {
    const { chat } = surfaces;
    if (chat === undefined) throw new Error("no surface");
    governed.upstream.onRequest = () => governed.stand({ deployment: view(), decide: ofTools(() => ({ decision: "deny", reasons: [{ policy: "acme.now" }], errors: [] })) });
    const { text } = await asked(chat, "lookup", { stream: true });
    expect(text).toContain("policy_denied");
    expect(outcome().tools).toMatchObject([{ policy: "acme.now" }]);
  });
});

describe("with the policies that come with Licet", () => {
  const decider = createDecider(builtinBundle());
  const decide: Decide = async (call) => decider.decide({ ...call });

  test.each(cases)("a declared tool passes, whatever it can do: %s", async (_, surface, stream) => {
    for (const name of ["lookup", "pay"]) expect((await asked(surface, name, { stream, standing: { decide } })).text).toContain(name);
    expect(outcome()).toMatchObject({ finish: "complete", tools: [{ decision: "allow" }] });
  });

  test.each(cases)("an undeclared one is refused by a policy that people can read: %s", async (_, surface, stream) => {
    expect((await asked(surface, "erase", { stream, standing: { decide } })).text).toContain("tool.declared");
    expect(outcome()).toMatchObject({ code: "tool_undeclared", tools: [{ tool: "function:erase", decision: "deny", policy: "tool.declared" }] });
  });

  const items: readonly (readonly [string, Json, string | null])[] = [
    ["a permitted tool of the provider", { type: "web_search_call", id: "w", status: "completed", action: { type: "search", query: "weather" } }, null],
    ["a tool of a permitted connector", { type: "mcp_call", id: "m", server_label: "tickets", name: "close", arguments: "{}" }, null],
    ["another tool of the provider", { type: "code_interpreter_call", id: "x", code: "1", container_id: "c", outputs: [], status: "completed" }, "server-tool:code_interpreter"],
    ["a tool of another connector", { type: "mcp_call", id: "m", server_label: "bank", name: "close", arguments: "{}" }, "connector:bank/close"],
  ];
  test.each(items)("%s", async (_, item, refused) => {
    governed.stand({ deployment: view(), decide });
    governed.upstream.mode = { kind: "raw", contentType: "application/json", body: JSON.stringify(response("completed", [item])) };
    const answer = await governed.post("/openai/v1/responses", JSON.stringify(surfaces["responses"]?.body));
    expect(answer.status).toBe(refused === null ? 200 : 403);
    expect(outcome().tools).toMatchObject([refused === null ? { decision: "allow" } : { tool: refused, decision: "deny", code: "tool_undeclared", policy: "tool.declared" }]);
  });
});

test("a tool that the provider defines and the caller runs is called by the name that the call gave it", async () => {
  const computer: ModelView = { ...model, permissions: ["server-tool:bash"] };
  const standing = { provider: { kind: "anthropic" as const } };
  governed.upstream.mode = { kind: "raw", contentType: "application/json", body: JSON.stringify(message([toolUse("bash")])) };
  const ask = async (tools: readonly Json[]) => (await governed.post("/anthropic/v1/messages", JSON.stringify({ ...surfaces["messages"]?.body, tools }))).status;
  governed.stand({ deployment: view({ models: [computer] }), ...standing });
  expect(await ask([{ type: "bash_20250124", name: "bash" }])).toBe(200);
  expect(outcome().tools).toEqual([{ tool: "server-tool:bash", calls: 1, decision: "allow" }]);
  expect(await ask([])).toBe(403);
});

describe("of an observed system", () => {
  const observe: ObserveView = { id: "wvr_1", notBefore: start - 1000, notAfter: start + 86_400_000, asked: "per_tom", granted: [{ person: "per_rita", role: "risk-owner" }], soleOperator: false };

  test.each(cases)("an undeclared tool goes on, and the outcome says that it would have been refused: %s", async (_, surface, stream) => {
    const answer = await asked(surface, "erase", { stream, standing: { deployment: { ...withoutAto(view()), observe } } });
    expect(answer.text).toContain("erase");
    expect(outcome()).toMatchObject({ finish: "complete", code: null, waiver: "wvr_1", observed: [{ code: "tool_undeclared", component: "tool:erase" }], tools: [{ tool: "function:erase", decision: "allow", code: "tool_undeclared" }] });
  });

  test("is held back where the policies do not let it be observed, or err", async () => {
    const { chat } = surfaces;
    if (chat === undefined) throw new Error("no surface");
    const deployed = { deployment: { ...view(), observe } };
    const against: Decide = async (call) => (call.action.id === "observe" ? { decision: "deny", reasons: [], errors: [] } : allow);
    expect((await asked(chat, "erase", { stream: false, standing: { ...deployed, decide: against } })).text).toContain("tool_undeclared");
    const erring = ofTools(() => ({ ...allow, errors: [{ policy: "acme.odd", message: "overflow" }] }));
    expect((await asked(chat, "lookup", { stream: false, standing: { ...deployed, decide: erring } })).text).toContain("policy_errored");
  });
});

test("a line of a batch whose answer calls an undeclared tool says so in its place, and the others come back", async () => {
  const line = (id: string) => ({ custom_id: id, method: "POST", url: "/v1/chat/completions", body: { model: "chat", max_tokens: 20, messages } });
  const answered = (id: string, name: string) => ({ id: `b_${id}`, custom_id: id, response: { status_code: 200, request_id: "req_1", body: surfaces["chat"]?.whole(name) }, error: null });
  governed.stand({ deployment: view() });
  const file = await governed.client.files.create({ file: await toFile(Buffer.from(["a", "b"].map((id) => `${JSON.stringify(line(id))}\n`).join("")), "calls.jsonl"), purpose: "batch" });
  const batch = await governed.client.batches.create({ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" });
  governed.upstream.store.finish(batch.id, [answered("a", "lookup"), answered("b", "erase")]);
  const { output_file_id: id } = await governed.client.batches.retrieve(batch.id);
  const [first, second] = (await (await governed.client.files.content(id ?? "")).text()).split("\n").map((each) => (each === "" ? {} : (JSON.parse(each) as Json)));
  expect(JSON.stringify(first)).toContain("lookup");
  expect(second).toMatchObject({ custom_id: "b", response: { status_code: 403, body: { error: { code: "tool_undeclared" } } } });
  expect(JSON.stringify(second)).not.toContain("secret-words");
  expect(outcome().tools).toMatchObject([{ tool: "function:lookup", decision: "allow" }, { tool: "function:erase", decision: "deny" }]);
});
