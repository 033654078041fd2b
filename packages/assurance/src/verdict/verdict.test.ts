import fc from "fast-check";
import type { CheckBasis, CheckResult } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { oracleBytes, oracleJson, oraclesAbsent, oraclesPresent } from "../../../../test/unit/support/oracle-files.ts";
import { trialsNeeded } from "../stats/sample-size.ts";
import { readTable } from "../table/table.ts";
import { decide } from "./decide.ts";
import { comparePairs } from "./differences.ts";
import type { Limit } from "./outcome.ts";
import { rederive } from "./rederive.ts";

type Families = Extract<CheckBasis, { kind: "differences" }>["families"];

const below = (value: number): Limit => ({ op: "<=", value, alpha: 0.05, source: "test" });
const above = (value: number): Limit => ({ op: ">=", value, alpha: 0.05, source: "test" });
const all = (n: number) => ({ attempted: n, assessed: n, unassessed: 0 });
const rate = (events: number, n: number): CheckBasis => ({ kind: "rate", events, n, degenerate: null });

interface GateRow { k: number; n: number; max_rate: number; alpha: number; upper: number; lower: number; verdict: string }
interface Pair { pair: [string, string]; abs_upper_for_pass: number; abs_lower_for_fail: number }
interface Fairness { verdict_rule: string; cases: Record<string, Record<string, { groups: Record<string, Record<string, number | string>>; verdicts: Record<string, { verdict: string; pairs?: Pair[] }> }>> }

describe.skipIf(!oraclesPresent)(`against independent figures (skipped when ${oraclesAbsent})`, () => {
  test("every gate verdict on a largest rate, with its bounds, equals the reference", () => {
    const rows = oracleJson("stats/expected.json", (value) => (value as { gate_verdicts_max_rate: GateRow[] }).gate_verdicts_max_rate);
    for (const row of rows) {
      const outcome = decide(rate(row.k, row.n), { ...below(row.max_rate), alpha: row.alpha }, all(row.n));
      expect({ ...row, verdict: outcome.verdict }).toEqual(row);
      if (row.n === 0) continue;
      expect(outcome.interval?.upper).toBeCloseTo(row.upper, 9);
      expect(outcome.interval?.lower).toBeCloseTo(row.lower, 9);
    }
    expect(rows).toHaveLength(18);
  });

  const fairness = oraclesPresent ? oracleJson("fairness/expected.json", (value) => value as Fairness) : undefined;

  test.each(Object.entries(fairness?.cases ?? {}))("every fairness verdict and bound of %s equals the reference", (name, splits) => {
    const table = readTable(oracleBytes(`fairness/${name}.csv`));
    for (const [split, expected] of Object.entries(splits)) {
      for (const [key, wanted] of Object.entries(expected.verdicts)) {
        const [, of, limit] = /^(selection_rate|tpr|fpr)_difference<=(.*)$/u.exec(key) ?? [];
        const family = [familyOf(table, split, of === "selection_rate" ? "selection" : of === "tpr" ? "tpr" : "fpr")] as Families;
        const outcome = decide({ kind: "differences", families: family, degenerate: null }, below(Number(limit)), all(table.rows));
        expect([split, key, outcome.verdict]).toEqual([split, key, wanted.verdict]);
        expect(outcome.reason !== undefined).toBe(wanted.verdict === "insufficient_evidence");
        const pairs = comparePairs(family, 0.05);
        for (const pair of wanted.pairs ?? []) {
          const found = pairs.find(({ first, second }) => first.name === pair.pair[0] && second.name === pair.pair[1]);
          expect(found?.bounds.upper).toBeCloseTo(pair.abs_upper_for_pass, 9);
          expect(found?.bounds.lower).toBeCloseTo(pair.abs_lower_for_fail, 9);
        }
      }
    }
  });
});

function familyOf(table: ReturnType<typeof readTable>, split: string, kind: "selection" | "tpr" | "fpr"): Families[number] {
  const column = (name: string) => table.cells(name);
  const names = column("group").map((group, row) => (split === "group" ? group : `${group}|${column("sex")[row] ?? ""}`));
  const groups = [...new Set(names)].toSorted().map((name) => {
    const rows = names.flatMap((other, row) => (other === name && (kind === "selection" || column("y")[row] === (kind === "tpr" ? "1" : "0")) ? [row] : []));
    return { name, n: rows.length, events: rows.filter((row) => column("yhat")[row] === "1").length };
  });
  return { rate: kind, groups };
}

