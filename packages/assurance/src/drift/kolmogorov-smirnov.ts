import { logGamma } from "../stats/gamma.ts";
import { kolmogorovMatrixCdf } from "./kolmogorov-matrix.ts";
import { pelzGoodCdf } from "./pelz-good.ts";

/** Up to this many values every region is computed exactly; beyond, an expansion takes over in the middle. */
const exactUntil = 140;

/**
 * P(D_n >= d) for the two-sided one-sample Kolmogorov-Smirnov statistic of n values (scipy's `kstwo.sf`).
 * Source: Simard & L'Ecuyer 2011 (J Stat Softw 39:11): Ruben-Gambino at the ends, Marsaglia-Tsang-Wang and Pelz-Good
 * in the middle, twice Smirnov's one-sided sum (Miller 1956) in the tail. Assumes values without ties.
 */
export function kolmogorovSmirnovSurvival(d: number, n: number): number {
  if (!(n >= 1) || Number.isNaN(d)) return Number.NaN;
  if (d >= 1) return 0;
  const t = n * d;
  if (t <= 0.5) return 1;
  if (t <= 1) return 1 - Math.exp(logGamma(n + 1) - n * Math.log(n) + n * Math.log(2 * t - 1));
  if (t >= n - 1) return 2 * (1 - d) ** n;
  if (d >= 0.5) return Math.min(1, 2 * smirnov(d, n));
  return clipped(n <= exactUntil ? small(d, n) : large(d, n));
}

function small(d: number, n: number): number {
  return n * d * d <= 4 ? 1 - kolmogorovMatrixCdf(d, n) : 2 * smirnov(d, n);
}

function large(d: number, n: number): number {
  const scaled = n * d * d;
  if (scaled >= 370) return 0;
  if (scaled >= 2.2) return 2 * smirnov(d, n);
  return 1 - (n <= 100_000 && n * d ** 1.5 <= 1.4 ? kolmogorovMatrixCdf(d, n) : pelzGoodCdf(d, n));
}

function clipped(p: number): number {
  return Math.min(1, Math.max(0, p));
}

/** Above this many terms only every k-th is computed. */
const termsMax = 20_000;

/**
 * P(D_n+ >= d), the one-sided distribution, as Smirnov's sum over binomial probabilities, outwards from the middle
 * until terms no longer count. Of millions of terms only every k-th is taken, k times: they lie on a smooth curve that
 * vanishes at both ends, for which the trapezoidal rule is exact to working precision (Trefethen & Weideman 2014).
 */
function smirnov(d: number, n: number): number {
  const last = Math.floor(n * (1 - d));
  const stride = Math.max(1, Math.floor(n / termsMax));
  const term = (j: number) => {
    const p = d + j / n;
    return p >= 1 ? (j === n ? 1 : 0) : binomialTerm(j, n, p) / p;
  };
  const centre = Math.round(last / 2);
  let sum = 0;
  for (let j = centre; j <= last; j += stride) {
    const value = term(j);
    sum += value;
    if (value < sum * 1e-18) break;
  }
  for (let j = centre - stride; j >= 0; j -= stride) {
    const value = term(j);
    sum += value;
    // Near 0 the division by p lets terms grow again a little, so the walk to the left stops later.
    if (value < sum * 1e-22) break;
  }
  return d * sum * stride;
}

/** Binomial probability without cancellation of large logarithms. Source: Loader 2000, saddle-point expansion. */
function binomialTerm(k: number, n: number, p: number): number {
  if (k === 0) return Math.exp(n * Math.log1p(-p));
  if (k === n) return Math.exp(n * Math.log(p));
  const correction = stirlingError(n) - stirlingError(k) - stirlingError(n - k);
  const deviance = binomialDeviance(k, n * p) + binomialDeviance(n - k, n * (1 - p));
  return Math.exp(correction - deviance) * Math.sqrt(n / (2 * Math.PI * k * (n - k)));
}

function stirlingError(x: number): number {
  if (x < 16) return logGamma(x + 1) - (x + 0.5) * Math.log(x) + x - 0.918_938_533_204_672_7;
  const square = x * x;
  return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / square) / square) / square) / x;
}

/** x log(x / mean) + mean - x, by a series where both are close. */
function binomialDeviance(x: number, mean: number): number {
  if (Math.abs(x - mean) >= 0.1 * (x + mean)) return x * Math.log(x / mean) + mean - x;
  const ratio = (x - mean) / (x + mean);
  let sum = (x - mean) * ratio;
  let power = 2 * x * ratio;
  for (let odd = 3; odd < 2000; odd += 2) {
    power *= ratio * ratio;
    const next = sum + power / odd;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}
