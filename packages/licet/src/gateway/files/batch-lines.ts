import { setImmediate } from "node:timers/promises";
import type { FindingCount } from "@licet/contract";
import type { JsonObject } from "../../ledger/recorder.ts";
import type { Admission, PipelineParts } from "../admission.ts";
import type { Dialect, ModelCall } from "../dialect.ts";
import { dialects } from "../dialects/all.ts";
import { textAt, wireObject } from "../dialects/wire.ts";
import { declaredModel } from "../conform.ts";
import { judge, type CallJudgement } from "../judge.ts";
import { readJson } from "../json.ts";
import { refuse, shown, type Refusal } from "../refusal.ts";
import type { CallVerdict, Redaction } from "../scan.ts";
import type { ModelView } from "../snapshot.ts";
import { maskingRules } from "./masking.ts";
import { permits } from "./power.ts";
import { storeScan } from "./scan-file.ts";
import type { Served } from "./served.ts";

/** Calls in one file. */
export const batchLinesMax = 10_000;
const customIdCharactersMax = 256;
/** Other calls go on between so many. */
const linesAtOnce = 16;

/** The surfaces whose calls may stand in a file, by what their lines name. */
const byUrl: ReadonlyMap<string, Dialect> = new Map(dialects.filter(({ provider }) => provider === "openai").map((dialect) => [`/v1${dialect.upstreamPath}`, dialect]));

export function batchDialect(endpoint: string): Dialect | undefined {
  return byUrl.get(endpoint);
}

/** What the calls of a file come to, all judged. */
export interface JudgedLines {
  /** The file as it leaves: every line written anew from what was judged. */
  readonly text: string;
  readonly verdict: CallVerdict;
  readonly refusal: Refusal | undefined;
  readonly count: number;
  readonly customIds: readonly string[];
  /** What every line calls; empty where the first could not be read. */
  readonly endpoint: string;
  /** Declared names. */
  readonly models: readonly string[];
  readonly needs: readonly string[];
  readonly messages: readonly JsonObject[];
  /** The line of the first call that names an end user. */
  readonly userAt: number | undefined;
}

interface Lines {
  readonly served: Served;
  readonly text: string;
}

/** State of one reading; owned by `judgedLines`. */
class Reading {
  readonly written: string[] = [];
  readonly ids = new Set<string>();
  readonly models = new Set<string>();
  readonly needs = new Set<string>();
  readonly leaving = new Set<string>();
  readonly stopped = new Set<string>();
  readonly findings = new Map<string, FindingCount>();
  readonly redactions = new Map<string, Redaction>();
  readonly messages: JsonObject[] = [];
  endpoint = "";
  userAt: number | undefined;

  count({ findings, redactions, leaving, stopped }: CallVerdict): void {
    for (const each of findings) {
      const key = `${each.type} ${each.action ?? ""}`;
      this.findings.set(key, { ...each, count: each.count + (this.findings.get(key)?.count ?? 0) });
    }
    for (const { type, count } of redactions) this.redactions.set(type, { type, count: count + (this.redactions.get(type)?.count ?? 0) });
    for (const each of leaving) this.leaving.add(each);
    for (const each of stopped) this.stopped.add(each);
  }

  get verdict(): CallVerdict {
    return { findings: [...this.findings.values()], redactions: [...this.redactions.values()], leaving: [...this.leaving].sort(), stopped: [...this.stopped].sort() };
  }

  end(refusal: Refusal | undefined): JudgedLines {
    const { written, verdict, ids, endpoint, models, needs, messages, userAt } = this;
    return { text: written.map((line) => `${line}\n`).join(""), verdict, refusal, count: written.length, customIds: [...ids], endpoint, models: [...models], needs: [...needs], messages, userAt };
  }
}

/** Judges every line of a file as the call that it is. One that would be refused refuses the file, and says which and why. */
export async function judgedLines(parts: PipelineParts, admission: Admission, { served, text }: Lines): Promise<JudgedLines> {
  const reading = new Reading();
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    if (reading.written.length >= batchLinesMax) return reading.end(refuse("body_too_large", { message: `the file holds more than ${batchLinesMax} calls`, param: "file" }));
    const refusal = await judgedLine(parts, admission, { reading, served, line, number: at + 1 });
    if (refusal !== undefined) return reading.end(lineRefusal(refusal, at + 1));
    if (reading.written.length % linesAtOnce === 0) await setImmediate();
  }
  return reading.end(reading.written.length === 0 ? refuse("request_unreadable", { message: "the file holds no call", param: "file" }) : undefined);
}

function lineRefusal(refusal: Refusal, line: number): Refusal {
  return { ...refusal, message: shown(`line ${line}: ${refusal.message}`), param: shown(refusal.param === null ? `line ${line}` : `line ${line}: ${refusal.param}`) };
}

interface Line {
  readonly reading: Reading;
  readonly served: Served;
  readonly line: string;
  readonly number: number;
}

