import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LicetError } from "@licet/contract";
import { matrix } from "../linear/matrix.ts";
import { randomFrom } from "../stats/random.ts";
import { readTable, type Table } from "../table/table.ts";
import type { Limit } from "../verdict/outcome.ts";
import { decideAnonymity, decideCloseness, decideDiversity, measureAnonymity } from "./anonymity.ts";
import { confidentJoint, roundKeepingSum } from "./confident-joint.ts";
import { decideCoverage, measureCoverage } from "./coverage.ts";
import { decideDuplicates, measureDuplicates } from "./duplicates.ts";
import { findLabelIssues } from "./label-issues.ts";
import { decideLabelNoise, measureLabelNoise, planAdjudication } from "./label-noise.ts";
import { nearDuplicates } from "./near-duplicates.ts";
import { decideOverlap, measureOverlap } from "./overlap.ts";
import { decidePersonalData, measurePersonalData } from "./personal-data.ts";
import { constantColumns, isEmailAddress } from "./profile.ts";
import { groupRowsBy } from "./row-groups.ts";
import { RowHasher } from "./row-hash.ts";

const limit = (value: number, op: "<=" | ">=" = "<="): Limit => ({ op, value, alpha: 0.05, source: "test" });
const table = (text: string): Table => readTable(new TextEncoder().encode(text));
const tableOf = (columns: readonly string[], rows: readonly (readonly string[])[]) => table([columns.join(","), ...rows.map((row) => row.map((cell) => `"${cell}"`).join(","))].join("\n"));

describe("data.duplicates", () => {
  const cell = fc.constantFrom("", "a", "b", "ab", "0", "00");

  test("groups of equal rows are those that joining the cells would find, cell borders included", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 30 }), (rows) => {
        const groups = groupRowsBy(tableOf(["x", "y"], rows), ["x", "y"]);
        expect(groups.sizes.length).toBe(new Set(rows.map((row) => JSON.stringify(row))).size);
        expect(groups.sizes.reduce((sum, size) => sum + size, 0)).toBe(rows.length);
      }),
    );
  });

  test("a hundred thousand different rows have as many hashes, and moving a cell border changes the hash", () => {
    const hasher = new RowHasher();
    expect(new Set(Array.from({ length: 100_000 }, (_, index) => hasher.of([String(index), "x"]))).size).toBe(100_000);
    expect(hasher.of(["ab", "c"])).not.toBe(hasher.of(["a", "bc"]));
    expect(hasher.of(["a", ""])).not.toBe(hasher.of(["a"]));
    expect(hasher.of(["a", "b"])).toBe(hasher.of(["a", "b"]));
  });

  test("repeated rows are counted beyond the first, and a key that repeats or is empty fails whatever the limit", () => {
    const found = measureDuplicates(tableOf(["id", "v"], [["1", "a"], ["1", "a"], ["2", "b"], ["1", "a"], ["", "c"]]), { key: ["id"] });
    expect(found).toMatchObject({ rows: 5, duplicateRows: 2, key: { repeated: 2, missing: 1 } });
    expect(decideDuplicates(found, limit(1)).verdict).toBe("fail");
  });

  test("few duplicates in many rows pass, many fail, no rows and few rows are insufficient", () => {
    const verdict = (rows: number, duplicateRows: number) => decideDuplicates({ rows, duplicateRows, nearRows: null, key: { repeated: 0, missing: 0 } }, limit(0.01));
    expect([verdict(10_000, 20).verdict, verdict(10_000, 900).verdict]).toEqual(["pass", "fail"]);
    expect(verdict(20, 0)).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few", requiredN: 299 });
    expect(verdict(0, 0).verdict).toBe("insufficient_evidence");
  });

  test("texts that differ in one word are found by MinHash; unlike texts are not", () => {
    const random = randomFrom("texts");
    const words = Array.from({ length: 400 }, (_, index) => `w${index}`);
    const text = () => Array.from({ length: 40 }, () => words[random.below(words.length)] ?? "").join(" ");
    const texts = Array.from({ length: 60 }, text);
    const changed = texts.slice(0, 20).map((each) => each.replace(/w\d+$/u, "other"));
    const found = nearDuplicates(tableOf(["t"], [...texts, ...changed].map((each) => [each])), { columns: ["t"], similarityMin: 0.8 });
    expect(found.map(({ row, like }) => row - like)).toEqual(Array.from({ length: 20 }, () => 60));
  });
});

