import type { CheckResult, ModelCheck } from "@licet/contract";
import { z } from "zod";
import { groupingOf } from "../fairness/grouping.ts";
import { decideMeanParity, measureCalibrationParity } from "../fairness/mean-parity.ts";
import { decideParity, measureParity } from "../fairness/parity.ts";
import { decideCalibration, measureCalibration } from "../performance/calibration-gate.ts";
import { decideMetric, measureMetric, type MetricStatistics } from "../performance/metric.ts";
import { decideNoninferior, measurePairedAuc, measurePairedRate, type NoninferiorStatistics } from "../performance/noninferior.ts";
import { withheld } from "../performance/settle.ts";
import { decideSlices, measureSlices, type SliceStatistics } from "../performance/slices.ts";
import { logLosses } from "../performance/losses.ts";
import { type EpsilonCounts, epsilonLowerBound } from "../privacy/epsilon.ts";
import { decideEpsilon, type EpsilonStatistics, measureEpsilon } from "../privacy/epsilon-audit.ts";
import { decideMembership, measureMembership } from "../privacy/membership.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import type { Components } from "../suite/component.ts";
import { isMissing } from "../table/cast.ts";
import { encodeDictionary } from "../table/dictionary.ts";
import type { Table } from "../table/table.ts";
import type { Limit } from "../verdict/outcome.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { count, evidence, meanFigure, name, namedRate } from "./model-figures.ts";
import { predict, type Predictions, rightRows, scoredColumns } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends ModelCheck["check"]> = Extract<ModelCheck, { check: Id }>;

interface Scoring {
  readonly table: Table;
  readonly predictions: Predictions;
  readonly found: { readonly subject: CheckResult["subject"]; readonly inputs: CheckResult["inputs"]; readonly queries: number };
}

async function scoringOf(check: ModelCheck, files: Components): Promise<Scoring> {
  const test = await files.table(check.dataset);
  const model = await files.model(check.model);
  const predictions = predict(model.content, test.content, check);
  return { table: test.content, predictions, found: { subject: modelSubject(model), inputs: [inputOf("test", test)], queries: predictions.attempted } };
}

function countsOf({ attempted, assessed }: { readonly attempted: number; readonly assessed: number }): CheckResult["counts"] {
  return { attempted, assessed, unassessed: attempted - assessed };
}

const reads = ({ model, dataset }: ModelCheck) => [model, dataset];

const loss = statisticsCheck<Of<"perf.loss">, Extract<MetricStatistics, { kind: "mean" }>>({
  check: "perf.loss",
  version: "1",
  op: "<=",
  unit: "mean loss",
  figures: z.object({ ...evidence, metric: z.enum(["log_loss", "brier"]), kind: z.literal("mean"), figure: meanFigure }),
  limitValue: ({ max }) => max,
  components: reads,
  measure: async (check, files, { seed, alpha }) => {
    const { predictions, found } = await scoringOf(check, files);
    const measured = measureMetric(scoredColumns(predictions), { metric: check.metric, seed, alpha });
    if (measured.kind !== "mean") throw new TypeError("a loss is a mean");
    return { ...found, figures: measured, counts: countsOf(measured), notes: [] };
  },
  decide: decideMetric,
});

const noninferior = statisticsCheck<Of<"perf.noninferior">, NoninferiorStatistics>({
  check: "perf.noninferior",
  version: "1",
  op: "<=",
  exact: true,
  unit: "how much worse than the champion",
  figures: z.discriminatedUnion("kind", [
    z.object({ ...evidence, metric: name, notes: z.array(z.string().max(2000)).max(100), kind: z.literal("paired-rate"), onlyChampion: count, onlyChallenger: count, n: count }),
    z.object({ ...evidence, metric: name, notes: z.array(z.string().max(2000)).max(100), kind: z.literal("paired-auc"), champion: z.number(), challenger: z.number(), se: z.number(), positives: count, negatives: count }),
    z.object({ ...evidence, metric: name, notes: z.array(z.string().max(2000)).max(100), kind: z.literal("paired-mean"), figure: meanFigure }),
  ]),
  limitValue: ({ max }) => max,
  components: ({ model, champion, dataset }) => [model, champion, dataset],
  measure: async (check, files) => {
    const { predictions, table, found } = await scoringOf(check, files);
    const champion = await files.model(check.champion);
    const before = predict(champion.content, table, check);
    const [challenger, standing] = [scoredColumns(predictions), scoredColumns(before)];
    const measured = check.metric === "auc" ? measurePairedAuc(challenger.positive, { champion: standing.scores, challenger: challenger.scores }) : measurePairedRate(rightRows(before), rightRows(predictions), { metric: check.metric });
    const inputs: CheckResult["inputs"] = [...found.inputs, { role: "reference", id: champion.name, digest: champion.digest, rows: before.attempted }];
    return { ...found, inputs, queries: found.queries + before.attempted, figures: measured, counts: countsOf(measured), notes: measured.notes };
  },
  decide: decideNoninferior,
});

