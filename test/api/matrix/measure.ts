import { expect } from "vitest";
import { call, until, type Calling, type Got } from "./caller.ts";
import { bodiesOf, key, providerKey, type Bounds, type Place, type Standing } from "./place.ts";
import type { Fault } from "./provider.ts";
import type { Column, Variant } from "./surfaces.ts";

/** One case. What is not said is as on a good day. */
export interface Row {
  readonly title: string;
  /** What is measured, in the words of the table; by column where they differ. */
  readonly expect: string | Partial<Readonly<Record<string, string>>>;
  readonly on?: (column: Column) => boolean;
  readonly bounds?: Bounds;
  readonly standing?: Standing | ((place: Place) => Standing);
  readonly variant?: Variant;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** In place of the call's own. */
  readonly body?: string | Uint8Array;
  readonly fault?: Fault | ((column: Column) => Fault);
  /** Called when the provider has the request, before it answers. */
  readonly arrived?: (run: Run) => void;
  /** In place of one plain call. */
  readonly calling?: (run: Run) => Promise<Got>;
  readonly before?: (run: Run) => Promise<void> | void;
  readonly after?: (run: Run) => Promise<void> | void;
  /** What is looked for in what leaves and what comes back. */
  readonly needle?: string;
  /** What a caller must not have seen. */
  readonly never?: string;
  /** Nobody can tell which surface was meant: the form is OpenAI's. */
  readonly formless?: boolean;
  /** Where nothing can be durable, an allowed decision may lack its outcome. */
  readonly logFails?: boolean;
}

/** One cell while it is measured. */
export interface Run {
  readonly row: Row;
  readonly column: Column;
  readonly place: Place;
  readonly origin: string;
  /** Requests that the provider had, and that it was let go of, before. */
  readonly from: { readonly received: number; readonly aborted: number };
  /** The plain call of this cell. */
  ask(): Calling;
  readonly request: { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly body: string | Uint8Array };
}

function requestOf(row: Row, { surface, stream }: Column): Run["request"] {
  const variant = row.variant === undefined ? undefined : surface.variants[row.variant];
  const body = { ...surface.body(row.text ?? "How is the weather?"), ...(typeof variant === "object" && variant), ...(stream && { stream: true }) };
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", ...row.headers };
  const sent = Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return { path: typeof variant === "string" ? variant : surface.path, headers: Object.fromEntries(sent), body: row.body ?? JSON.stringify(body) };
}

/** Times of rows never meet: windows of a minute begin anew. */
const betweenRowsMs = 5000;

/** Runs one cell, looks after what holds for every cell, and says in the table's words what happened. */
export async function measure(place: Place, row: Row, column: Column): Promise<string> {
  const { provider } = place;
  place.clock.advance(betweenRowsMs);
  place.stand(typeof row.standing === "function" ? row.standing(place) : row.standing);
  provider.fault = typeof row.fault === "function" ? row.fault(column) : (row.fault ?? { kind: "answer" });
  const origin = place.origins[row.bounds ?? "patient"];
  const request = requestOf(row, column);
  let begun: Promise<void> = Promise.resolve();
  const ask = () => {
    const calling = call({ origin, ...request });
    begun = calling.begun;
    return calling;
  };
  const run: Run = { row, column, place, origin, ask, request, from: { received: provider.received.length, aborted: provider.aborted } };
  provider.onRequest = () => row.arrived?.(run);
  provider.reached = () => begun;
  const before = { entries: place.entries.length, received: provider.received.length, failures: place.failures.length };
  await row.before?.(run);
  const got = await (row.calling?.(run) ?? run.ask().got);
  await ended(place);
  await row.after?.(run);
  const seen: Seen = { got, requests: provider.received.slice(before.received), ...recorded(place, before.entries), calledOff: row.calling !== undefined };
  expect(place.failures.slice(before.failures), "failures that nobody foresaw").toEqual([]);
  alwaysSo(run, seen);
  return inWords(run, seen);
}

