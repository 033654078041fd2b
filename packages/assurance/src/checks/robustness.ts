import { LicetError, type CheckResult, type RobustnessCheck } from "@licet/contract";
import { z } from "zod";
import { decidePermutation, measurePermutation, type PermutationStatistics } from "../explain/permutation-check.ts";
import { decideCertified, measureCertified, type CertifiedStatistics } from "../robust/certified.ts";
import { decideDeterminism, measureDeterminism, type DeterminismStatistics } from "../robust/determinism.ts";
import { decideEvasion, measureEvasion, type EvasionStatistics } from "../robust/evasion-check.ts";
import { type FeatureRule, FeatureSpace } from "../robust/feature-space.ts";
import { decideInput, measureInput, type InputStatistics } from "../robust/input-faults.ts";
import { gaussianNoise, measureCorruptions, missingCells, swappedFeatures } from "../robust/noise.ts";
import { decideScenarios, type ScenarioStatistics } from "../robust/paired.ts";
import { decideTrigger, featureTriggers, measureTrigger, type TriggerStatistics } from "../robust/trigger.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import { answeredLater, rowsOf, type Rows } from "../subject/probe.ts";
import { completeOnly } from "../subject/complete-only.ts";
import type { ModelScores, TestedModel } from "../subject/tested-model.ts";
import type { Components } from "../suite/component.ts";
import { countsOf } from "../verdict/settle.ts";
import { isOneClass } from "./hollow.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { count, name } from "./model-figures.ts";
import { featureColumns, label, rowsAndTargets } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends RobustnessCheck["check"]> = Extract<RobustnessCheck, { check: Id }>;

export interface Drawn {
  readonly model: TestedModel;
  readonly rows: Rows;
  readonly targets: Float64Array;
  readonly names: readonly string[];
  /** Standard deviation of each feature: the unit of distance. */
  readonly scale: Float64Array;
  readonly score: (rows: Rows) => Promise<ModelScores>;
  readonly found: () => { readonly subject: CheckResult["subject"]; readonly inputs: CheckResult["inputs"]; readonly queries: number; readonly oneClass: boolean };
}

/** Checks of this family that count right answers. */
const ofRightAnswers: ReadonlySet<string> = new Set(["robust.certified", "robust.evasion", "robust.noise", "robust.corruption", "explain.permutation"]);

export async function drawnFor(check: RobustnessCheck, files: Components, seed: string): Promise<Drawn> {
  const test = await files.table(check.dataset);
  const reference = check.reference === undefined ? undefined : await files.table(check.reference);
  const model = await files.model(check.model);
  const all = await rowsAndTargets(model, test.content, check);
  const kept = permutation(randomFrom(`${seed}/rows`), all.rows.rows).subarray(0, check.rows).toSorted();
  const data = new Float32Array(kept.length * all.rows.columns);
  for (const [place, row] of kept.entries()) data.set(all.rows.data.subarray(row * all.rows.columns, (row + 1) * all.rows.columns), place * all.rows.columns);
  const oneClass = ofRightAnswers.has(check.check) && isOneClass(all.targets);
  return {
    model,
    rows: rowsOf(all.rows.columns, data),
    targets: Float64Array.from(kept, (row) => all.targets[row] ?? Number.NaN),
    names: all.names,
    scale: Float64Array.from(featureColumns(model, (reference ?? test).content, check), spreadOf),
    score: model.remote ? completeOnly(model.score) : model.score,
    found: () => ({ subject: modelSubject(model), inputs: [inputOf("test", test), ...(reference === undefined ? [] : [inputOf("reference", reference)])], queries: model.sent(), oneClass }),
  };
}

/** Labels of the classes that the model scores. */
export async function labelsOf(model: TestedModel, rows: Rows): Promise<readonly string[]> {
  const { classes } = await model.score(rowsOf(rows.columns, rows.data.subarray(0, rows.rows === 0 ? 0 : rows.columns)));
  return classes.map(label);
}

/** 0 for a feature that never changes: nothing is a distance there, and it stays where it is. */
function spreadOf(values: Float64Array): number {
  const known = values.filter((value) => Number.isFinite(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return known.length < 2 ? 0 : Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1));
}

