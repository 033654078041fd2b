import type { CheckResult, ModelCheck } from "@licet/contract";
import { z } from "zod";
import { rightRows, scoredOf } from "../performance/answered.ts";
import { decideCalibration, measureCalibration } from "../performance/calibration-gate.ts";
import { decideMetric, measureMetric, type MetricStatistics } from "../performance/metric.ts";
import { brierLosses, logLosses } from "../performance/losses.ts";
import { decideNoninferior, measurePairedAuc, measurePairedMean, measurePairedRate, type NoninferiorStatistics } from "../performance/noninferior.ts";
import { decideSlices, measureSlices, type SliceStatistics } from "../performance/slices.ts";
import { encodeDictionary } from "../table/dictionary.ts";
import type { Table } from "../table/table.ts";
import { countsOf } from "../verdict/settle.ts";
import { count, evidence, meanFigure, name, namedRate } from "./model-figures.ts";
import { predict, type Predictions } from "./predictions.ts";
import { scoringOf } from "./scoring.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends ModelCheck["check"]> = Extract<ModelCheck, { check: Id }>;

const reads = ({ model, dataset }: ModelCheck) => [model, dataset];

const loss = statisticsCheck<Of<"perf.loss">, Extract<MetricStatistics, { kind: "mean" }>>({
  check: "perf.loss",
  version: "2",
  op: "<=",
  unit: "mean loss",
  figures: z.object({ ...evidence, metric: z.enum(["log_loss", "brier"]), kind: z.literal("mean"), figure: meanFigure }),
  limitValue: ({ max }) => max,
  components: reads,
  measure: async (check, files, { seed, alpha }) => {
    const { predictions, found } = await scoringOf(check, files);
    const measured = measureMetric(scoredOf(predictions), { metric: check.metric, seed, alpha });
    if (measured.kind !== "mean") throw new TypeError("a loss is a mean");
    return { ...found, figures: measured, counts: countsOf(measured), notes: [] };
  },
  decide: decideMetric,
});

const noninferior = statisticsCheck<Of<"perf.noninferior">, NoninferiorStatistics>({
  check: "perf.noninferior",
  version: "3",
  op: "<=",
  unit: "how much worse than the champion",
  figures: z.discriminatedUnion("kind", [
    z.object({ ...evidence, metric: name, notes: z.array(z.string().max(2000)).max(100), kind: z.literal("paired-rate"), onlyChampion: count, onlyChallenger: count, n: count }),
    z.object({ ...evidence, metric: name, notes: z.array(z.string().max(2000)).max(100), kind: z.literal("paired-auc"), champion: z.number(), challenger: z.number(), se: z.number(), correlation: z.number(), positives: count, negatives: count }),
    z.object({ ...evidence, metric: name, notes: z.array(z.string().max(2000)).max(100), kind: z.literal("paired-mean"), figure: meanFigure }),
  ]),
  limitValue: ({ max }) => max,
  components: ({ model, champion, dataset }) => [model, champion, dataset],
  measure: async (check, files, { seed, alpha }) => {
    const { predictions, table, found } = await scoringOf(check, files);
    const champion = await files.model(check.champion);
    const before = await predict(champion, table, check);
    const measured = pairedOf(check.metric, { before, now: predictions, seed, alpha });
    const inputs: CheckResult["inputs"] = [...found.inputs, { role: "reference", id: champion.name, digest: champion.digest, rows: before.attempted }];
    return { ...found, inputs, queries: found.queries + before.attempted, figures: measured, counts: countsOf(measured), notes: measured.notes };
  },
  decide: decideNoninferior,
});

interface Pair {
  readonly before: Predictions;
  readonly now: Predictions;
  readonly seed: string;
  readonly alpha: number;
}

function pairedOf(metric: Of<"perf.noninferior">["metric"], { before, now, seed, alpha }: Pair): NoninferiorStatistics {
  if (metric === "accuracy") return measurePairedRate(rightRows(before), rightRows(now), { metric });
  const [champion, challenger] = [scoredOf(before), scoredOf(now)];
  if (metric === "auc") return measurePairedAuc(challenger.positive, { champion: champion.scores, challenger: challenger.scores });
  const losses = metric === "brier" ? brierLosses : logLosses;
  return measurePairedMean(losses(champion), losses(challenger), { metric, seed, alpha });
}

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
    const { notes, ...figures } = measureCalibration(scoredOf(predictions));
    return { ...found, figures, counts: countsOf(figures), notes };
  },
  decide: decideCalibration,
});

export const modelChecks = [loss, noninferior, slices, calibration] as const;
