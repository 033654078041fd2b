import type { ObservedDecision, ObservedOutcome, ObservedProvider } from "./observer.ts";

/**
 * Every name that telemetry uses, in one place: the OpenTelemetry GenAI conventions are still in development and will
 * move again. Source: `@opentelemetry/semantic-conventions`, entry `incubating`; a test compares each name with it.
 */
export const genai = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  requestModel: "gen_ai.request.model",
  requestStream: "gen_ai.request.stream",
  responseModel: "gen_ai.response.model",
  apiType: "openai.api.type",
  finishReasons: "gen_ai.response.finish_reasons",
  firstChunk: "gen_ai.response.time_to_first_chunk",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cachedTokens: "gen_ai.usage.cache_read.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
  tokenType: "gen_ai.token.type",
  serverAddress: "server.address",
  serverPort: "server.port",
  errorType: "error.type",
  status: "http.response.status_code",
  serviceName: "service.name",
  serviceVersion: "service.version",
  serviceInstance: "service.instance.id",
} as const;

export const genaiMetrics = {
  duration: "gen_ai.client.operation.duration",
  tokens: "gen_ai.client.token.usage",
  firstChunk: "gen_ai.client.operation.time_to_first_chunk",
} as const;

/** What the conventions have no name for. */
export const licetNames = {
  space: "licet.space",
  decision: "licet.decision.id",
  verdict: "licet.decision",
  code: "licet.code",
  policy: "licet.policy",
  system: "licet.system",
  deployment: "licet.deployment",
  release: "licet.release",
  dialect: "licet.dialect",
  finish: "licet.finish",
  findings: "licet.findings",
  redactions: "licet.redactions",
  decisionMs: "licet.decision.duration_ms",
  durableMs: "licet.log.durable_ms",
  costMicros: "licet.cost.micros",
  currency: "licet.cost.currency",
} as const;

export const operations = { chat: "chat", embeddings: "embeddings" } as const;

const own: Readonly<Record<string, string>> = { score: "score", useFile: "use_file", useBatch: "use_batch" };

/** The conventions' names for what they know; others by what they do, as the conventions allow. */
export function operationOf({ dialect, action }: Pick<ObservedDecision, "dialect" | "action">): string {
  if (dialect === "openai.embeddings") return operations.embeddings;
  if (dialect === "anthropic.count-tokens") return "count_tokens";
  return own[action] ?? operations.chat;
}

export const apiTypes = { "openai.chat": "chat_completions", "openai.responses": "responses" } as const;

/** Which of OpenAI's interfaces was called; undefined for another provider's. */
export function apiTypeOf({ dialect }: Pick<ObservedDecision, "dialect">): string | undefined {
  const types: Readonly<Record<string, string>> = apiTypes;
  return dialect === undefined ? undefined : types[dialect];
}

export const providerNames = { openai: "openai", azure: "azure.ai.openai", anthropic: "anthropic" } as const;

/** The conventions' name where they have one, else the kind as it is registered. */
export function providerName({ kind }: ObservedProvider): string {
  const names: Readonly<Record<string, string>> = providerNames;
  return names[kind] ?? kind;
}

/** Low-cardinality: a code of the registry of errors, or the finish of a call that has none. */
export function errorTypeOf(call: ObservedDecision, outcome: ObservedOutcome | undefined): string | undefined {
  const code = outcome?.code ?? call.code;
  if (code !== undefined) return code;
  return outcome === undefined || outcome.finish === "complete" ? undefined : outcome.finish;
}

/** As the conventions advise for the two client metrics: seconds and tokens. */
export const secondsAdvised = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] as const;
export const tokensAdvised = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864] as const;
