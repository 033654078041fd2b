import { AssuranceCheck } from "@licet/contract";
import { auc, aucBounds, loadModel, numericColumn } from "../../packages/assurance/src/index.ts";
import { measurePerformance } from "../../packages/assurance/src/checks/performance.ts";
import { predict, type Predictions } from "../../packages/assurance/src/checks/predictions.ts";
import { bytes, csv, json, type OracleOptions, type Tally } from "./tally.ts";

type Figures = Readonly<Record<string, number | string | readonly [number, number]>>;

interface Expected {
  readonly models_test_set: Readonly<Record<string, Figures>>;
  readonly score_files: Readonly<Record<string, Figures>>;
}

const metrics = ["accuracy", "recall", "precision", "specificity", "auc"] as const;

export function comparePerformance(tally: Tally, options: OracleOptions): void {
  const expected = json(options, "performance/expected.json") as Expected;
  for (const [name, figures] of Object.entries(expected.models_test_set)) {
    if (figures["accuracy"] === undefined || (options.quick && !name.startsWith("breast"))) continue;
    const model = loadModel(bytes(options, `models/${name}.onnx`));
    const predictions = predict(model, csv(options, `models/${name}.test.csv`), checkOf("accuracy"));
    compare(tally, name, predictions, figures);
  }
  for (const [name, figures] of Object.entries(expected.score_files)) compare(tally, name, scoreFile(options, name), figures);
}

function scoreFile(options: OracleOptions, name: string): Predictions {
  const table = csv(options, `performance/${name}.csv`);
  const [y, p] = [table.cells("y"), numericColumn(table, "p")];
  const assessed = y.map((target, row) => {
    const score = p[row] ?? Number.NaN;
    const [actual, predicted] = [target === "1", score >= 0.5];
    return { row, target, answer: String(predicted), actual, predicted, correct: actual === predicted, score };
  });
  return { attempted: table.rows, assessed };
}

function checkOf(metric: (typeof metrics)[number]) {
  const check = AssuranceCheck.parse({ check: "perf.metric", id: "oracle", model: "m", dataset: "d", target: "target", metric, floor: 0 });
  if (check.check !== "perf.metric") throw new Error("another check was parsed");
  return check;
}

function compare(tally: Tally, name: string, predictions: Predictions, figures: Figures): void {
  const figure = (key: string) => (Array.isArray(figures[key]) ? undefined : (figures[key] as number | string | undefined));
  for (const metric of metrics) {
    const { basis } = measurePerformance(predictions, checkOf(metric));
    const expected = figure(metric);
    if (basis.kind === "rate" && expected !== undefined) tally.near(`${name} ${metric}`, basis.events / basis.n, expected);
    if (basis.kind !== "auc" || expected === undefined) continue;
    tally.near(`${name} auc`, auc(basis), expected);
    const bounds = aucBounds(auc(basis), basis, 0.025);
    const wanted = figures["newcombe_method5_95"];
    if (!Array.isArray(wanted)) continue;
    tally.near(`${name} auc lower`, bounds.lower, wanted[0] as number);
    tally.near(`${name} auc upper`, bounds.upper, wanted[1] as number);
  }
  if (figure("tp") === undefined) return;
  const count = (actual: boolean, predicted: boolean) => predictions.assessed.filter((row) => row.actual === actual && row.predicted === predicted).length;
  tally.same(`${name} confusion`, [count(true, true), count(false, true), count(true, false), count(false, false)], ["tp", "fp", "fn", "tn"].map(figure));
}