describe("data.leakage.overlap", () => {
  test("shared rows, shared entities, old test rows and a column that gives the target away are found", () => {
    const rows = (from: number, size: number) => Array.from({ length: size }, (_, index) => [String(from + index), `2024-01-${String(1 + ((from + index) % 27)).padStart(2, "0")}`, String((from + index) % 2), String(((from + index) % 2) * 5 + ((from + index) % 3) / 10)]);
    const columns = ["who", "day", "y", "leak"];
    const train = tableOf(columns, rows(0, 300));
    const test = tableOf(columns, [...rows(290, 20), ["5", "2025-01-01", "0", "9"]]);
    const found = measureOverlap(train, test, { entity: "who", time: "day", target: { column: "y", positive: "1" } });
    expect(found).toMatchObject({ sharedRows: 10, sharedEntities: 11, earlyRows: 20 });
    expect(found.leaks).toMatchObject([{ column: "leak", auc: 1, proven: true }]);
    expect(decideOverlap(found, limit(0)).verdict).toBe("fail");
  });

  test("a clean split passes, an empty side is insufficient, a leak on few rows is neither cleared nor proven", () => {
    const clean = { trainRows: 100, testRows: 50, sharedRows: 0, sharedEntities: 0, earlyRows: 0, leaks: [] };
    expect(decideOverlap(clean, limit(0)).verdict).toBe("pass");
    expect(decideOverlap({ ...clean, testRows: 0 }, limit(0)).verdict).toBe("insufficient_evidence");
    expect(decideOverlap({ ...clean, leaks: [{ column: "x", auc: 1, proven: false }] }, limit(0))).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few" });
    expect(decideOverlap({ ...clean, sharedRows: 1 }, limit(0)).verdict).toBe("fail");
  });

  test("an identifier does not look like a leak only because every value is unique", () => {
    const rows = Array.from({ length: 200 }, (_, index) => [`id${index}`, String(index % 2)]);
    const found = measureOverlap(tableOf(["id", "y"], rows), tableOf(["id", "y"], [["idx", "0"]]), { target: { column: "y", positive: "1" } });
    expect(found.leaks).toEqual([]);
  });

  test("text in the time column is refused with its row", () => {
    const bad = tableOf(["day"], [["yesterday"]]);
    expect(() => measureOverlap(bad, bad, { time: "day" })).toThrow(LicetError);
  });
});

describe("data.privacy.kanon", () => {
  const people = tableOf(["zip", "age", "illness"], [["1", "30", "a"], ["1", "30", "b"], ["1", "30", "b"], ["2", "40", "a"], ["2", "40", "a"]]);

  test("k, l and t are those of a definition written out", () => {
    const found = measureAnonymity(people, { quasiIdentifiers: ["zip", "age"], sensitive: ["illness"], k: 3 });
    expect(found).toMatchObject({ groups: 2, k: 2, rowsBelow: 2 });
    const [illness] = found.sensitive;
    expect(illness).toMatchObject({ distinctL: 1, entropyL: 1, tDistance: "equal" });
    // Second group: all `a` against 3 of 5 overall.
    expect(illness?.t).toBeCloseTo(0.4, 12);
    expect(decideAnonymity(found, limit(2, ">=")).verdict).toBe("pass");
    expect(decideAnonymity(found, limit(5, ">=")).verdict).toBe("fail");
    expect(decideDiversity(found, limit(2, ">=")).verdict).toBe("fail");
    expect(decideCloseness(found, limit(0.5)).verdict).toBe("pass");
  });

  test("for numbers, being far off counts more than being another value", () => {
    const wages = tableOf(["g", "wage"], [["1", "1"], ["1", "2"], ["2", "9"], ["2", "10"]]);
    const [found] = measureAnonymity(wages, { quasiIdentifiers: ["g"], sensitive: ["wage"] }).sensitive;
    // Earth mover's distance over four ordered values, by hand: (0.25 + 0.5 + 0.25) / 3.
    expect(found?.t).toBeCloseTo(1 / 3, 12);
  });

  test("a table without rows protects nobody", () => {
    expect(decideAnonymity(measureAnonymity(tableOf(["a"], []), { quasiIdentifiers: ["a"] }), limit(5, ">=")).verdict).toBe("insufficient_evidence");
  });
});

describe("data.coverage", () => {
  test("the smallest group decides, also one that must be there and is not", () => {
    const rows = Array.from({ length: 30 }, (_, index) => [index < 20 ? "a" : "b"]);
    const found = measureCoverage(tableOf(["g"], rows), { columns: ["g"], needs: [{ check: "fair.parity", requiredN: 10 }, { check: "perf.metric", requiredN: 5 }] });
    expect(decideCoverage(found, limit(0, ">=")).verdict).toBe("pass");
    const missing = measureCoverage(tableOf(["g"], rows), { columns: ["g"], needs: [{ check: "fair.parity", requiredN: 10 }], expected: ["c"] });
    expect(decideCoverage(missing, limit(0, ">="))).toMatchObject({ verdict: "insufficient_evidence", requiredN: 10 });
    expect(missing.notes[0]).toContain("`c` has 0 rows");
    expect(decideCoverage({ groups: [], required: 0 }, limit(0, ">=")).verdict).toBe("insufficient_evidence");
  });
});

