import { gatewayEntries } from "@licet/contract";
import OpenAI, { toFile } from "openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { credential, deployment, grantedAto, messages, sha256, startGoverned, type Governed, type Standing } from "../../../../../test/unit/support/governed.ts";
import { startUpstream, type Upstream } from "../../../../../test/unit/support/upstream.ts";
import { detectionOf } from "../detect/rules.ts";
import type { DeploymentView, ModelView } from "../snapshot.ts";

let governed: Governed;

const model: ModelView = { name: "chat", provider: "simulator", model: "sim-1", bounds: { temperature: { min: 0, max: 1 } }, permissions: ["files", "batches"] };
const view = (change: Partial<DeploymentView> = {}): DeploymentView => deployment({ models: [model], ...change });
const stand = (change: Standing = {}) => governed.stand({ deployment: view(), ...change });

beforeEach(async () => {
  governed = await startGoverned();
  stand();
});
afterEach(() => governed[Symbol.asyncDispose]());

const upload = async (content: string | Uint8Array, name = "notes.txt", purpose: OpenAI.FilePurpose = "user_data") => governed.client.files.create({ file: await toFile(Buffer.from(content), name), purpose });
const decisions = () => governed.bodies("gateway.decision").map((body) => gatewayEntries["gateway.decision"].body.parse(body));
const outcomes = () => governed.bodies("gateway.outcome").map((body) => gatewayEntries["gateway.outcome"].body.parse(body));

