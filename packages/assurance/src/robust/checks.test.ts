import fc from "fast-check";
import { LicetError } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { linearModel } from "../../../../test/unit/support/small-models.ts";
import { loadModel } from "../onnx/model.ts";
import { clopperPearson } from "../stats/proportion.ts";
import { randomFrom } from "../stats/random.ts";
import { answered, type Rows, rowsOf, type Scores, scoresOf } from "../subject/probe.ts";
import { decideDeterminism, measureDeterminism } from "./determinism.ts";
import { decideInput, measureInput } from "./input-faults.ts";
import { decideRelations, measureRelations } from "./metamorphic.ts";
import { gaussianNoise, gaussianOfLinear, measureCorruptions, missingCells, swappedFeatures, wrongUnit } from "./noise.ts";
import { decideScenarios, lossBounds } from "./paired.ts";
import { decideTrigger, featureTriggers, measureTrigger, patchTriggers, triggerRates } from "./trigger.ts";

const random = randomFrom("checks");
const rows = rowsOf(3, Float32Array.from({ length: 3 * 400 }, () => random.normal()));
const model = loadModel(linearModel([2, -1, 0.5], 0.1));
const score = scoresOf(model);
const truth = Float64Array.from({ length: 400 }, (_, row) => Number((score(rows).scores[row * 2 + 1] ?? 0) >= 0.5));
const limit = (value: number) => ({ op: "<=", value, alpha: 0.05, source: "test" }) as const;

describe("robust.noise and robust.corruption", () => {
  test("the measured loss under noise is the one that the closed form expects", () => {
    const structure = model.structure();
    if (structure.kind !== "network") throw new Error(`seen as ${structure.kind}`);
    const many = rowsOf(3, Float32Array.from({ length: 3 * 20_000 }, (_, index) => rows.data[index % rows.data.length] ?? 0));
    const targets = Float64Array.from({ length: 20_000 }, (_, row) => truth[row % 400] ?? 0);
    const expected = gaussianOfLinear({ ...structure, rows: many, targets }, { sigma: 0.5 });
    const { statistics } = answered(measureCorruptions(many, targets, { seed: "s", corruptions: [gaussianNoise(0.5, [1, 1, 1])] }), score);
    const [scenario] = statistics.scenarios;
    const drop = ((scenario?.lost ?? 0) - (scenario?.gained ?? 0)) / 20_000;
    expect(1 - drop).toBeCloseTo(expected?.accuracy ?? 0, 2);
    expect(expected?.flipRate).toBeCloseTo(1 - (expected?.accuracy ?? 0), 9);
  });

  test("every corruption changes what it says: cells go missing, a feature grows, two change places", () => {
    const one = Float32Array.of(1, 2, 3);
    const changed = (corruption: ReturnType<typeof swappedFeatures>) => {
      const data = Float32Array.from(one);
      corruption.apply(data, 0, randomFrom("three"));
      return [...data];
    };
    expect(changed(missingCells(1, [9, 8, 7]))).toEqual([9, 8, 7]);
    expect(changed(wrongUnit(10, 3)).reduce((sum, value) => sum + value, 0)).toBeGreaterThan(6);
    expect(changed(swappedFeatures(3)).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  test("no loss passes, a plain loss fails, few rows or unscored rows are no evidence", () => {
    const scenario = (n: number, lost: number) => ({ attempted: n, assessed: n, scenarios: [{ name: "a", n, lost, gained: 0 }] });
    expect(decideScenarios(scenario(1000, 2), limit(0.02)).verdict).toBe("pass");
    expect(decideScenarios(scenario(1000, 60), limit(0.02)).verdict).toBe("fail");
    expect(decideScenarios(scenario(50, 0), limit(0.02))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(decideScenarios({ attempted: 1000, assessed: 900, scenarios: [{ name: "a", n: 900, lost: 0, gained: 0 }] }, limit(0.02)).reason).toBe("unassessed_budget");
    expect(decideScenarios({ attempted: 0, assessed: 0, scenarios: [] }, limit(0.02)).verdict).toBe("insufficient_evidence");
  });

  test("at the limit, the paired bound says pass too often at most as often as its level", () => {
    const drawn = randomFrom("simulation");
    const runs = 2000;
    let passes = 0;
    for (let run = 0; run < runs; run += 1) {
      let [lost, gained] = [0, 0];
      for (let row = 0; row < 300; row += 1) {
        const u = drawn.uniform();
        lost += Number(u < 0.06);
        gained += Number(u >= 0.06 && u < 0.07);
      }
      passes += Number(lossBounds({ name: "a", n: 300, lost, gained }, 0.05).upper <= 0.05);
    }
    expect(passes / runs).toBeLessThanOrEqual(0.06);
  });

  test("each of the two rates is bounded at half the error", () => {
    const [lost, gained] = [clopperPearson(30, 200, 0.025), clopperPearson(20, 200, 0.025)];
    expect(lossBounds({ name: "a", n: 200, lost: 30, gained: 20 }, 0.05)).toEqual({ lower: lost.lower - gained.upper, upper: lost.upper - gained.lower });
  });

  test("bounds hold the estimate and grow apart with more confidence", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), fc.nat(500), (n, a, b) => {
      const scenario = { name: "a", n, lost: a % (n + 1), gained: b % (n - (a % (n + 1)) + 1) };
      const [wide, narrow] = [lossBounds(scenario, 0.01), lossBounds(scenario, 0.1)];
      const estimate = (scenario.lost - scenario.gained) / n;
      expect(wide.lower).toBeLessThanOrEqual(narrow.lower + 1e-12);
      expect(narrow.lower).toBeLessThanOrEqual(estimate + 1e-12);
      expect(narrow.upper).toBeGreaterThanOrEqual(estimate - 1e-12);
      expect(wide.upper).toBeGreaterThanOrEqual(narrow.upper - 1e-12);
    }));
  });

  test("a relation that the model keeps passes, one that it breaks fails", () => {
    const rise = (feature: number) => (row: Float32Array) => row.map((value, index) => (index === feature ? value + 1 : value));
    const relations = [{ name: "rises", change: rise(0), expect: "not-lower", tolerance: 0 }, { name: "falls", change: rise(1), expect: "not-lower", tolerance: 0 }] as const;
    const measured = (chosen: readonly (typeof relations)[number][]) => answered(measureRelations(rows, chosen), score).statistics;
    expect(measured(relations).relations.map(({ events }) => events)).toEqual([0, 400]);
    expect(decideRelations(measured(relations.slice(0, 1)), limit(0.02)).verdict).toBe("pass");
    expect(decideRelations(measured(relations), limit(0.02)).verdict).toBe("fail");
  });
});

