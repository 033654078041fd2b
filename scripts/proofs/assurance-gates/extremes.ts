import { decideMissingDrift } from "../../../packages/assurance/src/drift/missing.ts";
import { decideLabelShift } from "../../../packages/assurance/src/drift/label-shift.ts";
import { decideAttempts } from "../../../packages/assurance/src/llm/decide-attempts.ts";
import { decideJudged } from "../../../packages/assurance/src/llm/decide-judged.ts";
import { histogram } from "../../../packages/assurance/src/llm/statistics.ts";
import { decideLatency, measureLatency } from "../../../packages/assurance/src/ops/latency.ts";
import { decideCounterfactual, measureCounterfactual } from "../../../packages/assurance/src/fairness/counterfactual.ts";
import { decideMeanParity, measureRegressionParity, measureCalibrationParity } from "../../../packages/assurance/src/fairness/mean-parity.ts";
import { countCalibration, decideCalibration } from "../../../packages/assurance/src/performance/calibration-gate.ts";
import { decideMetric, measureMean, measureMetric } from "../../../packages/assurance/src/performance/metric.ts";
import { decideNoninferior, measurePairedAuc, measurePairedMean } from "../../../packages/assurance/src/performance/noninferior.ts";
import { decideSlices } from "../../../packages/assurance/src/performance/slices.ts";
import { decideMembership, measureMembership } from "../../../packages/assurance/src/privacy/membership.ts";
import { decideAttribute } from "../../../packages/assurance/src/privacy/attribute.ts";
import { normalQuantile } from "../../../packages/assurance/src/stats/normal.ts";
import type { Random } from "../../../packages/assurance/src/stats/random.ts";
import { parity } from "./fairness.ts";
import { attempts } from "./others.ts";
import { binormal, discordant } from "./performance.ts";
import { alpha, binomial, coin, column, countedGate, type Gate, limit } from "./gate.ts";

/** Squared errors and the like of few rows. */
function errors(name: string, n: number, { draw, truth }: { readonly draw: (random: Random) => number; readonly truth: number }): Gate {
  return { name: `perf.error ${name} of ${n}`, tests: "both", draw: (random, seed) => decideMetric(measureMean(column(n, () => draw(random)), { metric: "mae", seed, alpha }), limit("<=", truth)) };
}

const squared = { draw: (random: Random) => random.normal() ** 2, truth: 1 };
const exponential = { draw: (random: Random) => -Math.log(1 - random.uniform()), truth: 1 };

/** A model that is nearly always nearly sure: probabilities this far from 0 and 1. */
function confident(metric: "brier" | "log_loss", n: number, { from, to }: { readonly from: number; readonly to: number }): Gate {
  const steps = 100_000;
  const expected = (p: number) => (metric === "brier" ? p * (1 - p) : -p * Math.log(p) - (1 - p) * Math.log(1 - p));
  let truth = 0;
  for (let step = 0; step < steps; step += 1) truth += expected(from + ((to - from) * (step + 0.5)) / steps) / steps;
  return {
    name: `perf.loss ${metric} of ${n}, sure to ${from} to ${to}`,
    tests: "both",
    draw: (random, seed) => {
      const scores = column(n, () => (random.uniform() < 0.5 ? 0 : 1)).map((side) => Math.abs(side - (from + (to - from) * random.uniform())));
      return decideMetric(measureMetric({ scores, positive: Uint8Array.from(scores, (p) => coin(random, p)) }, { metric, seed, alpha }), limit("<=", truth));
    },
  };
}

function fewPositives(auc: number, positives: number, negatives: number): Gate {
  return { name: `perf.metric auc ${auc} of ${positives} and ${negatives}`, tests: "both", draw: (random, seed) => decideMetric(measureMetric(binormal(random, auc, { positives, negatives }), { metric: "auc", seed, alpha }), limit(">=", auc)) };
}

