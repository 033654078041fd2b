import { expect } from "vitest";
import { detectionOf, type Detection } from "../../../packages/licet/src/gateway/detect/rules.ts";
import { grantedAto, start, withoutAto } from "../../unit/support/governed.ts";
import { call, until, type Calling, type Got } from "./caller.ts";
import { bodiesOf, key, providerKey, type Bounds, type Place, type Standing } from "./place.ts";
import type { Fault } from "./provider.ts";
import { releaseOf } from "./surfaces.ts";

/** One operation on files or batches; what it needs was stored before, on a good day. */
export interface StoreColumn {
  readonly id: "upload" | "calls" | "named" | "retrieve" | "content" | "delete" | "list" | "create" | "batch" | "cancel" | "output" | "batches";
  readonly title: string;
  /** True where something of the caller's leaves that detectors read. */
  readonly says: boolean;
}

const column = (id: StoreColumn["id"], title: string, says = false): StoreColumn => ({ id, title, says });

export const storeColumns: readonly StoreColumn[] = [
  column("upload", "`POST /files`, a text", true),
  column("calls", "`POST /files`, calls of a batch", true),
  column("named", "file named in a call"),
  column("retrieve", "`GET /files/{id}`"),
  column("content", "`GET /files/{id}/content`"),
  column("delete", "`DELETE /files/{id}`"),
  column("list", "`GET /files`"),
  column("create", "`POST /batches`", true),
  column("batch", "`GET /batches/{id}`"),
  column("cancel", "`POST /batches/{id}/cancel`"),
  column("output", "`GET …/content`, answers of a batch"),
  column("batches", "`GET /batches`"),
];

type ByColumn = Partial<Readonly<Record<StoreColumn["id"] | "says" | "any", string>>>;
type Expected = string | ByColumn;

export interface StoreRow {
  readonly title: string;
  readonly expect: Expected;
  readonly standing?: Standing | ((place: Place) => Standing);
  readonly credential?: string | null;
  readonly bounds?: Bounds;
  readonly fault?: Fault;
  /** Put into what is said. */
  readonly needle?: string;
  /** What the provider has in its files, in place of what was sent there. */
  readonly held?: string;
  /** True where that is the name of a tool that an answer calls. */
  readonly calls?: boolean;
  /** In place of an id of its own. */
  readonly id?: string;
  readonly before?: (place: Place) => void;
  readonly after?: (place: Place) => void;
  readonly arrived?: (place: Place) => void;
  readonly leaves?: boolean;
  readonly logFails?: boolean;
}

const mail = "jo.secret@example.org";
const other = `sha256:${"c".repeat(64)}`;
const permissions = ["files", "batches"];
const release = (place: Place, change: Parameters<typeof releaseOf>[1] = {}, more: Parameters<typeof releaseOf>[2] = {}) => releaseOf(place.surface, change, { permissions, ...more });
const released = (change: Parameters<typeof releaseOf>[1]) => (place: Place): Standing => ({ release: release(place, change) });
const everything = { boundary: { classes: ["public", "internal", "personal"], regions: ["eu"] } };
const rule = (action: "block" | "redact" | "mask" | "flag"): Detection => detectionOf([{ pack: "matrix", section: { actions: [{ of: "email", action }] } }]);
const declares = (action: "block" | "redact" | "mask" | "flag") => (place: Place): Standing => ({ release: release(place, everything), detection: rule(action) });
const holds = [{ id: "hold_1", scope: "all" as const, reason: "drift" }];
const named = (any: string, more: ByColumn = {}): ByColumn => ({ any, ...more });
const only = (ids: readonly StoreColumn["id"][], expected: string): ByColumn => Object.fromEntries(ids.map((id) => [id, expected]));
const byId: readonly StoreColumn["id"][] = ["named", "retrieve", "content", "delete", "create", "batch", "cancel", "output"];