export const components = ({ model, dataset, reference }: RobustnessCheck) => [model, dataset, ...(reference === undefined ? [] : [reference])];
export const counted = { attempted: count, assessed: count };
const figure = z.number().nullable();
const norm = z.enum(["linf", "l2", "l1"]);

const certified = statisticsCheck<Of<"robust.certified">, CertifiedStatistics>({
  check: "robust.certified",
  version: "1",
  op: ">=",
  unit: "share of rows right and proven to stay right",
  figures: z.object({ ...counted, norm, epsilon: z.number(), correct: count, certified: count, broken: count, medianLower: figure, medianUpper: figure }),
  limitValue: ({ floor }) => floor,
  components,
  measure: async (check, files, { seed }) => {
    const { model, rows, targets, scale, score, found } = await drawnFor(check, files, seed);
    const { statistics, notes } = measureCertified({ structure: await model.structure(), rows, scores: await score(rows), targets }, { norm: check.norm, epsilon: check.epsilon, scale, ...(check.threshold !== undefined && { threshold: check.threshold }) });
    return { ...found(), figures: statistics, counts: countsOf(statistics), notes };
  },
  decide: decideCertified,
});

/** How far an attack looks beyond the distance that is limited. */
const radiusFactor = 10;

const evasion = statisticsCheck<Of<"robust.evasion">, EvasionStatistics>({
  check: "robust.evasion",
  version: "1",
  op: "<=",
  unit: "share of right rows that an attack turns",
  figures: z.object({ ...counted, norm, sees: z.enum(["scores", "labels"]), epsilon: z.number(), correct: count, succeeded: count, queriesPerRowMax: count, queries: count, medianDistance: figure }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed }) => {
    const { rows, targets, names, scale, score, found } = await drawnFor(check, files, seed);
    const space = new FeatureSpace(rulesOf(check, { names, scale }));
    const options = { norm: check.norm, sees: check.sees, epsilon: check.epsilon, space, queriesMax: check.queries, restarts: 3, radiusMax: check.epsilon * radiusFactor, enough: check.epsilon, seed, ...(check.threshold !== undefined && { threshold: check.threshold }) };
    const { statistics, notes } = await answeredLater(measureEvasion(rows, targets, options), score);
    return { ...found(), figures: statistics, counts: countsOf(statistics), notes };
  },
  decide: decideEvasion,
});

/** A feature that never changes in the data is nobody's to change. */
function rulesOf({ rules = {} }: Of<"robust.evasion">, { names, scale }: Pick<Drawn, "names" | "scale">): readonly FeatureRule[] {
  const unknown = Object.keys(rules).find((column) => !names.includes(column));
  if (unknown !== undefined) throw new LicetError("table_column_missing", { message: `the model takes no feature \`${unknown}\`: correct the name under \`rules\``, at: { column: unknown } });
  const codes = Object.values(rules).flatMap(({ oneHot }) => (oneHot === undefined ? [] : [oneHot]));
  const single = codes.find((code) => codes.filter((each) => each === code).length === 1);
  if (single !== undefined) throw new LicetError("table_value_invalid", { message: `the one-hot code \`${single}\` has one feature: name all its features under \`rules\``, at: { code: single } });
  return names.map((column, feature) => {
    const { fixed, oneHot, integer, min, max, direction } = rules[column] ?? {};
    const unit = scale[feature] ?? 0;
    return {
      scale: unit, fixed: fixed === true || unit === 0,
      ...(integer === true && { integer }), ...(min !== undefined && { min }), ...(max !== undefined && { max }), ...(direction !== undefined && { direction }), ...(oneHot !== undefined && { group: oneHot }),
    };
  });
}

const noise = statisticsCheck<Of<"robust.noise">, ScenarioStatistics>({
  check: "robust.noise",
  version: "1",
  op: "<=",
  unit: "loss of accuracy under the worst change",
  figures: z.object({ ...counted, scenarios: z.array(z.object({ name, n: count, lost: count, gained: count })).max(100) }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed }) => {
    const { rows, targets, scale, score, found } = await drawnFor(check, files, seed);
    const means = Float64Array.from(scale, (_, feature) => meanOf(rows, feature));
    const corruptions = [gaussianNoise(check.sigma, scale), ...(check.missing > 0 ? [missingCells(check.missing, means)] : []), ...(check.swap ? [swappedFeatures(rows.columns)] : [])];
    const { statistics, notes } = await answeredLater(measureCorruptions(rows, targets, { seed, corruptions, ...(check.threshold !== undefined && { threshold: check.threshold }) }), score);
    return { ...found(), figures: statistics, counts: countsOf(statistics), notes };
  },
  decide: decideScenarios,
});

