import { type Bounds, clopperPearson, wilson } from "./proportion.ts";

/** Counts of each cluster: repeats of one prompt, rows of one person. */
export interface Cluster {
  readonly events: number;
  readonly n: number;
}

export interface ClusteredRate {
  readonly events: number;
  readonly n: number;
  readonly clusters: number;
  readonly rate: number;
  /** Of the rate, robust to any dependence within a cluster. NaN with fewer than two clusters. */
  readonly variance: number;
  /** Variance over that of independent rows; NaN where every row has the same outcome. */
  readonly designEffect: number;
  /** Independent rows that would know as much. */
  readonly nEffective: number;
}

/**
 * A rate over clusters of dependent rows: variance m / (m - 1) Σ (events - rate n)² / N² of m clusters (Taylor
 * linearisation, Cochran 1977, 3.12), n_eff = N / max(1, deff). Where every row has the same outcome nothing says how
 * dependent rows are, so each cluster counts once.
 */
export function clusteredRate(clusters: readonly Cluster[]): ClusteredRate {
  const used = clusters.filter(({ n }) => n > 0);
  const events = used.reduce((sum, cluster) => sum + cluster.events, 0);
  const n = used.reduce((sum, cluster) => sum + cluster.n, 0);
  const rate = events / n;
  const m = used.length;
  const squares = used.reduce((sum, cluster) => sum + (cluster.events - rate * cluster.n) ** 2, 0);
  const variance = m < 2 ? Number.NaN : ((m / (m - 1)) * squares) / (n * n);
  const designEffect = variance / ((rate * (1 - rate)) / n);
  const nEffective = Number.isFinite(designEffect) ? n / Math.max(1, designEffect) : m;
  return { events, n, clusters: m, rate, variance, designEffect: Number.isFinite(designEffect) ? designEffect : Number.NaN, nEffective };
}

/** One-sided Wilson bounds on the effective number of rows. */
export function clusteredWilson({ rate, nEffective }: ClusteredRate, alpha: number): Bounds {
  return wilson(rate * nEffective, nEffective, alpha);
}

/** One-sided Clopper-Pearson bounds on the effective number of rows (Korn & Graubard 1998). */
export function clusteredClopperPearson({ rate, nEffective }: ClusteredRate, alpha: number): Bounds {
  return clopperPearson(rate * nEffective, nEffective, alpha);
}
