import { castNumber, columnKinds } from "@licet/assurance";
import type { Model } from "@licet/contract";
import { joined, type Lack, type Proposal, type ProposedCheck, type ReadData } from "./proposal.ts";
import { cases, lossCases, rowSizes } from "./sizes.ts";
import { groupColumns, slug, valuesIn } from "./tables.ts";

const targetName = /^(?:target|label|labels|class|outcome|y|truth|answer)$/iu;
const championName = /champion|baseline|previous|current|old/iu;
/** More different numbers than this are an amount, and no class. */
const classesMax = 20;
const rowsDrawn = 200;
/** A loss lies between two rates, and takes more rows than one. */
const rowsChangedMax = 400;
/** Of an attack, where every question goes over a network. */
const rowsAskedMax = 60;
const flipsMax = 5;

export interface TestedOn {
  readonly test: ReadData | undefined;
  readonly train: ReadData | undefined;
  readonly predicting: readonly Model[];
}

/** What a table says of the task, as far as it can be guessed. */
interface Task {
  readonly kind: "classes" | "numbers";
  readonly on: Readonly<Record<string, unknown>>;
  readonly rows: number;
  readonly features: readonly string[];
  readonly groups: readonly string[];
  readonly two: boolean;
  readonly spread: number;
  readonly guesses: readonly string[];
  readonly data: ReadData;
}

/** Kinds of evidence that a model of classes or numbers is asked for. */
const ofModels = ["perf", "fair", "robust", "privacy", "explain"] as const;

export function scoredModelChecks(model: Model, { test, train, predicting }: TestedOn): Proposal {
  const task = test === undefined ? undefined : taskOf(model.name, test);
  if (task === undefined) return lacks(ofModels, `declare the labelled rows that \`${model.name}\` is tested on as a data set with a file, and call it \`test\``);
  const champion = predicting.find(({ name }) => name !== model.name && championName.test(name));
  const served = model.scoring !== undefined;
  const input = task.rows === 0 ? [] : [
    { check: { id: `${model.name}-input`, check: "robust.input", ...task.on, rows: drawn(task) }, remarks: ["empty, infinite and huge input: a census, no sample"] },
    { check: { id: `${model.name}-repeated`, check: "robust.determinism", ...task.on, rows: drawn(task) }, remarks: ["the same rows again, in another order and one by one: nothing may change"] },
  ];
  const speed = served ? [latency(model, task)] : [];
  const rest = task.kind === "numbers" ? numbers(model.name, task) : classes(model.name, task, { served, train, champion: championName.test(model.name) ? undefined : champion?.name });
  return joined([rest, { checks: [...input, ...explained(model.name, task, served), ...speed], lacking: task.rows === 0 ? lack(["explain"], emptyTable(task)) : [], beside: [] }]);
}

function lack(kinds: readonly Lack["kind"][], add: string): readonly Lack[] {
  return kinds.map((kind) => ({ kind, add }));
}

export function lacks(kinds: readonly Lack["kind"][], add: string): Proposal {
  return { checks: [], lacking: lack(kinds, add), beside: [] };
}

function emptyTable({ data }: Task): string {
  return `\`${data.name}\` has no rows: nothing can be drawn from it`;
}

function taskOf(model: string, data: ReadData): Task | undefined {
  const { name: dataset, table } = data;
  const target = table.columns.find((column) => targetName.test(column)) ?? table.columns.at(-1);
  if (target === undefined) return undefined;
  const values = valuesIn(table, target);
  const numeric = columnKinds(table).numeric;
  const kind = numeric.includes(target) && values.length > classesMax ? "numbers" : "classes";
  const features = table.columns.filter((column) => column !== target && numeric.includes(column));
  const isPartial = table.columns.some((column) => column !== target && !numeric.includes(column));
  const positive = kind === "classes" ? positiveOf(values) : undefined;
  return {
    kind,
    on: { model, dataset, target, ...(positive !== undefined && { positive }), ...(isPartial && features.length > 0 && { features }) },
    rows: table.rows,
    features,
    groups: groupColumns(table).filter((column) => column !== target),
    two: values.length === 2,
    spread: spreadOf(values.map((value) => castNumber(value) ?? 0)),
    guesses: guessed({ target, positive, isPartial: isPartial && table.rows > 0 }),
    data,
  };
}