describe("data.labels.noise", () => {
  const noisy = (seed: string, rows: number, share: number) => {
    const random = randomFrom(seed);
    const truth = Uint32Array.from({ length: rows }, () => random.below(3));
    const wrong = truth.map(() => (random.uniform() < share ? 1 : 0));
    const labels = truth.map((label, row) => (wrong[row] === 1 ? (label + 1) % 3 : label));
    const probabilities = matrix(rows, 3);
    for (const [row, label] of truth.entries()) for (let k = 0; k < 3; k += 1) probabilities.values[row * 3 + k] = k === label ? 0.7 + 0.2 * random.uniform() : 0.05;
    return { data: { labels, probabilities }, wrong };
  };

  test("planted wrong labels are found, and the estimated rate is near the planted one", () => {
    const { data, wrong } = noisy("planted", 600, 0.1);
    const issues = new Set(findLabelIssues(data, "prune_by_noise_rate"));
    const planted = [...wrong.keys()].filter((row) => wrong[row] === 1);
    expect(planted.filter((row) => issues.has(row)).length).toBeGreaterThan(0.85 * planted.length);
    expect(issues.size).toBeLessThanOrEqual(planted.length + 5);
    expect(confidentJoint(data).noiseRate).toBeCloseTo(planted.length / 600, 2);
  });

  test("the joint keeps the number of rows per label, whatever the probabilities", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0.01, max: 1, noNaN: true })), { minLength: 3, maxLength: 40 }), (rows) => {
        const labels = Uint32Array.from(rows, ([label]) => label);
        const values = Float64Array.from(rows.flatMap(([, ...p]) => p.map((x) => x / (p[0] + p[1] + p[2]))));
        const { calibrated } = confidentJoint({ labels, probabilities: matrix(rows.length, 3, values) });
        expect(calibrated.flat().reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(rows.length - 3);
        expect(roundKeepingSum([0.5, 0.5, 1.4, 0.6]).reduce((sum, count) => sum + count, 0)).toBe(3);
      }),
    );
  });

  test("no verdict without people; with them the bounds follow from the judged rows of both strata", () => {
    const { data } = noisy("people", 600, 0.1);
    expect(decideLabelNoise(measureLabelNoise(data), limit(0.03)).verdict).toBe("insufficient_evidence");
    const judged = (wrongSuspects: number, wrongRest: number) => decideLabelNoise({ strata: [{ size: 60, judged: 60, wrong: wrongSuspects }, { size: 9940, judged: 600, wrong: wrongRest }] }, limit(0.03));
    expect(judged(50, 0).verdict).toBe("pass");
    expect(judged(50, 60).verdict).toBe("fail");
    expect(judged(50, 12).verdict).toBe("insufficient_evidence");
    expect(decideLabelNoise({ strata: [{ size: 100, judged: 0, wrong: 0 }] }, limit(0.03)).verdict).toBe("insufficient_evidence");
    expect(decideLabelNoise({ strata: [{ size: 100, judged: 5, wrong: 9 }] }, limit(0.03)).reason).toBe("inconsistent_import");
  });

  test("the drawn sample is the same for the same seed, has both strata, and repeats no row", () => {
    const { data } = noisy("sample", 600, 0.1);
    const plan = planAdjudication(data, { size: 80, seed: "s" });
    expect(planAdjudication(data, { size: 80, seed: "s" })).toEqual(plan);
    const rows = [...plan.drawnSuspects, ...plan.drawnRest];
    expect(new Set(rows).size).toBe(80);
    expect(plan.drawnSuspects.length).toBe(40);
    expect(plan.suspects + plan.rest).toBe(600);
  });
});

describe("data.pii", () => {
  const detect = (cell: string) => (cell.includes("@") ? ["email"] : []);

  test("undeclared finds fail and are told by column, without the content of any cell", () => {
    const found = measurePersonalData(tableOf(["note", "mail"], [["call jo@example.com", "a@b.de"], ["nothing", "c@d.de"]]), { detect, declared: { mail: ["email"] } });
    expect(found).toMatchObject({ cells: 4, undeclaredCells: 1 });
    expect(decidePersonalData(found, limit(0)).verdict).toBe("fail");
    expect(JSON.stringify(found)).not.toContain("jo@example.com");
    expect(decidePersonalData({ cells: 9, undeclaredCells: 0 }, limit(0)).verdict).toBe("pass");
    expect(decidePersonalData({ cells: 0, undeclaredCells: 0 }, limit(0)).verdict).toBe("insufficient_evidence");
  });
});

describe("forms", () => {
  test("addresses without at sign, domain or local part are no addresses", () => {
    expect(["u0@example.com", "a.b+c@x.co.uk"].every(isEmailAddress)).toBe(true);
    expect(["", "u0", "@x.de", "a@", "a@b", "a b@c.de", "a@b..de", "a@@b.de", ".a@b.de"].some(isEmailAddress)).toBe(false);
  });

  test("a column of one value is constant, an empty table has none", () => {
    expect(constantColumns(tableOf(["a", "b"], [["1", "x"], ["2", "x"]]))).toEqual(["b"]);
    expect(constantColumns(tableOf(["a"], []))).toEqual([]);
  });
});
