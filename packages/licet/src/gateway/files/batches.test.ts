import { gatewayEntries } from "@licet/contract";
import OpenAI, { toFile } from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { deployment, grantedAto, messages, start, startGoverned, type Governed, type Standing } from "../../../../../test/unit/support/governed.ts";
import { detectionOf } from "../detect/rules.ts";
import type { DeploymentView, ModelView } from "../snapshot.ts";

let governed: Governed;

const model: ModelView = { name: "chat", provider: "simulator", model: "sim-1", bounds: { temperature: { min: 0, max: 1 } }, permissions: ["batches"] };
const embedder: ModelView = { name: "vectors", provider: "simulator", model: "sim-e", bounds: {}, permissions: ["batches"] };
const view = (change: Partial<DeploymentView> = {}): DeploymentView => deployment({ models: [model, embedder], ...change });
const stand = (change: Standing = {}) => governed.stand({ deployment: view(), ...change });

beforeEach(async () => {
  governed = await startGoverned();
  stand();
});
afterEach(() => governed[Symbol.asyncDispose]());

const decisions = () => governed.bodies("gateway.decision").map((body) => gatewayEntries["gateway.decision"].body.parse(body));
const outcomes = () => governed.bodies("gateway.outcome").map((body) => gatewayEntries["gateway.outcome"].body.parse(body));

type Json = Readonly<Record<string, unknown>>;

const chatBody: Json = { model: "chat", max_tokens: 20, messages };
const line = (id: string, body: Json = chatBody, change: Json = {}): Json => ({ custom_id: id, method: "POST", url: "/v1/chat/completions", body, ...change });
const upload = async (lines: readonly Json[], name = "calls.jsonl") => governed.client.files.create({ file: await toFile(Buffer.from(lines.map((each) => `${JSON.stringify(each)}\n`).join("")), name), purpose: "batch" });
const create = (input_file_id: string, endpoint: OpenAI.BatchCreateParams["endpoint"] = "/v1/chat/completions") => governed.client.batches.create({ input_file_id, endpoint, completion_window: "24h" });
const content = (id: string) => governed.upstream.store.files.get(id)?.content ?? "";
const linesOf = (text: string): readonly Json[] => text.split("\n").flatMap((each) => (each === "" ? [] : [JSON.parse(each) as Json]));

