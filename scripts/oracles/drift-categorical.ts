import { countCategories } from "../../packages/assurance/src/drift/categories.ts";
import { hellinger, jensenShannonBits, largestDifference, stabilityIndex, stabilityIndexNullMean, total, totalVariation } from "../../packages/assurance/src/drift/divergence.ts";
import { testHomogeneity } from "../../packages/assurance/src/drift/homogeneity.ts";
import { homogeneity } from "../../packages/assurance/src/stats/contingency.ts";
import { chiSquareSurvival } from "../../packages/assurance/src/stats/incomplete-gamma.ts";
import type { DictionaryColumn } from "../../packages/assurance/src/table/dictionary.ts";
import type { Computed } from "./drift-figures.ts";
import { evidentlyGoodnessOfFit } from "./drift-rivals.ts";

export function categoricalFigures(reference: DictionaryColumn, current: DictionaryColumn): Computed {
  const counts = countCategories("x", reference, current);
  const withMissing = { reference: [...counts.reference, counts.missing.reference], current: [...counts.current, counts.missing.current] };
  const anyMissing = counts.missing.reference + counts.missing.current > 0;
  const test = testHomogeneity(counts, "oracle");
  const limit = homogeneity([counts.reference, counts.current]);
  const bits = jensenShannonBits(counts);
  const only = (here: readonly number[], there: readonly number[]) => counts.categories.filter((_, index) => (here[index] ?? 0) > 0 && (there[index] ?? 0) === 0);
  const g = likelihoodRatio(counts.reference, counts.current);
  const [n, m] = [total(counts.reference), total(counts.current)];
  // Of one category there is nothing to test: no freedom, and nothing surprising.
  const single = n > 0 && m > 0 && counts.categories.length < 2;
  return {
    undefined: n === 0 || m === 0,
    categories: counts.categories,
    counts_ref: counts.reference,
    counts_cur: counts.current,
    new_categories: only(counts.current, counts.reference),
    lost_categories: only(counts.reference, counts.current),
    psi: stabilityIndex(counts),
    psi_null_mean_approx: stabilityIndexNullMean(counts.categories.length, n, m),
    psi_with_missing_bin: stabilityIndex(anyMissing ? withMissing : counts),
    js_distance_base2: Math.sqrt(bits),
    js_divergence_base2: bits,
    js_distance_e: Math.sqrt(bits * Math.LN2),
    hellinger: hellinger(counts),
    total_variation: totalVariation(counts),
    l_infinity: largestDifference(counts),
    chi2_homogeneity: single ? 0 : test.statistic,
    chi2_dof: test.dof,
    chi2_p: single ? 1 : limit.p,
    min_expected: single ? Math.min(n, m) : test.expectedMin,
    cramers_v: test.cramersV,
    cramers_v_bergsma: test.cramersVCorrected,
    evidently_chisquare_p_goodness_of_fit: evidentlyGoodnessOfFit(counts.reference, counts.current),
    g_statistic: g,
    g_p: single ? 1 : chiSquareSurvival(g, test.dof),
  };
}

/** Likelihood-ratio statistic of homogeneity (Wilks). */
function likelihoodRatio(reference: readonly number[], current: readonly number[]): number {
  const [n, m] = [total(reference), total(current)];
  const term = (count: number, expected: number) => (count === 0 ? 0 : 2 * count * Math.log(count / expected));
  return reference.reduce((sum, r, index) => {
    const c = current[index] ?? 0;
    return sum + term(r, ((r + c) * n) / (n + m)) + term(c, ((r + c) * m) / (n + m));
  }, 0);
}
