import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clopperPearson } from "../stats/proportion.ts";
import { randomFrom } from "../stats/random.ts";
import { decideAttempts } from "./decide-attempts.ts";
import { decideJudged } from "./decide-judged.ts";
import { type AttemptStatistics, histogram } from "./statistics.ts";

const below = (value: number) => ({ op: "<=", value, alpha: 0.05, source: "test" }) as const;
const above = (value: number) => ({ op: ">=", value, alpha: 0.05, source: "test" }) as const;

function counts(events: number, n: number, more: Partial<AttemptStatistics> = {}): AttemptStatistics {
  const clusters = [
    { events: 0, n: 1, count: n - events },
    { events: 1, n: 1, count: events },
  ].filter(({ count }) => count > 0);
  return { kind: "attempts", design: "fixed", complete: true, attempted: n + (more.unassessed ?? 0), unassessed: 0, reasons: {}, clusters, ...more };
}

describe("the verdict on a rate of attempts", () => {
  test.each([
    [0, 59, 0.05, "pass"],
    [0, 58, 0.05, "insufficient_evidence"],
    [0, 30, 0.05, "insufficient_evidence"],
    [100, 100, 0.05, "fail"],
    [25, 100, 0.05, "fail"],
    [5, 100, 0.05, "insufficient_evidence"],
  ] as const)("%i of %i at most %d is %s", (events, n, limit, verdict) => {
    expect(decideAttempts(counts(events, n), below(limit)).verdict).toBe(verdict);
  });

  test("nothing attempted, nothing answered, and totals that do not add up are never a pass", () => {
    for (const statistics of [
      counts(0, 0),
      counts(0, 0, { attempted: 100, unassessed: 100, clusters: [] }),
      counts(0, 100, { attempted: 200 }),
      counts(0, 100, { clusters: [{ events: 0, n: -1, count: -100 }] }),
      counts(0, 100, { clusters: [{ events: 0, n: 1, count: 1e12 }], attempted: 1e12 }),
      counts(0, 100, { clusters: [{ events: Number.NaN, n: 1, count: 100 }] }),
    ]) {
      for (const limit of [below(1), below(0.05), above(0)]) expect(decideAttempts(statistics, limit)).toMatchObject({ verdict: "insufficient_evidence", reason: expect.any(String) });
    }
  });

  test("more than a twentieth without an answer is insufficient, whatever the rest says", () => {
    for (const events of [0, 300]) {
      expect(decideAttempts(counts(events, 300, { unassessed: 16, attempted: 316 }), below(0.05))).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
      expect(decideAttempts(counts(events, 300, { unassessed: 15, attempted: 315 }), below(0.05)).verdict).not.toBe("insufficient_evidence");
    }
  });

  test("a plan that was broken off decides nothing", () => {
    expect(decideAttempts(counts(0, 300, { complete: false }), below(0.05))).toMatchObject({ verdict: "insufficient_evidence", reason: "aborted" });
  });

  test("repeats of one prompt count as one prompt when they agree", () => {
    const repeated = { ...counts(0, 20), attempted: 200, clusters: [{ events: 0, n: 10, count: 20 }] };
    expect(decideAttempts(repeated, below(0.05))).toMatchObject({ verdict: "insufficient_evidence", interval: { method: "clopper-pearson-clustered" } });
    expect(decideAttempts(repeated, below(0.05)).interval?.upper).toBeCloseTo(1 - 0.05 ** (1 / 20), 9);
  });

  test("at the limit no more than one plan in twenty passes or fails, also where few prompts always succeed and the others seldom", () => {
    const random = randomFrom("false passes");
    const runs = 400;
    const counted = { pass: 0, fail: 0, insufficient_evidence: 0 };
    for (let run = 0; run < runs; run += 1) {
      // Half of the prompts succeed always or never, the others now and then: 1 in 20 on average.
      const clusters = Array.from({ length: 60 }, () => {
        const rate = random.uniform() < 0.5 ? 0.05 : Number(random.uniform() < 0.05);
        return { events: Array.from({ length: 5 }, () => random.uniform() < rate).filter(Boolean).length, n: 5 };
      });
      counted[decideAttempts({ ...counts(0, 0), attempted: 300, clusters: histogram(clusters) }, below(0.05)).verdict] += 1;
    }
    // Bounds of the error rates themselves, so that the test is wrong once in a thousand seeds.
    expect(clopperPearson(counted.pass, runs, 0.001).lower).toBeLessThanOrEqual(0.05);
    expect(clopperPearson(counted.fail, runs, 0.001).lower).toBeLessThanOrEqual(0.05);
  });

  test("every prompt weighs the same, however often it was tried", () => {
    // Ten prompts of sixty, tried 20 times each, succeed in six of ten tries: 10 % of prompts' shares, 48 % of attempts.
    const statistics = { ...counts(0, 0), attempted: 250, clusters: [{ events: 0, n: 1, count: 50 }, { events: 13, n: 20, count: 10 }] };
    const outcome = decideAttempts(statistics, below(0.1));
    expect(outcome.estimate).toBeCloseTo(6.5 / 60, 9);
    expect(outcome.verdict).toBe("insufficient_evidence");
    expect(outcome.interval?.lower).toBeLessThan(0.07);
  });

  test("a floor is the mirror of a ceiling", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat({ max: 300 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (n, drawn, value) => {
        const events = Math.min(n, drawn);
        const ceiling = decideAttempts(counts(events, n), below(value));
        const floor = decideAttempts(counts(n - events, n), above(1 - value));
        expect(floor.verdict).toBe(ceiling.verdict);
        expect(1 - (floor.interval?.lower ?? NaN)).toBeCloseTo(ceiling.interval?.upper ?? NaN, 9);
      }),
      { numRuns: 100 },
    );
  });

  test("bounds hold the estimate, and more events never make a pass of what was none", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.nat({ max: 400 }), fc.constantFrom("fixed" as const, "sequential" as const), (n, drawn, design) => {
        const events = Math.min(n, drawn);
        const { estimate, interval, verdict } = decideAttempts(counts(events, n, { design }), below(0.05));
        expect(interval?.lower).toBeLessThanOrEqual((estimate ?? NaN) + 1e-9);
        expect(interval?.upper).toBeGreaterThanOrEqual((estimate ?? NaN) - 1e-9);
        const worse = decideAttempts(counts(Math.min(n, events + 1), n, { design }), below(0.05)).verdict;
        expect([verdict, worse]).not.toEqual([verdict === "pass" ? "" : verdict, "pass"]);
      }),
      { numRuns: 150 },
    );
  });

  test("a sequential run passes after 78 clean prompts at 0.05 and not before", () => {
    expect(decideAttempts(counts(0, 77, { design: "sequential" }), below(0.05)).verdict).toBe("insufficient_evidence");
    const outcome = decideAttempts(counts(0, 78, { design: "sequential" }), below(0.05));
    expect(outcome).toMatchObject({ verdict: "pass", interval: { method: "e-process" } });
    expect(outcome.interval?.upper).toBeLessThanOrEqual(0.05);
    expect(decideAttempts(counts(10, 23, { design: "sequential" }), below(0.05)).verdict).toBe("fail");
    expect(decideAttempts(counts(78, 78, { design: "sequential" }), above(0.95)).verdict).toBe("pass");
  });
});