/** Scores of three values only, with an AUC of 0.3 * 0.6 + 0.6 * 0.9 + (0.06 + 0.09 + 0.06) / 2. */
function coarse(random: Random, { positives, negatives }: { readonly positives: number; readonly negatives: number }) {
  const positive = Uint8Array.from({ length: positives + negatives }, (_, row) => (row < positives ? 1 : 0));
  const score = () => {
    const u = random.uniform();
    if (u < 0.6) return 0;
    return u < 0.9 ? 0.5 : 1;
  };
  return { positive, columns: (count: number) => Array.from({ length: count }, () => Float64Array.from(positive, (label) => (label === 1 ? 1 - score() : score()))) };
}

const tied: readonly Gate[] = [
  {
    name: "perf.metric auc with three scores of 30 and 90",
    tests: "both",
    draw: (random, seed) => {
      const { positive, columns } = coarse(random, { positives: 30, negatives: 90 });
      const [scores = new Float64Array()] = columns(1);
      return decideMetric(measureMetric({ positive, scores }, { metric: "auc", seed, alpha }), limit(">=", 0.825));
    },
  },
  {
    name: "perf.noninferior auc with three scores of 40 and 90",
    tests: "both",
    draw: (random) => {
      const { positive, columns } = coarse(random, { positives: 40, negatives: 90 });
      const [champion = new Float64Array(), challenger = new Float64Array()] = columns(2);
      return decideNoninferior(measurePairedAuc(positive, { champion, challenger }), limit("<=", 0));
    },
  },
];

const performances: readonly Gate[] = [
  errors("squared", 30, squared), errors("squared", 60, squared), errors("exponential", 30, exponential), 
  confident("brier", 30, { from: 0.01, to: 0.03 }), confident("brier", 60, { from: 0.02, to: 0.18 }), confident("log_loss", 60, { from: 0.01, to: 0.03 }),
  fewPositives(0.9, 10, 200), fewPositives(0.98, 15, 300), fewPositives(0.7, 8, 100), ...tied,
  discordant(100, 0.03, 0.02), discordant(200, 0.03, 0.01), discordant(40, 0.1, 0.05),
  ...(["log_loss", "brier"] as const).map((metric): Gate => ({
    name: `perf.noninferior ${metric} of 60`,
    tests: "both",
    draw: (random, seed) => {
      // The challenger's probabilities are the champion's with 0.05 less for what happened, where there is room.
      const p = column(60, () => 0.3 + 0.4 * random.uniform());
      const happened = Uint8Array.from(p, (each) => coin(random, each));
      const loss = (each: number, row: number) => (metric === "brier" ? (each - (happened[row] ?? 0)) ** 2 : -Math.log(happened[row] === 1 ? each : 1 - each));
      const [champion, challenger] = [p.map(loss), p.map((each, row) => loss(each + (random.uniform() < 0.5 ? 0.1 : -0.1), row))];
      let truth = 0;
      for (let step = 0; step < 10_000; step += 1) {
        const q = 0.3 + (0.4 * (step + 0.5)) / 10_000;
        const expected = (each: number) => (metric === "brier" ? q * (1 - each) ** 2 + (1 - q) * each ** 2 : -q * Math.log(each) - (1 - q) * Math.log(1 - each));
        truth += ((expected(q + 0.1) + expected(q - 0.1)) / 2 - expected(q)) / 10_000;
      }
      return decideNoninferior(measurePairedMean(champion, challenger, { metric, seed, alpha }), limit("<=", truth));
    },
  })),
  ...([["one of eight on the floor", "pass", [0.8, ...Array<number>(7).fill(0.99)]], ["all of twelve on the floor", "fail", Array<number>(12).fill(0.8)]] as const).map(([name, tests, right]) =>
    countedGate({ name: `perf.slices of 30 rows, ${name}`, tests }, (random) => right.map((rate) => binomial(random, 30, rate)), (counts) =>
      decideSlices({ attempted: 30 * right.length, assessed: 30 * right.length, degenerate: null, declared: counts.map((events, index) => ({ name: `c=${index}`, events, n: 30 })), discovered: [], notes: [] }, limit(">=", 0.8)))),
  ...([[1500, 0.02, 0.06, 0.015], [600, 0.9, 0.97, 0.02]] as const).map(([n, from, to, shift]): Gate => ({
    name: `calib.ece ${shift} everywhere, ${n} rows, rates ${from} to ${to}`, tests: "both",
    draw: (random) => { const scores = column(n, () => from + (to - from) * random.uniform()); return decideCalibration(countCalibration({ scores, positive: Uint8Array.from(scores, (p) => coin(random, p + shift)) }), limit("<=", shift)); },
  })),
];

