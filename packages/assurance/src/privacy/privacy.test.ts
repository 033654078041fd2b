import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../stats/random.ts";
import type { Limit } from "../verdict/outcome.ts";
import { decideAttribute, measureAttribute } from "./attribute.ts";
import { decideEpsilon, measureEpsilon, measureOneRun } from "./epsilon-audit.ts";
import { epsilonLowerBound, oneRunEpsilon, splitThreshold } from "./epsilon.ts";
import { decideExtraction, measureExtraction } from "./extraction.ts";
import { confidences, liraOffline, modifiedEntropies, rightAnswers, rmiaOffline, rowLosses } from "./membership-scores.ts";
import { decideMembership, measureMembership } from "./membership.ts";
import { nearestSurrogate, softmaxSurrogate } from "./surrogate.ts";

const at = (value: number, op: Limit["op"] = "<="): Limit => ({ op, value, alpha: 0.05, source: "test" });

function normals(seed: string, n: number, shift = 0): Float64Array {
  const random = randomFrom(seed);
  return Float64Array.from({ length: n }, () => random.normal() + shift);
}

describe("membership scores", () => {
  const scored = { truth: Uint32Array.of(0, 1, 1), classes: 2, scores: Float64Array.of(0.9, 0.1, 0.9, 0.1, 0.5, 0.5) };

  test("losses and modified entropies rise as the true class gets less probable; confidence does not know it", () => {
    const [sure, wrong, unsure] = [...rowLosses(scored)];
    expect([sure, wrong, unsure].map((loss) => loss?.toFixed(4))).toEqual(["0.1054", "2.3026", "0.6931"]);
    const entropies = modifiedEntropies(scored);
    expect(entropies[1]).toBeGreaterThan(entropies[2] ?? 0);
    expect(entropies[2]).toBeGreaterThan(entropies[0] ?? 0);
    expect([...confidences(scored)]).toEqual([0.9, 0.9, 0.5]);
    expect([...rightAnswers(scored)]).toEqual([1, 0, 0]);
    expect([...rowLosses({ ...scored, scores: Float64Array.of(0, 1, 1, 0, 0, 1) })].every((loss) => Number.isFinite(loss))).toBe(true);
  });

  test("reference attacks score a row that only the audited model knows above one that all know", () => {
    const rows = { target: Float64Array.of(0.95, 0.95), out: [Float64Array.of(0.2, 0.94), Float64Array.of(0.3, 0.96)] };
    const population = { target: Float64Array.of(0.5, 0.6, 0.7), out: [Float64Array.of(0.1, 0.1, 0.2), Float64Array.of(0.1, 0.2, 0.2)] };
    const rmia = rmiaOffline(rows, population, { a: 0.3, gamma: 1 });
    expect(rmia[0]).toBeGreaterThan(rmia[1] ?? 1);
    const { scores } = liraOffline(rows);
    expect(scores[0]).toBeGreaterThan(scores[1] ?? Infinity);
  });
});