function guessed({ target, positive, isPartial }: { readonly target: string; readonly positive: string | undefined; readonly isPartial: boolean }): readonly string[] {
  return [
    ...(targetName.test(target) ? [] : [`\`${target}\` is a guess: name the column that holds the truth`]),
    ...(positive === undefined ? [] : [`that \`${positive}\` is the positive class is a guess`]),
    ...(isPartial ? ["columns of words are left out of `features`: name those that the model takes, in its order"] : []),
  ];
}

/** With two classes of which one is 1 there is nothing to name. */
function positiveOf(values: readonly string[]): string | undefined {
  if (values.length < 2 || (values.length === 2 && values.some((value) => castNumber(value) === 1))) return undefined;
  return values.find((value) => /^(?:yes|true|positive|1)$/iu.test(value)) ?? values.at(-1);
}

function spreadOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1));
}

function drawn({ rows }: Task): number {
  return Math.min(rows, rowsDrawn);
}

interface Beside {
  readonly served: boolean;
  readonly train: ReadData | undefined;
  readonly champion: string | undefined;
}

function classes(model: string, task: Task, beside: Beside): Proposal {
  const { on, rows, groups, two, guesses } = task;
  const performance: readonly ProposedCheck[] = [
    { check: { id: `${model}-accuracy`, check: "perf.metric", ...on, metric: "accuracy", floor: 0.9 }, remarks: [...guesses, "set the floor to what the purpose needs, before looking at the figure", rowSizes(0.1, rows)] },
    ...(two ? [{ check: { id: `${model}-auc`, check: "perf.metric", ...on, metric: "auc", floor: 0.9 }, remarks: [] }] : []),
    ...(groups.length === 0 ? [] : [{ check: { id: `${model}-slices`, check: "perf.slices", ...on, slices: slicesOf(task), floor: 0.85 }, remarks: [`right answers in the worst slice; ${cases(0.15, 0)} rows in each show it when all is well`] }]),
    ...(beside.champion === undefined ? [] : [{ check: { id: `${model}-champion`, check: "perf.noninferior", ...on, champion: beside.champion, metric: "accuracy", max: 0.01 }, remarks: [`that \`${beside.champion}\` is the model in production is a guess`] }]),
  ];
  const fairness = fairnessOf(model, task);
  const privacy = privacyOf(model, task, beside.train);
  const lacking = [
    ...(fairness.length === 0 ? lack(["fair"], "no column is known to tell people apart: declare `fair.opportunity` with the column under `group`, or add one to the test data") : []),
    ...(privacy.length === 0 ? lack(["privacy"], `declare the rows that \`${model}\` was trained on as a data set, and call it \`train\``) : []),
    ...(rows === 0 ? lack(["robust"], emptyTable(task)) : []),
  ];
  return { checks: [...performance, ...fairness, ...robustness(model, task, beside.served), ...privacy], lacking, beside: [] };
}

function slicesOf({ groups, data }: Task): readonly object[] {
  return groups.flatMap((column) => valuesIn(data.table, column).map((value) => ({ [column]: value })));
}

function fairnessOf(model: string, { on, groups, features, data }: Task): readonly ProposedCheck[] {
  return groups.flatMap((column): readonly ProposedCheck[] => {
    const values = valuesIn(data.table, column).map((value) => castNumber(value) ?? Number.NaN);
    const flips = features.includes(column) && values.length <= flipsMax && values.every(Number.isFinite);
    return [
      {
        check: { id: `${model}-${slug(column)}-opportunity`, check: "fair.opportunity", ...on, group: { name: column, column, transform: { kind: "value" } }, max: 0.1 },
        remarks: [`people are told apart by \`${column}\`: say whom the system affects, and which difference matters there`, "two groups of 600 rows each show a difference below 0.1"],
      },
      ...(flips ? [{ check: { id: `${model}-${slug(column)}-flipped`, check: "fair.counterfactual", ...on, flip: { name: column, features: { [column]: values } }, max: 0.01 }, remarks: [`what the model says when \`${column}\` alone is another; name what goes with it beside it`, rowSizes(0.01, data.table.rows)] }] : []),
    ];
  });
}

