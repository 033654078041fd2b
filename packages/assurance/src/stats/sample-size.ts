import { binomialCdf } from "./beta.ts";
import { newcombe, type Rate } from "./difference.ts";
import { aucBoundsOfFew } from "./auc.ts";
import { normalQuantile } from "./normal.ts";
import { koopman } from "./ratio.ts";
import { type Bounds, zeroEventTrials } from "./proportion.ts";

const power = 0.8;
/** Beyond this the normal approximation is within a per cent, and counting one by one would take seconds. */
const exactTrialsMax = 20_000;
const factorMax = 1e6;

/**
 * Smallest number of trials that shows "rate <= limit" by the exact one-sided bound with 80 % power,
 * if the true rate is the estimate. An estimate above the limit asks for the trials that show the opposite.
 * Undefined when the estimate is the limit.
 */
export function trialsNeeded(rate: number, limit: number, alpha: number): number | undefined {
  if (rate === limit) return undefined;
  return rate < limit ? trialsBelow(rate, limit, alpha) : trialsBelow(1 - rate, 1 - limit, alpha);
}

function trialsBelow(rate: number, limit: number, alpha: number): number | undefined {
  if (limit <= 0 || limit >= 1) return undefined;
  const spread = normalQuantile(1 - alpha) * Math.sqrt(limit * (1 - limit)) + normalQuantile(power) * Math.sqrt(rate * (1 - rate));
  const approximate = Math.ceil((spread / (limit - rate)) ** 2);
  if (approximate > exactTrialsMax) return approximate;
  const start = Math.max(zeroEventTrials(limit, alpha), approximate > 2000 ? Math.floor(0.9 * approximate) : 1);
  let allowed = -1;
  for (let n = start; n <= 2 * exactTrialsMax; n += 1) {
    while (binomialCdf(allowed + 1, n, limit) <= alpha) allowed += 1;
    if (binomialCdf(allowed, n, rate) >= power) return n;
  }
  return undefined;
}

/** The factor by which both samples must grow until |p1 - p2| is decided against `limit` with about 80 % power. */
export function differenceFactor(first: Rate, second: Rate, options: { limit: number; alpha: number; alphaFail: number }): number | undefined {
  const grown = (rate: Rate, factor: number) => ({ events: rate.events * factor, n: rate.n * factor });
  const estimate = Math.abs(first.events / first.n - second.events / second.n);
  const passing = estimate < options.limit;
  const alpha = passing ? options.alpha : options.alphaFail;
  // A projection: what the lower bound shares between both tails near 0 matters only where nothing can be projected.
  const bounds = (factor: number) => {
    const { lower, upper } = newcombe(grown(first, factor), grown(second, factor), alpha);
    return { lower: Math.max(0, lower, -upper), upper: Math.max(upper, -lower) };
  };
  return smallestFactor((factor) => decided({ bounds: bounds(factor), estimate, limit: options.limit, alpha }));
}

/** The same for a ratio p1 / p2 against a floor, on the log scale; undefined without an event on either side. */
export function ratioFactor(first: Rate, second: Rate, options: { floor: number; alpha: number; alphaFail: number }): number | undefined {
  if (first.events === 0 || second.events === 0) return undefined;
  const grown = (rate: Rate, factor: number) => ({ events: rate.events * factor, n: rate.n * factor });
  const estimate = Math.log(first.events / first.n / (second.events / second.n));
  const limit = Math.log(options.floor);
  const alpha = estimate > limit ? options.alpha : options.alphaFail;
  return smallestFactor((factor) => {
    const { lower, upper } = koopman(grown(first, factor), grown(second, factor), { alpha });
    return decided({ bounds: { lower: Math.log(lower), upper: Math.log(upper) }, estimate, limit, alpha });
  });
}

/** The same for an AUC. */
export function aucFactor(estimate: number, sizes: { positives: number; negatives: number }, options: { limit: number; alpha: number }): number | undefined {
  const bounds = (factor: number) => aucBoundsOfFew(estimate, { positives: sizes.positives * factor, negatives: sizes.negatives * factor }, options.alpha);
  return smallestFactor((factor) => decided({ bounds: bounds(factor), estimate, limit: options.limit, alpha: options.alpha }));
}

/** The bound on the limit's side, moved by the estimate's own scatter, still stays on the estimate's side. */
function decided(options: { bounds: Bounds; estimate: number; limit: number; alpha: number }): boolean {
  const { bounds, estimate, limit } = options;
  const stretch = 1 + normalQuantile(power) / normalQuantile(1 - options.alpha);
  if (estimate < limit) return estimate + stretch * (bounds.upper - estimate) <= limit;
  return estimate > limit && estimate - stretch * (estimate - bounds.lower) >= limit;
}

function smallestFactor(enough: (factor: number) => boolean): number | undefined {
  if (!enough(factorMax)) return undefined;
  let low = 1;
  let high = factorMax;
  while (high / low > 1.000_001) {
    const middle = Math.sqrt(low * high);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}