export const storeRows: readonly StoreRow[] = [
  { title: "all is in order", expect: "200" },
  { title: "no credential", credential: null, expect: "401 `credential_invalid`" },
  { title: "unknown credential", credential: "lic_nobody0123456789", expect: "401 `credential_invalid`" },
  { title: "revoked credential", standing: { credential: { revokedAt: start } }, expect: "401 `credential_invalid`" },
  { title: "hold on everything", standing: (place) => ({ release: release(place), holds }), expect: "403 `held`" },
  { title: "deployment inactive", standing: released({ active: false }), expect: "403 `deployment_inactive`" },
  { title: "no ATO", standing: (place) => ({ release: withoutAto(release(place)) }), expect: "403 `ato_missing`" },
  { title: "ATO expired", standing: released({ ato: { ...grantedAto, notAfter: start } }), expect: "403 `ato_expired`" },
  { title: "ATO revoked", standing: released({ ato: { ...grantedAto, state: "revoked" } }), expect: "403 `ato_revoked`" },
  { title: "the release permits neither `files` nor `batches`", standing: (place) => ({ release: release(place, {}, { permissions: [] }) }), expect: "403 `permission_undeclared`" },
  { title: "provider not registered", standing: (place) => ({ release: release(place), provider: null }), expect: "403 `provider_unknown`" },
  { title: "provider of another protocol", standing: (place) => ({ release: release(place), provider: { kind: "anthropic" } }), expect: "403 `provider_mismatch`" },
  { title: "provider's region outside the boundary", standing: (place) => ({ release: release(place), provider: { region: "us" } }), expect: "403 `data_outside_boundary`" },
  { title: "a policy denies", standing: (place) => ({ release: release(place), decide: async () => ({ decision: "deny", reasons: [], errors: [] }) }), expect: "403 `policy_denied`" },
  { title: "a policy cannot be evaluated", standing: (place) => ({ release: release(place), decide: async () => ({ decision: "allow", reasons: [], errors: [{ policy: "odd", message: "type error" }] }) }), expect: "403 `policy_errored`" },
  { title: "no policies are published", standing: (place) => ({ release: release(place), decide: null }), expect: "403 `policy_denied`" },
  { title: "a budget of tokens holds", standing: released({ budgets: { release: { tokensPerDay: 100_000 } } }), expect: named("200", { calls: "403 `batch_limited`", create: "403 `batch_limited`", named: "403 `answer_unbounded`" }) },
  { title: "too many requests a minute", standing: released({ budgets: { release: { requestsPerMinute: 0 } } }), expect: named("429 `rate_exceeded`", { calls: "403 `batch_limited`", create: "403 `batch_limited`" }) },
  { title: "id that nobody has", id: "file-99999", expect: only(byId, "404 `file_unknown`") },
  { title: "another system's", standing: released({ id: "dep_other", system: "other" }), expect: only(byId, "404 `file_unknown`") },
  { title: "stored for a release that is not authorised now", standing: released({ release: other, ato: { ...grantedAto, release: other } }), expect: { ...only(byId, "403 `file_stale`"), delete: "200", cancel: "200" } },
  { title: "address in what is said, outside the boundary", needle: mail, expect: { says: "403 `data_outside_boundary`" } },
  { title: "the same, block", needle: mail, standing: declares("block"), expect: { says: "403 `data_outside_boundary`" } },
  { title: "the same, redact: masked for good", needle: mail, standing: declares("redact"), expect: { says: "200: goes out masked" } },
  { title: "the same, mask", needle: mail, standing: declares("mask"), expect: { says: "200: goes out masked" } },
  { title: "the same, flag", needle: mail, standing: declares("flag"), expect: { says: "200: goes out" } },
  { title: "address in what comes back, outside the boundary", held: mail, expect: { content: "403 `answer_outside_boundary`", output: "200: its line refused" } },
  { title: "the same, mask", held: mail, standing: declares("mask"), expect: { content: "200: comes back masked", output: "200: comes back masked" } },
  { title: "the same, flag", held: mail, standing: declares("flag"), expect: { content: "200: comes back", output: "200: comes back" } },
  { title: "an answer in what comes back calls a declared tool", held: "weather", calls: true, expect: { output: "200: comes back" } },
  { title: "it calls an undeclared tool", held: "erase", calls: true, expect: { output: "200: its line refused" } },
  { title: "provider fails", fault: { kind: "raw", status: 500, body: '{"error":{"message":"broken"}}' }, expect: named("500 `upstream_error`") },
  { title: "provider refuses its key", fault: { kind: "raw", status: 401, body: '{"error":{"message":"no"}}' }, expect: named("502 `upstream_error`") },
  { title: "provider says something else", fault: { kind: "raw", body: "[]" }, expect: named("502 `upstream_invalid`", { content: "200" }) },
  { title: "provider resets the connection", fault: { kind: "no answer", how: "reset" }, expect: "502 `upstream_unreachable`" },
  { title: "provider is silent", bounds: "hasty", fault: { kind: "silence" }, expect: only(["upload", "create", "output"], "504 `upstream_timeout`") },
  { title: "hold while the provider thinks", fault: { kind: "silence" }, arrived: (place) => place.stand({ release: release(place), holds }), expect: "403 `held`" },
  { title: "caller goes while the provider thinks", fault: { kind: "silence" }, leaves: true, expect: "caller gone: provider aborted" },
  { title: "no heartbeat of the change feed", before: ({ clock }) => clock.advance(1000), expect: "503 `snapshot_stale`" },
  { title: "clock falls a minute behind the log", before: ({ clock }) => clock.advance(-60_000), after: ({ clock }) => clock.advance(60_000), expect: "503 `clock_regressed`" },
  { title: "log behind: takes nothing more for now", logFails: true, before: ({ disk }) => void (disk.behind = true), after: ({ disk }) => void (disk.behind = false), expect: "503 `evidence_unavailable`" },
];