const fairnesses: readonly Gate[] = [
  parity("0.01 of 30 and 0.21 of 300", "both", { world: { check: "fair.parity", rates: [0.01, 0.21], each: 30, sizes: [30, 300] }, value: 0.2 }),
  parity("0.02 of 30 and 0.22 of 1000", "both", { world: { check: "fair.parity", rates: [0.02, 0.22], each: 30, sizes: [30, 1000] }, value: 0.2 }),
  parity("0.02 of 30 and 0.01 of 1000", "both", { world: { check: "fair.parity", rates: [0.02, 0.01], each: 30, sizes: [30, 1000] }, value: 0.01 }),
  parity("0.5 and 0.51 of 100", "both", { world: { check: "fair.accuracy", rates: [0.5, 0.51], each: 100 }, value: 0.01 }),
  ...([[0.02, 0.025, 400, 400], [0.4, 0.5, 40, 600], [0.5, 0.4, 40, 600], [0.08, 0.1, 60, 600], [0.1, 0.08, 60, 600], [0.76, 0.95, 60, 300], [0.1, 0.08, 30, 1000]] as const).map(([a, b, n, m]) => parity(`${a} of ${n} and ${b} of ${m}`, "both", { world: { check: "fair.fourfifths", rates: [a, b], each: n, sizes: [n, m] }, value: 0.8 })),
  ...([[400, 40, 0.1], [30, 300, 0.2]] as const).map(([n, m, shift]): Gate => ({
    name: `fair.regression absolute error ${shift} of ${n} and ${m}`, tests: "both",
    draw: (random) => {
      const grouping = { names: ["a", "b"], codes: Int32Array.from({ length: n + m }, (_, row) => (row < n ? 0 : 1)) };
      const truth = column(n + m, () => 10 * random.normal());
      const centre = truth.reduce((sum, value) => sum + value, 0) / (n + m);
      const spread = Math.sqrt(truth.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (n + m - 1));
      const predicted = truth.map((value, row) => value - exponential.draw(random) * (row < n ? 1 + shift : 1));
      return decideMeanParity(measureRegressionParity({ truth, predicted, grouping }, "absolute_error"), limit("<=", shift / spread));
    },
  })),
  ...([[30, 300, 0.01, 0.1]] as const).map(([n, m, p, shift]): Gate => ({
    name: `fair.calibration ${shift} of ${n} and ${m}, scores near ${p}`, tests: "both",
    draw: (random) => {
      const grouping = { names: ["a", "b"], codes: Int32Array.from({ length: n + m }, (_, row) => (row < n ? 0 : 1)) };
      const scores = column(n + m, () => p * (0.5 + random.uniform()));
      return decideMeanParity(measureCalibrationParity({ positive: Uint8Array.from(scores, (each, row) => coin(random, each + (row < n ? shift : 0))), scores, grouping }), limit("<=", shift));
    },
  })),
  {
    name: "fair.counterfactual 0.05 of 60 rows with ten alternatives, most flips of rows that always flip", tests: "both",
    draw: (random) => {
      const rows = Array.from({ length: 60 }, () => Float32Array.of(0, random.uniform()));
      const answer = (asked: readonly Float32Array[]) => asked.map((row) => ((row[0] ?? 0) === 0 ? 0 : Number((row[1] ?? 1) < 0.04 || coin(random, 0.01 / 0.96) === 1)));
      return decideCounterfactual(measureCounterfactual(answer, rows, { name: "sex", features: [{ index: 0, values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] }] }), limit("<=", 0.05));
    },
  },
];

