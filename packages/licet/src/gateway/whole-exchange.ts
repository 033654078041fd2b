import type { Outbound, OutboundCall, OutboundFailure, OutboundRequest } from "../base/outbound.ts";
import type { AnswerHeaders } from "./answer.ts";
import { neverSent } from "./exchange.ts";
import { passedOn } from "./provider.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { AbortedBy, RelayEnd } from "./relay.ts";

/** A whole answer that nobody has read yet, or the end that came before it. */
export type WholeEnd =
  | { readonly kind: "answer"; readonly end: RelayEnd; readonly bytes: Uint8Array; readonly headers: AnswerHeaders }
  | { readonly kind: "ended"; readonly end: RelayEnd };

export interface WholeExchange {
  readonly ended: Promise<WholeEnd>;
  /** Ends it from outside, as a hold does. */
  cut(refusal: Refusal, by: AbortedBy): void;
}

const failures = {
  timeout: { code: "upstream_timeout", by: "upstream" },
  unreachable: { code: "upstream_unreachable", by: "upstream" },
  reset: { code: "upstream_unreachable", by: "upstream" },
  too_large: { code: "upstream_too_large", by: "limit" },
  aborted: { code: "upstream_unreachable", by: "upstream" },
} as const satisfies Readonly<Record<OutboundFailure, object>>;

/** What came so far; owned by one exchange. Spans are of a monotonic clock. */
interface Seen {
  status: number | null;
  firstByteAt: number | null;
  firstByteAfterMs: number | undefined;
  takenAfterMs: number | undefined;
  bytes: number;
  headers: AnswerHeaders;
}

/** One request and its whole answer, of whatever status; bounds of time and size are the outbound client's. */
export function wholeExchange({ outbound, request, now }: { readonly outbound: Outbound; readonly request: OutboundRequest; readonly now: () => number }): WholeExchange {
  const { promise, resolve } = Promise.withResolvers<WholeEnd>();
  const { refusal: _, abortedBy: _by, ...nothing } = neverSent(undefined);
  const chunks: Uint8Array[] = [];
  const seen: Seen = { status: null, firstByteAt: null, firstByteAfterMs: undefined, takenAfterMs: undefined, bytes: 0, headers: {} };
  const sentAt = performance.now();
  const end = (): RelayEnd => ({ ...nothing, bytes: seen.bytes, upstreamStatus: seen.status, firstByteAt: seen.firstByteAt, firstByteAfterMs: seen.firstByteAfterMs, takenAfterMs: seen.takenAfterMs });
  const ended = (refusal: Refusal, abortedBy: AbortedBy): void => resolve({ kind: "ended", end: { ...end(), refusal, abortedBy } });
  const call: OutboundCall = outbound.send(request, {
    onTaken: () => {
      seen.takenAfterMs = performance.now() - sentAt;
    },
    onHead: (status, headers) => {
      seen.status = status;
      seen.firstByteAt = now();
      seen.firstByteAfterMs = performance.now() - sentAt;
      seen.headers = passedOn(headers);
    },
    onData: (chunk) => {
      seen.bytes += chunk.length;
      chunks.push(chunk);
      return true;
    },
    onEnd: () => resolve({ kind: "answer", end: end(), bytes: Buffer.concat(chunks), headers: seen.headers }),
    onError: (failure) => ended(refuse(failures[failure].code), failures[failure].by),
  });
  return {
    ended: promise,
    cut: (refusal, by) => {
      ended(refusal, by);
      call.abort();
    },
  };
}