/** Every call has ended and its outcome is written. */
async function ended(place: Place): Promise<void> {
  const size = () => Object.values(place.gateways).reduce((sum, { inFlight }) => sum + inFlight, 0);
  await until(() => size() === 0, "every call has ended");
}

interface Seen {
  readonly got: Got;
  readonly decisions: ReturnType<typeof decisionsOf>;
  readonly outcomes: ReturnType<typeof outcomesOf>;
  readonly requests: Place["provider"]["received"];
  readonly calledOff: boolean;
}

const decisionsOf = (entries: Place["entries"]) => bodiesOf(entries, "gateway.decision");
const outcomesOf = (entries: Place["entries"]) => bodiesOf(entries, "gateway.outcome");

function recorded({ entries }: Place, from: number): Pick<Seen, "decisions" | "outcomes"> {
  const fresh = entries.slice(from);
  return { decisions: decisionsOf(fresh), outcomes: outcomesOf(fresh) };
}

/** What holds whatever happens. */
function alwaysSo(run: Run, seen: Seen): void {
  recordsAreSo(run, seen);
  nothingSlips(run, seen);
  endsAreSo(run, seen);
}

function recordsAreSo({ place, row }: Run, { decisions, outcomes, requests }: Seen): void {
  const allowed = decisions.filter(({ decision }) => decision === "allow");
  const before = ({ logSize }: (typeof requests)[number]) => place.entries.filter(({ kind, index, body }) => kind === "gateway.decision" && index < logSize && allowed.some(({ id }) => id === body["id"])).length;
  for (const [at, request] of requests.entries()) expect(before(request), "durable decisions when the provider got a request").toBeGreaterThan(at);
  const told = outcomes.map(({ decision }) => decision);
  expect(new Set(told).size, "one outcome of a decision").toBe(told.length);
  if (row.logFails !== true) expect([...told].sort(), "an outcome of every allowed decision, and of no other").toEqual(allowed.map(({ id }) => id).sort());
}

function nothingSlips({ row: { needle, never } }: Run, { got, decisions, outcomes, requests }: Seen): void {
  const records = JSON.stringify([decisions, outcomes]);
  expect(JSON.stringify([got.text, got.headers]) + records, "the provider's key is nobody's").not.toContain(providerKey);
  expect(requests.map(({ text, headers }) => text + JSON.stringify(headers)).join(""), "the caller's credential goes nowhere").not.toContain(key);
  if (never !== undefined) expect(got.text, "nothing leaves beside what was stopped").not.toContain(never);
  if (needle === undefined) return;
  expect(records, "no record holds a value").not.toContain(needle);
  if (!isClean(got)) expect(unescaped(got.text), "nothing of what was stopped is left").not.toContain(needle.slice(0, 6));
}

function endsAreSo({ column: { stream, surface } }: Run, { got, outcomes, calledOff }: Seen): void {
  if (got.status === 200 && !got.whole) expect(got.text, "a broken stream never looks complete").not.toContain(surface.end);
  if (!isClean(got)) return;
  if (!calledOff) expect(outcomes.at(-1), "a clean end is a complete answer").toMatchObject({ finish: "complete", status: 200 });
  if (stream) expect(got.text, "a clean end of a stream has the dialect's last event").toContain(surface.end);
}

function isClean({ status, whole }: Got): boolean {
  return status === 200 && whole;
}

function inWords(run: Run, seen: Seen): string {
  const { got, outcomes, requests } = seen;
  if (outcomes.at(-1)?.abortedBy === "client") return `caller gone: ${requests.length === 0 ? "never sent" : "provider aborted"}`;
  if (got.status === 0) return "connection closed";
  if (got.status !== 200) return `${got.status} \`${refusalCode(run, got)}\``;
  if (run.column.stream && !got.whole) return `stream broken off: \`${eventCode(run, got.text)}\``;
  return `200${run.row.needle === undefined ? "" : ` ${treated(run, seen, run.row.needle)}`}`;
}

interface OurError {
  readonly code: string;
  readonly message: string;
  readonly type?: string;
  readonly licet: { readonly decision: string | null; readonly policy: string; readonly remedy: string };
}

