import { countBins, decileEdges } from "../../packages/assurance/src/drift/deciles.ts";
import { hellinger, jensenShannonBits, stabilityIndex, stabilityIndexNullMean, totalVariation } from "../../packages/assurance/src/drift/divergence.ts";
import { kolmogorovSmirnovSurvival } from "../../packages/assurance/src/drift/kolmogorov-smirnov.ts";
import { twoSampleExactP } from "../../packages/assurance/src/drift/lattice-paths.ts";
import { decideNumericDrift, dkwHalfWidth, measureNumericDrift } from "../../packages/assurance/src/drift/numeric.ts";
import { compareSorted, quantileSorted, sortedFinite } from "../../packages/assurance/src/drift/sorted-pair.ts";
import { effectiveSize } from "../../packages/assurance/src/drift/two-sample-p.ts";
import { chiSquareQuantile } from "../../packages/assurance/src/stats/incomplete-gamma.ts";
import { kolmogorovSurvival } from "../../packages/assurance/src/stats/kolmogorov.ts";
import type { Computed } from "./drift-figures.ts";
import { cramerVonMises, mannWhitney } from "./drift-ranks.ts";
import { doaneEdges, evidentlyJensenShannon, evidentlyStability, nannymlJensenShannon, referenceDeviation } from "./drift-rivals.ts";

interface Missing {
  readonly missing_ref: number;
  readonly missing_cur: number;
}

const stable = { op: "<=", value: 0.2, alpha: 0.05, source: "oracle" } as const;

/** Nothing to compare: no distance, and never a pass. */
export function numericUndefined(reference: Float64Array, current: Float64Array): Computed {
  const statistics = measureNumericDrift([{ name: "x", reference, current }], { seed: "oracle" });
  const outcome = decideNumericDrift(statistics, stable);
  return { undefined: statistics.columns.every(({ d, p, psi }) => d === null && p === null && psi === null) && outcome.verdict === "insufficient_evidence" };
}

export function numericFigures(reference: Float64Array, current: Float64Array, missing: Missing): Computed {
  const [a, b] = [sortedFinite(reference), sortedFinite(current)];
  const [n, m] = [a.length, b.length];
  const edges = decileEdges(a);
  const counts = { reference: countBins(a, edges), current: countBins(b, edges) };
  const withMissing = { reference: [...counts.reference, missing.missing_ref], current: [...counts.current, missing.missing_cur] };
  const { d, wasserstein1, energySquared } = compareSorted(a, b);
  const half = dkwHalfWidth(n, m, 0.05);
  const bins = counts.reference.length;
  const deviation = referenceDeviation(a);
  const psi = stabilityIndex(counts);
  return {
    decile_inner_edges: [...edges],
    decile_counts_ref: counts.reference,
    decile_counts_cur: counts.current,
    psi_decile: psi,
    psi_null_mean_approx: stabilityIndexNullMean(bins, n, m),
    psi_null_95pct_approx: () => chiSquareQuantile(0.95, bins - 1) * (1 / n + 1 / m),
    psi_decile_with_missing_bin: missing.missing_ref + missing.missing_cur > 0 ? stabilityIndex(withMissing) : psi,
    js_distance_decile_base2: Math.sqrt(jensenShannonBits(counts)),
    hellinger_decile: hellinger(counts),
    total_variation_decile: totalVariation(counts),
    ks_d: d,
    ks_p_asymptotic_scipy_kstwo: () => kolmogorovSmirnovSurvival(d, effectiveSize(n, m)),
    ks_p_kolmogorov_limit: () => kolmogorovSurvival(d * Math.sqrt((n * m) / (n + m))),
    ks_p_exact: () => twoSampleExactP(d, { n, m }),
    ks_dkw_band_95: [Math.max(0, d - half), Math.min(1, d + half)],
    wasserstein1,
    ref_sd_population: deviation,
    wasserstein1_over_ref_sd: wasserstein1 / Math.max(deviation, 0.001),
    ref_iqr: quantileSorted(a, 0.75) - quantileSorted(a, 0.25),
    energy_distance: Math.sqrt(energySquared),
    cvm_statistic: () => cramerVonMises(a, b).statistic,
    cvm_p_asymptotic: () => cramerVonMises(a, b).p,
    mannwhitney_u_ref: () => mannWhitney(a, b).u,
    mannwhitney_p_asymptotic_tie_corrected: () => mannWhitney(a, b).p,
    nannyml_js_doane_base2: () => nannymlJensenShannon(a, b),
    nannyml_bin_edges: () => doaneEdges(a),
    evidently_psi_sturges: () => evidentlyStability(a, b),
    evidently_js_e: () => evidentlyJensenShannon(a, b),
    evidently_wasserstein_norm: wasserstein1 / Math.max(deviation, 0.001),
  };
}
