/** Requests of one minute, counted per source address and over all. */
export interface RateLimit {
  /** Seconds to wait when the request is one too many. */
  take(address: string): number | undefined;
}

export interface RateBounds {
  readonly windowMs: number;
  readonly addressMax: number;
  readonly overallMax: number;
}

export const rateBounds: RateBounds = { windowMs: 60_000, addressMax: 600, overallMax: 6000 };

export function rateLimit(now: () => number, bounds: RateBounds = rateBounds): RateLimit {
  let since = -Infinity;
  let overall = 0;
  /** Never more addresses than `overallMax`: beyond it nothing is counted. */
  const byAddress = new Map<string, number>();
  return {
    take: (address) => {
      const time = now();
      if (time < since || time >= since + bounds.windowMs) {
        since = time;
        overall = 0;
        byAddress.clear();
      }
      const before = byAddress.get(address) ?? 0;
      if (before >= bounds.addressMax || overall >= bounds.overallMax) return Math.max(1, Math.ceil((since + bounds.windowMs - time) / 1000));
      byAddress.set(address, before + 1);
      overall += 1;
      return undefined;
    },
  };
}
