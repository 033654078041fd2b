import { apiTypeOf, errorTypeOf, genai, licetNames, operationOf, providerName } from "./genai-conventions.ts";
import type { ObservedDecision, ObservedOutcome } from "./observer.ts";
import { traceOf } from "./trace-context.ts";

/** A refused call, or an allowed one with its end. */
export type Observed = { readonly call: ObservedDecision; readonly outcome: ObservedOutcome | undefined };

/** SPAN_KIND_CLIENT and STATUS_CODE_ERROR of opentelemetry/proto/trace/v1/trace.proto: JSON carries the numbers. */
const kindClient = 3;
const statusError = 2;

/** Written by hand: a span is a few strings and numbers, and building objects first costs as much again. */
class Attributes {
  #json = "";

  text(key: string, value: string | undefined): this {
    return value === undefined ? this : this.#add(key, `{"stringValue":${JSON.stringify(value)}}`);
  }

  /** Whole numbers are 64 bit: OTLP's JSON carries them as text. */
  whole(key: string, value: number | undefined): this {
    return value === undefined ? this : this.#add(key, `{"intValue":"${Math.round(value)}"}`);
  }

  real(key: string, value: number | undefined): this {
    return value === undefined ? this : this.#add(key, `{"doubleValue":${value}}`);
  }

  truth(key: string, value: boolean): this {
    return this.#add(key, `{"boolValue":${value}}`);
  }

  texts(key: string, values: readonly string[]): this {
    if (values.length === 0) return this;
    return this.#add(key, `{"arrayValue":{"values":[${values.map((value) => `{"stringValue":${JSON.stringify(value)}}`).join(",")}]}}`);
  }

  #add(key: string, value: string): this {
    this.#json += `${this.#json === "" ? "" : ","}{"key":"${key}","value":${value}}`;
    return this;
  }

  get json(): string {
    return `[${this.#json}]`;
  }
}

export function attributesJson(add: (attributes: Attributes) => void): string {
  const attributes = new Attributes();
  add(attributes);
  return attributes.json;
}

/** Attributes that hold content (messages, instructions, tool arguments) do not exist here. */
export function spanJson({ call, outcome }: Observed): string {
  const trace = call.trace ?? traceOf(undefined);
  const name = [operationOf(call), call.upstreamModel].filter((part) => part !== undefined).join(" ");
  const error = errorTypeOf(call, outcome);
  const total = outcome?.totalMs ?? call.decisionMs;
  const parent = trace.parentId === undefined ? "" : `"parentSpanId":"${trace.parentId}",`;
  const state = trace.state === "" ? "" : `"traceState":${JSON.stringify(trace.state)},`;
  const status = error === undefined ? "{}" : `{"code":${statusError},"message":${JSON.stringify(error)}}`;
  return (
    `{"traceId":"${trace.traceId}","spanId":"${trace.spanId}",${parent}${state}"name":${JSON.stringify(name)},"kind":${kindClient},` +
    `"startTimeUnixNano":"${nanos(call.receivedAt)}","endTimeUnixNano":"${nanos(call.receivedAt + total)}",` +
    `"attributes":${attributesJson((to) => attributes(to, call, outcome))},"status":${status}}`
  );
}

/** A double holds microseconds of our time exactly, and not its nanoseconds. */
export function nanos(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`;
}

function attributes(to: Attributes, call: ObservedDecision, outcome: ObservedOutcome | undefined): void {
  to.text(genai.operation, operationOf(call)).text(genai.requestModel, call.upstreamModel).text(genai.apiType, apiTypeOf(call)).truth(genai.requestStream, call.stream);
  if (call.provider !== undefined) {
    to.text(genai.provider, providerName(call.provider));
    server(to, call.provider.baseUrl);
  }
  to.text(licetNames.decision, call.id).text(licetNames.verdict, call.decision).text(licetNames.code, outcome?.code ?? call.code).text(licetNames.policy, call.policy);
  to.text(licetNames.space, call.space).text(licetNames.system, call.system).text(licetNames.deployment, call.deployment).text(licetNames.release, call.release);
  to.text(licetNames.dialect, call.dialect).real(licetNames.decisionMs, call.decisionMs).real(licetNames.durableMs, call.durableMs);
  to.text(genai.errorType, errorTypeOf(call, outcome)).texts(licetNames.findings, findings(call, outcome));
  if (outcome !== undefined) ended(to, outcome);
}

function ended(to: Attributes, outcome: ObservedOutcome): void {
  const { usage, cost } = outcome;
  to.whole(genai.status, outcome.status).text(licetNames.finish, outcome.finish).texts(genai.finishReasons, outcome.finishReasons);
  to.whole(genai.inputTokens, usage?.prompt).whole(genai.outputTokens, usage?.completion).whole(genai.cachedTokens, usage?.cached).whole(genai.reasoningTokens, usage?.reasoning);
  to.whole(licetNames.costMicros, cost?.costMicros).text(licetNames.currency, cost?.currency);
  if (outcome.call.stream) to.real(genai.firstChunk, outcome.upstreamFirstByteMs === null ? undefined : outcome.upstreamFirstByteMs / 1000);
  if (outcome.redactions > 0) to.whole(licetNames.redactions, outcome.redactions);
}

function findings(call: ObservedDecision, outcome: ObservedOutcome | undefined): string[] {
  return [...new Set([...call.findings, ...(outcome?.findings ?? [])].map(({ type }) => type))];
}

/** Owned by `server`: providers are few. */
const addresses = new Map<string, { readonly host: string; readonly port: number }>();
const addressesMax = 1000;

function server(to: Attributes, baseUrl: string): void {
  let known = addresses.get(baseUrl);
  if (known === undefined) {
    const url = URL.parse(baseUrl);
    known = { host: url?.hostname ?? "", port: Number(url?.port) || (url?.protocol === "http:" ? 80 : 443) };
    if (addresses.size < addressesMax) addresses.set(baseUrl, known);
  }
  to.text(genai.serverAddress, known.host).whole(genai.serverPort, known.port);
}