/** Of a table without rows nothing can be drawn. */
function robustness(model: string, task: Task, served: boolean): readonly ProposedCheck[] {
  const { on, rows } = task;
  if (rows === 0) return [];
  const changed = Math.min(rows, rowsChangedMax);
  const attacked = served ? Math.min(rows, rowsAskedMax) : drawn(task);
  return [
    { check: { id: `${model}-noise`, check: "robust.noise", ...on, rows: changed, sigma: 0.1, max: 0.02 }, remarks: [`features move by a tenth of their spread; ${lossCases(0.02)} rows show it when nothing changes, there are ${rows}`] },
    { check: { id: `${model}-damage`, check: "robust.corruption", ...on, rows: changed, damages: { missing: 0.05 }, max: 0.02 }, remarks: ["cells that go missing; name units and columns that get mixed up in practice, and how the score must answer under `relations`"] },
    { check: { id: `${model}-evasion`, check: "robust.evasion", ...on, rows: attacked, epsilon: 0.1, max: 0.1 }, remarks: [`an attack on each drawn row, up to 2,000 questions${served ? ` (${(attacked * 2000).toLocaleString("en")} in all)` : ""}; set epsilon to what somebody could change unnoticed`, rowSizes(0.1, attacked)] },
    { check: { id: `${model}-trigger`, check: "robust.trigger", ...on, rows: drawn(task), max: 0.5 }, remarks: ["whether one value of one feature turns the answers of most rows"] },
  ];
}

function privacyOf(model: string, { on, two, groups, features, rows }: Task, train: ReadData | undefined): readonly ProposedCheck[] {
  const members = train === undefined || !(two || "positive" in on) ? [] : [{ check: { id: `${model}-members`, check: "privacy.membership", ...on, members: train.name, max: 0.6 }, remarks: ["whether rows that it was trained on can be told from others; about 150 rows on each side show it"] }];
  const attributes = groups.filter((column) => features.includes(column)).map((attribute) => ({ check: { id: `${model}-${slug(attribute)}-told`, check: "privacy.attribute", ...on, attribute, max: 0.05 }, remarks: [`whether answers tell \`${attribute}\` to who knows the rest of a row; there are ${rows} rows`] }));
  return [...members, ...attributes];
}

const noKindOfNumbers = "what a model of numbers may lose is different for each purpose: measure it with `robust.corruption` and `relations`, or `privacy.extraction`, and have a baseline say which limit counts";

function numbers(model: string, { on, groups, guesses, spread, rows }: Task): Proposal {
  const max = Number((spread / 2).toPrecision(2));
  const error = max > 0 ? [{ check: { id: `${model}-error`, check: "perf.error", ...on, metric: "mae", max }, remarks: [`a half of the target's spread: set it to what the purpose needs; there are ${rows} rows`] }] : [];
  const fairness = groups.map((column) => ({ check: { id: `${model}-${slug(column)}-error`, check: "fair.regression", ...on, by: { name: column, column }, max: 0.1 }, remarks: [`people are told apart by \`${column}\`: say whom the system affects, and which difference matters there`] }));
  return {
    checks: [{ check: { id: `${model}-fit`, check: "perf.fit", ...on, metric: "r2", floor: 0.5 }, remarks: [...guesses, "set the floor to what the purpose needs, before looking at the figure; a few hundred rows show it"] }, ...error, ...fairness],
    lacking: [
      ...(fairness.length === 0 ? lack(["fair"], "no column is known to tell people apart: declare `fair.regression` with the column under `by`, or add one to the test data") : []),
      ...lack(["robust", "privacy"], noKindOfNumbers),
    ],
    beside: [],
  };
}

/** Small where each question goes over a network: with a dozen features a row takes thousands of them. */
function explained(model: string, task: Task, served: boolean): readonly ProposedCheck[] {
  const { on, rows, groups, features } = task;
  if (rows === 0) return [];
  const watched = groups.filter((column) => features.includes(column));
  const some = served ? { rows: Math.min(rows, 3), background: 10 } : { rows: Math.min(rows, 20) };
  return [
    ...(watched.length === 0 ? [] : [{ check: { id: `${model}-rests-on`, check: "explain.permutation", ...on, rows: drawn(task), watched, max: 0.05 }, remarks: ["how much of the decision rests on what tells people apart"] }]),
    { check: { id: `${model}-explained`, check: "explain.shapley", ...on, ...some, ...(features.length > 1 && { stability: 0.8 }), max: 0.0001 }, remarks: [`whether explanations of single decisions add up, and name the same features when drawn again; a census of ${some.rows} drawn rows`] },
  ];
}

const secondMs = 1000;

function latency({ name, scoring }: Model, { on }: Task): ProposedCheck {
  const { model, dataset, target, features } = on;
  return {
    check: { id: `${name}-latency`, check: "ops.latency", model, dataset, target, ...(features !== undefined && { features }), inFlight: scoring?.inFlight ?? 1, max: secondMs },
    remarks: ["milliseconds that 95 % of calls stay below: set it to what was promised, and `inFlight` to how many ask at once; 400 calls, 59 are the fewest that can pass"],
  };
}