interface Refused {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

async function refused(work: Promise<unknown>): Promise<Refused> {
  return work.then(
    () => ({ status: 200, code: "done", message: "" }),
    (failure: unknown) => failure as Refused,
  );
}

async function refusal(work: Promise<unknown>): Promise<readonly [number, string]> {
  const { status, code } = await refused(work);
  return [status, code];
}

const completion = (text: string, tokens = 5): Json => ({ id: "chatcmpl-1", object: "chat.completion", created: 1, model: "sim-1", choices: [{ index: 0, message: { role: "assistant", content: text, refusal: null }, finish_reason: "stop" }], usage: { prompt_tokens: 10, completion_tokens: tokens, total_tokens: 10 + tokens } });
const answerLine = (id: string, body: Json, status = 200): Json => ({ id: `batch_req_${id}`, custom_id: id, response: { status_code: status, request_id: "req_1", body }, error: null });

describe("a file of calls", () => {
  test("leaves with every line written anew from the call that was judged, under the provider's name of the model", async () => {
    await upload([line("a"), line("b", { ...chatBody, temperature: 0.5 })]);
    expect(linesOf(content("file-1"))).toEqual([line("a", { ...chatBody, model: "sim-1" }), line("b", { ...chatBody, temperature: 0.5, model: "sim-1" })]);
    expect(decisions()).toMatchObject([{ decision: "allow", action: "useBatch", scanned: "full", stored: { object: "file", purpose: "batch", lines: 2 } }]);
    expect(outcomes()).toMatchObject([{ bound: [{ id: "file-1", purpose: "batch", endpoint: "/v1/chat/completions", models: ["chat"] }] }]);
  });

  test("of Responses keeps nothing at the provider that nobody asked to keep", async () => {
    await upload([line("a", { model: "chat", instructions: messages[0]?.content, input: "hello" }, { url: "/v1/responses" })]);
    expect(linesOf(content("file-1"))[0]?.["body"]).toMatchObject({ store: false, model: "sim-1" });
  });

  test("of embeddings is judged as such", async () => {
    await upload([line("a", { model: "vectors", input: ["hello"] }, { url: "/v1/embeddings" })]);
    expect(outcomes()[0]?.bound).toMatchObject([{ models: ["vectors"], endpoint: "/v1/embeddings" }]);
  });

  test.each<readonly [string, string, Json]>([
    ["calls an undeclared model", "model_undeclared", line("b", { ...chatBody, model: "other" })],
    ["says another prompt", "release_mismatch", line("b", { ...chatBody, messages: [{ role: "system", content: "Other words." }, messages[1]] })],
    ["is out of bounds", "release_mismatch", line("b", { ...chatBody, temperature: 1.5 })],
    ["asks for a power", "permission_undeclared", line("b", { ...chatBody, store: true })],
    ["holds data outside the boundary", "data_outside_boundary", line("b", { ...chatBody, messages: [messages[0], { role: "user", content: "write to jo.secret@example.org" }] })],
    ["holds such data in its name", "data_outside_boundary", line("jo.secret@example.org")],
    ["streams", "field_unsupported", line("b", { ...chatBody, stream: true })],
    ["has a field that nobody checks", "field_unsupported", line("b", { ...chatBody, surprise: 1 })],
    ["has such a field beside its call", "field_unsupported", line("b", chatBody, { surprise: 1 })],
    ["calls another endpoint than the first", "request_unreadable", line("b", { model: "vectors", input: "hello" }, { url: "/v1/embeddings" })],
    ["calls an endpoint that nobody checks", "endpoint_unsupported", line("b", {}, { url: "/v1/completions" })],
    ["has the name of another", "request_unreadable", line("a")],
    ["names a file that nobody stored", "permission_undeclared", line("b", { ...chatBody, messages: [messages[0], { role: "user", content: [{ type: "file", file: { file_id: "file-9" } }] }] })],
  ])("of which a line %s does not leave, and the refusal names the line", async (_, code, second) => {
    const failure = await refused(upload([line("a"), second]));
    expect([failure.code, failure.message]).toEqual([code, expect.stringContaining("line 2: ")]);
    expect(decisions()).toMatchObject([{ decision: "deny", code, action: "useBatch" }]);
    expect(governed.upstream.received).toEqual([]);
    expect(JSON.stringify(governed.ledger.entries)).not.toContain("secret@");
  });

  test("is refused for a line that a policy refuses", async () => {
    stand({ decide: async (call) => (call.resource.id === "simulator/vectors" ? { decision: "deny", reasons: [], errors: [] } : { decision: "allow", reasons: [], errors: [] }) });
    expect(await refusal(upload([line("a", { model: "vectors", input: "hello" }, { url: "/v1/embeddings" })]))).toEqual([403, "policy_denied"]);
    expect(governed.upstream.received).toEqual([]);
  });

  test.each<readonly [string, readonly [number, string], Standing]>([
    ["no model may have batches", [403, "permission_undeclared"], { deployment: deployment({ models: [{ ...model, permissions: ["files"] }] }) }],
    ["its line's model may not", [403, "permission_undeclared"], { deployment: deployment({ models: [{ ...model, permissions: [] }, embedder] }) }],
    ["a budget holds", [403, "batch_limited"], { deployment: view({ budgets: { release: { tokensPerDay: 1000 } } }) }],
    ["a hold is on the system", [403, "held"], { holds: [{ id: "hold_1", scope: "all", reason: "drift" }] }],
  ])("is refused where %s", async (_, expected, standing) => {
    stand(standing);
    expect(await refusal(upload([line("a")]))).toEqual(expected);
    expect(governed.upstream.received).toEqual([]);
  });

  test("is refused where its name is no name of such a file, and where it is empty", async () => {
    expect(await refusal(upload([line("a")], "calls.txt"))).toEqual([415, "content_unreadable"]);
    expect(await refusal(upload([]))).toEqual([415, "content_unreadable"]);
  });

  test("has what is to be taken out masked for good", async () => {
    stand({ detection: detectionOf([{ pack: "test", section: { actions: [{ of: "email", action: "redact" }] } }]) });
    await upload([line("a", { ...chatBody, messages: [messages[0], { role: "user", content: "write to jo.secret@example.org" }] })]);
    expect(content("file-1")).toContain("write to [email]");
    expect(decisions()[0]).toMatchObject({ redactions: [{ type: "email", count: 1 }], findings: [{ type: "email", action: "mask", count: 1 }] });
  });

  test("names no end user where words are recorded: there is no one key to seal it under", async () => {
    const mode = "encrypted" as const;
    const contentModes = { public: mode, internal: mode, confidential: mode, personal: mode, special: mode };
    const lines = [line("a"), line("b", { ...chatBody, user: "u-1" })];
    stand({ contentModes });
    const failure = await refused(upload(lines));
    expect([failure.code, failure.message]).toEqual(["field_unsupported", expect.stringContaining("line 2")]);
    expect(governed.bodies("gateway.content")).toEqual([]);
    stand();
    expect(await refusal(upload(lines))).toEqual([200, "done"]);
  });

  test("is judged by what holds when its last line was read, not when its first was", async () => {
    let asked = 0;
    const narrower = view({ models: [{ ...model, bounds: { max_tokens: { max: 10 } } }, embedder] });
    const decide: Standing["decide"] = async () => {
      if (asked++ === 0) stand({ deployment: narrower });
      return { decision: "allow", reasons: [], errors: [] };
    };
    stand({ decide });
    expect((await refused(upload([line("a")]))).code).toBe("release_mismatch");
    expect(governed.upstream.received).toEqual([]);
  });

  test("is refused for what a waiver lifts of a single call: nobody observes what is answered later", async () => {
    const observe = { id: "wvr_1", notBefore: start - 1, notAfter: start + 60_000, asked: "per_ada", granted: [{ person: "per_bob", role: "risk-owner" }], soleOperator: false };
    stand({ deployment: view({ observe }) });
    const other = { ...chatBody, messages: [{ role: "system", content: "Other words." }, messages[1]] };
    expect((await governed.post("/openai/v1/chat/completions", JSON.stringify(other))).status).toBe(200);
    const asked = governed.upstream.received.length;
    expect((await refused(upload([line("a", other)]))).code).toBe("release_mismatch");
    expect(governed.upstream.received).toHaveLength(asked);
  });

  test("is judged again where the standing changes while it is read, and refused where that ends it", async () => {
    let asked = 0;
    const decide: Standing["decide"] = async () => {
      if (asked++ === 0) stand({ holds: [{ id: "hold_1", scope: "all", reason: "drift" }] });
      return { decision: "allow", reasons: [], errors: [] };
    };
    stand({ decide });
    expect((await refused(upload([line("a"), line("b")]))).code).toBe("held");
    expect(decisions()).toMatchObject([{ decision: "deny", code: "held" }]);
    expect(governed.upstream.received).toEqual([]);
  });
});

describe("a batch", () => {
  test("is created of a file of calls, watched, and read line by line: each as the answer to one call", async () => {
    stand({ detection: detectionOf([{ pack: "test", section: { actions: [{ of: "email", action: "redact" }, { of: "card-number", action: "block" }] } }]) });
    const file = await upload(["a", "b", "c"].map((id) => line(id)));
    const batch = await create(file.id);
    expect(batch).toMatchObject({ object: "batch", status: "validating", input_file_id: file.id });
    expect(outcomes().at(-1)).toMatchObject({ bound: [{ object: "batch", id: batch.id, from: file.id, models: ["chat"] }] });
    governed.upstream.store.finish(batch.id, [answerLine("a", completion("fine")), answerLine("b", completion("ask jo.secret@example.org")), answerLine("c", completion("card 4111 1111 1111 1111"))], [answerLine("d", { error: { message: "too long", code: "limit" } }, 400)]);
    const done = await governed.client.batches.retrieve(batch.id);
    expect(done.status).toBe("completed");
    expect(outcomes().at(-1)?.bound).toMatchObject([
      { id: done.output_file_id, purpose: "batch-output", from: batch.id },
      { id: done.error_file_id, purpose: "batch-output", from: batch.id },
    ]);
    const read = linesOf(await (await governed.client.files.content(done.output_file_id ?? "")).text());
    expect(read[0]).toEqual(answerLine("a", completion("fine")));
    expect(JSON.stringify(read[1])).toContain("ask [email]");
    expect(read[2]).toMatchObject({ custom_id: "c", response: { status_code: 403, body: { error: { code: "answer_outside_boundary" } } } });
    expect(JSON.stringify(read)).not.toMatch(/secret@|4111/u);
    expect(outcomes().at(-1)).toMatchObject({ finish: "complete", scanned: "full", usage: { prompt: 30, completion: 15, total: 45 } });
    expect(JSON.stringify(governed.ledger.entries)).not.toMatch(/secret@|4111 1111/u);
    const errors = linesOf(await (await governed.client.files.content(done.error_file_id ?? "")).text());
    expect(errors).toEqual([answerLine("d", { error: { message: "too long", code: "limit" } }, 400)]);
  });

  test("is listed and cancelled by its own system, and unknown to others", async () => {
    const { id } = await create((await upload([line("a")])).id);
    expect((await governed.client.batches.list()).data.map((each) => each.id)).toEqual([id]);
    expect(await governed.client.batches.cancel(id)).toMatchObject({ status: "cancelling" });
    governed.stand({ deployment: view({ id: "dep_other", system: "other" }) });
    expect(await refusal(governed.client.batches.retrieve(id))).toEqual([404, "file_unknown"]);
    expect(await refusal(governed.client.batches.cancel(id))).toEqual([404, "file_unknown"]);
    expect((await governed.client.batches.list()).data).toEqual([]);
  });

  test("is refused of an id that is unknown, another system's, or of no file of calls", async () => {
    expect(await refusal(create("file-99"))).toEqual([404, "file_unknown"]);
    stand({ deployment: view({ models: [{ ...model, permissions: ["files", "batches"] }] }) });
    const notes = await governed.client.files.create({ file: await toFile(Buffer.from("hello"), "a.txt"), purpose: "user_data" });
    expect(await refusal(create(notes.id))).toEqual([404, "file_unknown"]);
    const { id } = await upload([line("a")]);
    governed.stand({ deployment: view({ id: "dep_other", system: "other" }) });
    expect(await refusal(create(id))).toEqual([404, "file_unknown"]);
    expect(governed.upstream.store.batches.size).toBe(0);
  });

  const other = `sha256:${"c".repeat(64)}`;
  test.each<readonly [string, string, Standing]>([
    ["a hold came", "held", { holds: [{ id: "hold_1", scope: "all", reason: "drift" }] }],
    ["the authorization was revoked", "ato_revoked", { deployment: view({ ato: { ...grantedAto, state: "revoked" } }) }],
    ["another release is deployed", "file_stale", { deployment: view({ release: other, ato: { ...grantedAto, release: other } }) }],
    ["a budget came", "batch_limited", { deployment: view({ budgets: { space: { tokensPerDay: 10 } } }) }],
    ["the model may no longer have batches", "permission_undeclared", { deployment: view({ models: [{ ...model, permissions: ["files"] }, embedder] }) }],
    ["a policy refuses its model now", "policy_denied", { decide: async () => ({ decision: "deny", reasons: [], errors: [] }) }],
  ])("is refused where, since its file was stored, %s", async (_, code, standing) => {
    const { id } = await upload([line("a")]);
    stand(standing);
    expect((await refused(create(id))).code).toBe(code);
    expect(governed.upstream.store.batches.size).toBe(0);
  });

  test("is refused for another endpoint than its lines call, and with data in its metadata", async () => {
    const { id } = await upload([line("a")]);
    expect(await refusal(create(id, "/v1/responses"))).toEqual([400, "request_unreadable"]);
    expect(await refusal(governed.client.batches.create({ input_file_id: id, endpoint: "/v1/chat/completions", completion_window: "24h", metadata: { to: "jo.secret@example.org" } }))).toEqual([403, "data_outside_boundary"]);
  });

  test("has its answers refused under a hold that came meanwhile", async () => {
    const { id } = await create((await upload([line("a")])).id);
    governed.upstream.store.finish(id, [answerLine("a", completion("fine"))]);
    const { output_file_id } = await governed.client.batches.retrieve(id);
    stand({ holds: [{ id: "hold_1", scope: "all", reason: "drift" }] });
    expect(await refusal(governed.client.files.content(output_file_id ?? ""))).toEqual([403, "held"]);
  });

  test("cannot make another system's file its own", async () => {
    const theirs = await upload([line("a")]);
    governed.stand({ deployment: view({ id: "dep_other", system: "other" }) });
    const { id } = await create((await upload([line("a")])).id);
    governed.upstream.store.finish(id, []);
    const batch = governed.upstream.store.batches.get(id);
    if (batch !== undefined) batch.outputs = { output_file_id: theirs.id };
    expect(await refusal(governed.client.batches.retrieve(id))).toEqual([502, "upstream_invalid"]);
    expect(await refusal(governed.client.files.content(theirs.id))).toEqual([404, "file_unknown"]);
  });

  test("does not give what it came to to a call as a file", async () => {
    stand({ deployment: view({ models: [{ ...model, permissions: ["files", "batches"] }] }) });
    const { id } = await create((await upload([line("a")])).id);
    governed.upstream.store.finish(id, [answerLine("a", completion("fine"))]);
    const { output_file_id: output = "" } = await governed.client.batches.retrieve(id);
    expect(await refusal(governed.client.chat.completions.create({ model: "chat", messages: [...messages, { role: "user", content: [{ type: "file", file: { file_id: output } }] }] }))).toEqual([404, "file_unknown"]);
  });

  test.each(["no answer of a batch", '{"id":"x","custom_id":"a","response":{"status_code":200,"body":{"choices":1}}}'])("with a line that nobody can read gives nothing", async (text) => {
    const { id } = await create((await upload([line("a")])).id);
    governed.upstream.store.finish(id, [answerLine("a", completion("fine"))]);
    const { output_file_id: output = "" } = await governed.client.batches.retrieve(id);
    governed.upstream.store.files.set(output, { id: output, purpose: "batch_output", filename: "o.jsonl", content: text });
    expect(await refusal(governed.client.files.content(output))).toEqual([502, "upstream_invalid"]);
  });
});