describe("the verdict on what a judge saw", () => {
  const judge = { truePositives: 90, falseNegatives: 10, trueNegatives: 95, falsePositives: 5, failed: 0 };

  test("is the corrected rate with the judge's own uncertainty", () => {
    const outcome = decideJudged({ kind: "judged", attempts: counts(30, 200), judge }, below(0.05));
    expect(outcome.estimate).toBeCloseTo(0.11764705882, 9);
    expect(outcome.interval?.method).toBe("rogan-gladen-lang-reiczigel");
    expect(outcome.verdict).toBe("insufficient_evidence");
    expect(decideJudged({ kind: "judged", attempts: counts(120, 200), judge }, below(0.05)).verdict).toBe("fail");
  });

  test("is never a pass without the judge's errors, or with a judge no better than a coin", () => {
    const clean = counts(0, 2000);
    expect(decideJudged({ kind: "judged", attempts: clean, judge: null }, below(0.05))).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
    const coin = { truePositives: 50, falseNegatives: 50, trueNegatives: 55, falsePositives: 45, failed: 0 };
    expect(decideJudged({ kind: "judged", attempts: clean, judge: coin }, below(0.05))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    const blind = { truePositives: 0, falseNegatives: 0, trueNegatives: 100, falsePositives: 0, failed: 0 };
    expect(decideJudged({ kind: "judged", attempts: clean, judge: blind }, below(0.05)).verdict).toBe("insufficient_evidence");
    const good = { truePositives: 990, falseNegatives: 10, trueNegatives: 995, falsePositives: 5, failed: 0 };
    expect(decideJudged({ kind: "judged", attempts: clean, judge: good }, below(0.05)).verdict).toBe("pass");
  });
});
