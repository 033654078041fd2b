import { licetVersion } from "../base/version.ts";
import { openOutbound, type Outbound, type OutboundHeaders, type OutboundLimits, type OutboundRequest } from "../base/outbound.ts";
import type { AnswerHeaders } from "./answer.ts";
import type { ModelCall, ProviderKind as ProtocolKind } from "./dialect.ts";
import type { ProviderView } from "./snapshot.ts";

/** One client for each registered provider, opened at its first call. */
export interface ProviderLines {
  /** Throws `outbound_refused` or `unreachable`. */
  open(space: string, provider: ProviderView): Promise<Outbound>;
  /** Forgets the client, so that the next call resolves the name again. */
  forget(space: string, provider: ProviderView): void;
  close(): Promise<void>;
}

export function providerLines(limits: Partial<OutboundLimits> = {}): ProviderLines {
  const lines = new Map<string, Promise<Outbound>>();
  return {
    open: (space, provider) => {
      const key = lineKey(space, provider);
      const known = lines.get(key);
      if (known !== undefined) {
        return known;
      }
      const opening = openOutbound({ baseUrl: provider.baseUrl, allow: provider.allow ?? [], limits });
      lines.set(key, opening);
      // Only forgets: the failure itself goes to everybody who waits for this line.
      opening.catch(() => void lines.delete(key));
      return opening;
    },
    // Calls in flight keep the old client; its idle sockets close by themselves.
    forget: (space, provider) => void lines.delete(lineKey(space, provider)),
    close: async () => {
      const open = await Promise.allSettled(lines.values());
      lines.clear();
      await Promise.all(open.map(async (line) => (line.status === "fulfilled" ? line.value.close() : undefined)));
    },
  };
}

function lineKey(space: string, { id, baseUrl, allow }: ProviderView): string {
  return JSON.stringify([space, id, baseUrl, allow ?? []]);
}

export interface ProviderAsk {
  readonly key: string;
  readonly body: string;
  readonly call: ModelCall;
  readonly provider: ProviderView;
  /** Trace context for the provider. */
  readonly trace?: Readonly<Record<string, string>>;
}

/** The protocol that a provider speaks. */
export function protocolOf({ kind = "openai" }: ProviderView): ProtocolKind {
  return kind === "azure" ? "openai" : kind;
}

const anthropicVersion = "2023-06-01";

/** Each vendor has its own place for a key. */
export function keyHeaders(key: string, { kind = "openai" }: ProviderView): Readonly<Record<string, string>> {
  if (kind === "azure") return { "api-key": key };
  return kind === "anthropic" ? { "x-api-key": key } : { authorization: `Bearer ${key}` };
}

/** Nothing of the caller's headers goes on but what the dialect lists: neither credential nor anything that no one has looked at. */
export function providerRequest({ key, body, call, provider, trace = {} }: ProviderAsk): OutboundRequest {
  const { apiVersion } = provider;
  return {
    method: "POST",
    path: apiVersion === undefined ? call.dialect.upstreamPath : `${call.dialect.upstreamPath}?api-version=${encodeURIComponent(apiVersion)}`,
    headers: {
      ...(protocolOf(provider) === "anthropic" && { "anthropic-version": anthropicVersion }),
      ...call.upstreamHeaders,
      ...trace,
      ...keyHeaders(key, provider),
      "content-type": "application/json",
      accept: call.stream ? "text/event-stream" : "application/json",
      // Compressed answers would have to be unpacked before they can be scanned.
      "accept-encoding": "identity",
      "user-agent": `licet/${licetVersion}`,
    },
    body,
  };
}

const passedHeaders: ReadonlySet<string> = new Set(["x-request-id", "request-id", "retry-after", "retry-after-ms", "x-should-retry", "openai-processing-ms"]);
const passedPrefixes = ["x-ratelimit-", "anthropic-ratelimit-"] as const;
const headerCharactersMax = 256;
const passedHeadersMax = 24;

/** The few of the provider's headers that its clients act on. */
export function passedOn(headers: OutboundHeaders): AnswerHeaders {
  const names = Object.keys(headers).filter((name) => passedHeaders.has(name) || passedPrefixes.some((prefix) => name.startsWith(prefix)));
  const pairs = names.slice(0, passedHeadersMax).flatMap((name) => {
    const value = headers[name];
    return typeof value === "string" && /^[\x20-\x7E]*$/u.test(value) ? [[name, value.slice(0, headerCharactersMax)] as const] : [];
  });
  return Object.fromEntries(pairs);
}
