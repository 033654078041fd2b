import { expect, test } from "vitest";
import { decideMetric, measureMetric } from "../../packages/assurance/src/performance/metric.ts";
import { randomFrom } from "../../packages/assurance/src/stats/random.ts";
import { simulateSlice } from "../../scripts/proofs/assurance-gates.ts";
import { binomial, countedGate, flags, type Gate, limit } from "../../scripts/proofs/assurance-gates/gate.ts";
import { gates } from "../../scripts/proofs/assurance-gates/gates.ts";

/** Goes on so many times. */
function times(count: number): () => boolean {
  let asked = 0;
  return () => (asked += 1) < count;
}

test("no gate passes or fails far too often with the truth on its limit, and the same seed counts the same", () => {
  const quick = gates.filter(({ name }) => !/(?:f1|mae|brier|log loss) /u.test(name));
  const first = simulateSlice(quick, { seed: 3, goOn: () => false });
  expect(first.losses).toEqual([]);
  expect(first.figures["runs"]).toBe(10 * quick.length);
  expect(simulateSlice(quick.slice(0, 3), { seed: 3, goOn: () => false }).table).toEqual(first.table?.slice(0, 3));
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
      return { verdict: (outcome.estimate ?? 0) >= 0.5 ? "pass" : "fail" };
    },
  };
  expect(simulateSlice([point], { seed: 1, goOn: times(20) }).losses).toHaveLength(2);
});

test("counts of a binomial follow its distribution, and a counted gate decides each kind of counts once", () => {
  const random = randomFrom("binomial");
  const drawn = Array.from({ length: 4000 }, () => binomial(random, 20, 0.3));
  const share = (k: number) => drawn.filter((count) => count === k).length / drawn.length;
  expect(Math.abs(share(6) - 0.191_639)).toBeLessThan(0.02);
  expect(Math.abs(share(0) - 0.000_798)).toBeLessThan(0.003);
  expect([Math.min(...drawn) >= 0, Math.max(...drawn) <= 20]).toEqual([true, true]);
  let decided = 0;
  const gate = countedGate({ name: "counted", tests: "both" }, (from) => [binomial(from, 3, 0.5)], ([events = 0]) => {
    decided += 1;
    return { estimate: events, interval: null, verdict: events === 3 ? "pass" : "fail" };
  });
  const verdicts = Array.from({ length: 500 }, () => gate.draw(random, "").verdict);
  expect(decided).toBe(4);
  expect(Math.abs(verdicts.filter((verdict) => verdict === "pass").length / 500 - 0.125)).toBeLessThan(0.06);
});
