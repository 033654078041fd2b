import { licetVersion } from "../base/version.ts";
import { openOutbound, type Outbound, type OutboundHeaders, type OutboundLimits, type OutboundRequest } from "../base/outbound.ts";
import type { AnswerHeaders } from "./answer.ts";
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

/** Nothing of the caller's headers goes on: neither credential nor anything that no one has looked at. */
export function providerRequest(key: string, body: string, stream: boolean): OutboundRequest {
  return {
    method: "POST",
    path: "/chat/completions",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: stream ? "text/event-stream" : "application/json",
      // Compressed answers would have to be unpacked before they can be scanned.
      "accept-encoding": "identity",
      "user-agent": `licet/${licetVersion}`,
    },
    body,
  };
}

const passedHeaders = ["x-request-id", "retry-after", "retry-after-ms", "openai-processing-ms"] as const;
const passedPrefix = "x-ratelimit-";
const headerCharactersMax = 256;
const passedHeadersMax = 16;

/** The few of the provider's headers that its clients act on. */
export function passedOn(headers: OutboundHeaders): AnswerHeaders {
  const names = Object.keys(headers).filter((name) => passedHeaders.some((it) => it === name) || name.startsWith(passedPrefix));
  const pairs = names.slice(0, passedHeadersMax).flatMap((name) => {
    const value = headers[name];
    return typeof value === "string" && /^[\x20-\x7E]*$/u.test(value) ? [[name, value.slice(0, headerCharactersMax)] as const] : [];
  });
  return Object.fromEntries(pairs);
}
