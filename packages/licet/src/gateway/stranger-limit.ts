/**
 * Bounds what callers that no credential names can add to the log. Each of their refusals is recorded up to a number
 * per source address and one over all addresses; the refusal that reaches either bound is recorded as
 * `caller_limited`, which stands for all that follow until the window ends.
 */
export interface StrangerLimit {
  take(address: string): Taken;
}

export interface Taken {
  /** `each`: recorded by itself. `summary`: the one record of all that follow. `silent`: covered by that record. */
  readonly record: "each" | "summary" | "silent";
  readonly retryAfterSeconds: number;
}

export interface StrangerBounds {
  readonly windowMs: number;
  readonly addressMax: number;
  readonly overallMax: number;
}

export const strangerBounds: StrangerBounds = { windowMs: 60_000, addressMax: 30, overallMax: 300 };

export function strangerLimit(now: () => number, bounds: StrangerBounds = strangerBounds): StrangerLimit {
  let since = -Infinity;
  let overall = 0;
  let summarised = false;
  /** Never more addresses than `overallMax`: beyond it nothing is counted. */
  const byAddress = new Map<string, number>();

  const roll = (time: number) => {
    if (time >= since && time < since + bounds.windowMs) {
      return;
    }
    since = time;
    overall = 0;
    summarised = false;
    byAddress.clear();
  };

  const place = (address: string): Taken["record"] => {
    const before = byAddress.get(address) ?? 0;
    if (before > bounds.addressMax || (overall >= bounds.overallMax && summarised)) {
      return "silent";
    }
    if (overall >= bounds.overallMax) {
      summarised = true;
      return "summary";
    }
    byAddress.set(address, before + 1);
    overall++;
    return before === bounds.addressMax ? "summary" : "each";
  };

  return {
    take: (address) => {
      const time = now();
      roll(time);
      return { record: place(address), retryAfterSeconds: Math.max(1, Math.ceil((since + bounds.windowMs - time) / 1000)) };
    },
  };
}
