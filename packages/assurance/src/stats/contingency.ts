import { logFactorial } from "./binomial.ts";
import { chiSquareSurvival } from "./incomplete-gamma.ts";
import { normalCdf } from "./normal.ts";
import type { Rate } from "./difference.ts";

/** Tables as probable as the one seen, to rounding, count as extreme. */
const relativeSlack = 1e-7;

/**
 * Two-sided p-value of equal rates by Fisher's exact test: the sum over all tables with the same margins that are at
 * most as probable. 1 when a margin is empty. Source: Fisher 1935; the two-sided rule is that of R and scipy.
 */
export function fisherExact(first: Rate, second: Rate): number {
  const { n: n1 } = first;
  const { n: n2 } = second;
  const events = first.events + second.events;
  const logTotal = logChoose(n1 + n2, events);
  const logPmf = (k: number) => logChoose(n1, k) + logChoose(n2, events - k) - logTotal;
  const seen = logPmf(first.events) + relativeSlack;
  let sum = 0;
  for (let k = Math.max(0, events - n2); k <= Math.min(n1, events); k += 1) {
    const log = logPmf(k);
    if (log <= seen) sum += Math.exp(log);
  }
  return Math.min(1, sum);
}

/** The pooled z of equal rates, and its two-sided p-value; 0 and 1 when no rate varies. */
export function pooledZ(first: Rate, second: Rate): { readonly z: number; readonly p: number } {
  const pooled = (first.events + second.events) / (first.n + second.n);
  const se = Math.sqrt(pooled * (1 - pooled) * (1 / first.n + 1 / second.n));
  const z = se === 0 ? 0 : (first.events / first.n - second.events / second.n) / se;
  return { z, p: 2 * normalCdf(-Math.abs(z)) };
}

export interface ChiSquare {
  readonly statistic: number;
  readonly dof: number;
  readonly p: number;
  /** The approximation is poor when this is below 5. */
  readonly expectedMin: number;
}

/**
 * Pearson's chi-square test of homogeneity without continuity correction on a table of counts (rows x columns).
 * Rows and columns without a count are left out; NaN when fewer than two of either remain.
 */
export function homogeneity(table: readonly (readonly number[])[]): ChiSquare {
  const rows = table.filter((row) => row.some((count) => count > 0));
  const width = Math.max(0, ...rows.map((row) => row.length));
  const columns = Array.from({ length: width }, (_, column) => rows.reduce((sum, row) => sum + (row[column] ?? 0), 0));
  const used = columns.flatMap((sum, column) => (sum > 0 ? [column] : []));
  const dof = (rows.length - 1) * (used.length - 1);
  if (rows.length < 2 || used.length < 2) return { statistic: Number.NaN, dof: 0, p: Number.NaN, expectedMin: Number.NaN };
  const total = columns.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  let expectedMin = Infinity;
  for (const row of rows) {
    const rowSum = row.reduce((sum, count) => sum + count, 0);
    for (const column of used) {
      const expected = (rowSum * (columns[column] ?? 0)) / total;
      expectedMin = Math.min(expectedMin, expected);
      statistic += ((row[column] ?? 0) - expected) ** 2 / expected;
    }
  }
  return { statistic, dof, p: chiSquareSurvival(statistic, dof), expectedMin };
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}
