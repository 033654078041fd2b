import fc from "fast-check";
import { CheckBasis as CheckBasisSchema, type CheckBasis, type CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { oracleJson, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { definitionOf } from "../checks/catalogue.ts";
import { decide } from "./decide.ts";
import { decideShare } from "./decide-rate.ts";
import type { Limit } from "./outcome.ts";
import { rederive } from "./rederive.ts";
import { settle } from "./settle.ts";

const below = (value: number): Limit => ({ op: "<=", value, alpha: 0.05, source: "test" });
const above = (value: number): Limit => ({ op: ">=", value, alpha: 0.05, source: "test" });
const all = (n: number) => ({ attempted: n, assessed: n, unassessed: 0 });
/** What `perf.metric` records of a rate. */
const rate = (events: number, n: number, degenerate: "constant_predictions" | null = null): CheckBasis => ({
  kind: "statistics", of: "perf.metric", figures: { metric: "recall", attempted: n, assessed: n, degenerate, kind: "rate", events, n },
});
const share = (events: number, n: number, limit: Limit) => decideShare({ events, n }, { attempted: n, assessed: n }, limit);

interface GateRow { k: number; n: number; max_rate: number; alpha: number; upper: number; lower: number; verdict: string }

describe.skipIf(!oraclesPresent)(`against independent figures (skipped when ${oraclesAbsent})`, () => {
  test("every gate verdict on a largest rate, with its bounds, equals the reference", () => {
    const rows = oracleJson("stats/expected.json", (value) => (value as { gate_verdicts_max_rate: GateRow[] }).gate_verdicts_max_rate);
    for (const row of rows) {
      const outcome = share(row.k, row.n, { ...below(row.max_rate), alpha: row.alpha });
      expect({ ...row, verdict: outcome.verdict }).toEqual(row);
      if (row.n === 0) continue;
      expect(outcome.interval?.upper).toBeCloseTo(row.upper, 9);
      expect(outcome.interval?.lower).toBeCloseTo(row.lower, 9);
    }
    expect(rows).toHaveLength(18);
  });
});

describe("the verdict calculus", () => {
  test("no counts of any kind without rows are a pass", () => {
    const empty: readonly CheckBasis[] = [
      { kind: "none", reason: "tool_error" }, { kind: "census", violations: 0, n: 0 }, { kind: "columns", columns: [] },
      { kind: "columns", columns: [{ name: "a", events: 0, n: 0 }] }, rate(0, 0),
      { kind: "statistics", of: "perf.metric", figures: { metric: "auc", attempted: 0, assessed: 0, degenerate: null, kind: "auc", wins: 0, ties: 0, positives: 0, negatives: 0 } },
      { kind: "statistics", of: "fair.parity", figures: { check: "fair.parity", attempted: 0, assessed: 0, degenerate: null, groups: [], leftOut: [] } },
      { kind: "statistics", of: "nothing", figures: {} },
    ];
    for (const basis of empty) {
      for (const limit of [below(1), above(0)]) {
        expect(decide(basis, limit, all(0))).toMatchObject({ verdict: "insufficient_evidence", reason: expect.any(String) });
      }
    }
  });

  test("counts in the form of earlier versions are read and decide nothing", () => {
    const old: readonly CheckBasis[] = [
      { kind: "rate", events: 1000, n: 1000, degenerate: null },
      { kind: "auc", wins: 250_000, ties: 0, positives: 500, negatives: 500, degenerate: null },
      { kind: "differences", families: [{ rate: "tpr", groups: [{ name: "a", events: 500, n: 1000 }, { name: "b", events: 500, n: 1000 }] }], degenerate: null },
    ];
    for (const basis of old) {
      expect(CheckBasisSchema.parse(basis)).toEqual(basis);
      expect(decide(basis, below(1), all(2000))).toMatchObject({ verdict: "insufficient_evidence", reason: "tool_error" });
    }
  });

  test("what is no finite number has no place in a record", () => {
    const interval = { method: "m", level: 0.95, sides: 1, lower: 1 / 3, upper: Infinity } as const;
    expect(settle({ estimate: Number.NaN, interval, verdict: "pass" }, all(10))).toEqual({ estimate: null, interval: { ...interval, lower: 0.333_333_333_333, upper: null }, verdict: "pass" });
  });

  test("constant answers never pass, and more than 5 % unanswered rows decide nothing", () => {
    const constant = (events: number) => rate(events, 1000, "constant_predictions");
    expect(decide(constant(1000), above(0.5), all(1000))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect(decide(constant(0), above(0.5), all(1000)).verdict).toBe("fail");
    const answered = (assessed: number) => decideShare({ events: assessed, n: assessed }, { attempted: 1000, assessed }, above(0.5));
    expect(answered(950).verdict).toBe("pass");
    expect(answered(949)).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
    expect(answered(0)).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test("a floor is the mirror of a limit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 19 }), (n, part, twentieth) => {
        const events = Math.round(part * n);
        const floor = share(events, n, above(twentieth / 20));
        const limit = share(n - events, n, below(1 - twentieth / 20));
        expect(floor.verdict).toBe(limit.verdict);
      }),
    );
  });

  test("missing columns: one bad column of many fails only beyond chance, all must be good for a pass, and 0 is counted", () => {
    const columns = (events: number, n: number, others: number): CheckBasis => ({
      kind: "columns", columns: [{ name: "bad", events, n }, ...Array.from({ length: others }, (_, index) => ({ name: `c${index}`, events: 0, n }))],
    });
    expect(decide(columns(10, 100, 0), below(0.05), all(100)).verdict).toBe("fail");
    expect(decide(columns(10, 100, 9), below(0.05), all(100)).verdict).toBe("insufficient_evidence");
    expect(decide(columns(0, 100, 9), below(0.05), all(100)).verdict).toBe("pass");
    expect(decide(columns(0, 30, 9), below(0.05), all(30))).toMatchObject({ verdict: "insufficient_evidence", requiredN: 59 });
    expect([decide(columns(0, 5, 2), below(0), all(5)).verdict, decide(columns(1, 5, 2), below(0), all(5)).verdict]).toEqual(["pass", "fail"]);
  });

  test("the required number gives 80 % power, and one fewer at a true rate of 0 does not pass", () => {
    expect([trialsNeeded(0, 0.01, 0.05), trialsNeeded(0, 0.05, 0.05), trialsNeeded(0, 0.1, 0.05), trialsNeeded(0, 0.2, 0.05)]).toEqual([299, 59, 29, 14]);
    expect(trialsNeeded(0.05, 0.1, 0.05)).toBeGreaterThan(160);
    expect(trialsNeeded(0.05, 0.1, 0.05)).toBeLessThan(190);
    expect(trialsNeeded(0.1, 0.1, 0.05)).toBeUndefined();
    expect(trialsNeeded(0.0999, 0.1, 0.05)).toBeGreaterThan(1e6);
    expect(trialsNeeded(0.3, 0.1, 0.05)).toBeLessThan(40);
    const enough = trialsNeeded(0.02, 0.05, 0.05) ?? 0;
    expect(share(Math.floor(enough * 0.02), enough, below(0.05)).verdict).toBe("pass");
  });
});

const record = (basis: CheckBasis, over: Partial<CheckResult> = {}): CheckResult => {
  const limit = above(0.9);
  const counts = { attempted: 200, assessed: 200, unassessed: 0 };
  const digest = `sha256:${"0".repeat(64)}`;
  return {
    schema: "licet.assurance.result/v1", id: "a", check: "perf.metric", checkVersion: definitionOf("perf.metric")?.version ?? "", engine: { name: "e", version: "1", digest },
    subject: { kind: "onnx", id: "m", digest }, inputs: [], unit: "recall", counts, basis, limit, notes: [], attempt: { index: 1, alphaSpent: 0.05, previous: [] },
    seed: "s", cost: { queries: 200, wallMs: 1 }, evidence: [], origin: "native", ...decide(basis, limit, counts), ...over,
  };
};

describe("deriving a verdict again", () => {
  test("an untouched record agrees, also after a trip through JSON", () => {
    for (const events of [200, 190, 150]) {
      const again = JSON.parse(JSON.stringify(record(rate(events, 200)))) as CheckResult;
      expect(rederive(again)).toMatchObject({ agrees: true, problems: [] });
    }
  });

  test("the largest record that the contract lets through is derived again within seconds", () => {
    const columns: CheckBasis = { kind: "columns", columns: Array.from({ length: 4096 }, (_, index) => ({ name: `c${index}`, events: 400_000 + index, n: 10_000_000 })) };
    const started = performance.now();
    expect(decide(columns, below(0.05), all(10_000_000)).verdict).toBe("pass");
    expect(share(4_999_000, 10_000_000, above(0.5)).verdict).toBe("insufficient_evidence");
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test("a record whose verdict, figures or counts were changed does not agree and is not a pass", () => {
    const bad = record(rate(150, 200));
    const good = record(rate(200, 200));
    const forged: readonly CheckResult[] = [
      { ...bad, verdict: "pass" },
      { ...bad, verdict: "not_applicable" },
      { ...bad, basis: rate(200, 200) },
      { ...good, estimate: 0.99 },
      { ...good, basis: rate(400, 400), ...decide(rate(400, 400), good.limit, good.counts) },
      { ...good, basis: rate(300, 200) },
      { ...good, limit: { ...good.limit, alpha: 0.5 } },
      { ...good, limit: { ...good.limit, op: "<=", value: 1 } },
      { ...good, counts: { ...good.counts, attempted: 500 } },
      { ...good, counts: { attempted: 400, assessed: 400, unassessed: 0 } },
      { ...good, check: "fair.parity" },
      { ...good, checkVersion: "1" },
      { ...good, basis: { kind: "rate", events: 200, n: 200, degenerate: null } },
      { ...good, check: "perf.unknown" },
      { ...good, basis: { kind: "none", reason: "tool_error" } },
    ];
    for (const result of forged) {
      const again = rederive(result);
      expect(again.agrees).toBe(false);
      expect(again.verdict).not.toBe("pass");
      expect(again.problems).not.toHaveLength(0);
    }
  });
});
