import type { SettledCost } from "@licet/contract";
import type { Usage } from "../dialect.ts";
import type { Reservation } from "./budgets.ts";

/** How an exchange with a provider ended, as far as it costs something. */
export interface EndedExchange {
  readonly usage: Usage | null;
  readonly upstreamStatus: number | null;
  /** Why the caller did not get the whole answer. */
  readonly refusal?: object | undefined;
}

export interface Settling {
  readonly end: EndedExchange;
  readonly stream: boolean;
  /** Every time that the call left, in order; the last one ended as `end` says. */
  readonly sendings: readonly { readonly upstreamStatus: number | null }[];
  readonly at: number;
}

const nothing: Usage = { prompt: 0, completion: 0, total: 0 };

/**
 * What a call came to. A provider that answers with an error status says that it did nothing; one that says nothing may
 * have done all. Usage that came with a stream that broke off may be of its beginning only.
 */
export function settled(reservation: Reservation | undefined, { end, stream, sendings, at }: Settling): SettledCost | undefined {
  if (sendings.length === 0) return reservation?.release();
  const silent = sendings.slice(0, -1).filter(({ upstreamStatus }) => upstreamStatus === null).length;
  const declined = end.usage === null && (end.upstreamStatus ?? 0) >= 400;
  return reservation?.settle(declined ? nothing : end.usage, at, declined || !stream || end.refusal === undefined, silent);
}
