import { decideCalibration, measureCalibration } from "../../../packages/assurance/src/performance/calibration-gate.ts";
import { decideMetric, measureMean, measureMetric } from "../../../packages/assurance/src/performance/metric.ts";
import { decideNoninferior, measurePairedAuc, measurePairedMean, measurePairedRate } from "../../../packages/assurance/src/performance/noninferior.ts";
import { decideSlices, measureSlices } from "../../../packages/assurance/src/performance/slices.ts";
import { normalQuantile } from "../../../packages/assurance/src/stats/normal.ts";
import type { Random } from "../../../packages/assurance/src/stats/random.ts";
import { alpha, coin, column, flags, type Gate, limit } from "./gate.ts";

/** Two normal classes whose AUC is exactly this. */
const shiftOf = (auc: number) => Math.SQRT2 * normalQuantile(auc);

function binormal(random: Random, auc: number, sizes: { readonly positives: number; readonly negatives: number }) {
  const n = sizes.positives + sizes.negatives;
  const positive = flags(n, (row) => (row < sizes.positives ? 1 : 0));
  return { positive, scores: column(n, (row) => random.normal() + (positive[row] === 1 ? shiftOf(auc) : 0)) };
}

/** Outcomes that follow their probabilities exactly. */
function calibrated(random: Random, n: number) {
  const scores = column(n, () => random.uniform());
  return { scores, positive: Uint8Array.from(scores, (p) => coin(random, p)) };
}

const rates: readonly Gate[] = [
  {
    name: "perf.metric accuracy 0.9 of 400",
    tests: "both",
    draw: (random, seed) => decideMetric(measureMetric({ positive: flags(400, (row) => row % 2), scores: column(400, (row) => (coin(random, 0.9) === 1 ? row % 2 : 1 - (row % 2))) }, { metric: "accuracy", seed, alpha }), limit(">=", 0.9)),
  },
  ...([[0.8, 60, 140], [0.95, 40, 400], [0.6, 300, 300]] as const).map(
    ([auc, positives, negatives]): Gate => ({
      name: `perf.metric auc ${auc} of ${positives} and ${negatives}`,
      tests: "both",
      draw: (random, seed) => decideMetric(measureMetric(binormal(random, auc, { positives, negatives }), { metric: "auc", seed, alpha }), limit(">=", auc)),
    }),
  ),
];

const means: readonly Gate[] = [
  { name: "perf.metric brier of 6000", tests: "both", draw: (random, seed) => decideMetric(measureMetric(calibrated(random, 6000), { metric: "brier", seed, alpha }), limit("<=", 1 / 6)) },
  { name: "perf.metric brier of 120", tests: "both", draw: (random, seed) => decideMetric(measureMetric(calibrated(random, 120), { metric: "brier", seed, alpha }), limit("<=", 1 / 6)) },
  { name: "perf.metric log loss of 120", tests: "both", draw: (random, seed) => decideMetric(measureMetric(calibrated(random, 120), { metric: "log_loss", seed, alpha }), limit("<=", 1 / 2)) },
  { name: "perf.metric mae of 120", tests: "both", draw: (random, seed) => decideMetric(measureMean(column(120, () => Math.abs(random.normal())), { metric: "mae", seed, alpha }), limit("<=", Math.sqrt(2 / Math.PI))) },
  {
    name: "perf.metric f1 of 200",
    tests: "both",
    // Cells 0.35, 0.1, 0.15, 0.4: F1 = 0.7 / 0.95.
    draw: (random, seed) => {
      const cells = column(200, () => random.uniform());
      const scored = { positive: Uint8Array.from(cells, (u) => (u < 0.5 ? 1 : 0)), scores: cells.map((u) => (u < 0.35 || (u >= 0.5 && u < 0.6) ? 1 : 0)) };
      return decideMetric(measureMetric(scored, { metric: "f1", seed, alpha }), limit(">=", 0.7 / 0.95));
    },
  },
];

