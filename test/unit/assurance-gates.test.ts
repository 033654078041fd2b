import { expect, test } from "vitest";
import { decideMetric, measureMetric } from "../../packages/assurance/src/performance/metric.ts";
import { gates, simulate } from "../../scripts/proofs/assurance-gates.ts";
import { flags, type Gate, limit } from "../../scripts/proofs/assurance-gates/gate.ts";

/** So few rounds only show a gate that is far off; `npm run proof -- assurance-gates --rounds 20000` shows the rest. */
const rounds = 12;

test("no gate passes or fails far too often with the truth on its limit, and the same seed counts the same", () => {
  const quick = gates.filter(({ name }) => !/(?:f1|mae|brier|log loss) /u.test(name));
  const first = simulate(quick, { seed: 3, rounds, goOn: () => false });
  expect(first.losses).toEqual([]);
  expect(first.figures["runs"]).toBe(rounds * quick.length);
  expect(simulate(quick.slice(0, 3), { seed: 3, rounds, goOn: () => false }).table).toEqual(first.table?.slice(0, 3));
}, 60_000);

test("gates have names of their own", () => {
  expect(new Set(gates.map(({ name }) => name)).size).toBe(gates.length);
});

test("a gate that judges by its point estimate is told apart", () => {
  const point: Gate = {
    name: "by the point",
    tests: "both",
    draw: (random, seed) => {
      const right = flags(50, () => (random.uniform() < 0.5 ? 1 : 0));
      const statistics = measureMetric({ positive: flags(50, (row) => row % 2), scores: Float64Array.from(right, (hit, row) => (hit === 1 ? row % 2 : 1 - (row % 2))) }, { metric: "accuracy", seed, alpha: 0.05 });
      const outcome = decideMetric(statistics, limit(">=", 0.5));
      return { ...outcome, verdict: (outcome.estimate ?? 0) >= 0.5 ? "pass" : "fail" };
    },
  };
  expect(simulate([point], { seed: 1, rounds: 200, goOn: () => false }).losses).toHaveLength(2);
});