describe("the verdict calculus", () => {
  test("no counts of any kind without rows are a pass", () => {
    const empty: readonly CheckBasis[] = [
      { kind: "none", reason: "tool_error" }, { kind: "census", violations: 0, n: 0 }, { kind: "columns", columns: [] },
      { kind: "columns", columns: [{ name: "a", events: 0, n: 0 }] }, rate(0, 0),
      { kind: "auc", wins: 0, ties: 0, positives: 0, negatives: 0, degenerate: null },
      { kind: "differences", families: [], degenerate: null },
      { kind: "differences", families: [{ rate: "tpr", groups: [{ name: "a", events: 0, n: 0 }, { name: "b", events: 0, n: 0 }] }], degenerate: null },
    ];
    for (const basis of empty) {
      for (const limit of [below(1), above(0)]) {
        expect(decide(basis, limit, all(0))).toMatchObject({ verdict: "insufficient_evidence", reason: expect.any(String) });
      }
    }
  });

  test("one group alone, and a group without denominator, are never a pass", () => {
    const some = { name: "a", events: 500, n: 1000 };
    const one: CheckBasis = { kind: "differences", families: [{ rate: "tpr", groups: [some] }], degenerate: null };
    const hollow: CheckBasis = { kind: "differences", families: [{ rate: "tpr", groups: [some, { name: "b", events: 0, n: 0 }] }], degenerate: null };
    expect(decide(one, below(1), all(1000))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect(decide(hollow, below(1), all(1000))).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
  });

  test("in a check of two rates an undecided rate does not hide a failing one", () => {
    const far = [{ name: "a", events: 900, n: 1000 }, { name: "b", events: 100, n: 1000 }];
    const hollow = [{ name: "a", events: 1, n: 10 }, { name: "b", events: 0, n: 0 }];
    const basis = (tpr: typeof far): CheckBasis => ({ kind: "differences", families: [{ rate: "tpr", groups: tpr }, { rate: "fpr", groups: hollow }], degenerate: null });
    expect(decide(basis(far), below(0.1), all(3000)).verdict).toBe("fail");
    const even = far.map((group) => ({ ...group, events: 500 }));
    expect(decide(basis(even), below(0.1), all(3000))).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator" });
  });

  test("a difference that one pair alone would show does not fail among three pairs", () => {
    const groups = [{ name: "a", events: 150, n: 300 }, { name: "b", events: 110, n: 300 }, { name: "c", events: 130, n: 300 }];
    const basis = (count: number): CheckBasis => ({ kind: "differences", families: [{ rate: "selection", groups: groups.slice(0, count) }], degenerate: null });
    expect([decide(basis(2), below(0.05), all(600)).verdict, decide(basis(3), below(0.05), all(900)).verdict]).toEqual(["fail", "insufficient_evidence"]);
  });

  test("constant answers never pass, and more than 5 % unanswered rows decide nothing", () => {
    const constant: CheckBasis = { kind: "rate", events: 1000, n: 1000, degenerate: "constant_predictions" };
    expect(decide(constant, above(0.5), all(1000))).toMatchObject({ verdict: "insufficient_evidence", reason: "degenerate" });
    expect(decide({ ...constant, events: 0 }, above(0.5), all(1000)).verdict).toBe("fail");
    const counts = (unassessed: number) => ({ attempted: 1000, assessed: 1000 - unassessed, unassessed });
    expect(decide(rate(950, 950), above(0.5), counts(50)).verdict).toBe("pass");
    expect(decide(rate(949, 949), above(0.5), counts(51))).toMatchObject({ verdict: "insufficient_evidence", reason: "unassessed_budget" });
  });

  test("a floor is the mirror of a limit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 19 }), (n, part, twentieth) => {
        const events = Math.round(part * n);
        const floor = decide(rate(events, n), above(twentieth / 20), all(n));
        const limit = decide(rate(n - events, n), below(1 - twentieth / 20), all(n));
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
    expect(decide(rate(Math.floor(enough * 0.02), enough), below(0.05), all(enough)).verdict).toBe("pass");
  });

  test("false passes stay at 5 % exactly on the limit", () => {
    let state = 12_345;
    const random = () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
    const draw = (n: number, p: number) => Array.from({ length: n }, random).filter((u) => u < p).length;
    let passes = 0;
    for (let round = 0; round < 2000; round += 1) {
      const groups = [{ name: "a", events: draw(300, 0.4), n: 300 }, { name: "b", events: draw(300, 0.3), n: 300 }];
      if (decide({ kind: "differences", families: [{ rate: "tpr", groups }], degenerate: null }, below(0.1), all(600)).verdict === "pass") passes += 1;
    }
    expect(passes / 2000).toBeLessThanOrEqual(0.06);
    expect(passes / 2000).toBeGreaterThan(0.01);
  });
});

const record = (basis: CheckBasis, over: Partial<CheckResult> = {}): CheckResult => {
  const limit = above(0.9);
  const counts = { attempted: 200, assessed: 200, unassessed: 0 };
  const digest = `sha256:${"0".repeat(64)}`;
  return {
    schema: "licet.assurance.result/v1", id: "a", check: "perf.metric", checkVersion: "1", engine: { name: "e", version: "1", digest },
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
    const groups = Array.from({ length: 50 }, (_, index) => ({ name: `g${index}`, events: 3000 + 7 * index, n: 10_000 }));
    const families = (["tpr", "fpr"] as const).map((kind) => ({ rate: kind, groups }));
    const odds: CheckBasis = { kind: "differences", families, degenerate: null };
    const columns: CheckBasis = { kind: "columns", columns: Array.from({ length: 4096 }, (_, index) => ({ name: `c${index}`, events: 400_000 + index, n: 10_000_000 })) };
    const started = performance.now();
    expect(decide(odds, below(0.035), all(1_000_000)).verdict).toBe("insufficient_evidence");
    expect(decide(columns, below(0.05), all(10_000_000)).verdict).toBe("pass");
    expect(decide({ kind: "rate", events: 4_999_000, n: 10_000_000, degenerate: null }, above(0.5), all(10_000_000)).verdict).toBe("insufficient_evidence");
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
      { ...good, check: "fair.parity" },
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
