import { countCalibration, decideCalibration } from "../../../packages/assurance/src/performance/calibration-gate.ts";
import { decideMetric, measureMean, measureMetric } from "../../../packages/assurance/src/performance/metric.ts";
import { decideNoninferior, measurePairedAuc, measurePairedMean } from "../../../packages/assurance/src/performance/noninferior.ts";
import { decideSlices } from "../../../packages/assurance/src/performance/slices.ts";
import { normalQuantile } from "../../../packages/assurance/src/stats/normal.ts";
import type { Random } from "../../../packages/assurance/src/stats/random.ts";
import { alpha, binomial, coin, column, countedGate, flags, type Gate, limit } from "./gate.ts";

/** Two normal classes whose AUC is exactly this. */
const shiftOf = (auc: number) => Math.SQRT2 * normalQuantile(auc);

export function binormal(random: Random, auc: number, sizes: { readonly positives: number; readonly negatives: number }) {
  const n = sizes.positives + sizes.negatives;
  const positive = flags(n, (row) => (row < sizes.positives ? 1 : 0));
  return { positive, scores: column(n, (row) => random.normal() + (positive[row] === 1 ? shiftOf(auc) : 0)) };
}

/** Outcomes that follow their probabilities exactly. */
function calibrated(random: Random, n: number) {
  const scores = column(n, () => random.uniform());
  return { scores, positive: Uint8Array.from(scores, (p) => coin(random, p)) };
}

/** A rate of 400 rows as `perf.metric` records it. */
const accuracy = countedGate({ name: "perf.metric accuracy 0.9 of 400", tests: "both" }, (random) => [binomial(random, 400, 0.9)], ([events = 0]) =>
  decideMetric({ kind: "rate", metric: "accuracy", attempted: 400, assessed: 400, degenerate: null, events, n: 400 }, limit(">=", 0.9)),
);

const rates: readonly Gate[] = [
  accuracy,
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

/** Two models whose scores belong together, with AUCs that differ by exactly the margin. */
function rivals(name: string, { champion, challenger, ...sizes }: { readonly champion: number; readonly challenger: number; readonly positives: number; readonly negatives: number }): Gate {
  return {
    name: `perf.noninferior auc ${name}`,
    tests: "both",
    draw: (random) => {
      const { positive, scores } = binormal(random, champion, sizes);
      const other = scores.map((score, row) => 0.7 * (score - (positive[row] === 1 ? shiftOf(champion) : 0)) + Math.sqrt(0.51) * random.normal() + (positive[row] === 1 ? shiftOf(challenger) : 0));
      return decideNoninferior(measurePairedAuc(positive, { champion: scores, challenger: other }), limit("<=", champion - challenger));
    },
  };
}

/** How many rows only the one and only the other gets right. */
export function discordant(n: number, champion: number, challenger: number): Gate {
  return countedGate(
    { name: `perf.noninferior accuracy of ${n}, ${champion} and ${challenger} right alone`, tests: "both" },
    (random) => {
      const onlyChampion = binomial(random, n, champion);
      return [onlyChampion, challenger === 0 ? 0 : binomial(random, n - onlyChampion, challenger / (1 - champion))];
    },
    ([onlyChampion = 0, onlyChallenger = 0]) =>
      decideNoninferior({ kind: "paired-rate", metric: "accuracy", attempted: n, assessed: n, degenerate: null, notes: [], onlyChampion, onlyChallenger, n }, limit("<=", champion - challenger)),
  );
}

const champions: readonly Gate[] = [
  discordant(1000, 0.06, 0.05),
  // The challenger is right where the champion is not on no row at all: the score interval alone errs 8 % of the time.
  discordant(300, 0.02, 0),
  rivals("0.85 and 0.84 of 100 and 200", { champion: 0.85, challenger: 0.84, positives: 100, negatives: 200 }),
  // Good models with few rows of one class: DeLong's bounds alone are too narrow here.
  rivals("0.97 and 0.92 of 50 and 50", { champion: 0.97, challenger: 0.92, positives: 50, negatives: 50 }),
  rivals("0.95 and 0.93 of 30 and 300", { champion: 0.95, challenger: 0.93, positives: 30, negatives: 300 }),
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

const slices: readonly Gate[] = [sliced("one of three on the floor", "pass", [0.8, 0.99, 0.99]), sliced("all three on the floor", "fail", [0.8, 0.8, 0.8])];

function sliced(name: string, tests: Gate["tests"], right: readonly number[]): Gate {
  return countedGate({ name: `perf.slices, ${name}`, tests }, (random) => right.map((rate) => binomial(random, 200, rate)), (counts) => {
    const declared = counts.map((events, index) => ({ name: `c=${index}`, events, n: 200 }));
    return decideSlices({ attempted: 600, assessed: 600, degenerate: null, declared, discovered: [], notes: [] }, limit(">=", 0.8));
  });
}

/** Probabilities kept off the ends so that the truth can lie beside them. */
function miscalibrated(random: Random, n: number, shift: (p: number) => number) {
  const scores = column(n, () => 0.15 + 0.7 * random.uniform());
  return { scores, positive: Uint8Array.from(scores, (p) => coin(random, p + shift(p))) };
}

const calibration: readonly Gate[] = [
  ...([1500, 600] as const).map((n): Gate => ({ name: `calib.ece 0.05 everywhere, ${n} rows`, tests: "both", draw: (random) => decideCalibration(countCalibration(miscalibrated(random, n, () => 0.05)), limit("<=", 0.05)) })),
  { name: "calib.ece 0.1 on one half, 1500 rows", tests: "both", draw: (random) => decideCalibration(countCalibration(miscalibrated(random, 1500, (p) => (p < 0.5 ? 0.1 : 0))), limit("<=", 0.05)) },
  { name: "calib.ece slope, 1500 rows", tests: "both", draw: (random) => decideCalibration(countCalibration(miscalibrated(random, 1500, (p) => (0.05 / 0.175) * (p - 0.5))), limit("<=", 0.05)) },
  { name: "calib.ece 0.15 on a tenth, 3000 rows", tests: "both", draw: (random) => decideCalibration(countCalibration(miscalibrated(random, 3000, (p) => (p < 0.22 ? 0.15 : 0))), limit("<=", 0.015)) },
];

export const performanceGates: readonly Gate[] = [...rates, ...means, ...champions, ...slices, ...calibration];