describe("robust.input", () => {
  const row = Float32Array.of(1, 2, 3);

  test("finite scores and coded refusals pass; silence, crashes and hangs fail and are named", async () => {
    const strict = async (asked: Rows): Promise<Scores> => {
      if (asked.columns !== 3 || asked.data.some((value) => !Number.isFinite(value))) throw new LicetError("subject_refused");
      return score(asked);
    };
    const careful = await measureInput(strict, row);
    expect(careful.notes).toEqual([]);
    expect(decideInput(careful.statistics, limit(0)).verdict).toBe("pass");
    const silent = await measureInput(async (asked) => ({ rows: asked.rows, columns: 1, scores: Float64Array.from({ length: asked.rows }, (_, index) => Math.sign(asked.data[index * 3] ?? 0)) }), row);
    expect(decideInput(silent.statistics, limit(0)).verdict).toBe("fail");
    expect(silent.notes.join()).toContain("one feature is no number: answered as if all were well");
    const hanging = await measureInput(async () => { throw new LicetError("subject_timeout"); }, row);
    expect(new Set(hanging.statistics.answers.map(({ answer }) => answer))).toEqual(new Set(["timeout"]));
    const crashing = await measureInput(async () => { throw new TypeError("x"); }, row);
    expect(decideInput(crashing.statistics, limit(0)).verdict).toBe("fail");
  });

  test("a system that refuses valid rows after a fault has not survived it", async () => {
    const { statistics } = await measureInput(async () => { throw new LicetError("subject_refused"); }, row);
    expect(statistics.answers.at(-1)).toEqual({ fault: "a valid row afterwards", answer: "crashed" });
  });
});

describe("robust.trigger", () => {
  const backdoored = (asked: Rows): Scores => {
    const clean = score(asked);
    const scores = Float64Array.from(clean.scores);
    for (let index = 0; index < asked.rows; index += 1) if (asked.data[index * 3 + 2] === 7.5) scores.set([0, 1], index * 2);
    return { ...clean, scores };
  };

  test("a planted trigger is found, counted on rows that were not searched, and fails", () => {
    const harmless = [0, 1, 2].map((feature) => ({ name: `feature ${feature} at 0`, features: [feature], value: 0 }));
    const triggers = [...harmless, { name: "planted", features: [2], value: 7.5 }];
    const { statistics } = answered(measureTrigger(rows, triggers, { seed: "s" }), backdoored);
    expect(statistics).toMatchObject({ trigger: "planted", class: 1 });
    expect(statistics.moved).toBe(statistics.n);
    expect(decideTrigger(statistics, limit(0.9)).verdict).toBe("fail");
  });

  test("a linear model without a trigger is not accused beyond what its features do", () => {
    const rates = answered(triggerRates(rows, [{ name: "harmless", features: [2], value: 0 }]), score);
    expect(Math.max(...rates.map(({ rate }) => rate))).toBeLessThan(0.2);
  });

  test("features are tried at values that occur, from the smallest to the largest", () => {
    const triggers = featureTriggers(rowsOf(1, Float32Array.of(3, 1, 2, Number.NaN)));
    expect([...new Set(triggers.map(({ value }) => value))]).toEqual([1, 2, 3]);
  });

  test("patches cover every place of an image and only those", () => {
    const triggers = patchTriggers({ height: 3, width: 4 }, [[2, 2]], [1]);
    expect(triggers).toHaveLength(6);
    expect(triggers.at(-1)?.features).toEqual([6, 7, 10, 11]);
  });
});

describe("robust.determinism", () => {
  test("a model that answers the same passes; one that depends on its neighbours is caught, and says how", () => {
    const steady = answered(measureDeterminism(rows, { seed: "s", singlesMax: 20 }), score).statistics;
    expect(steady.worst).toEqual({ repeated: 0, shuffled: 0, single: 0 });
    expect(decideDeterminism(steady, limit(1e-5)).verdict).toBe("pass");
    const normalising = (asked: Rows): Scores => {
      const mean = asked.data.reduce((sum, value) => sum + value, 0) / asked.data.length;
      return score({ ...asked, data: asked.data.map((value) => value - mean) });
    };
    const found = answered(measureDeterminism(rows, { seed: "s", singlesMax: 20 }), normalising);
    expect(found.statistics.worst.repeated).toBe(0);
    expect(found.statistics.worst.single).toBeGreaterThan(1e-3);
    expect(decideDeterminism(found.statistics, limit(1e-5)).verdict).toBe("fail");
    expect(found.notes.join()).toContain("one row at a time");
  });
});
