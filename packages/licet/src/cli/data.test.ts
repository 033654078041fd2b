import { createHash } from "node:crypto";
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLineage, PrivacyBudgetFile } from "@licet/contract";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runAnonymise, type AnonymiseOptions } from "./data-anonymise.ts";
import { runNoise, type NoiseOptions } from "./data-noise.ts";
import { runSynthesise, type SynthesiseOptions } from "./data-synthesise.ts";
import type { Terminal } from "./terminal.ts";

let folder = "";
let said: string[] = [];
const terminal: Terminal = { out: (text) => said.push(text), err: (text) => said.push(text), colour: false, width: 100 };
const place = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "licet-data-"));
  said = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** 600 people: illness depends on age, so that a synthetic table has something to keep. */
const people = Array.from({ length: 600 }, (_, row) => {
  const age = (row * 37) % 90;
  return [`person ${row}`, age, ["north", "south", "east"][row % 3], age > 60 ? (row % 4 === 0 ? "none" : "cough") : row % 5 === 0 ? "flu" : "none"].join(",");
});
const table = `name,age,place,illness\n${people.join("\n")}\n`;

function source(text = table, name = "people.csv"): string {
  writeFileSync(place(name), text);
  return place(name);
}

/** Split by hand: nothing here is quoted, and what reads the answer is not what wrote it. */
function read(name: string): { readonly header: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const [header = "", ...rows] = readFileSync(place(name), "utf8").trimEnd().split("\n");
  return { header: header.split(","), rows: rows.map((row) => row.split(",")) };
}

function lineage(name: string): DataLineage {
  return DataLineage.parse(JSON.parse(readFileSync(place(`${name}.lineage.json`), "utf8")));
}

function sha256(name: string): string {
  return `sha256:${createHash("sha256").update(readFileSync(place(name))).digest("hex")}`;
}

function budget(name = "people.csv.privacy-budget.json"): PrivacyBudgetFile {
  return PrivacyBudgetFile.parse(JSON.parse(readFileSync(place(name), "utf8")));
}

const anonymise = (file: string, options: Partial<AnonymiseOptions> = {}) => runAnonymise(file, { out: place("out.csv"), quasi: ["age", "place"], k: "5", drop: ["name"], ...options }, terminal);
const synthetic = (file: string, options: Partial<SynthesiseOptions> = {}) =>
  runSynthesise(file, { out: place("out.csv"), rows: "2000", epsilon: "3", delta: "1e-6", column: ["age=0..90/9/whole", "illness=flu,cough,none"], ...options }, terminal);
const noise = (file: string, options: Partial<NoiseOptions> = {}) => runNoise(file, { out: place("out.csv"), epsilon: "1", mechanism: "laplace", count: ["illness=flu,cough,none"], ...options }, terminal);