describe("membership", () => {
  const decided = (shift: number, options: { figure: "auc" | "tpr"; n?: number; limit?: number }) =>
    decideMembership(measureMembership({ members: normals("in", options.n ?? 600, shift), nonmembers: normals("out", options.n ?? 600) }, { attack: "loss", figure: options.figure }), at(options.limit ?? 0.6));

  test("passes a model that tells nothing, fails one that tells much, and stays open with few rows", () => {
    expect(decided(0, { figure: "auc" }).verdict).toBe("pass");
    expect(decided(1, { figure: "auc" }).verdict).toBe("fail");
    const open = decided(0.5, { figure: "auc", n: 12 });
    expect(open.verdict).toBe("insufficient_evidence");
    expect(open.requiredN).toBeGreaterThan(24);
    expect(decided(0, { figure: "tpr", limit: 0.1 }).verdict).toBe("pass");
    expect(decided(4, { figure: "tpr", limit: 0.1 }).verdict).toBe("fail");
  });

  test("no members, one score for all, and exchanged files are never a pass", () => {
    const of = (members: Float64Array, nonmembers: Float64Array) => decideMembership(measureMembership({ members, nonmembers }, { attack: "loss", figure: "auc" }), at(0.6));
    expect(of(new Float64Array(), normals("out", 500)).reason).toBe("undefined_denominator");
    expect(of(new Float64Array(500), new Float64Array(500)).reason).toBe("degenerate");
    expect(of(normals("out", 500), normals("in", 500, 2)).reason).toBe("inconsistent_import");
    expect(of(normals("in", 100).map(() => Number.NaN), normals("out", 100)).verdict).toBe("insufficient_evidence");
  });

  test("the threshold comes from rows that are not counted", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 50 }), fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 2, maxLength: 50 }), (members, nonmembers) => {
        const counts = splitThreshold({ members: Float64Array.from(members), nonmembers: Float64Array.from(nonmembers) }, { kind: "fpr", share: 0.1 });
        expect(counts.members).toBe(members.length - (members.length >> 1));
        expect(counts.nonmembers).toBe(nonmembers.length - (nonmembers.length >> 1));
        expect(counts.tp).toBe(members.slice(members.length >> 1).filter((score) => score >= counts.threshold).length);
        const first = nonmembers.slice(0, nonmembers.length >> 1);
        expect(first).toContain(counts.threshold);
        expect(first.filter((score) => score > counts.threshold).length).toBeLessThan(Math.max(1, 0.1 * first.length));
      }),
    );
  });
});

describe("epsilon", () => {
  test("bounds grow with evidence and are 0 without", () => {
    const counts = (times: number) => ({ threshold: 0, tp: 30 * times, members: 50 * times, fp: 5 * times, nonmembers: 50 * times });
    expect(epsilonLowerBound(counts(1), 0.025)).toBeLessThan(epsilonLowerBound(counts(10), 0.025));
    expect(epsilonLowerBound(counts(10), 0.025)).toBeLessThan(Math.log(6));
    expect(epsilonLowerBound({ threshold: 0, tp: 5, members: 50, fp: 30, nonmembers: 50 }, 0.025)).toBe(0);
    expect(oneRunEpsilon({ guesses: 0, correct: 0 }, 0.05)).toBe(0);
    expect(oneRunEpsilon({ guesses: 50, correct: 50 }, 0.05)).toBeCloseTo(Math.log(0.05 ** (1 / 50) / (1 - 0.05 ** (1 / 50))), 9);
  });

  test("a claim that an attack refutes fails, one that it does not reach passes for this attack, and too few rows decide nothing", () => {
    const leaky = measureEpsilon({ members: normals("in", 2000, 2), nonmembers: normals("out", 2000) });
    expect(decideEpsilon(leaky, at(0.5)).verdict).toBe("fail");
    expect(decideEpsilon(leaky, at(20)).verdict).not.toBe("fail");
    const tight = measureEpsilon({ members: normals("in", 4000), nonmembers: normals("out", 4000) }, { kind: "fpr", share: 0.3 });
    expect(decideEpsilon(tight, at(1)).verdict).toBe("pass");
    expect(tight.notes[0]).toContain("a stronger attack may show more");
    expect(decideEpsilon(measureEpsilon({ members: new Float64Array(), nonmembers: new Float64Array() }), at(1)).verdict).toBe("insufficient_evidence");
  });

  test("an audit of one run counts only guesses", () => {
    const included = Uint8Array.from({ length: 400 }, (_, canary) => canary % 2);
    const guesses = included.map((bit, canary) => (canary < 100 ? 255 : bit));
    const statistics = measureOneRun(included, guesses);
    expect(statistics).toMatchObject({ guesses: 300, correct: 300 });
    expect(decideEpsilon(statistics, at(1)).verdict).toBe("fail");
    expect(decideEpsilon(measureOneRun(included, new Uint8Array(400).fill(255)), at(1)).reason).toBe("undefined_denominator");
  });
});

