import { takeRows } from "../../packages/assurance/src/linear/matrix.ts";
import { clusterActivations } from "../../packages/assurance/src/poison/activation-clustering.ts";
import { neighbourDisagreement } from "../../packages/assurance/src/poison/neighbour-labels.ts";
import { mostSuspect, spectralSignature } from "../../packages/assurance/src/poison/spectral-signature.ts";
import { auc, countPairs } from "../../packages/assurance/src/stats/auc.ts";
import { comparePatchScan } from "./poisoning-patches.ts";
import { type PoisonedSet, readSet } from "./poisoning-set.ts";
import type { OracleOptions, Tally } from "./tally.ts";

/** k-means depends on its starts. */
const clusterTolerance = 0.05;

export function comparePoisoning(tally: Tally, options: OracleOptions): void {
  const set = readSet(options);
  for (const [key, wanted] of Object.entries(set.expected)) {
    try {
      compareKey(tally, set, { key, wanted, options });
    } catch (error) {
      tally.same(`${key} runs`, error instanceof Error ? error.message : String(error), "no failure");
    }
  }
}

type Comparison = (tally: Tally, set: PoisonedSet, wanted: unknown) => void;

const comparisons: Readonly<Record<string, Comparison>> = {
  target_class: (tally, set, wanted) => tally.same("target_class", Number(targetClass(set)), wanted),
  poison_count: (tally, set, wanted) => tally.same("poison_count", poisonCount(set), wanted),
  target_class_size: (tally, set, wanted) => tally.same("target_class_size", rowsOf(set, targetClass(set)).length, wanted),
  spectral_signature_target_class: compareTarget,
  per_class_spectral: compareClasses,
  activation_clustering: compareClusters,
  knn5_label_disagreement: compareNeighbours,
};

const scans = new Set(["clean_test_accuracy", "trigger_success_rate", "universal_patch_scan"]);

function compareKey(tally: Tally, set: PoisonedSet, { key, wanted, options }: { key: string; wanted: unknown; options: OracleOptions }): void {
  if (key === "trigger") return;
  const compare = comparisons[key];
  if (compare !== undefined) compare(tally, set, wanted);
  else if (scans.has(key)) comparePatchScan(tally, set, { key, wanted, options });
  else tally.same(key, "not computed", wanted);
}

function rowsOf({ labels }: PoisonedSet, label: string): readonly number[] {
  return labels.flatMap((each, row) => (each === label ? [row] : []));
}

function targetClass({ labels, poisoned }: PoisonedSet): string {
  return labels.find((_, row) => poisoned[row] === 1) ?? "";
}

function poisonCount({ poisoned }: PoisonedSet): number {
  return poisoned.filter((each) => each === 1).length;
}

function poisonAuc(scores: Float64Array, poisoned: readonly boolean[]): number {
  return auc(countPairs([...scores], poisoned));
}

function compareTarget(tally: Tally, set: PoisonedSet, wanted: unknown): void {
  const rows = rowsOf(set, targetClass(set));
  const { singular, scores } = spectralSignature(takeRows(set.activations, rows));
  for (const [key, value] of Object.entries(wanted as Readonly<Record<string, unknown>>)) {
    const listed = key === "singular_values_first3" ? singular : key === "scores_first5" ? scores : undefined;
    const factor = /^removed_([\d.]+)x$/u.exec(key)?.[1];
    if (listed !== undefined) for (const [index, each] of (value as readonly number[]).entries()) tally.near(`spectral ${key} ${index}`, listed[index] ?? Number.NaN, each);
    else if (key === "auc_poison") tally.near(`spectral ${key}`, poisonAuc(scores, rows.map((row) => set.poisoned[row] === 1)), value as number);
    else if (factor !== undefined) {
      const removed = mostSuspect(scores, poisonCount(set), Number(factor));
      tally.same(`spectral ${key}`, { removed: removed.length, poison_removed: removed.filter((index) => set.poisoned[rows[index] ?? -1] === 1).length }, value);
    } else tally.same(`spectral ${key}`, "not computed", value);
  }
}

function compareClasses(tally: Tally, set: PoisonedSet, wanted: unknown): void {
  for (const [label, figures] of Object.entries(wanted as Readonly<Record<string, Readonly<Record<string, number | string>>>>)) {
    const rows = rowsOf(set, label);
    const { singular, scores } = spectralSignature(takeRows(set.activations, rows));
    const computed: Readonly<Record<string, number>> = {
      n: rows.length,
      sigma1_over_sigma2: (singular[0] ?? Number.NaN) / (singular[1] ?? Number.NaN),
      auc_poison: poisonAuc(scores, rows.map((row) => set.poisoned[row] === 1)),
    };
    for (const [key, value] of Object.entries(figures)) {
      const found = computed[key];
      if (found === undefined) tally.same(`class ${label} ${key}`, "not computed", value);
      else tally.near(`class ${label} ${key}`, found, value);
    }
  }
}

function compareClusters(tally: Tally, set: PoisonedSet, wanted: unknown): void {
  for (const [label, figures] of Object.entries(wanted as Readonly<Record<string, Readonly<Record<string, number | string>>>>)) {
    const found = clusterActivations(takeRows(set.activations, rowsOf(set, label)), `oracle/${label}`);
    const computed: Readonly<Record<string, number>> = { smaller_share: found.smallerShare, silhouette: found.silhouette };
    for (const [key, value] of Object.entries(figures)) {
      const off = Math.abs((computed[key] ?? Number.NaN) - Number(value));
      tally.same(`clusters ${label} ${key} within ${clusterTolerance}`, off <= clusterTolerance ? "yes" : String(off), "yes");
    }
  }
}

function compareNeighbours(tally: Tally, set: PoisonedSet, wanted: unknown): void {
  const scores = neighbourDisagreement(set.pixels, set.labels, 5);
  const computed: Readonly<Record<string, number>> = { auc_poison: poisonAuc(scores, set.poisoned.map((each) => each === 1)), mean: scores.reduce((sum, share) => sum + share, 0) / scores.length };
  for (const [key, value] of Object.entries(wanted as Readonly<Record<string, number | string>>)) tally.near(`neighbours ${key}`, computed[key] ?? Number.NaN, value);
}