const champions: readonly Gate[] = [
  {
    name: "perf.noninferior accuracy of 1000",
    tests: "both",
    draw: (random) => {
      const cell = column(1000, () => random.uniform());
      // The champion alone is right on 6 %, the challenger alone on 5 %: a loss of 0.01.
      const right = (from: number) => Uint8Array.from(cell, (u) => (u < 0.85 || (u >= from && u < from + (from === 0.85 ? 0.06 : 0.05)) ? 1 : 0));
      return decideNoninferior(measurePairedRate(right(0.85), right(0.91), { metric: "accuracy" }), limit("<=", 0.01));
    },
  },
  {
    name: "perf.noninferior auc of 100 and 200",
    tests: "both",
    draw: (random) => {
      const { positive, scores } = binormal(random, 0.85, { positives: 100, negatives: 200 });
      const other = scores.map((score, row) => 0.7 * (score - (positive[row] === 1 ? shiftOf(0.85) : 0)) + Math.sqrt(0.51) * random.normal() + (positive[row] === 1 ? shiftOf(0.84) : 0));
      return decideNoninferior(measurePairedAuc(positive, { champion: scores, challenger: other }), limit("<=", 0.01));
    },
  },
  {
    name: "perf.noninferior mae of 120",
    tests: "both",
    draw: (random, seed) => {
      const champion = column(120, () => Math.abs(random.normal()));
      const challenger = champion.map((loss) => loss + 0.01 + 0.3 * (random.uniform() - 0.5));
      return decideNoninferior(measurePairedMean(champion, challenger, { metric: "mae", seed, alpha }), limit("<=", 0.01));
    },
  },
];

const slices: readonly Gate[] = [
  {
    name: "perf.slices, one of three on the floor",
    tests: "pass",
    draw: (random, seed) => slicedAt(random, { seed, accuracy: [0.8, 0.99, 0.99] }),
  },
  {
    name: "perf.slices, all three on the floor",
    tests: "fail",
    draw: (random, seed) => slicedAt(random, { seed, accuracy: [0.8, 0.8, 0.8] }),
  },
];

function slicedAt(random: Random, { seed, accuracy }: { readonly seed: string; readonly accuracy: readonly number[] }) {
  const codes = Int32Array.from({ length: 600 }, (_, row) => row % 3);
  const right = Uint8Array.from(codes, (code) => coin(random, accuracy[code] ?? 0));
  const columns = [{ name: "c", values: ["a", "b", "c"], codes }];
  return decideSlices(measureSlices({ right, columns }, { seed, declared: ["a", "b", "c"].map((value) => [{ column: "c", value }]) }), limit(">=", 0.8));
}

/** Probabilities kept off the ends so that the truth can lie beside them. */
function miscalibrated(random: Random, n: number, shift: (p: number) => number) {
  const scores = column(n, () => 0.15 + 0.7 * random.uniform());
  return { scores, positive: Uint8Array.from(scores, (p) => coin(random, p + shift(p))) };
}

const calibration: readonly Gate[] = [
  ...([1500, 600] as const).map((n): Gate => ({ name: `calib.ece 0.05 everywhere, ${n} rows`, tests: "both", draw: (random) => decideCalibration(measureCalibration(miscalibrated(random, n, () => 0.05)), limit("<=", 0.05)) })),
  { name: "calib.ece 0.1 on one half, 1500 rows", tests: "both", draw: (random) => decideCalibration(measureCalibration(miscalibrated(random, 1500, (p) => (p < 0.5 ? 0.1 : 0))), limit("<=", 0.05)) },
  { name: "calib.ece slope, 1500 rows", tests: "both", draw: (random) => decideCalibration(measureCalibration(miscalibrated(random, 1500, (p) => (0.05 / 0.175) * (p - 0.5))), limit("<=", 0.05)) },
  { name: "calib.ece 0.15 on a tenth, 3000 rows", tests: "both", draw: (random) => decideCalibration(measureCalibration(miscalibrated(random, 3000, (p) => (p < 0.22 ? 0.15 : 0))), limit("<=", 0.015)) },
];

export const performanceGates: readonly Gate[] = [...rates, ...means, ...champions, ...slices, ...calibration];