interface Refused {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

async function refusal(work: Promise<unknown>): Promise<readonly [number, string]> {
  const error = await work.then(
    () => ({ status: 200, code: "done", message: "" }),
    (failure: unknown) => failure as Refused,
  );
  return [error.status, error.code];
}

describe("an uploaded file", () => {
  test("leaves as it was scanned, its decision durable before it does and its id bound before the caller has it", async () => {
    let decided = -1;
    governed.upstream.onRequest = () => (decided = governed.bodies("gateway.decision").length);
    const file = await upload("The printer is on the third floor.\n");
    expect(file).toMatchObject({ id: "file-1", object: "file", filename: "notes.txt", purpose: "user_data" });
    expect(decided).toBe(1);
    expect(governed.upstream.store.files.get("file-1")).toMatchObject({ content: "The printer is on the third floor.\n", filename: "notes.txt", purpose: "user_data" });
    const digest = `sha256:${sha256("The printer is on the third floor.\n")}`;
    expect(decisions()).toMatchObject([{ decision: "allow", action: "useFile", endpoint: "POST /openai/v1/files", provider: "simulator", model: "chat", scanned: "full", stored: { object: "file", id: null, purpose: "user_data", digest } }]);
    expect(outcomes()).toMatchObject([{ status: 200, finish: "complete", bound: [{ object: "file", id: "file-1", provider: "simulator", deployment: "dep_helpdesk", release: grantedAto.release, purpose: "user_data", digest, classes: [] }] }]);
    expect(governed.upstream.received[0]?.headers).toMatchObject({ authorization: "Bearer sk-provider-key" });
    expect(JSON.stringify(governed.upstream.received)).not.toContain(credential);
  });

  test("is named in calls, retrieved, read and deleted by its id, and by nothing after that", async () => {
    const { id } = await upload("The printer is on the third floor.\n");
    expect(await governed.client.files.retrieve(id)).toMatchObject({ id, filename: "notes.txt" });
    expect(await (await governed.client.files.content(id)).text()).toBe("The printer is on the third floor.\n");
    const ask = () => governed.client.chat.completions.create({ model: "chat", messages: [...messages, { role: "user", content: [{ type: "file", file: { file_id: id } }] }] });
    expect((await ask()).choices[0]?.message.content).toBe("hello");
    expect(await governed.client.files.delete(id)).toEqual({ id, object: "file", deleted: true });
    expect(outcomes().at(-1)).toMatchObject({ unbound: [{ provider: "simulator", id }] });
    expect(await refusal(ask())).toEqual([404, "file_unknown"]);
    expect(await refusal(governed.client.files.retrieve(id))).toEqual([404, "file_unknown"]);
  });

  test.each([
    ["a picture", "photo.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1])],
    ["a PDF under a text's name", "paper.txt", "%PDF-1.4 jo"],
    ["bytes that are not UTF-8", "notes.txt", Buffer.from([0x68, 0xff])],
    ["a control character", "notes.txt", "a\u0000b"],
    ["a name that says nothing", "notes", "hello"],
    ["markup", "page.html", "<p>hello</p>"],
    ["half a JSON", "data.json", '{"a":'],
    ["a line that is no JSON", "data.jsonl", '{"a":1}\nhello\n'],
    ["nothing", "notes.txt", ""],
  ])("that is %s does not leave", async (_, name, content) => {
    expect(await refusal(upload(content, name))).toEqual([415, "content_unreadable"]);
    expect(decisions()).toMatchObject([{ decision: "deny", code: "content_unreadable" }]);
    expect(governed.upstream.received).toEqual([]);
  });

  test.each([
    ["an address outside the boundary", "write to jo.secret@example.org"],
    ["one that is escaped", "jo.secret\\u0040example.org"],
    ["one in base64", Buffer.from("please write to jo.secret@example.org today").toString("base64")],
    ["one far behind, over the border of what is read at once", `${"lorem ipsum ".repeat(5461)}jo.secret@example.org`],
  ])("that holds %s is refused, and no record holds it", async (_, content) => {
    expect(await refusal(upload(content))).toEqual([403, "data_outside_boundary"]);
    expect(governed.upstream.received).toEqual([]);
    expect(decisions()).toMatchObject([{ decision: "deny", code: "data_outside_boundary", findings: [{ type: "email", count: 1 }] }]);
    expect(JSON.stringify(governed.ledger.entries)).not.toContain("secret@");
  });

  test("is refused for its name, too", async () => {
    expect(await refusal(upload("hello", "jo.secret@example.org.txt"))).toEqual([403, "data_outside_boundary"]);
    expect(governed.upstream.received).toEqual([]);
  });

  test.each(["redact", "mask"] as const)("leaves with a mask where its class is to be %sed: nobody could give the value back", async (action) => {
    stand({ detection: detectionOf([{ pack: "test", section: { actions: [{ of: "email", action }] } }]) });
    await upload('{"to":"jo.secret@example.org"}', "data.json");
    expect(governed.upstream.store.files.get("file-1")?.content).toBe('{"to":"[email]"}');
    expect(decisions()).toMatchObject([{ findings: [{ type: "email", action: "mask" }], redactions: [{ type: "email", count: 1 }], stored: { digest: `sha256:${sha256('{"to":"[email]"}')}` } }]);
  });

  test("does not leave where a mask would break its form", async () => {
    stand({ detection: detectionOf([{ pack: "test", section: { actions: [{ of: "card-number", action: "mask" }] } }]) });
    expect(await refusal(upload('{"card":4111111111111111}', "data.json"))).toEqual([403, "data_outside_boundary"]);
    expect(governed.upstream.received).toEqual([]);
  });

  test("with data inside the boundary tells policies their classes, now and whenever it is used", async () => {
    const boundary = { classes: ["public", "internal", "personal"], regions: ["eu"] };
    stand({ deployment: view({ boundary }) });
    const { id } = await upload("write to jo@example.org");
    await governed.client.chat.completions.create({ model: "chat", messages: [...messages, { role: "user", content: [{ type: "file", file: { file_id: id } }] }] });
    expect(decisions()).toMatchObject([0, 1].map(() => ({ decision: "allow", cedar: { context: { dataClasses: ["personal"] } } })));
    stand();
    expect(await refusal(governed.client.chat.completions.create({ model: "chat", messages: [...messages, { role: "user", content: [{ type: "file", file: { file_id: id } }] }] }))).toEqual([403, "data_outside_boundary"]);
  });

  test.each<readonly [string, readonly [number, string], Standing]>([
    ["the release does not permit files", [403, "permission_undeclared"], { deployment: deployment() }],
    ["a hold is on the system", [403, "held"], { holds: [{ id: "hold_1", scope: "all", reason: "drift" }] }],
    ["there is no authorization", [403, "ato_missing"], { deployment: { ...view(), ato: { ...grantedAto, environment: "other" } } }],
    ["its provider is elsewhere", [403, "data_outside_boundary"], { provider: { region: "us" } }],
    ["its provider speaks another protocol", [403, "provider_mismatch"], { provider: { kind: "anthropic" } }],
    ["nobody registered the provider", [403, "provider_unknown"], { provider: null }],
    ["no policy permits it", [403, "policy_denied"], { decide: async () => ({ decision: "deny", reasons: [], errors: [] }) }],
    ["models of two providers may have files", [403, "provider_ambiguous"], { deployment: view({ models: [model, { ...model, name: "other", provider: "second" }] }), providers: [{ id: "second", baseUrl: "https://second.example/v1", region: "eu", vendor: "test", keyRef: "main/second" }] }],
  ])("is refused where %s", async (_, refused, standing) => {
    stand(standing);
    expect(await refusal(upload("hello"))).toEqual(refused);
    expect(decisions()).toMatchObject([{ decision: "deny", code: refused[1], action: "useFile" }]);
    expect(governed.upstream.received).toEqual([]);
  });

  test("keeps the time after which it is to be forgotten, and no longer one than the gateway checks", async () => {
    const expiring = async (seconds: number) => governed.client.files.create({ file: await toFile(Buffer.from("hello"), "a.txt"), purpose: "user_data", expires_after: { anchor: "created_at", seconds } });
    await expiring(3600);
    expect(governed.upstream.received[0]?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=licet-/u);
    expect(governed.upstream.store.forms[0]).toMatchObject({ "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600", purpose: "user_data" });
    expect(await refusal(expiring(40 * 86_400))).toEqual([400, "request_unreadable"]);
  });

  test("goes to Azure as Azure wants it", async () => {
    stand({ provider: { kind: "azure", apiVersion: "preview" } });
    await upload("hello");
    expect(governed.upstream.received[0]).toMatchObject({ path: "/v1/files?api-version=preview", headers: { "api-key": "sk-provider-key" } });
    expect(governed.upstream.received[0]?.headers.authorization).toBeUndefined();
  });

  test("is recorded with its decision where words are, under its system's key", async () => {
    const mode = "encrypted" as const;
    stand({ contentModes: { public: mode, internal: mode, confidential: mode, personal: mode, special: mode } });
    const { id } = await upload("The printer is on the third floor.");
    expect(governed.bodies("gateway.content")).toMatchObject([{ part: "prompt", messages: [{ role: "file", content: "The printer is on the third floor." }] }]);
    await governed.client.files.content(id);
    expect(governed.bodies("gateway.content")[1]).toMatchObject({ part: "answer", texts: [{ at: "content", text: "The printer is on the third floor." }] });
    expect(governed.ledger.entries.filter(({ kind }) => kind === "gateway.content").map(({ subject }) => subject)).toEqual(["system:helpdesk", "system:helpdesk"]);
  });

  test("goes to the provider of the model that the caller names, where there are several", async () => {
    stand({ deployment: view({ models: [model, { ...model, name: "other", provider: "second" }] }), providers: [{ id: "second", baseUrl: "https://second.example/v1", region: "eu", vendor: "test", keyRef: "main/second" }] });
    const file = await governed.client.files.create({ file: await toFile(Buffer.from("hello"), "a.txt"), purpose: "user_data" }, { headers: { "x-licet-model": "chat" } });
    expect(file.id).toBe("file-1");
  });

  test("is refused with a purpose or a field that nobody checks, and with a body that is no form", async () => {
    expect(await refusal(upload("hello", "a.txt", "fine-tune"))).toEqual([403, "files_denied"]);
    const more = { file: await toFile(Buffer.from("hello"), "a.txt"), purpose: "user_data" as const, surprise: "x" };
    expect(await refusal(governed.client.files.create(more))).toEqual([403, "field_unsupported"]);
    expect((await governed.post("/openai/v1/files", "{}")).status).toBe(400);
    expect((await governed.post("/openai/v1/files", "--x\r\nhello", { "content-type": "multipart/form-data; boundary=x" })).status).toBe(400);
    expect(governed.upstream.received).toEqual([]);
  });

  test("that the log does not take does not leave, and one whose outcome it does not take has no id", async () => {
    governed.ledger.broken = true;
    expect(await refusal(upload("hello"))).toEqual([503, "evidence_unavailable"]);
    expect(governed.upstream.received).toEqual([]);
    governed.ledger.broken = false;
    governed.upstream.onRequest = () => (governed.ledger.broken = true);
    expect(await refusal(upload("hello"))).toEqual([503, "evidence_unavailable"]);
    governed.ledger.broken = false;
    governed.upstream.onRequest = () => undefined;
    expect(await refusal(governed.client.files.retrieve("file-1"))).toEqual([404, "file_unknown"]);
  });

  test("is given up when a hold comes while the provider takes it", async () => {
    governed.upstream.mode = { kind: "hang" };
    governed.upstream.onRequest = () => stand({ holds: [{ id: "hold_1", scope: "all", reason: "drift" }] });
    expect(await refusal(upload("hello"))).toEqual([403, "held"]);
    expect(outcomes()).toMatchObject([{ code: "held", abortedBy: "hold", finish: "refused" }]);
    expect(outcomes()[0]?.bound).toBeUndefined();
  });

  test("that the provider refuses or answers with something else has no id", async () => {
    governed.upstream.store.next = { status: 400, body: JSON.stringify({ error: { message: "too many files", code: "quota" } }) };
    expect(await refusal(upload("hello"))).toEqual([400, "upstream_error"]);
    governed.upstream.store.next = { status: 200, body: JSON.stringify({ object: "batch", id: "file-9" }) };
    expect(await refusal(upload("hello"))).toEqual([502, "upstream_invalid"]);
    expect(outcomes().every(({ bound }) => bound === undefined)).toBe(true);
  });
});

describe("an id", () => {
  const other = `sha256:${"c".repeat(64)}`;
  const second = (change: Partial<DeploymentView>) => governed.stand({ deployment: view(change) });

  test("of another system is unknown, in every way to name it", async () => {
    const { id } = await upload("hello");
    second({ id: "dep_other", system: "other" });
    const asked = governed.upstream.received.length;
    expect(await refusal(governed.client.files.retrieve(id))).toEqual([404, "file_unknown"]);
    expect(await refusal(governed.client.files.content(id))).toEqual([404, "file_unknown"]);
    expect(await refusal(governed.client.files.delete(id))).toEqual([404, "file_unknown"]);
    expect(await refusal(governed.client.responses.create({ model: "chat", instructions: messages[0]?.content ?? "", input: [{ role: "user", content: [{ type: "input_file", file_id: id }] }] }))).toEqual([404, "file_unknown"]);
    expect((await governed.client.files.list()).data).toEqual([]);
    expect(governed.upstream.received).toHaveLength(asked);
  });

  test("of a release that is not authorised now is refused, and can still be deleted", async () => {
    const { id } = await upload("hello");
    second({ release: other, ato: { ...grantedAto, release: other } });
    expect(await refusal(governed.client.files.retrieve(id))).toEqual([403, "file_stale"]);
    expect((await governed.client.files.list()).data).toEqual([]);
    expect(await governed.client.files.delete(id)).toMatchObject({ deleted: true });
  });

  test("that the provider gives out twice stays whose it was", async () => {
    await upload("hello");
    governed.upstream.store.next = { status: 200, body: JSON.stringify({ id: "file-1", object: "file" }) };
    second({ id: "dep_other", system: "other" });
    expect(await refusal(upload("mine"))).toEqual([502, "upstream_invalid"]);
    expect(await refusal(governed.client.files.retrieve("file-1"))).toEqual([404, "file_unknown"]);
  });

  test("is not needed for a file that the release names itself", async () => {
    stand({ deployment: view({ models: [{ ...model, permissions: ["file:file-77"] }] }) });
    expect((await governed.client.chat.completions.create({ model: "chat", messages: [...messages, { role: "user", content: [{ type: "file", file: { file_id: "file-77" } }] }] })).choices).toHaveLength(1);
  });
});

describe("a list", () => {
  test("has the caller's own files, newest first, page by page as the client walks them", async () => {
    for (const name of ["a.txt", "b.txt", "c.txt"]) await upload("hello", name);
    governed.upstream.store.files.set("file-x", { id: "file-x", purpose: "user_data", filename: "theirs.txt", content: "x" });
    const names: string[] = [];
    for await (const file of governed.client.files.list({ limit: 2 })) names.push(file.filename);
    expect(names).toEqual(["c.txt", "b.txt", "a.txt"]);
    expect((await governed.client.files.list({ order: "asc", limit: 1 })).data.map(({ filename }) => filename)).toEqual(["a.txt"]);
    expect(decisions().at(-1)).toMatchObject({ endpoint: "GET /openai/v1/files", stored: { object: "file", id: null } });
  });

  test("leaves out and forgets what the provider no longer has", async () => {
    await upload("hello");
    governed.upstream.store.files.clear();
    expect((await governed.client.files.list()).data).toEqual([]);
    expect(outcomes().at(-1)).toMatchObject({ finish: "complete", unbound: [{ id: "file-1" }] });
  });
});

describe("an external detector", () => {
  let detector: Upstream;
  beforeEach(async () => {
    detector = await startUpstream();
  });
  afterEach(() => detector[Symbol.asyncDispose]());

  const finds = (on: "request" | "answer", action: "block" | "flag" | "mask", text = 0) => {
    detector.mode = { kind: "raw", contentType: "application/json", body: JSON.stringify({ findings: [{ text, type: "person-name", start: 0, end: 3 }] }) };
    stand({
      deployment: view({ boundary: { classes: ["public", "internal", "personal"], regions: ["eu"] } }),
      detection: detectionOf([{ pack: "test", section: { actions: [{ of: "person-name", action }], external: [{ name: "names", url: `${detector.baseUrl}/find`, classes: { "person-name": "personal" }, on: [on], allow: ["loopback"] }] } }]),
    });
  };

  test("is asked about the name and the content", async () => {
    finds("request", "flag", 1);
    await upload("Ada has the key", "keys.txt");
    expect(detector.received[0]?.body["texts"]).toEqual(["keys.txt", "Ada has the key", "texts"]);
  });

  test.each(["block", "mask"] as const)("that finds what is to be %sed refuses the file", async (action) => {
    finds("request", action);
    expect(await refusal(upload("Ada has the key"))).toEqual([403, "data_outside_boundary"]);
    expect(decisions()).toMatchObject([{ findings: [{ type: "person-name", action: "block" }] }]);
    expect(governed.upstream.received).toEqual([]);
  });

  test("that finds what is to be flagged lets it go, and its class is bound", async () => {
    finds("request", "flag");
    await upload("Ada has the key");
    expect(outcomes()[0]?.bound).toMatchObject([{ classes: ["personal"] }]);
  });

  test("that cannot be asked refuses the file", async () => {
    finds("request", "flag");
    detector.mode = { kind: "status", status: 500 };
    expect(await refusal(upload("Ada has the key"))).toEqual([503, "detector_unavailable"]);
    expect(governed.upstream.received).toEqual([]);
  });

  test("of answers sees what comes back, and withholds it", async () => {
    stand();
    const { id } = await upload("Ada has the key");
    finds("answer", "block");
    expect(await refusal(governed.client.files.content(id))).toEqual([403, "answer_outside_boundary"]);
    expect(detector.received[0]?.body["texts"]).toEqual(["Ada has the key"]);
  });
});

test("what comes back is scanned as an answer", async () => {
  const { id } = await upload("hello");
  governed.upstream.store.files.set(id, { id, purpose: "user_data", filename: "notes.txt", content: "ask jo.secret@example.org" });
  expect(await refusal(governed.client.files.content(id))).toEqual([403, "answer_outside_boundary"]);
  stand({ detection: detectionOf([{ pack: "test", section: { actions: [{ of: "email", action: "redact" }] } }]) });
  expect(await (await governed.client.files.content(id)).text()).toBe("ask [email]");
  expect(JSON.stringify(governed.ledger.entries)).not.toContain("secret@");
});
