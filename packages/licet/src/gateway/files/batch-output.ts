import { parseJson } from "@licet/evidence";
import { setImmediate } from "node:timers/promises";
import type { JsonObject } from "../../ledger/recorder.ts";
import { scannedAnswer } from "../answer-texts.ts";
import type { Dialect, JsonPath, Usage } from "../dialect.ts";
import { countAt, objectAt, textAt, wireObject } from "../dialects/wire.ts";
import { readJson, wellFormed } from "../json.ts";
import type { RelayEnd } from "../relay.ts";
import type { Refusal } from "../refusal.ts";
import type { CallScan, Counting } from "../scan.ts";
import { answerRefusal } from "../stream.ts";
import { refusedCall, type ToolJudge } from "../tools/judged-tool.ts";
import { addMessage, Transcript } from "../transcript.ts";
import { failed } from "./store-answer.ts";

/** Other calls go on between so many. */
const linesAtOnce = 16;

export interface OutputText {
  readonly text: string;
  readonly dialect: Dialect;
  /** Judges the calls of tools in the answers. */
  readonly tools: ToolJudge;
}

/** State of one reading; owned by `batchOutput`. */
interface Reading {
  readonly scan: CallScan;
  readonly dialect: Dialect;
  readonly tools: ToolJudge;
  /** Of all lines, and of the one that is read now. */
  readonly counting: Counting;
  line: Counting;
  readonly transcript: Transcript;
  usage: Usage | null;
}

/**
 * What a batch came to, line by line: each is the answer to one call, and read as one. A line whose answer may not reach the
 * caller says so in its place, as the answer to that call alone would have.
 */
export async function batchOutput(scan: CallScan, end: RelayEnd, { text, dialect, tools }: OutputText): Promise<RelayEnd> {
  const reading: Reading = { scan, dialect, tools, counting: newCounting(), line: newCounting(), transcript: new Transcript(), usage: null };
  const written: string[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = await outputLine(reading, line);
    if (read === undefined) return failed({ ...end, counting: reading.counting }, `line ${at + 1} of the provider's file is no answer of a batch`).end;
    written.push(`${JSON.stringify(read)}\n`);
    if (written.length % linesAtOnce === 0) await setImmediate();
  }
  return { ...end, counting: reading.counting, usage: reading.usage, body: written.join(""), said: reading.transcript, tools: tools.judged, observedTools: tools.observed };
}

/** Undefined for what is no line of such a file. */
async function outputLine(reading: Reading, line: string): Promise<JsonObject | undefined> {
  const parsed = readJson(Buffer.from(line));
  const value = parsed !== undefined && wellFormed(parsed.value) ? wireObject(parsed.value) : undefined;
  if (value === undefined) return undefined;
  reading.line = newCounting();
  const read = await namedLine(reading, value);
  for (const each of ["found", "taken"] as const) for (const [type, count] of reading.line[each]) reading.counting[each].set(type, count + (reading.counting[each].get(type) ?? 0));
  return read;
}

async function namedLine(reading: Reading, value: JsonObject): Promise<JsonObject | undefined> {
  const [id, customId, response] = [textAt(value, "id"), textAt(value, "custom_id"), objectAt(value, "response")];
  if (id === undefined || customId === undefined) return undefined;
  const names = { id, custom_id: customId };
  const requestId = (response && textAt(response, "request_id")) ?? null;
  if (scanned(reading, { ...names, request_id: requestId }, () => true).blocked) return refusedLine(reading, { id: "", custom_id: "" });
  return response === undefined ? errorLine(reading, names, objectAt(value, "error") ?? {}) : answerLine(reading, names, { response, requestId });
}

function newCounting(): Counting {
  return { found: new Map(), taken: new Map() };
}

interface Response {
  readonly response: JsonObject;
  readonly requestId: string | null;
}

async function answerLine(reading: Reading, names: JsonObject, { response, requestId }: Response): Promise<JsonObject | undefined> {
  const status = countAt(response, "status_code");
  const body = objectAt(response, "body");
  if (status === undefined || body === undefined) return undefined;
  const shape = status === 200 ? reading.dialect.answer(body) : { value: body, isFixed: () => false, usage: null, toolCalls: [] };
  if (shape === undefined) return undefined;
  reading.usage = sum(reading.usage, shape.usage);
  const read = scanned(reading, shape.value, (path) => shape.isFixed(path));
  if (read.blocked) return refusedLine(reading, names);
  const refusal = await refusedCall(reading.tools, shape.toolCalls ?? []);
  if (refusal !== undefined) return refusedLine(reading, names, refusal);
  addMessage(reading.transcript, textAt(names, "custom_id") ?? "", read.value);
  return { ...names, response: { status_code: status, request_id: requestId, body: read.value }, error: null };
}

function errorLine(reading: Reading, names: JsonObject, error: JsonObject): JsonObject {
  const read = scanned(reading, { code: error["code"] ?? null, message: error["message"] ?? null }, () => false);
  return read.blocked ? refusedLine(reading, names) : { ...names, response: null, error: read.value };
}

/** In the words of the call's own surface. */
function refusedLine({ scan, line, dialect }: Reading, names: JsonObject, refusal: Refusal = answerRefusal(scan, line)): JsonObject {
  const body = wireObject(parseJson(dialect.errorBody({ refusal }))) ?? {};
  return { ...names, response: { status_code: refusal.status, request_id: null, body }, error: null };
}

function scanned({ scan, line }: Reading, value: JsonObject, isFixed: (path: JsonPath) => boolean): { readonly value: JsonObject; readonly blocked: boolean } {
  const read = scannedAnswer(scan, line, { value, isFixed });
  return { value: read.value, blocked: read.blocked !== undefined };
}

function sum(before: Usage | null, usage: Usage | null): Usage | null {
  if (before === null || usage === null) return before ?? usage;
  const both = (a: number | undefined, b: number | undefined): number => (a ?? 0) + (b ?? 0);
  return {
    prompt: before.prompt + usage.prompt,
    completion: before.completion + usage.completion,
    total: before.total + usage.total,
    cached: both(before.cached, usage.cached),
    written: both(before.written, usage.written),
    reasoning: both(before.reasoning, usage.reasoning),
  };
}