describe("attribute inference", () => {
  const random = randomFrom("attribute");
  const rows = Array.from({ length: 600 }, () => Float32Array.of(random.uniform() < 0.4 ? 1 : 0, random.uniform()));
  const truth = Uint32Array.from(rows, (row) => (random.uniform() < 0.9 ? (row[0] ?? 0) : 1 - (row[0] ?? 0)));
  const target = { feature: 0, values: [0, 1], truth };
  const subject = (follows: number) => (asked: readonly Float32Array[]) => ({
    classes: 2,
    scores: Float64Array.from(asked.flatMap((row) => {
      const p = 0.5 + follows * ((row[0] ?? 0) - 0.5);
      return [1 - p, p];
    })),
  });

  test("a model that ignores the attribute tells no more than its commonest value; one that follows it does", () => {
    const blind = measureAttribute(subject(0), rows, target);
    expect(blind).toMatchObject({ onlyAttack: 0, onlyBase: 0 });
    expect(decideAttribute(blind, at(0.05)).verdict).toBe("pass");
    const telling = measureAttribute(subject(0.9), rows, target);
    expect(telling.onlyAttack).toBeGreaterThan(telling.onlyBase);
    expect(decideAttribute(telling, at(0.05)).verdict).toBe("fail");
  });

  test("an attribute with one value, a model without answers, and no rows are never a pass", () => {
    const same = rows.map((row) => row.with(0, 1));
    expect(decideAttribute(measureAttribute(subject(0), same, target), at(0.05)).reason).toBe("degenerate");
    expect(decideAttribute(measureAttribute((asked) => ({ classes: 2, scores: new Float64Array(2 * asked.length).fill(Number.NaN) }), rows, target), at(0.05)).verdict).toBe("insufficient_evidence");
    expect(decideAttribute(measureAttribute(subject(0), [], { ...target, truth: new Uint32Array() }), at(0.05)).verdict).toBe("insufficient_evidence");
    expect(() => measureAttribute(subject(0), rows, { ...target, values: [1] })).toThrow("2 to 1000 values");
  });
});

describe("extraction", () => {
  const points = (seed: string, n: number) => {
    const random = randomFrom(seed);
    return Array.from({ length: n }, () => Float32Array.of(random.normal(), 10 * random.normal(), random.normal()));
  };
  const linear = (asked: readonly Float32Array[]) => ({ classes: 2, scores: Float64Array.from(asked.flatMap((row) => {
    const z = 2 * (row[0] ?? 0) - 0.2 * (row[1] ?? 0);
    return [-z, z];
  })) });
  const ring = (asked: readonly Float32Array[]) => ({ classes: 2, scores: Float64Array.from(asked.flatMap((row) => {
    const inside = (row[0] ?? 0) ** 2 + (row[2] ?? 0) ** 2 < 1;
    return inside ? [0, 1] : [1, 0];
  })) });

  test("a linear model is copied from a few hundred answers by a line, a ring by its neighbours", () => {
    const copied = measureExtraction(linear, { queries: points("q", 300), holdout: points("h", 300) });
    expect(copied.surrogate).toBe("softmax");
    expect(copied.events / copied.n).toBeGreaterThan(0.95);
    expect(decideExtraction(copied, at(0.8)).verdict).toBe("fail");
    const curved = measureExtraction(ring, { queries: points("q", 400), holdout: points("h", 300) });
    expect(curved.surrogate).toBe("nearest");
    expect(curved.events).toBeGreaterThan(curved.commonest);
    expect(decideExtraction(curved, at(0.99)).verdict).toBe("pass");
  });

  test("nothing to learn from, nothing to compare with, and one answer for all decide nothing", () => {
    expect(decideExtraction(measureExtraction(linear, { queries: [], holdout: points("h", 100) }), at(1)).verdict).toBe("insufficient_evidence");
    expect(decideExtraction(measureExtraction(linear, { queries: points("q", 100), holdout: [] }), at(1)).verdict).toBe("insufficient_evidence");
    const constant = (asked: readonly Float32Array[]) => ({ classes: 2, scores: Float64Array.from(asked.flatMap(() => [0, 1])) });
    expect(decideExtraction(measureExtraction(constant, { queries: points("q", 100), holdout: points("h", 100) }), at(1)).reason).toBe("degenerate");
    expect(softmaxSurrogate([])(Float32Array.of(1))).toBe(-1);
    expect(nearestSurrogate([])(Float32Array.of(1))).toBe(-1);
  });
});
