import { type AssuranceCheck, type CheckResult, errors, importFormats, reasonWords } from "@licet/contract";
import { linearModel } from "../../../../test/unit/support/small-models.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";

/** Rows of the matrix of bad input: each check with good input, and what of it is spoilt. */

/** What bad input may give: insufficient for a reason that has words, or an error whose code says what to do. */
export function isOpen({ verdict, reason = "", error }: CheckResult): boolean {
  if (verdict === "insufficient_evidence") return Object.hasOwn(reasonWords, reason);
  return verdict === "errored" && error !== undefined && error.code !== "internal" && Object.hasOwn(errors, error.code);
}

type Contents = Readonly<Record<string, string | Uint8Array>>;

/** What is wrong with a table, as its lines. */
export type TableFault = "empty" | "header only" | "one row" | "all NaN" | "no cell filled" | "wrong types" | "missing columns" | "one class only" | "huge values" | "no table";

/** What else than "nothing is shown" is right for a fault, and why. */
export type Exception = readonly ["fail" | "pass" | "any", string];

export interface Row {
  /** As declared, with the widest limit that still means something: what shows nothing would pass here first. */
  readonly check: Readonly<Record<string, unknown>> & { readonly check: AssuranceCheck["check"] };
  readonly good: Contents;
  /** Declared names of the tables, each spoilt on its own and all together. */
  readonly tables?: readonly string[];
  /** Declared names of the models, each spoilt on its own. */
  readonly models?: readonly string[];
  /** Declared names of what is neither, each spoilt on its own. */
  readonly files?: readonly string[];
  /** What the good input gives. */
  readonly gives?: "pass" | "fail" | "insufficient_evidence" | "errored";
  /** Where a model that gives no number shows something. */
  readonly unanswerable?: Exception | undefined;
  /** Where a damaged file shows something. */
  readonly damaged?: Exception;
  readonly except?: Readonly<Partial<Record<TableFault, Exception | undefined>>>;
}

const noise = (at: number, step: number) => (at * step) % 1;
export const header = ["s", "other", "y", "group", "city", "id", "day", "note"] as const;
const features = ["s", "other"];

/** Scores that come true as often as they say, in two groups alike; ids and days do not repeat from one table to the next. */
export function goodTable(rows: number, from: number = 1): string {
  const line = (at: number) => {
    const score = noise(at, 0.618034);
    return [score.toFixed(4), noise(at, 0.569840) < 0.5 ? 1 : 0, noise(at, 0.754878) < score ? 1 : 0, at % 2 === 0 ? "a" : "b", noise(at, 0.4142) < 0.5 ? "north" : "south", `p${at}`, at, `nothing of anybody in ${at}`].join(",");
  };
  return [header.join(","), ...Array.from({ length: rows }, (_, at) => line(at + from))].join("\n");
}

const tables = { test: goodTable(600), train: goodTable(600, 5000) };
/** Answers with the first feature, as a probability: two scores that add up to 1. */
export const model = linearModel([4, 0.1], -2);
const plain = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "LinearRegressor", ml: true, in: ["x"], out: ["y"], floats: { coefficients: [1, 0], intercepts: [0] } })] });
const on = { model: "model", dataset: "test", target: "y", positive: 1, features };
const by = { name: "g", column: "group" };
const group = { ...by, transform: { kind: "value" } };

const noClass: Exception = ["pass", "it reads no class"];
const cells: Exception = ["pass", "it looks at cells as they are written, in whatever columns there are"];
const sizeOnly: Exception = ["pass", "of this table it reads the number of rows"];
const elsewhere: Exception = ["pass", "it reads other columns, which are whole"];
const violated: Exception = ["fail", "every row breaks the rule"];
const moved: Exception = ["fail", "one side is unlike the other"];
const repeated: Exception = ["fail", "every row is the same"];
const otherColumns = { "wrong types": elsewhere, "one class only": elsewhere, "huge values": elsewhere } as const;
const asWritten = { "all NaN": repeated, "no cell filled": repeated, "wrong types": cells, "one class only": cells, "huge values": cells, "missing columns": cells } as const;
const compared = { "all NaN": repeated, "no cell filled": repeated, "wrong types": cells, "one class only": cells, "huge values": cells } as const;

type Given = Omit<Row, "check" | "good"> & { readonly good?: Contents };

function ofModel(check: Row["check"]["check"], given: object, { good = {}, ...more }: Given = {}): Row {
  return { check: { check, ...on, ...given }, good: { model, ...tables, ...good }, tables: ["test"], models: ["model"], ...more };
}

