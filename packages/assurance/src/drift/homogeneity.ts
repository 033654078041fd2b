import { homogeneity } from "../stats/contingency.ts";
import { randomFrom } from "../stats/random.ts";
import { type BinCounts, total } from "./divergence.ts";
import { hypergeometric } from "./hypergeometric.ts";

export interface Homogeneity {
  readonly statistic: number;
  readonly dof: number;
  readonly p: number;
  readonly method: "chi-square" | "monte-carlo";
  readonly expectedMin: number;
  /** Cramér's V, 0 to 1, and with Bergsma's correction, which is near 0 without association however small the table. */
  readonly cramersV: number;
  readonly cramersVCorrected: number;
}

/** Below this expected count in any cell the chi-square distribution is not trusted. */
const expectedMinForLimit = 5;

/**
 * Do two samples have the same distribution over categories? Pearson's chi-square of homogeneity, both samples being
 * random; by Monte Carlo where a cell expects fewer than 5. NaN when only one category or sample has counts.
 * Source: Pearson 1900; Bergsma 2013 (J Korean Stat Soc 42:323) for the corrected V.
 */
export function testHomogeneity({ reference, current }: BinCounts, seed: string): Homogeneity {
  const { statistic, dof, p, expectedMin } = homogeneity([reference, current]);
  const all = total(reference) + total(current);
  const effect = { cramersV: Math.sqrt(statistic / all), cramersVCorrected: correctedV(statistic, dof, all) };
  if (Number.isNaN(statistic) || expectedMin >= expectedMinForLimit) return { statistic, dof, p, expectedMin, method: "chi-square", ...effect };
  return { statistic, dof, p: monteCarloP({ reference, current }, statistic, seed), expectedMin, method: "monte-carlo", ...effect };
}

function correctedV(statistic: number, dof: number, all: number): number {
  const phi = Math.max(0, statistic / all - dof / (all - 1));
  const columns = dof + 1 - dof ** 2 / (all - 1);
  const rows = 2 - 1 / (all - 1);
  return Math.sqrt(phi / Math.min(columns - 1, rows - 1));
}

const reachedEnough = 20;
const tablesMax = 19_999;
const tablesMin = 1999;
/** Tables times categories; with very many categories fewer tables are drawn. */
const cellsMax = 2_000_000;

/**
 * Monte-Carlo p-value over tables with the same margins. Drawing stops after 20 tables at least as extreme, which
 * leaves the level exact and spends effort only where the p-value is small. Source: Besag & Clifford 1991.
 */
function monteCarloP({ reference, current }: BinCounts, statistic: number, seed: string): number {
  const random = randomFrom(`${seed}/chi-square`);
  const sums = reference.map((count, index) => count + (current[index] ?? 0)).filter((sum) => sum > 0);
  const n = total(reference);
  const all = n + total(current);
  const tables = Math.min(tablesMax, Math.max(tablesMin, Math.floor(cellsMax / sums.length)));
  let reached = 0;
  for (let table = 1; table <= tables; table += 1) {
    if (drawnStatistic(sums, { n, all }, (urn) => hypergeometric(urn, random)) >= statistic * (1 - 1e-9)) reached += 1;
    if (reached === reachedEnough) return reached / table;
  }
  return (1 + reached) / (1 + tables);
}

function drawnStatistic(sums: readonly number[], { n, all }: { n: number; all: number }, draw: (urn: { good: number; bad: number; draws: number }) => number): number {
  let left = all;
  let draws = n;
  let statistic = 0;
  for (const sum of sums) {
    left -= sum;
    const count = draw({ good: sum, bad: left, draws });
    draws -= count;
    const expected = (sum * n) / all;
    const expectedOther = sum - expected;
    // Both cells of a column are off by the same number.
    statistic += (count - expected) ** 2 * (1 / expected + 1 / expectedOther);
  }
  return statistic;
}
