import { LicetError, type ModelCheck } from "@licet/contract";
import { z } from "zod";
import { positives, scoredOf } from "../performance/answered.ts";
import { logLosses } from "../performance/losses.ts";
import type { ClassScored } from "../performance/multi-class.ts";
import { confidences, liraOffline, modifiedEntropies, type ReferenceSignals, rightAnswers, rmiaOffline } from "../privacy/membership-scores.ts";
import { decideMembership, measureMembership } from "../privacy/membership.ts";
import type { Loaded } from "../suite/component.ts";
import { numericColumn } from "../table/cast.ts";
import type { Table } from "../table/table.ts";
import { countsOf } from "../verdict/settle.ts";
import { isOneClass } from "./hollow.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { count, evidence, name, pairCounts } from "./model-figures.ts";
import { predict, type Predictions } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type Declared = Extract<ModelCheck, { check: "privacy.membership" }>;

export const membership = statisticsCheck<Declared, Omit<ReturnType<typeof measureMembership>, "notes">>({
  check: "privacy.membership",
  version: "2",
  op: "<=",
  exact: true,
  unit: "how well training rows are told from others",
  figures: z.object({
    ...evidence,
    attack: name,
    figure: z.enum(["auc", "tpr"]),
    ...pairCounts,
    heldOut: z.object({ threshold: z.number(), tp: count, members: count, fp: count, nonmembers: count }),
  }),
  limitValue: ({ max }) => max,
  components: ({ model, dataset, members, population }) => [model, dataset, members, ...(population === undefined ? [] : [population])],
  measure: async (check, files) => {
    const [others, train, population] = [await files.table(check.dataset), await files.table(check.members), check.population === undefined ? undefined : await files.table(check.population)];
    const model = await files.model(check.model);
    const seen = async (table: Loaded<Table>): Promise<Seen> => ({ answers: await predict(model, table.content, { ...check, features: featuresOf(check, table.content) }), references: referencesOf(check, table.content) });
    const [members, nonmembers, beside] = [await seen(train), await seen(others), population === undefined ? undefined : await seen(population)];
    const { notes, ...figures } = measureMembership(scoresOf(check, { members, nonmembers, population: beside }), { attack: attackOf(check), figure: check.figure });
    const asked = [members, nonmembers, ...(beside === undefined ? [] : [beside])].reduce((sum, { answers }) => sum + answers.attempted, 0);
    const inputs = [inputOf("test", others), inputOf("train", train), ...(population === undefined ? [] : [inputOf("reference", population)])];
    const oneClass = isOneClass(members.answers.target) || isOneClass(nonmembers.answers.target);
    return { subject: modelSubject(model), inputs, queries: asked, oneClass, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideMembership({ ...figures, notes: [] }, limit),
});

/** Not written where nothing is declared: the manifest would be another one. */
function attackOf({ attack = "loss" }: Declared): NonNullable<Declared["attack"]> {
  return attack;
}

interface Seen {
  readonly answers: Predictions;
  /** What reference models say of the true class, one column each. */
  readonly references: readonly Float64Array[];
}

interface Sides {
  readonly members: Seen;
  readonly nonmembers: Seen;
  readonly population: Seen | undefined;
}

interface AttackScores {
  readonly members: Float64Array;
  readonly nonmembers: Float64Array;
}

/** What others say of a row must not be seen by the model. */
function featuresOf({ features, target, references = [] }: Declared, { columns }: Table): readonly string[] {
  const seen = references.find((column) => features?.includes(column));
  if (seen !== undefined) throw new LicetError("model_input_mismatch", { message: `\`features\` names \`${seen}\`, which holds what a reference model says: the model under test must not see it` });
  return features ?? columns.filter((column) => column !== target && !references.includes(column));
}

function referencesOf({ references = [] }: Declared, table: Table): readonly Float64Array[] {
  return references.map((column) => {
    const values = numericColumn(table, column);
    const wrong = values.findIndex((value) => value < 0 || value > 1);
    if (wrong >= 0) throw new LicetError("table_value_invalid", { message: `row ${wrong + 1} of \`${column}\` is no probability of the true class`, at: { row: wrong + 1, column } });
    return values;
  });
}

/** Higher for likelier members. */
function scoresOf(check: Declared, { members, nonmembers, population }: Sides): AttackScores {
  const attack = attackOf(check);
  if (attack === "rmia") return besideReferences({ members, nonmembers }, (rows) => rmiaOffline(rows, known(signalsOf(population)), rmia));
  if (attack === "lira") return besideReferences({ members, nonmembers }, (rows) => liraOffline(rows).scores);
  return { members: thresholdScores(attack, members.answers), nonmembers: thresholdScores(attack, nonmembers.answers) };
}

/** `a` as its authors use it for models with little overfitting. With `gamma` 1 no two ratios tie: answers about tables seldom differ by a factor of 2. */
const rmia = { a: 0.3, gamma: 1 } as const;

function thresholdScores(attack: NonNullable<Declared["attack"]>, answers: Predictions): Float64Array {
  if (attack === "loss") return logLosses(scoredOf(answers)).map((each) => -each);
  const scored = twoClasses(answers);
  if (attack === "confidence") return confidences(scored);
  if (attack === "entropy") return modifiedEntropies(scored).map((each) => -each);
  return Float64Array.from(rightAnswers(scored), (right, row) => (Number.isFinite(answers.scores[row]) ? right : Number.NaN));
}

/** The positive class against the rest. */
function twoClasses(answers: Predictions): ClassScored {
  const scores = new Float64Array(2 * answers.scores.length);
  for (const [row, score] of answers.scores.entries()) scores.set([1 - score, score], 2 * row);
  return { truth: Uint32Array.from(positives(answers)), scores, classes: 2 };
}

function signalsOf(seen: Seen | undefined): ReferenceSignals {
  if (seen === undefined) return { target: new Float64Array(), out: [] };
  const truth = positives(seen.answers);
  return { target: seen.answers.scores.map((score, row) => (truth[row] === 1 ? score : 1 - score)), out: seen.references };
}

/** Rows of which every model says something. */
function knownRows({ target, out }: ReferenceSignals): readonly number[] {
  return [...target.keys()].filter((row) => [target, ...out].every((column) => Number.isFinite(column[row])));
}

function known(signals: ReferenceSignals): ReferenceSignals {
  const rows = knownRows(signals);
  const kept = (column: Float64Array) => Float64Array.from(rows, (row) => column[row] ?? Number.NaN);
  return { target: kept(signals.target), out: signals.out.map(kept) };
}

/** Both sides are scored together: a spread that is pooled is pooled over all. Rows that a model says nothing of have no score. */
function besideReferences({ members, nonmembers }: Omit<Sides, "population">, score: (rows: ReferenceSignals) => Float64Array): AttackScores {
  const [first, second] = [signalsOf(members), signalsOf(nonmembers)];
  const all = { target: joined(first.target, second.target), out: first.out.map((column, index) => joined(column, second.out[index] ?? new Float64Array())) };
  const scores = new Float64Array(all.target.length).fill(Number.NaN);
  const found = score(known(all));
  for (const [place, row] of knownRows(all).entries()) scores[row] = found[place] ?? Number.NaN;
  return { members: scores.slice(0, first.target.length), nonmembers: scores.slice(first.target.length) };
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