const slices = statisticsCheck<Of<"perf.slices">, Omit<SliceStatistics, "notes">>({
  check: "perf.slices",
  version: "1",
  op: ">=",
  unit: "share of right answers in the worst declared slice",
  figures: z.object({ ...evidence, declared: z.array(namedRate).max(200), discovered: z.array(z.object({ name, events: count, n: count, overall: z.object({ events: count, n: count }) })).max(1000) }),
  limitValue: ({ floor }) => floor,
  components: reads,
  measure: async (check, files, { seed }) => {
    const { predictions, table, found } = await scoringOf(check, files);
    const columns = table.columns.filter((column) => column !== check.target).flatMap((column) => sliceColumn(table, column));
    const declared = check.slices.map((terms) => Object.entries(terms).map(([column, value]) => ({ column, value: String(value) })));
    const { notes, ...figures } = measureSlices({ right: rightRows(predictions), columns }, { seed, declared });
    return { ...found, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideSlices({ ...figures, notes: [] }, limit),
});

/** A column of more values is a measurement, whose single values say nothing. */
const sliceValuesMax = 100;

function sliceColumn(table: Table, column: string): readonly { readonly name: string; readonly values: readonly string[]; readonly codes: Int32Array }[] {
  const { codes, dictionary } = encodeDictionary(table.cells(column));
  return dictionary.length > sliceValuesMax ? [] : [{ name: column, values: dictionary, codes: Int32Array.from(codes, (code) => code - 1) }];
}

const bin = { n: count, events: count, sum: z.number() };

const calibration = statisticsCheck<Of<"calib.ece">, Omit<ReturnType<typeof measureCalibration>, "notes">>({
  check: "calib.ece",
  version: "1",
  op: "<=",
  exact: true,
  unit: "calibration error",
  figures: z.object({ ...evidence, bins: z.array(z.object({ ...bin, first: z.object(bin) })).max(1000) }),
  limitValue: ({ max }) => max,
  components: reads,
  measure: async (check, files) => {
    const { predictions, found } = await scoringOf(check, files);
    const { notes, ...figures } = measureCalibration(scoredColumns(predictions));
    return { ...found, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideCalibration({ ...figures, notes: [] }, limit),
});

type Parity = Omit<ReturnType<typeof measureParity>, "notes">;

type ParityDeclared = Of<"fair.accuracy"> | Of<"fair.fourfifths">;

function parityOf(check: ParityDeclared["check"], given: { readonly op: "<=" | ">="; readonly unit: string }) {
  return statisticsCheck<ParityDeclared, Parity>({
    check,
    version: "1",
    exact: true,
    ...given,
    limitValue: (declared) => (declared.check === "fair.accuracy" ? declared.max : declared.min),
    figures: z.object({
      ...evidence,
      check: z.literal(check),
      groups: z.array(z.object({ name, n: count, positives: count, selected: count, tp: count })).max(50),
      leftOut: z.array(z.object({ name, n: count })).max(2500),
    }),
    components: reads,
    measure: async (declared, files) => {
      const { predictions, table, found } = await scoringOf(declared, files);
      const grouping = groupingOf(assessedCells(table, declared.by.column, predictions));
      const decided = new Uint8Array(predictions.attempted);
      for (const { row, predicted } of predictions.assessed) decided[row] = predicted ? 1 : 0;
      const { notes, ...figures } = measureParity({ positive: scoredColumns(predictions).positive, predicted: decided, grouping }, { check });
      return { ...found, group: declared.by.name, figures, counts: countsOf(figures), notes };
    },
    decide: (figures, limit) => decideParity({ ...figures, notes: [] }, limit),
  });
}

/** A row without an answer belongs to no group. */
function assessedCells(table: Table, column: string, { assessed }: Predictions): readonly (string | undefined)[] {
  const known = new Set(assessed.map(({ row }) => row));
  return table.cells(column).map((cell, row) => (isMissing(cell) || !known.has(row) ? undefined : cell));
}

const accuracyParity = parityOf("fair.accuracy", { op: "<=", unit: "largest difference in accuracy between groups" });
const fourFifths = parityOf("fair.fourfifths", { op: ">=", unit: "smallest ratio of selection rates between groups" });

const calibrationParity = statisticsCheck<Of<"fair.calibration">, Omit<ReturnType<typeof measureCalibrationParity>, "notes">>({
  check: "fair.calibration",
  version: "1",
  op: "<=",
  exact: true,
  unit: "largest difference in calibration between groups",
  figures: z.object({ ...evidence, check: z.literal("fair.calibration"), groups: z.array(z.object({ name, n: count, mean: z.number(), sd: z.number() })).max(50) }),
  limitValue: ({ max }) => max,
  components: reads,
  measure: async (declared, files) => {
    const { predictions, table, found } = await scoringOf(declared, files);
    const { notes, ...figures } = measureCalibrationParity({ ...scoredColumns(predictions), grouping: groupingOf(assessedCells(table, declared.by.column, predictions)) });
    return { ...found, group: declared.by.name, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideMeanParity({ ...figures, notes: [] }, limit),
});

const membership = statisticsCheck<Of<"privacy.membership">, Omit<ReturnType<typeof measureMembership>, "notes">>({
  check: "privacy.membership",
  version: "1",
  op: "<=",
  exact: true,
  unit: "how well training rows are told from others",
  figures: z.object({
    ...evidence,
    attack: name,
    figure: z.enum(["auc", "tpr"]),
    wins: z.number().nonnegative(),
    ties: z.number().nonnegative(),
    positives: count,
    negatives: count,
    heldOut: z.object({ threshold: z.number(), tp: count, members: count, fp: count, nonmembers: count }),
  }),
  limitValue: ({ max }) => max,
  components: ({ model, dataset, members }) => [model, dataset, members],
  measure: async (check, files) => {
    const { members, nonmembers, found } = await lossesOf(check, files);
    const { notes, ...figures } = measureMembership({ members, nonmembers }, { attack: "loss", figure: check.figure });
    return { ...found, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => decideMembership({ ...figures, notes: [] }, limit),
});

interface Attacked {
  readonly members: Float64Array;
  readonly nonmembers: Float64Array;
  readonly found: Scoring["found"];
}

/** By how much each row's loss speaks for a member: a low one does. */
async function lossesOf(check: Of<"privacy.membership"> | Of<"privacy.epsilon">, files: Components): Promise<Attacked> {
  const { predictions, found } = await scoringOf(check, files);
  const train = await files.table(check.members);
  const model = await files.model(check.model);
  const seen = predict(model.content, train.content, check);
  const likely = (of: Predictions) => logLosses(scoredColumns(of)).map((each) => -each);
  return { members: likely(seen), nonmembers: likely(predictions), found: { ...found, inputs: [...found.inputs, inputOf("train", train)], queries: found.queries + seen.attempted } };
}

type Attack = Omit<Extract<EpsilonStatistics, { kind: "attack" }>, "notes">;

const epsilon = statisticsCheck<Of<"privacy.epsilon">, Attack>({
  check: "privacy.epsilon",
  version: "1",
  op: "<=",
  unit: "privacy loss that the attack shows",
  figures: z.object({ ...evidence, kind: z.literal("attack"), counts: z.object({ threshold: z.number(), tp: count, members: count, fp: count, nonmembers: count }) }),
  limitValue: ({ max }) => max,
  components: ({ model, dataset, members }) => [model, dataset, members],
  measure: async (check, files, { seed }) => {
    const { members, nonmembers, found } = await lossesOf(check, files);
    // Tables are often sorted, and the threshold comes from the first half: it must be like the second.
    const random = randomFrom(`${seed}/halves`);
    const shuffled = (losses: Float64Array) => Float64Array.from(permutation(random, losses.length), (row) => losses[row] ?? Number.NaN);
    const { notes, ...figures } = measureEpsilon({ members: shuffled(members), nonmembers: shuffled(nonmembers) }, { kind: "fpr", share: Math.exp(-check.max) / 2 });
    if (figures.kind !== "attack") throw new TypeError("an attack counts what it did at its threshold");
    return { ...found, figures, counts: countsOf(figures), notes };
  },
  decide: (figures, limit) => {
    const outcome = decideEpsilon({ ...figures, notes: [] }, limit);
    return outcome.verdict === "pass" && !couldRefute(figures.counts, limit) ? withheld(outcome, "too_few") : outcome;
  },
});

/** An attack at a false positive rate f shows at most -ln f: one that could not fail even by finding every member has shown nothing. */
function couldRefute(counts: EpsilonCounts, { value, alpha }: Limit): boolean {
  return epsilonLowerBound({ ...counts, tp: counts.members }, alpha / 2) > value;
}

export const modelChecks = [loss, noninferior, slices, calibration, accuracyParity, fourFifths, calibrationParity, membership, epsilon] as const;