function ofData(check: Row["check"]["check"], given: object, { good = {}, ...more }: Given = {}): Row {
  return { check: { check, dataset: "test", ...given }, good: { ...tables, ...good }, tables: ["test"], ...more };
}

const unlabelled: Given = { except: { "one class only": noClass } };
const refused: Exception = ["fail", "what the model does with wrong input shows whatever the rows are"];
const both = { tables: ["test", "train"] };
const judgedRows = ["stratum,wrong", ...Array.from({ length: 400 }, () => "all,0")].join("\n");
const folds = ["y,none,one", ...Array.from({ length: 400 }, (_, at) => `${at % 2},${at % 2 === 0 ? "0.9,0.1" : "0.2,0.8"}`)].join("\n");
const pickle = Buffer.from("(lp0\nI1\naI2\na.");
const reported = (count: number) => `<?xml version="1.0"?><testsuites><testsuite name="s" tests="${count}" failures="0" errors="0" skipped="0">${Array.from({ length: count }, (_, at) => `<testcase classname="c" name="t${at}"/>`).join("")}</testsuite></testsuites>`;
const poison = (check: "data.poison.spectral" | "data.poison.clusters" | "data.poison.neighbours") =>
  ofData(check, { advisory: true, label: "y", columns: features }, { gives: "insufficient_evidence" });

