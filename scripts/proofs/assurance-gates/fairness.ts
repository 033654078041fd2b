import { decideCounterfactual, measureCounterfactual } from "../../../packages/assurance/src/fairness/counterfactual.ts";
import { decideMeanParity, measureCalibrationParity, measureRegressionParity } from "../../../packages/assurance/src/fairness/mean-parity.ts";
import { decideParity, type ParityCheck } from "../../../packages/assurance/src/fairness/parity.ts";
import type { Random } from "../../../packages/assurance/src/stats/random.ts";
import { binomial, coin, column, countedGate, type Gate, limit } from "./gate.ts";

interface World {
  readonly check: ParityCheck;
  /** Selection rate by group. */
  readonly rates: readonly number[];
  readonly each: number;
  /** Rows of the groups where they differ. */
  readonly sizes?: readonly number[];
}

/** Every row is truly positive; for both error rates half of the rows are. */
export function parity(name: string, tests: Gate["tests"], { world, value }: { readonly world: World; readonly value: number }): Gate {
  const { check, rates, each, sizes } = world;
  const groups = rates.map((rate, index) => {
    const n = sizes?.[index] ?? each;
    return { name: `g${index}`, rate, n, positives: check === "fair.odds" ? n / 2 : n };
  });
  const rows = groups.reduce((sum, { n }) => sum + n, 0);
  const draw = (random: Random) => groups.flatMap(({ rate, n, positives }) => [positives, n - positives].map((count) => (rate === 1 ? count : binomial(random, count, rate))));
  return countedGate({ name: `${check} ${name}`, tests }, draw, (counts) => {
    const found = groups.map(({ name: group, n, positives }, index) => {
      const [tp = 0, fp = 0] = counts.slice(2 * index);
      return { name: group, n, positives, selected: tp + fp, tp };
    });
    const selected = found.reduce((sum, group) => sum + group.selected, 0);
    return decideParity({ check, attempted: rows, assessed: rows, degenerate: selected === 0 || selected === rows ? "constant_predictions" : null, groups: found, leftOut: [], notes: [] }, limit(check === "fair.fourfifths" ? ">=" : "<=", value));
  });
}

const differences: readonly Gate[] = [
  parity("0.3 and 0.4 of 300", "both", { world: { check: "fair.parity", rates: [0.3, 0.4], each: 300 }, value: 0.1 }),
  parity("0.05 and 0.15 of 100", "both", { world: { check: "fair.parity", rates: [0.05, 0.15], each: 100 }, value: 0.1 }),
  parity("four groups, the outer two 0.1 apart", "pass", { world: { check: "fair.parity", rates: [0.3, 0.35, 0.35, 0.4], each: 400 }, value: 0.1 }),
  parity("four groups, two and two 0.1 apart", "fail", { world: { check: "fair.parity", rates: [0.3, 0.3, 0.4, 0.4], each: 400 }, value: 0.1 }),
  parity("six equal groups and no difference allowed", "fail", { world: { check: "fair.parity", rates: [0.3, 0.3, 0.3, 0.3, 0.3, 0.3], each: 50 }, value: 0 }),
  parity("0.3 and 0.31 of 100", "both", { world: { check: "fair.parity", rates: [0.3, 0.31], each: 100 }, value: 0.01 }),
  parity("0.7 and 0.8 of 250", "both", { world: { check: "fair.opportunity", rates: [0.7, 0.8], each: 250 }, value: 0.1 }),
  parity("0.2 and 0.3 in both classes", "both", { world: { check: "fair.odds", rates: [0.2, 0.3], each: 500 }, value: 0.1 }),
  // Everybody of one group, which is larger: Newcombe's bounds alone err 7 % of the time.
  parity("0.9 of 100 and all of 400", "both", { world: { check: "fair.opportunity", rates: [0.9, 1], each: 100, sizes: [100, 400] }, value: 0.1 }),
  parity("0.8 and 0.9 of 250", "both", { world: { check: "fair.accuracy", rates: [0.8, 0.9], each: 250 }, value: 0.1 }),
];

const ratios: readonly Gate[] = [
  parity("0.4 and 0.5 of 300", "both", { world: { check: "fair.fourfifths", rates: [0.4, 0.5], each: 300 }, value: 0.8 }),
  parity("0.08 and 0.1 of 400", "both", { world: { check: "fair.fourfifths", rates: [0.08, 0.1], each: 400 }, value: 0.8 }),
  parity("three groups, two against one", "fail", { world: { check: "fair.fourfifths", rates: [0.4, 0.4, 0.5], each: 300 }, value: 0.8 }),
];

const alternating = (n: number) => ({ names: ["a", "b"], codes: Int32Array.from({ length: n }, (_, row) => row % 2) });

const means: readonly Gate[] = [
  {
    name: "fair.calibration 0.05 of 200",
    tests: "both",
    draw: (random) => {
      const scores = column(400, () => 0.1 + 0.8 * random.uniform());
      const positive = Uint8Array.from(scores, (p, row) => coin(random, p + (row % 2 === 0 ? 0.025 : -0.025)));
      return decideMeanParity(measureCalibrationParity({ positive, scores, grouping: alternating(400) }), limit("<=", 0.05));
    },
  },
  {
    name: "fair.regression 0.1 of 200",
    tests: "both",
    draw: (random) => {
      const predicted = column(400, () => random.normal());
      const truth = predicted.map((value, row) => value + 0.5 * random.normal() + (row % 2 === 0 ? 0.1 : 0));
      // The limit is in the sample's own standard deviations of the truth: fixed here by rows far more spread than the errors.
      const centre = mean(truth);
      const spread = Math.sqrt(truth.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (truth.length - 1));
      return decideMeanParity(measureRegressionParity({ truth, predicted, grouping: alternating(400) }, "error"), limit("<=", 0.1 / spread));
    },
  },
];

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const flips: readonly Gate[] = [
  {
    name: "fair.counterfactual 0.05 of 300 rows with four alternatives",
    tests: "both",
    draw: (random) => {
      // Half of the rows that flip at all flip with every alternative: dependent answers.
      const kinds = Array.from({ length: 300 }, () => random.uniform());
      const rows = kinds.map((kind) => Float32Array.of(0, kind));
      const answer = (asked: readonly Float32Array[]) => asked.map((row) => ((row[0] ?? 0) === 0 ? 0 : Number((row[1] ?? 1) < 0.025 || coin(random, 0.025 / 0.975) === 1)));
      return decideCounterfactual(measureCounterfactual(answer, rows, { name: "sex", features: [{ index: 0, values: [1, 2, 3, 4] }] }), limit("<=", 0.05));
    },
  },
];

export const fairnessGates: readonly Gate[] = [...differences, ...ratios, ...means, ...flips];