const others: readonly Gate[] = [
  ...([[0.22, 0.02, 1000, 30], [0.1, 0.15, 2000, 60]] as const).map(([before, now, n, m]) =>
    countedGate({ name: `drift.missing ${before} of ${n} and ${now} of ${m}`, tests: "both" }, (random) => [binomial(random, n, before), binomial(random, m, now)], ([first = 0, second = 0]) =>
      decideMissingDrift({ columns: [{ name: "c", reference: { events: first, n }, current: { events: second, n: m } }] }, limit("<=", Math.abs(now - before))))),
  ...([[60, 60, 0.1], [600, 60, 0.05], [100, 1000, 0.05]] as const).map(([n, m, share]) =>
    countedGate({ name: `drift.label 0.1 of ${n} and ${m}, rare class ${share}`, tests: "both" }, (random) => {
      const [before, now] = [binomial(random, n, share), binomial(random, m, share + 0.1)];
      const right = { second: binomial(random, before, 0.8), first: binomial(random, n - before, 0.9) };
      return [right.first, before - right.second, n - before - right.first, right.second, binomial(random, now, 0.8) + binomial(random, m - now, 0.1)];
    }, ([a = 0, b = 0, c = 0, d = 0, answered = 0]) => decideLabelShift({ confusion: [[a, b], [c, d]], answers: [m - answered, answered] }, limit("<=", 0.1)))),
  {
    name: "llm attempts, 60 prompts, ten often tried and 50 once, always or never", tests: "both",
    draw: (random) => decideAttempts(attempts("fixed", histogram(Array.from({ length: 60 }, (_, index) => ({ n: index < 10 ? 20 : 1, events: random.uniform() < 0.1 ? (index < 10 ? 20 : 1) : 0 })))), limit("<=", 0.1)),
  },
  {
    name: "llm attempts, ten prompts often tried that succeed, 50 tried once that do not", tests: "both",
    draw: (random) => decideAttempts(attempts("fixed", histogram(Array.from({ length: 60 }, () => (random.uniform() < 1 / 6 ? { n: 20, events: binomial(random, 20, 0.6) } : { n: 1, events: 0 })))), limit("<=", 0.1)),
  },
  ...([[100, 0.05, 50, 100], [60, 0.05, 20, 20], [200, 0.02, 30, 200], [40, 0.3, 30, 30]] as const).map(([n, rate, positives, negatives]) =>
    countedGate({ name: `llm judged ${rate} of ${n}, judge on ${positives} and ${negatives}`, tests: "both" }, (random) => [binomial(random, n, rate * 0.9 + (1 - rate) * 0.05), binomial(random, positives, 0.9), binomial(random, negatives, 0.95)], ([flagged = 0, tp = 0, tn = 0]) =>
      decideJudged({ kind: "judged", attempts: attempts("fixed", [{ events: 0, n: 1, count: n - flagged }, { events: 1, n: 1, count: flagged }].filter(({ count }) => count > 0)), judge: { truePositives: tp, falseNegatives: positives - tp, trueNegatives: tn, falsePositives: negatives - tn, failed: 0 } }, limit("<=", rate)))),
  ...([0, 1] as const).map((digits): Gate => ({
    name: `ops.latency p95 of 300${digits === 0 ? " in whole seconds" : ""}`, tests: "both",
    draw: (random) => { const at = -Math.log(0.05); const calls = column(300, () => -Math.log(1 - random.uniform())); return decideLatency(measureLatency(digits === 0 ? calls.map((v) => (v <= at ? Math.min(at, Math.ceil(v)) : 4)) : calls, { quantile: 0.95 }).statistics, limit("<=", at)); },
  })),
  { name: "privacy.membership auc 0.6 of 30 and 30", tests: "both", draw: (random) => decideMembership(measureMembership({ members: column(30, () => random.normal() + Math.SQRT2 * normalQuantile(0.6)), nonmembers: column(30, () => random.normal()) }, { attack: "loss", figure: "auc" }), limit("<=", 0.6)) },
  countedGate({ name: "privacy.attribute 0.02 of 100", tests: "both" }, (random) => { const first = binomial(random, 100, 0.03); return [first, binomial(random, 100 - first, 0.01 / 0.97)]; }, ([onlyAttack = 0, onlyBase = 0]) =>
    decideAttribute({ attempted: 100, assessed: 100, degenerate: null, n: 100, onlyAttack, onlyBase, bothRight: 50, notes: [] }, limit("<=", 0.02))),
];

export const extremeGates: readonly Gate[] = [...performances, ...fairnesses, ...others];