/** Checks of tables, of models and of files. Those of language models stand in `bad-endpoint.test.ts`. */
export const rows: readonly Row[] = [
  ofData("data.schema", { columns: { s: { type: "number" }, y: { type: "integer" } } }, { except: { "one class only": noClass, "huge values": ["fail", "1e308 is no integer"], "wrong types": violated, "missing columns": violated } }),
  ofData("data.missing", { max: 0 }, { except: { "one class only": cells, "huge values": cells, "wrong types": cells, "all NaN": violated, "no cell filled": violated, "missing columns": cells } }),
  ofModel("perf.metric", { metric: "accuracy", floor: 0.001 }),
  ofModel("perf.metric", { metric: "auc", floor: 0.001 }),
  ofModel("fair.parity", { group, max: 0.5 }, unlabelled),
  ofModel("fair.opportunity", { group, max: 0.5 }),
  ofModel("fair.odds", { group, max: 0.5 }),
  ofModel("fair.accuracy", { by, max: 0.5 }),
  ofModel("fair.fourfifths", { by, min: 0.001 }, unlabelled),
  ofModel("fair.calibration", { by, max: 0.5 }),
  ofModel("perf.loss", { metric: "log_loss", max: 100 }),
  ofModel("perf.loss", { metric: "brier", max: 0.5 }),
  ofModel("perf.noninferior", { champion: "champion", metric: "accuracy", max: 0.5 }, { good: { champion: model }, models: ["model", "champion"] }),
  ofModel("perf.noninferior", { champion: "champion", metric: "auc", max: 0.5 }, { good: { champion: linearModel([1, 1], -1) }, models: ["model", "champion"] }),
  ofModel("perf.slices", { slices: [{ group: "a" }, { group: "b" }], floor: 0.001 }),
  ofModel("calib.ece", { max: 0.5 }),
  ofModel("privacy.membership", { members: "train", max: 0.8 }, both),
  ofModel("privacy.epsilon", { members: "train", max: 2 }, both),
  ofModel("privacy.epsilon", { canaries: { included: "y", guesses: 400 }, max: 2 }),
  { ...ofModel("privacy.extraction", {}, both), ...unlabelled, check: { check: "privacy.extraction", model: "model", dataset: "test", attacker: "train", target: "y", features, queries: 60, rows: 300, max: 1 } },
  ofModel("privacy.attribute", { attribute: "other", values: [0, 1], max: 0.5 }, { good: { model: linearModel([2, 0.1], -1) } }),
  { ...ofModel("perf.error", {}), check: { check: "perf.error", model: "model", dataset: "test", target: "y", features, metric: "mae", max: 1000 }, good: { ...tables, model: plain } },
  { ...ofModel("perf.fit", {}), check: { check: "perf.fit", model: "model", dataset: "test", target: "y", features, floor: 0.001 }, good: { ...tables, model: plain } },
  ofModel("perf.score", { metric: "f1", floor: 0.001 }),
  ofModel("perf.score", { metric: "average_precision", floor: 0.001 }, { good: { test: goodTable(120) } }),
  { ...ofModel("fair.regression", {}), check: { check: "fair.regression", model: "model", dataset: "test", target: "y", features, by, max: 0.5 }, good: { ...tables, model: plain } },
  ofModel("robust.certified", { floor: 0.001, epsilon: 0.0001 }),
  ofModel("robust.evasion", { max: 0.5, epsilon: 0.0001, queries: 100 }),
  ofModel("robust.noise", { max: 0.5 }),
  ofModel("robust.input", { }, { gives: "fail", except: { "one row": refused, "all NaN": refused, "no cell filled": refused, "one class only": refused, "huge values": refused }, unanswerable: refused }),
  ofModel("robust.determinism", { max: 0.5 }, unlabelled),
  ofModel("robust.trigger", { max: 0.5 }, { gives: "fail", except: { "one class only": ["fail", "it reads no class"] } }),
  ofModel("explain.permutation", { watched: ["other"], max: 0.5, queries: 2000 }),
  ofModel("explain.shapley", { rows: 5, background: 10, max: 1000 }, unlabelled),
  ofModel("robust.corruption", { damages: { missing: 0.1, swap: true }, max: 0.5 }),
  ofModel("robust.corruption", { relations: [{ change: { s: { add: 0.1 } }, score: "not-lower" }], max: 0.5 }, unlabelled),
  ofModel("fair.counterfactual", { flip: { name: "other", features: { other: [0, 1] } }, max: 0.5 }, unlabelled),
  // A file is no endpoint: what is right of it stands in the rows of endpoints.
  { check: { check: "ops.latency", model: "model", dataset: "test", target: "y", features, calls: 100, max: 3_600_000 }, good: { model, ...tables }, gives: "errored", tables: ["test"], models: ["model"] },
  ofData("data.duplicates", { max: 0.5 }, { except: asWritten }),
  ofData("data.duplicates", { key: ["id"], near: { columns: ["note"], similarityMin: 0.99 }, max: 0.5 }, { except: { ...asWritten, "missing columns": undefined } }),
  ofData("data.leakage.overlap", { reference: "train", entity: "id", max: 0 }, { ...both, except: compared }),
  ofData("data.leakage.overlap", { reference: "train", target: { column: "y", positive: 1 }, max: 0 }, { ...both, except: compared }),
  ofData("data.coverage", { columns: ["group"], min: 2 }, { except: otherColumns }),
  ofData("data.privacy.kanon", { quasiIdentifiers: ["group", "city"], min: 2 }, { except: { ...otherColumns, "one row": ["fail", "one row is a group of one"] } }),
  ofData("data.labels.noise", { sample: "judged", max: 0.5 }, { good: { judged: judgedRows }, tables: ["test", "judged"], except: { "all NaN": sizeOnly, "no cell filled": sizeOnly, "wrong types": sizeOnly, "missing columns": sizeOnly, "huge values": sizeOnly, "one class only": ["any", "what people found wrong is a class, and all wrong is a finding"] } }),
  ofData("data.labels.suspects", { advisory: true, label: "y", probabilities: { 0: "none", 1: "one" } }, { good: { test: folds }, gives: "insufficient_evidence" }),
  ofData("data.pii", { max: 0 }, { except: { "wrong types": cells, "missing columns": cells, "one class only": cells, "huge values": cells } }),
  poison("data.poison.spectral"),
  poison("data.poison.clusters"),
  poison("data.poison.neighbours"),
  ofData("drift.numeric", { reference: "train", columns: features, max: 0.5 }, { ...both, except: { "one class only": noClass, "huge values": moved } }),
  ofData("drift.categorical", { reference: "train", columns: ["city"], max: 0.5 }, { ...both, except: otherColumns }),
  ofData("drift.missing", { reference: "train", max: 0.5 }, { ...both, except: { "all NaN": moved, "no cell filled": moved, "wrong types": cells, "huge values": cells, "one class only": cells, "missing columns": cells } }),
  ofData("drift.multivariate", { reference: "train", columns: ["s"], max: 0.8 }, { ...both, good: { test: goodTable(80), train: goodTable(80, 5000) }, except: { "one class only": noClass, "huge values": moved } }),
  { ...ofModel("drift.prediction", {}, both), except: { "one class only": noClass }, check: { check: "drift.prediction", model: "model", dataset: "test", reference: "train", target: "y", features, of: "scores", max: 0.5 } },
  { ...ofModel("drift.prediction", {}, both), except: { "one class only": noClass }, check: { check: "drift.prediction", model: "model", dataset: "test", reference: "train", target: "y", features, of: "classes", positive: 1, max: 0.5 } },
  ofModel("drift.performance", { reference: "train", advisory: true, floor: 0.001 }, { ...both, gives: "insufficient_evidence" }),
  ofModel("drift.label", { reference: "train", max: 0.5 }, { ...both, except: { "one class only": ["pass", "the rows of today need no answer"] } }),
  { check: { check: "artifact.scan", artifact: "weights" }, good: { weights: pickle }, files: ["weights"], damaged: ["fail", "a file that stops half-way is blocked, because loading it may do anything"] },
  { check: { check: "import.report", report: "r", format: "junit", max: 0.5 }, good: { r: reported(400) }, files: ["r"] },
  ...importFormats.filter((format) => format !== "junit").map((format): Row => ({ check: { check: "import.report", report: "r", format, max: 1 }, good: { r: "{}" }, files: ["r"], gives: "insufficient_evidence" })),
];