async function judgedLine(parts: PipelineParts, admission: Admission, { reading, served, line, number }: Line): Promise<Refusal | undefined> {
  const read = readLine(line, reading);
  if ("refusal" in read) return read.refusal;
  const { call, customId, url } = read;
  const named = storeScan(admission, { custom_id: customId });
  reading.count(named.verdict);
  if (named.verdict.stopped.length > 0) return refuse("data_outside_boundary", { message: `\`custom_id\` holds ${named.verdict.stopped.join(" and ")} data, which no name may`, param: "custom_id", component: "classes" });
  const { boundIds, external } = parts;
  const judgement = await judge(admission, call, { boundIds, external, adapt: maskingRules });
  reading.count(judgement.scan.verdict);
  const refusal = refusalOf(judgement, served);
  const { model } = judgement;
  if (refusal !== undefined || model === undefined) return refusal ?? refuse("model_undeclared", { param: "model" });
  reading.written.push(JSON.stringify({ custom_id: customId, method: "POST", url, body: leaving(call, judgement, model) }));
  reading.models.add(model.name);
  for (const { permission } of call.needs) reading.needs.add(permission);
  for (const message of judgement.scan.messages(call.messages)) reading.messages.push(message);
  if (call.user !== undefined) reading.userAt ??= number;
  return undefined;
}

function leaving(call: ModelCall, { scan }: CallJudgement, model: ModelView): JsonObject {
  return { ...scan.request, model: model.model, ...call.upstreamExtras };
}

/** What a waiver lifts is lifted for a call that is answered now, under the eyes of whoever observes it. */
function refusalOf({ refusal, observed, model, provider }: CallJudgement, served: Served): Refusal | undefined {
  const [lifted] = observed?.refusals ?? [];
  if (refusal !== undefined || lifted !== undefined) return refusal ?? lifted;
  if (model !== undefined && !permits(model, "batches")) return refuse("permission_undeclared", { message: `the release does not permit \`batches\` for model \`${model.name}\``, param: "model", component: `model:${model.name}` });
  return provider?.id === served.provider.id ? undefined : refuse("provider_ambiguous", { message: `the model is of the provider \`${provider?.id ?? ""}\`, and the file goes to \`${served.provider.id}\``, param: "model" });
}

type ReadLine = { readonly call: ModelCall; readonly customId: string; readonly url: string } | { readonly refusal: Refusal };

const fields: ReadonlySet<string> = new Set(["custom_id", "method", "url", "body"]);

function readLine(line: string, reading: Reading): ReadLine {
  const value = wireObject(readJson(Buffer.from(line))?.value) ?? {};
  const customId = textAt(value, "custom_id") ?? "";
  const fault = fieldFault(value) ?? nameFault(customId, reading);
  if (fault !== undefined) return { refusal: fault };
  return readCall(value, customId, reading);
}

function readCall(value: JsonObject, customId: string, reading: Reading): ReadLine {
  const url = textAt(value, "url") ?? "";
  const dialect = textAt(value, "method") === "POST" ? byUrl.get(url) : undefined;
  if (dialect === undefined) return { refusal: refuse("endpoint_unsupported", { message: `a line calls one of ${[...byUrl.keys()].join(", ")} by POST`, status: 403, param: "url" }) };
  reading.endpoint ||= url;
  if (reading.endpoint !== url) return unreadable("all lines of a file call the same endpoint", "url");
  const parsed = dialect.parse(Buffer.from(JSON.stringify(value["body"] ?? null)), () => undefined);
  if ("refusal" in parsed) return parsed;
  return parsed.call.stream ? { refusal: refuse("field_unsupported", { message: "an answer that comes later does not stream", param: "stream" }) } : { call: parsed.call, customId, url };
}

function fieldFault(value: JsonObject): Refusal | undefined {
  const unknown = Object.keys(value).find((key) => !fields.has(key));
  return unknown === undefined ? undefined : refuse("field_unsupported", { message: `\`${shown(unknown)}\` is not a field that the gateway checks`, param: unknown });
}

function nameFault(customId: string, { ids }: Reading): Refusal | undefined {
  const isName = customId !== "" && customId.length <= customIdCharactersMax && customId.isWellFormed();
  if (!isName || ids.has(customId)) return refuse("request_unreadable", { message: isName ? "its `custom_id` stands in the file before" : `\`custom_id\` must be a text of at most ${customIdCharactersMax} characters`, param: "custom_id" });
  ids.add(customId);
  return undefined;
}

function unreadable(message: string, param?: string): { readonly refusal: Refusal } {
  return { refusal: refuse("request_unreadable", { message, ...(param !== undefined && { param }) }) };
}

/** The models of the lines, as the release declares them now; undefined where one of them is no longer there. */
export function modelsOf({ credential }: Admission, names: readonly string[]): readonly ModelView[] | undefined {
  const models = names.map((name) => declaredModel(credential.deployment, name));
  const known = models.filter((model) => model !== undefined);
  return known.length === models.length ? known : undefined;
}
