import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { AssuranceSection, CheckResult, SuiteReport } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { definitionOf } from "../checks/catalogue.ts";
import { rederive } from "../verdict/rederive.ts";
import type { ComponentFile } from "./component.ts";
import { formatReport } from "../report/terminal.ts";
import { runSuite, type Progress } from "./run-suite.ts";

const example = path.resolve(import.meta.dirname, "../../../../examples/tumour-classifier");
const sha256 = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

interface Case {
  readonly checks: readonly object[];
  readonly files?: Readonly<Record<string, ComponentFile>>;
  readonly root?: string;
  readonly onProgress?: (progress: Progress) => void;
}

function run({ checks, files = {}, root = example, onProgress }: Case) {
  let time = 1_700_000_000_000;
  const suite = AssuranceSection.parse({ checks });
  const options = { suite, root, resolve: (name: string) => files[name], seed: "seed-1", release: sha256("release"), now: () => (time += 5), models: { isolation: "none" } } as const;
  return runSuite(onProgress === undefined ? options : { ...options, onProgress });
}

function exampleFiles(): Record<string, ComponentFile> {
  const file = (name: string) => ({ path: name, digest: sha256(readFileSync(path.join(example, name))) });
  return { model: file("model/tumour.onnx"), train: file("data/train.csv"), test: file("data/test.csv") };
}

/** A folder with tables and one model whose score is column `s`. */
function folder(tables: Readonly<Record<string, string | Uint8Array>>): { root: string; files: Record<string, ComponentFile> } {
  const root = mkdtempSync(path.join(tmpdir(), "licet-suite-"));
  const echo = modelBytes({ input: "x", width: 1, output: "y", nodes: [nodeOf({ op: "Identity", in: ["x"], out: ["y"] })] });
  const files: Record<string, ComponentFile> = {};
  for (const [name, content] of Object.entries({ model: echo, ...tables })) {
    writeFileSync(path.join(root, name), content);
    files[name] = { path: name, digest: sha256(content) };
  }
  return { root, files };
}

const scoredOn = { model: "model", dataset: "test", target: "target", positive: 1 };
const texture = { name: "texture", column: "mean_texture", transform: { kind: "median-split", of: "train" } };