export function meanOf({ rows, columns, data }: Rows, feature: number): number {
  let [sum, known] = [0, 0];
  for (let row = 0; row < rows; row += 1) {
    const value = data[row * columns + feature] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    sum += value;
    known += 1;
  }
  return sum / known;
}

const input = statisticsCheck<Of<"robust.input">, InputStatistics>({
  check: "robust.input",
  version: "1",
  op: "<=",
  unit: "wrong inputs that were answered wrongly",
  figures: z.object({ ...counted, answers: z.array(z.object({ fault: name, answer: z.enum(["scored", "refused", "silent", "crashed", "timeout"]) })).max(1000) }),
  limitValue: () => 0,
  components,
  measure: async (check, files, { seed }) => {
    const { model, rows, found } = await drawnFor(check, files, seed);
    if (rows.rows === 0) throw new LicetError("table_value_invalid", { message: "a valid row is needed to make wrong ones from: the table has none" });
    const { statistics, notes } = await measureInput(model.score, rows.data.slice(0, rows.columns));
    return { ...found(), figures: statistics, counts: countsOf(statistics), notes };
  },
  decide: decideInput,
});

const determinism = statisticsCheck<Of<"robust.determinism">, DeterminismStatistics>({
  check: "robust.determinism",
  version: "1",
  op: "<=",
  unit: "largest difference of one row's score",
  figures: z.object({ ...counted, worst: z.object({ repeated: z.number(), shuffled: z.number(), single: z.number() }) }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed }) => {
    const { rows, score, found } = await drawnFor(check, files, seed);
    const { statistics, notes } = await answeredLater(measureDeterminism(rows, { seed, singlesMax: 100 }), score);
    return { ...found(), figures: statistics, counts: countsOf(statistics), notes };
  },
  decide: decideDeterminism,
});

const trigger = statisticsCheck<Of<"robust.trigger">, TriggerStatistics>({
  check: "robust.trigger",
  version: "1",
  op: "<=",
  unit: "share of rows that one value turns to one class",
  figures: z.object({ ...counted, trigger: name.nullable(), class: count.nullable(), n: count, moved: count, triggersTried: count }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed }) => {
    const { rows, score, found } = await drawnFor(check, files, seed);
    const { statistics, notes } = await answeredLater(measureTrigger(rows, featureTriggers(rows), { seed, ...(check.threshold !== undefined && { threshold: check.threshold }) }), score);
    return { ...found(), figures: statistics, counts: countsOf(statistics), notes };
  },
  decide: decideTrigger,
});

const importance = statisticsCheck<Of<"explain.permutation">, PermutationStatistics>({
  check: "explain.permutation",
  version: "1",
  op: "<=",
  unit: "share of the importance that watched features have",
  figures: z.object({
    ...counted, method: z.enum(["exact", "sampled"]), share: figure, z0: z.number(), acceleration: z.number(), quantiles: z.array(z.number()).max(2000),
    importances: z.array(z.object({ name, importance: z.number() })).max(200),
  }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, files, { seed }) => {
    const { rows, targets, names, score, found } = await drawnFor(check, files, seed);
    const unknown = check.watched.find((column) => !names.includes(column));
    if (unknown !== undefined) throw new LicetError("table_column_missing", { message: `the model takes no feature \`${unknown}\`: correct the name under \`watched\``, at: { column: unknown } });
    const { statistics, notes } = await answeredLater(measurePermutation(rows, targets, { loss: "error", queriesMax: check.queries, seed, names, watched: check.watched }), score);
    return { ...found(), figures: statistics, counts: countsOf(statistics), notes };
  },
  decide: decidePermutation,
});

export const robustnessChecks = [certified, evasion, noise, input, determinism, trigger, importance] as const;