/** The table with every line after the header put through a change of its cells. */
function rewritten(table: string, change: (cell: string, column: string, at: number) => string): string {
  const [first = "", ...lines] = table.split("\n");
  const names = first.split(",");
  return [first, ...lines.map((line, at) => line.split(",").map((cell, index) => change(cell, names[index] ?? "", at)).join(","))].join("\n");
}

const numeric = /^-?\d+(?:\.\d+)?$/u;

export const tableFaults: Readonly<Record<TableFault, (table: string) => string>> = {
  empty: () => "",
  "header only": (table) => `${table.split("\n", 1)[0] ?? ""}\n`,
  "one row": (table) => table.split("\n", 2).join("\n"),
  "all NaN": (table) => rewritten(table, (cell) => (numeric.test(cell) ? "NaN" : "")),
  "no cell filled": (table) => rewritten(table, () => ""),
  "wrong types": (table) => rewritten(table, (cell) => (numeric.test(cell) ? "high" : cell)),
  "missing columns": (table) => ["unrelated", ...table.split("\n").slice(1).map((_, at) => String(at))].join("\n"),
  "one class only": (table) => rewritten(table, (cell, column) => (column === "y" || column === "wrong" ? "1" : cell)),
  "huge values": (table) => rewritten(table, (cell) => (numeric.test(cell) ? "1e308" : cell)),
  "no table": () => "\u0000\u0001\u0002 not a table, \"unclosed\n1,2,3,4,5,6\n",
};

const truncated = (bytes: Uint8Array) => bytes.subarray(0, Math.floor(bytes.length / 2));
const cyclic = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Add", in: ["x", "b"], out: ["a"] }), nodeOf({ op: "Add", in: ["a", "x"], out: ["b"] }), nodeOf({ op: "Identity", in: ["b"], out: ["y"] })] });
const noNumber = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "LinearRegressor", ml: true, in: ["x"], out: ["y"], floats: { coefficients: [Number.NaN, Number.NaN], intercepts: [Number.NaN] } })] });
const inverted = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Transpose", in: ["x"], out: ["y"], ints: { perm: [1, 0] } })] });
const huge = modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "LinearRegressor", ml: true, in: ["x"], out: ["y"], ints: { coefficients: [] }, int: { targets: 2_000_000_000 } })] });

/** What stands in the place of a model's file. */
export const modelFaults: Readonly<Record<string, Uint8Array>> = {
  "an empty file": new Uint8Array(),
  "words": Buffer.from("this is no model"),
  "a pickle that calls the system": Buffer.from("cos\nsystem\n(Vid\ntR."),
  "half of the file": truncated(model),
  "bytes without meaning": Uint8Array.from({ length: 4096 }, (_, at) => (at * 197 + 31) % 256),
  "a length that is not there": Uint8Array.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x00]),
  "another number of features": linearModel([1, 2, 3, 4, 5], 0),
  "an operator that nobody knows": modelBytes({ input: "x", width: 2, output: "y", nodes: [nodeOf({ op: "Exec", in: ["x"], out: ["y"] })] }),
  "nodes in a circle": cyclic,
  "weights that are no numbers": noNumber,
  "a promise of two thousand million outputs": huge,
  "rows and columns exchanged": inverted,
};

/** What stands in the place of a file of another kind. */
export const fileFaults: Readonly<Record<string, Uint8Array>> = {
  "an empty file": new Uint8Array(),
  "one byte": Uint8Array.from([0x80]),
  "a line of text": Buffer.from("hello\n"),
  "bytes without meaning": Uint8Array.from({ length: 4096 }, (_, at) => (at * 197 + 31) % 256),
  "an archive that ends early": Buffer.from("504b0304140000000800000000000000000000000000ffffff7f", "hex"),
  "a million brackets": Buffer.from("[".repeat(1_000_000)),
  "a million opened elements": Buffer.from("<a>".repeat(333_333)),
};