async function only(given: Case): Promise<CheckResult> {
  const report = await run(given);
  const [result] = report.results;
  if (result === undefined) throw new Error("no result");
  expect(CheckResult.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
  expect(rederive(result)).toMatchObject({ agrees: true, problems: [] });
  return result;
}

describe("on the tumour classifier, real model and data", () => {
  const fair = (check: string) => ({ check, id: "f", ...scoredOn, group: texture, max: 0.1 });

  test("equal opportunity between high and low texture passes, with the reference's counts and an exact bound", async () => {
    const result = await only({ checks: [fair("fair.opportunity")], files: exampleFiles() });
    expect(result).toMatchObject({
      verdict: "pass",
      basis: { figures: { groups: [{ name: "high", tp: 46, positives: 47 }, { name: "low", tp: 93, positives: 96 }] } },
      interval: { level: 0.95, sides: 1, upper: 0.069_074_258_211_5 },
      counts: { attempted: 228, assessed: 228, unassessed: 0 },
      inputs: [{ role: "test", rows: 228 }, { role: "reference", rows: 341 }],
      scope: { group: "texture" },
    });
    expect(definitionOf(result.check)?.cases?.(result.basis)).toEqual([{ of: "", n: 228 }]);
  });

  test("equalised odds on the same file is insufficient evidence and says how many rows would decide", async () => {
    const result = await only({ checks: [fair("fair.odds")], files: exampleFiles() });
    expect(result).toMatchObject({ verdict: "insufficient_evidence", reason: "too_few", estimate: 0.066_985_645_933 });
    expect(result.requiredN).toBeGreaterThan(500);
  });

  test("parity fails, because the two groups differ in how often a mass is benign", async () => {
    expect(await only({ checks: [fair("fair.parity")], files: exampleFiles() })).toMatchObject({ verdict: "fail", estimate: 0.374_605_617_545 });
  });

  test.each([
    ["accuracy", 1, 0.9, "pass", 0.942_982_456_14],
    ["recall", 1, 0.9, "pass", 0.972_027_972_028],
    ["precision", 1, 0.88, "pass", 0.939_189_189_189],
    ["specificity", 1, 0.9, "insufficient_evidence", 0.894_117_647_059],
    ["recall", 0, 0.9, "insufficient_evidence", 0.894_117_647_059],
    ["auc", 1, 0.95, "pass", 0.981_900_452_489],
    ["auc", 0, 0.95, "pass", 0.981_900_452_489],
    ["accuracy", 1, 0.99, "fail", 0.942_982_456_14],
  ])("%s of class %s against the floor %s is %s", async (...[metric, positive, floor, verdict, estimate]) => {
    const result = await only({ checks: [{ check: "perf.metric", id: "p", ...scoredOn, positive, metric, floor }], files: exampleFiles() });
    expect(result).toMatchObject({ verdict, estimate });
    expect(definitionOf("perf.metric")?.cases?.(result.basis)).toEqual([{ of: "", n: { accuracy: 228, auc: 228, recall: positive === 1 ? 143 : 85, precision: 148, specificity: 85 }[metric] }]);
  });

  test("two runs differ in nothing but the clock, and results fit the contract", async () => {
    const checks = [fair("fair.odds"), { check: "data.missing", id: "m", dataset: "train", max: 0.05 }];
    const [first, second] = [await run({ checks, files: exampleFiles() }), await run({ checks, files: exampleFiles() })];
    expect(first).toEqual(second);
    expect(SuiteReport.parse(JSON.parse(JSON.stringify(first)))).toEqual(first);
    expect(first).toMatchObject({ verdict: "insufficient_evidence", summary: { pass: 1, insufficient_evidence: 1, fail: 0, errored: 0 } });
  });
});

describe("a median split", () => {
  test("takes the median from the reference data, puts a value on it into `high`, and reports a group that stays empty", async () => {
    const { root, files } = folder({ test: `s,m,target\n${"0.9,2,1\n0.1,2,1\n0.9,1.9,1\n0.1,1.9,0\n".repeat(40)}`, train: "m\n1\n2\n3\n\n", low: "m\n-5\n" });
    const split = (of: string) => ({ check: "fair.opportunity", id: "f", ...scoredOn, features: ["s"], group: { name: "m", column: "m", transform: { kind: "median-split", of } }, max: 1 });
    expect((await only({ checks: [split("train")], files, root })).basis).toMatchObject({ figures: { groups: [{ name: "high", tp: 40, positives: 80 }, { name: "low", tp: 40, positives: 40 }] } });
    const hollow = await only({ checks: [split("low")], files, root });
    expect(hollow).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator", notes: ["the group `low` has no rows for the true positive rate"] });
  });
});

describe("comparing groups", () => {
  test("a row without a score counts in no group and as not assessed, and its group stays", async () => {
    const { root, files } = folder({ test: `s,g,target\n${"0.9,a,1\n0.1,a,0\n0.9,c,1\n0.1,c,0\n".repeat(100)}${",b,0\n".repeat(5)}` });
    const parity = { check: "fair.parity", id: "f", ...scoredOn, features: ["s"], group: { name: "g", column: "g", transform: { kind: "value" } }, max: 1 };
    const result = await only({ checks: [parity], files, root });
    expect(result).toMatchObject({ verdict: "insufficient_evidence", reason: "undefined_denominator", counts: { attempted: 405, assessed: 400, unassessed: 5 } });
    expect(result.basis).toMatchObject({ figures: { groups: [{ name: "a", n: 200, selected: 100 }, { name: "b", n: 0 }, { name: "c", n: 200 }] } });
  });
});

describe("files that are not what was declared", () => {
  const check = { check: "data.missing", id: "m", dataset: "test", max: 0.05 };

  test("a changed file is errored, even where its content would be malformed", async () => {
    const { root, files } = folder({ test: "a,b\n1\n" });
    const changed = { test: { path: "test", digest: sha256("another") } };
    expect(await only({ checks: [check], files, root })).toMatchObject({ verdict: "errored", reason: "table_malformed" });
    expect(await only({ checks: [check], files: changed, root })).toMatchObject({ verdict: "errored", reason: "component_digest_mismatch" });
  });

  test("missing, undeclared and outside files are errored, and so is a link that leads out", async () => {
    const { root } = folder({});
    const outside = folder({ secret: "a\n1\n" });
    mkdirSync(path.join(root, "folder"));
    symlinkSync(path.join(outside.root, "secret"), path.join(root, "link"));
    const digest = sha256("a\n1\n");
    const reasonOf = async (file: string) => (await only({ checks: [check], files: { test: { path: file, digest } }, root })).reason;
    expect(await reasonOf("nothing.csv")).toBe("component_file_missing");
    expect(await reasonOf("folder")).toBe("component_file_missing");
    expect(await reasonOf(path.join(outside.root, "secret"))).toBe("component_file_outside");
    expect(await reasonOf("link")).toBe("component_file_outside");
    expect((await only({ checks: [check], root })).reason).toBe("component_undeclared");
  });

  test("one check that cannot run does not keep the others from running, and the suite is not a pass", async () => {
    const { root, files } = folder({ test: `a\n${"1\n".repeat(200)}` });
    const progress: string[] = [];
    const report = await run({ checks: [{ ...check, id: "x", dataset: "gone" }, check], files, root, onProgress: ({ kind, id }) => progress.push(`${kind} ${id}`) });
    expect(report.results.map(({ verdict }) => verdict)).toEqual(["errored", "pass"]);
    expect(report.verdict).toBe("errored");
    expect(progress).toEqual(["started x", "finished x", "started m", "finished m"]);
  });

  test("a file that is no model is errored with its code", async () => {
    const { root, files } = folder({ model: "not a model", test: "s,target\n0.5,1\n" });
    expect(await only({ checks: [{ check: "perf.metric", id: "p", ...scoredOn, metric: "auc", floor: 0.5 }], files, root })).toMatchObject({ verdict: "errored", reason: "model_malformed" });
  });

  test("a section without checks is insufficient evidence", async () => {
    expect((await run({ checks: [] })).verdict).toBe("insufficient_evidence");
  });
});

describe("no evidence is never a pass", () => {
  const checks = {
    accuracy: { check: "perf.metric", id: "c", ...scoredOn, metric: "accuracy", floor: 0 },
    auc: { check: "perf.metric", id: "c", ...scoredOn, metric: "auc", floor: 0 },
    opportunity: { check: "fair.opportunity", id: "c", ...scoredOn, features: ["s"], group: { name: "g", column: "g", transform: { kind: "value" } }, max: 1 },
    schema: { check: "data.schema", id: "c", dataset: "test", columns: { s: { type: "number" } } },
    missing: { check: "data.missing", id: "c", dataset: "test", max: 1 },
  };
  const many = (line: string) => `${line}\n`.repeat(100);
  const outcome = async (name: keyof typeof checks, table: string) => {
    const { root, files } = folder({ test: table });
    const { verdict, reason } = await only({ checks: [{ ...checks[name], ...(table.startsWith("s,g") ? { features: ["s"] } : {}) }].map((c) => (c.check.startsWith("data") ? checks[name] : c)), files, root });
    return `${verdict}: ${reason}`;
  };

  test.each<[string, keyof typeof checks, string, string]>([
    ["a table without rows, accuracy", "accuracy", "s,target\n", "insufficient_evidence: too_few"],
    ["a table without rows, auc", "auc", "s,target\n", "insufficient_evidence: too_few"],
    ["a table without rows, fairness", "opportunity", "s,g,target\n", "insufficient_evidence: too_few"],
    ["a table without rows, schema", "schema", "s\n", "insufficient_evidence: too_few"],
    ["a table without rows, missing", "missing", "s\n", "insufficient_evidence: too_few"],
    ["an empty file", "missing", "", "errored: table_malformed"],
    ["every score missing", "accuracy", `s,target\n${many(",1")}`, "insufficient_evidence: unassessed_budget"],
    ["every score NaN", "accuracy", `s,target\n${many("NaN,1")}`, "insufficient_evidence: unassessed_budget"],
    ["every label missing", "auc", `s,target\n${many("0.4,")}`, "insufficient_evidence: unassessed_budget"],
    ["one in ten scores missing", "accuracy", `s,target\n${"0.9,1\n0.1,0\n0.9,1\n0.1,0\n,1\n0.9,1\n0.1,0\n0.9,1\n0.1,0\n0.9,1\n".repeat(30)}`, "insufficient_evidence: unassessed_budget"],
    ["constant scores, accuracy", "accuracy", `s,target\n${"0.9,1\n0.9,0\n".repeat(100)}`, "insufficient_evidence: degenerate"],
    ["constant scores, auc", "auc", `s,target\n${"0.9,1\n0.9,0\n".repeat(100)}`, "insufficient_evidence: degenerate"],
    ["one class, accuracy", "accuracy", `s,target\n${"0.9,1\n0.1,1\n".repeat(100)}`, "insufficient_evidence: degenerate"],
    ["one class, auc", "auc", `s,target\n${"0.9,1\n0.1,1\n".repeat(100)}`, "insufficient_evidence: undefined_denominator"],
    ["constant predictions, fairness", "opportunity", `s,g,target\n${"0.9,a,1\n0.9,b,1\n".repeat(100)}`, "insufficient_evidence: degenerate"],
    ["one group", "opportunity", `s,g,target\n${"0.9,a,1\n0.1,a,1\n".repeat(100)}`, "insufficient_evidence: degenerate"],
    ["a group without positives", "opportunity", `s,g,target\n${"0.9,a,1\n0.1,a,1\n0.1,b,0\n".repeat(100)}`, "insufficient_evidence: undefined_denominator"],
    ["a group of which no row has a score", "opportunity", `s,g,target\n${"0.9,a,1\n0.1,a,1\n0.9,c,1\n0.1,c,1\n".repeat(100)}${",b,1\n".repeat(5)}`, "insufficient_evidence: undefined_denominator"],
    ["groups mostly missing", "opportunity", `s,g,target\n${"0.9,a,1\n0.1,b,1\n0.1,,1\n".repeat(100)}`, "insufficient_evidence: unassessed_budget"],
    ["text instead of scores", "accuracy", `s,target\n${many("high,1")}`, "errored: table_value_invalid"],
    ["infinite scores", "accuracy", `s,target\n${many("Infinity,1")}`, "errored: table_value_invalid"],
    ["scores beyond 32 bits", "accuracy", `s,target\n${many("1e300,1")}`, "insufficient_evidence: unassessed_budget"],
    ["a third label", "accuracy", `s,target\n${"0.9,1\n0.1,0\n0.1,2\n".repeat(100)}`, "errored: table_value_invalid"],
    ["no target column", "accuracy", `s,truth\n${many("0.9,1")}`, "errored: table_column_missing"],
    ["no group column", "opportunity", `s,gg,target\n${many("0.9,a,1")}`, "errored: table_column_missing"],
    ["one feature too many", "accuracy", `s,t,target\n${many("0.9,1,1")}`, "errored: model_input_mismatch"],
  ])("%s", async (_, check, table, expected) => {
    expect(await outcome(check, table)).toBe(expected);
  });
});

describe("data.schema", () => {
  const table = "id,age,seen,ok,code\n1,35,2024-02-29,true,007\n2,-1,2023-02-29,no,08\n3,,2030-01-01,false,9\nx,40.5,2024-01-01,TRUE,zz\n";
  const columns = {
    id: { type: "integer", required: true },
    age: { type: "integer", min: 0, max: 120, required: true },
    seen: { type: "date", min: "2000-01-01", max: "2026-12-31" },
    ok: { type: "boolean" },
    code: { type: "string", enum: ["007", 8, "9"] },
  };
  const schema = (given: object) => ({ check: "data.schema", id: "s", dataset: "test", columns: given });

  test("every kind of defect is counted by row and named by column", async () => {
    const { root, files } = folder({ test: table });
    const result = await only({ checks: [schema(columns)], files, root });
    expect(result).toMatchObject({ verdict: "fail", estimate: 0.75, basis: { kind: "census", violations: 3, n: 4 } });
    expect(result.notes).toEqual([
      "column `id` is not of the declared type in row 4",
      "column `age` is outside the declared range in row 2",
      "column `age` is empty although required in row 3",
      "column `age` is not of the declared type in row 4",
      "column `seen` is not of the declared type in row 2",
      "column `seen` is outside the declared range in row 3",
      "column `ok` is not of the declared type in row 2",
      "column `code` is not among the declared values in row 4",
    ]);
  });

  test("a declared column that is absent breaks every row", async () => {
    const { root, files } = folder({ test: table });
    const result = await only({ checks: [schema({ gone: { type: "string" } })], files, root });
    expect(result).toMatchObject({ verdict: "fail", estimate: 1, notes: ["the column `gone` is absent"] });
  });

  test("a contract that cannot be meant is refused when it is parsed", () => {
    const parse = (rule: object) => AssuranceSection.safeParse({ checks: [schema({ a: rule })] }).success;
    expect([parse({ type: "date", min: 5 }), parse({ type: "number", min: "2020-01-01" }), parse({ type: "string", max: 3 }), parse({ type: "date", max: "2023-02-30" })]).toEqual([false, false, false, false]);
    expect([parse({ type: "date", max: "2024-02-29" }), parse({ type: "integer", min: 0 })]).toEqual([true, true]);
    expect(AssuranceSection.safeParse({ checks: [schema({ a: { type: "string" } }), schema({ a: { type: "string" } })] }).success).toBe(false);
    expect(AssuranceSection.safeParse({ checks: [schema({})] }).success).toBe(false);
    expect(AssuranceSection.safeParse({ checks: [{ check: "fair.unknown", id: "a" }] }).success).toBe(false);
  });
});

describe("a report as text", () => {
  test("names verdict, figure, bound, limit, reason and remedy of every check", async () => {
    const { root, files } = folder({ test: `s,target\n${"0.9,1\n0.1,0\n".repeat(15)}` });
    const checks = [
      { check: "perf.metric", id: "acc", ...scoredOn, metric: "accuracy", floor: 0.95 },
      { check: "data.missing", id: "empty", dataset: "gone", max: 0.05 },
    ];
    const text = formatReport(await run({ checks, files, root }), (part, tone) => (tone === "muted" ? part : `<${tone}>${part}</>`));
    expect(text).toContain("<insufficient_evidence>insufficient</>  acc    accuracy 1 (at least 0.905), limit >= 0.95");
    expect(text).toContain("too few cases for a verdict; about 59 such cases would decide it");
    expect(text).toContain("component_undeclared: no component `gone`");
    expect(text.split("\n").at(-1)).toBe("<errored>errored</>: 1 insufficient, 1 errored");
  });
});
