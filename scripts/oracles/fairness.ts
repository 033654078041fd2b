import { type CheckBasis } from "@licet/contract";
import { decide, type Table } from "../../packages/assurance/src/index.ts";
import { measureFairness } from "../../packages/assurance/src/checks/fairness.ts";
import { comparePairs } from "../../packages/assurance/src/verdict/differences.ts";
import { csv, json, type OracleOptions, type Tally } from "./tally.ts";

interface Pair {
  readonly pair: readonly [string, string];
  readonly diff: number;
  readonly abs_upper_for_pass: number;
  readonly abs_lower_for_fail: number;
}
interface Split {
  readonly groups: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  readonly undefined_groups: Readonly<Record<string, readonly string[]>>;
  readonly verdicts: Readonly<Record<string, { readonly verdict: string; readonly pairs?: readonly Pair[] }>>;
}
interface Expected {
  readonly cases: Readonly<Record<string, Readonly<Record<string, Split>>>>;
}
type Family = Extract<CheckBasis, { kind: "differences" }>["families"][number];

const checks = { selection_rate: "fair.parity", tpr: "fair.opportunity", fpr: "fair.odds" } as const;

export function compareFairness(tally: Tally, options: OracleOptions): void {
  const { cases } = json(options, "fairness/expected.json") as Expected;
  for (const [name, splits] of Object.entries(cases)) {
    if (options.quick && name === "very_large_small_gap") continue;
    const table = csv(options, `fairness/${name}.csv`);
    for (const [split, expected] of Object.entries(splits)) compareSplit(tally, { name: `${name} ${split}`, table, split, expected });
  }
}

interface Case {
  readonly name: string;
  readonly table: Table;
  readonly split: string;
  readonly expected: Split;
}

function compareSplit(tally: Tally, given: Case): void {
  const families = new Map(Object.entries(checks).map(([rate, check]) => [rate, familyOf(given, check)]));
  for (const [group, figures] of Object.entries(given.expected.groups)) compareGroup(tally, { ...given, group, figures, families });
  for (const [key, wanted] of Object.entries(given.expected.verdicts)) {
    const [, rate, limit] = /^(selection_rate|tpr|fpr)_difference<=(.*)$/u.exec(key) ?? [];
    const family = families.get(rate ?? "");
    if (family === undefined) continue;
    const counts = { attempted: given.table.rows, assessed: given.table.rows, unassessed: 0 };
    const outcome = decide({ kind: "differences", families: [family], degenerate: null }, { op: "<=", value: Number(limit), alpha: 0.05, source: "oracle" }, counts);
    tally.same(`${given.name} ${key}`, outcome.verdict, wanted.verdict);
    for (const pair of wanted.pairs ?? []) compareBounds(tally, { name: `${given.name} ${key}`, family, expected: pair });
  }
}

function compareBounds(tally: Tally, given: { name: string; family: Family; expected: Pair }): void {
  const { pair, diff, abs_upper_for_pass, abs_lower_for_fail } = given.expected;
  const found = comparePairs([given.family], 0.05).find(({ first, second }) => first.name === pair[0] && second.name === pair[1]);
  const at = `${given.name} ${pair.join("/")}`;
  tally.near(`${at} difference`, found?.estimate ?? Number.NaN, Math.abs(diff));
  tally.near(`${at} upper`, found?.bounds.upper ?? Number.NaN, abs_upper_for_pass);
  tally.near(`${at} lower`, found?.bounds.lower ?? Number.NaN, abs_lower_for_fail);
}

/** The engine's own measurement on the file's predictions. */
function familyOf({ table, split }: Case, check: (typeof checks)[keyof typeof checks]): Family {
  const [y, yhat, group] = [table.cells("y"), table.cells("yhat"), table.cells("group")];
  const of = split === "group" ? group : group.map((name, row) => `${name}|${table.cells("sex")[row] ?? ""}`);
  const assessed = y.map((target, row) => {
    const [actual, predicted] = [target === "1", yhat[row] === "1"];
    return { row, target, answer: yhat[row] ?? "", actual, predicted, correct: actual === predicted, score: Number(predicted) };
  });
  const declared = { check, id: "oracle", model: "m", dataset: "d", target: "y", group: { name: "g", column: "group", transform: { kind: "value" } }, max: 0.1 } as const;
  const { basis } = measureFairness({ attempted: table.rows, assessed }, { names: [...new Set(of)].toSorted(), of }, declared);
  const families = basis.kind === "differences" ? basis.families : [];
  const last = families.at(-1);
  if (last === undefined) throw new Error("the engine measured nothing");
  return last;
}

interface GroupCase extends Case {
  readonly group: string;
  readonly figures: Readonly<Record<string, number | string>>;
  readonly families: ReadonlyMap<string, Family>;
}

function compareGroup(tally: Tally, { name, group, figures, families }: GroupCase): void {
  const counted = (rate: string) => families.get(rate)?.groups.find((each) => each.name === group) ?? { events: Number.NaN, n: Number.NaN };
  const [selection, tpr, fpr] = [counted("selection_rate"), counted("tpr"), counted("fpr")];
  const at = `${name} ${group}`;
  tally.same(`${at} n`, selection.n, figures["n"]);
  tally.same(`${at} selected`, selection.events, figures["selected"]);
  tally.same(`${at} positives`, tpr.n, figures["positives"]);
  tally.same(`${at} tp`, tpr.events, figures["tp"]);
  tally.same(`${at} fp`, fpr.events, figures["fp"]);
  tally.near(`${at} selection rate`, selection.events / selection.n, figures["selection_rate"]);
  tally.near(`${at} tpr`, tpr.events / tpr.n, figures["tpr"]);
  tally.near(`${at} fpr`, fpr.events / fpr.n, figures["fpr"]);
}