/** What a cell should say; undefined for a case that an operation does not have. */
export function storeExpected({ expect: expected }: StoreRow, { id, says }: StoreColumn): string | undefined {
  if (typeof expected === "string") return expected;
  return expected[id] ?? (says ? expected.says : undefined) ?? expected.any;
}

const form = "licet-matrix";
const multipart = `multipart/form-data; boundary=${form}`;

function uploadBody(purpose: string, name: string, content: string): string {
  return `--${form}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n${purpose}\r\n--${form}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: text/plain\r\n\r\n${content}\r\n--${form}--\r\n`;
}

const callLine = (text: string) => `${JSON.stringify({ custom_id: "a", method: "POST", url: "/v1/chat/completions", body: { model: "m", max_tokens: 50, messages: [{ role: "user", content: text }] } })}\n`;
const answerLine = (text: string) => ({ id: "batch_req_a", custom_id: "a", response: { status_code: 200, request_id: "req_1", body: { id: "chatcmpl-1", object: "chat.completion", created: 1, model: "sim-1", choices: [{ index: 0, message: { role: "assistant", content: text, refusal: null }, finish_reason: "stop" }], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } } }, error: null });
/** An answer that calls a tool in place of words. */
function callingLine(name: string) {
  const line = answerLine("");
  const message = { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: { name, arguments: "{}" } }] };
  return { ...line, response: { ...line.response, body: { ...line.response.body, choices: [{ index: 0, message, finish_reason: "tool_calls" }] } } };
}

interface Asking {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: string;
}

/** What was stored on a good day, for the operation to use. */
interface Stored {
  readonly file: string;
  readonly calls: string;
  readonly batch: string;
  readonly output: string;
}

const root = "/openai/v1";