/** Reads a refusal in the form of its own surface, and in no other. */
function refusalCode({ column: { surface }, row, place }: Run, got: Got): string {
  expect(got.type).toMatch(/^application\/json/u);
  expect(got.whole, "a refusal is whole").toBe(true);
  const body = JSON.parse(got.text) as Record<string, unknown>;
  const { code, licet } = ownForm(row.formless === true ? "openai" : surface.kind, body);
  expect([typeof licet.policy, typeof licet.remedy]).toEqual(["string", "string"]);
  const known = licet.decision === null || place.entries.some((entry) => entry.body["id"] === licet.decision);
  expect(known, "the decision that a refusal names stands in the log").toBe(true);
  expect(row.logFails === true || code !== "evidence_unavailable").toBe(true);
  return code;
}

function ownForm(kind: Column["surface"]["kind"], body: Record<string, unknown>): Pick<OurError, "code" | "licet"> {
  if (kind === "oip") {
    expect(typeof body["error"]).toBe("string");
    const licet = body["licet"] as OurError["licet"] & { readonly code: string };
    return { code: licet.code, licet };
  }
  const error = body["error"] as OurError;
  expect([body["type"], typeof error.message, typeof error.type]).toEqual([kind === "anthropic" ? "error" : undefined, "string", "string"]);
  return error;
}

/** The last event of a stream that was broken off, in its own form. */
function eventCode({ column: { surface } }: Run, text: string): string {
  const last = text.trimEnd().split("\n\n").at(-1) ?? "";
  const data = JSON.parse(/^data: (.+)$/mu.exec(last)?.[1] ?? "null") as Record<string, unknown> | null;
  if (data === null) return "nothing";
  expect(last.startsWith("event: error\n")).toBe(surface.id !== "chat");
  if (surface.id !== "responses") return ownForm(surface.kind, data).code;
  expect(data).toMatchObject({ type: "error", code: expect.any(String), message: expect.any(String) });
  return data["code"] as string;
}

/** What became of a value on its way out and back. */
function treated({ row, column }: Run, { got, requests, decisions, outcomes }: Seen, needle: string): string {
  const findings = [...(decisions[0]?.findings ?? []), ...(outcomes[0]?.findings ?? [])];
  const action = findings.length === 0 ? "unseen" : [...new Set(findings.map((finding) => finding.action ?? "none"))].join(" and ");
  const sent = row.text?.includes(needle) === true ? wayOut(requests.map(({ text }) => text).join(""), needle) : [];
  const came = column.surface.speaks ? wayBack(column.stream ? spoken(got.text) : unescaped(got.text), needle) : [];
  const ways = [...sent, ...came].join(", ");
  return ways === "" ? action : `${action}: ${ways}`;
}

function wayOut(out: string, needle: string): readonly string[] {
  if (out.includes(needle)) return ["goes out"];
  return [out.includes("[email]") ? "goes out masked" : "goes out as a placeholder"];
}

function wayBack(back: string, needle: string): readonly string[] {
  if (back.includes(needle)) return ["comes back"];
  return back.includes("[email]") ? ["comes back masked"] : [];
}

function unescaped(text: string): string {
  return text.replaceAll(String.raw`\"`, '"');
}

/** All pieces of a stream's words, put together. */
function spoken(text: string): string {
  const events = text.split("\n\n").flatMap((event) => /^data: (\{.+)$/mu.exec(event)?.[1] ?? []);
  return events.map((event) => pieceOf(JSON.parse(event) as Piece)).join("");
}

interface Piece {
  readonly choices?: readonly { readonly delta?: { readonly content?: string; readonly tool_calls?: readonly { readonly function?: { readonly arguments?: string } }[] } }[];
  readonly delta?: string | { readonly text?: string; readonly partial_json?: string };
}

function pieceOf({ choices, delta }: Piece): string {
  if (typeof delta === "string") return delta;
  const said = choices?.[0]?.delta;
  const pieces = [delta?.text, delta?.partial_json, said?.content, said?.tool_calls?.[0]?.function?.arguments];
  return pieces.find((each) => typeof each === "string") ?? "";
}