describe("licet data anonymise", () => {
  test("every combination of quasi-identifiers in the file stands for k rows and l values, recounted from its text", async () => {
    expect(await anonymise(source(), { k: "7", diversity: "illness=2" })).toBe(0);
    const { header, rows } = read("out.csv");
    expect(header).toEqual(["age", "place", "illness"]);
    const groups = new Map<string, string[]>();
    for (const [age, where, illness = ""] of rows) groups.set(`${age};${where}`, [...(groups.get(`${age};${where}`) ?? []), illness]);
    expect(groups.size).toBeGreaterThan(5);
    expect(Math.min(...[...groups.values()].map((group) => group.length))).toBeGreaterThanOrEqual(7);
    expect(Math.min(...[...groups.values()].map((group) => new Set(group).size))).toBeGreaterThanOrEqual(2);
    const record = lineage("out.csv");
    expect(record).toMatchObject({ method: "anonymise", randomness: { kind: "none" }, parameters: { k: 7, diversity: { column: "illness", l: 2 }, drop: ["name"] }, privacy: { groups: groups.size } });
    expect(record).toMatchObject({ privacy: { k: Math.min(...[...groups.values()].map((group) => group.length)) }, loss: { rows: 600, suppressed: 600 - rows.length } });
    expect(record.source).toMatchObject({ name: "people.csv", digest: sha256("people.csv"), rows: 600 });
    expect(record.output).toMatchObject({ name: "out.csv", digest: sha256("out.csv"), rows: rows.length, columns: header });
    expect(JSON.stringify(record)).not.toContain(folder);
  });

  test("the same call gives the same bytes, and what it leaves open is said", async () => {
    const file = source();
    await anonymise(file, { drop: [] });
    const first = sha256("out.csv");
    await anonymise(file, { drop: [], force: true });
    expect(sha256("out.csv")).toBe(first);
    expect(said.join("\n")).toMatch(/differing in nearly every row, and in the output as they were: `name`;/u);
    expect(said.join("\n")).toMatch(/no sensitive column was named/u);
  });

  test("a data set that a manifest declares is found by its name, and nothing else is", async () => {
    const dir = join(import.meta.dirname, "../../../../examples/tumour-classifier");
    expect(await anonymise("train", { dir, quasi: ["mean_radius"], drop: [] })).toBe(0);
    expect(lineage("out.csv").source).toMatchObject({ name: "train.csv", dataset: "train", system: "tumour-classifier", rows: 341 });
    await expect(anonymise("data/train.csv", { dir, force: true })).rejects.toMatchObject({ code: "component_undeclared" });
  });

  test.each([
    ["transform_table_empty", "age,place\n", { quasi: ["age"], drop: [] }],
    ["table_malformed", "", {}],
    ["table_malformed", "age,place\n1\n", {}],
    ["table_malformed", 'age,place\n"1,2\n', {}],
    ["table_column_missing", table, { quasi: ["agee"] }],
    ["table_column_missing", table, { drop: ["nam"] }],
    ["table_column_missing", table, { diversity: "ilness=2" }],
    ["table_column_missing", table, { sensitive: ["x"] }],
    ["transform_unreachable", table, { k: "601" }],
    ["transform_unreachable", table, { diversity: "illness=4" }],
    ["transform_unreachable", "age,illness\n1,a\n2,a\n3,b\n", { quasi: ["age"], drop: [], k: "3", diversity: "illness=3" }],
    ["transform_parameter_invalid", table, { k: "1" }],
    ["transform_parameter_invalid", table, { k: "five" }],
    ["transform_parameter_invalid", table, { diversity: "illness" }],
    ["transform_parameter_invalid", table, { drop: ["age"] }],
    ["transform_parameter_invalid", table, { sensitive: ["age"] }],
  ] as const)("%s: nothing is written", async (code, text, options) => {
    await expect(anonymise(source(text), options)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual(["people.csv"]);
  });
});

describe("files", () => {
  test("what exists is not written over without --force, and the source never is, by whatever name", async () => {
    const file = source();
    linkSync(file, place("hard.csv"));
    symlinkSync(file, place("soft.csv"));
    for (const name of ["people.csv", "hard.csv", "soft.csv"]) await expect(anonymise(file, { out: place(name), force: true })).rejects.toMatchObject({ code: "transform_output_taken" });
    writeFileSync(place("out.csv"), "mine");
    await expect(anonymise(file)).rejects.toMatchObject({ code: "already_exists" });
    expect(readFileSync(place("out.csv"), "utf8")).toBe("mine");
    rmSync(place("out.csv"));
    writeFileSync(place("out.csv.lineage.json"), "mine");
    await expect(anonymise(file)).rejects.toMatchObject({ code: "already_exists" });
    expect(await anonymise(file, { force: true })).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(table);
    expect(readdirSync(folder).toSorted()).toEqual(["hard.csv", "out.csv", "out.csv.lineage.json", "people.csv", "soft.csv"]);
  });

  test("a folder that is not there, a folder as source or output, and the budget file as output are refused", async () => {
    const file = source();
    await expect(anonymise(file, { out: place("no/out.csv") })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(noise(file, { out: place("no/out.csv") })).rejects.toMatchObject({ code: "ENOENT" });
    await expect(anonymise(folder)).rejects.toMatchObject({ code: "file_unreadable" });
    await expect(anonymise(file, { out: folder, force: true })).rejects.toMatchObject({ code: "file_unreadable" });
    await expect(noise(file, { out: place("people.csv.privacy-budget.json") })).rejects.toMatchObject({ code: "transform_output_taken" });
    expect(readdirSync(folder)).toEqual(["people.csv"]);
  });

  test("cells with commas, quotes and line breaks come out as they went in", async () => {
    const text = `age,note\n${Array.from({ length: 6 }, (_, row) => `${row},"a ""b"", c\n${row % 2}"`).join("\n")}\n`;
    expect(await anonymise(source(text), { quasi: ["age"], k: "3", drop: [] })).toBe(0);
    expect(readFileSync(place("out.csv"), "utf8")).toContain(`"a ""b"", c\n1"`);
    expect(lineage("out.csv").output.rows).toBe(6);
  });
});

describe("licet data synthesise", () => {
  test("the shares of every declared column stay within what the noise of their counts allows", async () => {
    expect(await synthetic(source())).toBe(0);
    const { header, rows } = read("out.csv");
    expect([header, rows.length]).toEqual([["age", "illness"], 2000]);
    const record = lineage("out.csv");
    if (record.method !== "synthesise") throw new Error("another method");
    const { spent, pairs } = record.privacy;
    expect(pairs).toHaveLength(1);
    const rho = spent.spendings.reduce((least, each) => Math.min(least, each.mechanism === "gaussian" ? each.rho : 0), Infinity);
    // Of one count: noise of two columns' tables, and of drawing; six standard deviations of each, so that chance alone never fails this.
    const noiseOfCount = 1 / Math.sqrt(2 * (rho / 2));
    for (const illness of ["flu", "cough", "none"]) {
      const share = people.filter((row) => row.endsWith(`,${illness}`)).length / 600;
      const drawn = rows.filter((row) => row[1] === illness).length / 2000;
      expect(Math.abs(drawn - share)).toBeLessThan((6 * noiseOfCount * Math.sqrt(40)) / 600 + 6 * Math.sqrt(0.25 / 2000));
    }
    for (const [age = ""] of rows) expect(age === "" || (Number.isInteger(Number(age)) && Number(age) >= 0 && Number(age) <= 90)).toBe(true);
    expect(spent).toMatchObject({ delta: 1e-6, epsilonBefore: 0, epsilonTotal: 3 });
    expect(spent.epsilon).toBeLessThanOrEqual(3);
    expect(spent.epsilon).toBeGreaterThan(2.999);
    expect(record.randomness).toEqual({ kind: "secret" });
  });

  test("two runs draw different tables: nothing recorded brings the noise back", async () => {
    const file = source();
    await synthetic(file, { total: "9" });
    const first = sha256("out.csv");
    await synthetic(file, { force: true });
    expect(sha256("out.csv")).not.toBe(first);
    expect(readFileSync(place("out.csv.lineage.json"), "utf8")).not.toContain("seed");
  });

  test("values that nobody declared do not appear, and their number is for the owner alone", async () => {
    expect(await synthetic(source(), { column: ["illness=flu,none"] })).toBe(0);
    expect(new Set(read("out.csv").rows.flat().filter((cell) => cell !== '""'))).toEqual(new Set(["flu", "none"]));
    expect(lineage("out.csv").notes.join("\n")).toMatch(/column `illness`: \d+ of 600 rows are missing or outside/u);
  });

  test.each([
    ["transform_parameter_invalid", { epsilon: "0" }],
    ["transform_parameter_invalid", { epsilon: "-1" }],
    ["transform_parameter_invalid", { epsilon: "NaN" }],
    ["transform_parameter_invalid", { epsilon: "Infinity" }],
    ["transform_parameter_invalid", { delta: "0" }],
    ["transform_parameter_invalid", { delta: "0.01" }],
    ["transform_parameter_invalid", { rows: "0" }],
    ["transform_parameter_invalid", { rows: "1e9" }],
    ["transform_parameter_invalid", { column: [] }],
    ["transform_parameter_invalid", { column: ["age"] }],
    ["transform_parameter_invalid", { column: ["age=0..90"] }],
    ["transform_parameter_invalid", { column: ["age=90..0/9"] }],
    ["transform_parameter_invalid", { column: ["age=0..90/0"] }],
    ["transform_parameter_invalid", { column: ["age=0..90/9999999"] }],
    ["transform_parameter_invalid", { column: ["illness=flu,,none"] }],
    ["transform_parameter_invalid", { column: ["illness=flu,flu"] }],
    ["transform_parameter_invalid", { column: ["illness=flu", "illness=none"] }],
    ["table_column_missing", { column: ["ilness=flu"] }],
  ] as const)("%s for %o: nothing is written or spent", async (code, options) => {
    await expect(synthetic(source(), options)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual(["people.csv"]);
  });
});

describe("licet data noise", () => {
  test("counts and sums come near the truth, and the budget says exactly what the accountant spent", async () => {
    const file = source();
    expect(await noise(file, { sum: ["age=0..90"], total: "2" })).toBe(0);
    const { rows } = read("out.csv");
    expect(rows.map(([figure, column, value]) => [figure, column, value])).toEqual([["count", "illness", "flu"], ["count", "illness", "cough"], ["count", "illness", "none"], ["sum", "age", ""]]);
    for (const [figure, , value = "", result, error] of rows) {
      const truth = figure === "count" ? people.filter((row) => row.endsWith(`,${value}`)).length : people.reduce((sum, row) => sum + Number(row.split(",")[1]), 0);
      // Laplace noise is beyond 40 times its mean size with a chance below 1e-17.
      expect(Math.abs(Number(result) - truth)).toBeLessThan(40 * Number(error));
    }
    const spendings = [{ name: "counts of illness", mechanism: "laplace", epsilon: 0.5 }, { name: "sum of age", mechanism: "laplace", epsilon: 0.5 }];
    expect(lineage("out.csv")).toMatchObject({ method: "noise", privacy: { spent: { epsilon: 1, delta: 0, epsilonBefore: 0, epsilonAfter: 1, epsilonTotal: 2, spendings } }, randomness: { kind: "secret" } });
    expect(budget()).toMatchObject({ budget: { epsilon: 2, delta: 0 }, runs: [{ command: "noise", source: sha256("people.csv"), output: sha256("out.csv"), spendings }] });
  });

  test("a spent budget refuses every further run, whatever it writes to, and also when rows were added", async () => {
    const file = source();
    expect(await noise(file)).toBe(0);
    const spent = readFileSync(place("people.csv.privacy-budget.json"), "utf8");
    said = [];
    expect(await noise(file, { out: place("again.csv"), epsilon: "0.1" })).toBe(1);
    expect(said.join("\n")).toMatch(/refused: privacy_budget_spent: .*1\.1 of 1/u);
    source(`${table}new,3,north,flu\n`);
    expect(await noise(file, { out: place("again.csv"), epsilon: "0.1", json: true })).toBe(1);
    expect(JSON.parse(said.at(-1) ?? "")).toMatchObject({ kind: "refused", code: "privacy_budget_spent" });
    expect(readFileSync(place("people.csv.privacy-budget.json"), "utf8")).toBe(spent);
    expect(readdirSync(folder)).not.toContain("again.csv");
  });

  test("noise and synthetic tables spend from one budget, in which several runs cost less than their sum", async () => {
    const file = source();
    expect(await noise(file, { mechanism: "gaussian", delta: "1e-6", total: "3" })).toBe(0);
    expect(await synthetic(file, { out: place("made.csv"), epsilon: "2" })).toBe(0);
    const record = lineage("made.csv");
    if (record.method !== "synthesise") throw new Error("another method");
    expect(record.privacy.spent.epsilonBefore).toBeCloseTo(1, 6);
    expect(record.privacy.spent.epsilonAfter).toBeLessThan(3);
    expect(budget().runs.map(({ command }) => command)).toEqual(["noise", "synthesise"]);
    expect(await synthetic(file, { out: place("more.csv"), epsilon: "2" })).toBe(1);
  });

  test("total and delta stay as they were first given, and a damaged or overspent budget file stops everything", async () => {
    const file = source();
    expect(await noise(file, { total: "5" })).toBe(0);
    await expect(noise(file, { total: "50", force: true })).rejects.toMatchObject({ code: "privacy_budget_invalid" });
    await expect(noise(file, { delta: "1e-6", force: true })).rejects.toMatchObject({ code: "privacy_budget_invalid" });
    const good = readFileSync(place("people.csv.privacy-budget.json"), "utf8");
    for (const bad of ["", "[]", good.replace('"epsilon": 5', '"epsilon": 0.5'), good.replace('"epsilon": 1', '"epsilon": -1'), good.slice(0, -9)]) {
      expect(bad).not.toBe(good);
      writeFileSync(place("people.csv.privacy-budget.json"), bad);
      await expect(noise(file, { force: true })).rejects.toMatchObject({ code: "privacy_budget_invalid" });
    }
  });

  test("a second run at the same time is refused, and its lock is left to whoever took it", async () => {
    const file = source();
    writeFileSync(place("people.csv.privacy-budget.json.lock"), "");
    await expect(noise(file)).rejects.toMatchObject({ code: "privacy_budget_locked" });
    expect(readdirSync(folder).toSorted()).toEqual(["people.csv", "people.csv.privacy-budget.json.lock"]);
    rmSync(place("people.csv.privacy-budget.json.lock"));
    expect(await noise(file)).toBe(0);
    expect(readdirSync(folder)).not.toContain("people.csv.privacy-budget.json.lock");
  });

  test.each([
    ["transform_parameter_invalid", { epsilon: "0" }],
    ["transform_parameter_invalid", { total: "0" }],
    ["transform_parameter_invalid", { mechanism: "gaussian" }],
    ["transform_parameter_invalid", { count: [] }],
    ["transform_parameter_invalid", { sum: ["age=0..0"] }],
    ["transform_parameter_invalid", { sum: ["age=0..90/3"] }],
    ["table_value_invalid", { sum: ["place=0..90"] }],
    ["table_column_missing", { count: ["ill=flu"] }],
  ] as const)("%s for %o: nothing is written or spent", async (code, options) => {
    await expect(noise(source(), options)).rejects.toMatchObject({ code });
    expect(readdirSync(folder)).toEqual(["people.csv"]);
  });
});

test("garbage for a table gives a coded error or a whole result, and never half of one", async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), fc.array(fc.array(fc.constantFrom("", "a", "1", '"', ",", "NaN"), { minLength: 2, maxLength: 2 }), { maxLength: 8 }).map((rows) => ["a,b", ...rows.map((row) => row.join(","))].join("\n"))), async (content) => {
      rmSync(place("out.csv"), { force: true });
      rmSync(place("out.csv.lineage.json"), { force: true });
      writeFileSync(place("people.csv"), content);
      const ended = await anonymise(place("people.csv"), { quasi: ["a"], k: "2", drop: [] }).catch((error: unknown) => error);
      const there = readdirSync(folder).toSorted();
      expect([there, ended]).toMatchObject(ended === 0 ? [["out.csv", "out.csv.lineage.json", "people.csv"], 0] : [["people.csv"], { name: "LicetError" }]);
    }),
    { numRuns: 60 },
  );
});

test("Parquet and Arrow are sources like CSV: the same rows give the same anonymised bytes, and the lineage names the file that was read", async () => {
  const cells = people.map((line) => line.split(","));
  const column = (at: number) => cells.map((row) => row[at] ?? "");
  const parquet = parquetWriteBuffer({ columnData: [{ name: "name", data: column(0) }, { name: "age", data: column(1).map(Number), type: "INT32" }, { name: "place", data: column(2) }, { name: "illness", data: column(3) }] });
  writeFileSync(place("people.parquet"), new Uint8Array(parquet));
  await anonymise(source());
  const fromCsv = readFileSync(place("out.csv"), "utf8");
  await anonymise(place("people.parquet"), { force: true });
  expect(readFileSync(place("out.csv"), "utf8")).toBe(fromCsv);
  expect(lineage("out.csv").source).toMatchObject({ name: "people.parquet", digest: sha256("people.parquet"), rows: 600 });
  await noise(place("people.parquet"), { force: true, sum: ["age=0..119"] });
  expect(read("out.csv").rows.map(([figure, name]) => [figure, name])).toEqual([["count", "illness"], ["count", "illness"], ["count", "illness"], ["sum", "age"]]);
});