function askingOf({ id }: StoreColumn, { text, stored }: { readonly text: string; readonly stored: Stored }): Asking {
  const asks: Readonly<Record<StoreColumn["id"], Asking>> = {
    upload: { method: "POST", path: `${root}/files`, type: multipart, body: uploadBody("user_data", "notes.txt", text) },
    calls: { method: "POST", path: `${root}/files`, type: multipart, body: uploadBody("batch", "calls.jsonl", callLine(text)) },
    named: { method: "POST", path: `${root}/chat/completions`, body: JSON.stringify({ model: "m", max_tokens: 50, messages: [{ role: "user", content: [{ type: "file", file: { file_id: stored.file } }] }] }) },
    retrieve: { method: "GET", path: `${root}/files/${stored.file}` },
    content: { method: "GET", path: `${root}/files/${stored.file}/content` },
    delete: { method: "DELETE", path: `${root}/files/${stored.file}` },
    list: { method: "GET", path: `${root}/files?limit=2` },
    create: { method: "POST", path: `${root}/batches`, body: JSON.stringify({ input_file_id: stored.calls, endpoint: "/v1/chat/completions", completion_window: "24h", metadata: { note: text } }) },
    batch: { method: "GET", path: `${root}/batches/${stored.batch}` },
    cancel: { method: "POST", path: `${root}/batches/${stored.batch}/cancel` },
    output: { method: "GET", path: `${root}/files/${stored.output}/content` },
    batches: { method: "GET", path: `${root}/batches?limit=2` },
  };
  return asks[id];
}

function ask(origin: string, { method, path, type = "application/json", body }: Asking, credential: string | null): Calling {
  const headers = { ...(credential !== null && { authorization: `Bearer ${credential}` }), "content-type": type };
  return call({ origin, method, path, headers, ...(body !== undefined && { body }) });
}

const idOf = ({ text }: Got): string => String((JSON.parse(text) as { readonly id?: unknown }).id);

/** What was stored once by each gateway of a place. */
const before = new WeakMap<Place, Map<string, Stored>>();
const empty: Stored = { file: "", calls: "", batch: "", output: "" };

/** What an operation needs: its own system's, of the release that is deployed. */
async function storedFor(place: Place, origin: string, { id }: StoreColumn): Promise<Stored> {
  const known = before.get(place) ?? new Map<string, Stored>();
  before.set(place, known);
  const all = known.get(origin) ?? (await stored(place, origin));
  known.set(origin, all);
  // What is deleted is used once.
  return id === "delete" ? { ...all, file: idOf(await ask(origin, askingOf(column("upload", ""), { text: "hello", stored: empty }), key).got) } : all;
}

async function stored(place: Place, origin: string): Promise<Stored> {
  const { store } = place.provider;
  const said = async (id: StoreColumn["id"], so: Partial<Stored> = {}) => ask(origin, askingOf(column(id, id), { text: "hello", stored: { ...empty, ...so } }), key).got;
  const file = idOf(await said("upload"));
  const calls = idOf(await said("calls"));
  const batch = idOf(await said("create", { calls }));
  store.finish(batch, [answerLine("fine")]);
  const { output_file_id: output } = JSON.parse((await said("batch", { batch })).text) as { readonly output_file_id: string };
  return { file, calls, batch, output };
}

/** Runs one cell, and looks after what holds for every one. */
export async function measureStore(place: Place, row: StoreRow, column: StoreColumn): Promise<string> {
  const { provider, entries, clock, disk } = place;
  clock.advance(5000);
  disk.behind = false;
  const origin = place.origins[row.bounds ?? "patient"];
  place.stand({ release: release(place) });
  provider.fault = { kind: "answer" };
  provider.onRequest = () => undefined;
  const known = await storedFor(place, origin, column);
  hold(place, known, row);
  place.stand(typeof row.standing === "function" ? row.standing(place) : { release: release(place), ...row.standing });
  provider.fault = row.fault ?? { kind: "answer" };
  provider.onRequest = () => row.arrived?.(place);
  const from = { entries: entries.length, received: provider.received.length, failures: place.failures.length, aborted: provider.aborted };
  row.before?.(place);
  const { id } = row;
  const calling = ask(origin, askingOf(column, { text: `Say ${row.needle ?? "hello"} today.`, stored: id === undefined ? known : { file: id, calls: id, batch: id, output: id } }), row.credential === undefined ? key : row.credential);
  if (row.leaves === true) {
    await until(() => provider.received.length > from.received, "the provider is asked");
    calling.leave();
  }
  const got = await calling.got;
  await until(() => Object.values(place.gateways).every(({ inFlight }) => inFlight === 0), "the operation has ended");
  if (row.leaves === true) await until(() => entries.at(-1)?.kind === "gateway.outcome" && provider.aborted > from.aborted, "the provider is let go");
  row.after?.(place);
  const fresh = entries.slice(from.entries);
  const seen: Seen = { got, requests: provider.received.slice(from.received), decisions: decisionsOf(fresh), outcomes: outcomesOf(fresh) };
  expect(place.failures.slice(from.failures), "failures that nobody foresaw").toEqual([]);
  alwaysSo(place, row, seen);
  return inWords(row, seen);
}

function hold({ provider }: Place, { file, output }: Stored, { held: text = "me", calls = false }: StoreRow): void {
  const { files } = provider.store;
  for (const id of [file, output]) {
    const kept = files.get(id);
    if (kept !== undefined) files.set(id, { ...kept, content: id === file ? `Ask ${text} today.` : `${JSON.stringify(calls ? callingLine(text) : answerLine(`Ask ${text} today.`))}\n` });
  }
}

interface Seen {
  readonly got: Got;
  readonly requests: Place["provider"]["received"];
  readonly decisions: ReturnType<typeof decisionsOf>;
  readonly outcomes: ReturnType<typeof outcomesOf>;
}

const decisionsOf = (entries: Place["entries"]) => bodiesOf(entries, "gateway.decision");
const outcomesOf = (entries: Place["entries"]) => bodiesOf(entries, "gateway.outcome");

/** A path of a batch at the provider, as decisions name it. */
const isOfBatch = ({ endpoint }: { readonly endpoint?: unknown }): boolean => typeof endpoint === "string" && endpoint.includes("{batch}");

function alwaysSo({ entries }: Place, { needle, logFails }: StoreRow, { got, requests, decisions, outcomes }: Seen): void {
  const allowed = decisions.filter(({ decision }) => decision === "allow");
  for (const { logSize } of requests) expect(entries.some(({ kind, index, body }) => kind === "gateway.decision" && index < logSize && (allowed.some(({ id }) => id === body["id"]) || isOfBatch(body))), "a durable decision when the provider got a request").toBe(true);
  // What the gateway cancels by itself under a hold goes on beside the operation.
  const cancels = new Set(decisions.filter(isOfBatch).map(({ id }) => id));
  const own = allowed.map(({ id }) => id).filter((id) => !cancels.has(id));
  const earlier = new Set(entries.filter(({ body }) => isOfBatch(body)).map(({ body }) => body["id"]));
  if (logFails !== true) expect(outcomes.map(({ decision }) => decision).filter((id) => !earlier.has(id)), "an outcome of every allowed decision").toEqual(own);
  const records = JSON.stringify([decisions, outcomes]);
  expect(JSON.stringify([got.text, got.headers]) + records, "the provider's key is nobody's").not.toContain(providerKey);
  expect(requests.map(({ text, headers }) => text + JSON.stringify(headers)).join(""), "the caller's credential goes nowhere").not.toContain(key);
  if (needle !== undefined) expect(records, "no record holds a value").not.toContain(needle);
  expect(outcomes.every(({ bound, finish }) => bound === undefined || finish === "complete"), "what did not go well binds nothing").toBe(true);
}

function inWords({ needle, held, leaves }: StoreRow, { got, requests, outcomes }: Seen): string {
  if (leaves === true) return `caller gone: ${outcomes.at(-1)?.abortedBy === "client" ? "provider aborted" : "unseen"}`;
  if (got.status !== 200) {
    expect(got.type).toMatch(/^application\/json/u);
    const { error } = JSON.parse(got.text) as { readonly error: { readonly code: string; readonly licet: { readonly policy: string } } };
    expect(typeof error.licet.policy).toBe("string");
    return `${got.status} \`${error.code}\``;
  }
  expect(got.whole).toBe(true);
  if (needle !== undefined) return `200: ${requests.some(({ text }) => text.includes(needle)) ? "goes out" : "goes out masked"}`;
  if (held === undefined) return "200";
  if (/"(?:answer_outside_boundary|tool_undeclared)"/u.test(got.text)) return "200: its line refused";
  return `200: ${got.text.includes(held) ? "comes back" : "comes back masked"}`;
}
