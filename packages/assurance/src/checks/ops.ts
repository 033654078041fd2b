import { LicetError, type LatencyCheck } from "@licet/contract";
import { z } from "zod";
import { decideLatency, type LatencyStatistics, measureLatency } from "../ops/latency.ts";
import { permutation, randomFrom } from "../stats/random.ts";
import { type Rows, rowsOf } from "../subject/probe.ts";
import type { TestedModel } from "../subject/tested-model.ts";
import { inputOf, modelSubject } from "./loaded.ts";
import { count } from "./model-figures.ts";
import { featureColumns } from "./predictions.ts";
import { statisticsCheck } from "./statistics.ts";

const milliseconds = z.number().nonnegative();

/** Calls without an answer count as slow ones: what is recorded as assessed is every call. */
type Figures = Omit<LatencyStatistics, "assessed"> & { readonly answered: number };

export const latency = statisticsCheck<LatencyCheck, Figures>({
  check: "ops.latency",
  version: "1",
  op: "<=",
  fresh: true,
  unit: ({ quantile }) => `milliseconds that ${quantile * 100} % of calls stay below`,
  figures: z.object({
    quantile: z.number().min(0).max(1), attempted: count, answered: count,
    order: z.array(z.tuple([count, milliseconds])).max(1000),
    shown: z.object({ p50: milliseconds.nullable(), p95: milliseconds.nullable(), p99: milliseconds.nullable() }),
  }),
  limitValue: ({ max }) => max,
  components: ({ model, dataset }) => [model, dataset],
  measure: async (check, files, { seed }) => {
    const [test, model] = [await files.table(check.dataset), await files.model(check.model)];
    if (!model.remote) throw new LicetError("endpoint_unknown", { message: `\`${model.name}\` is a file here, and how fast this machine runs it says nothing: declare the model as it is served, and run \`licet check\` with --endpoint`, at: { component: model.name } });
    const columns = featureColumns(model, test.content, check);
    const complete = Array.from({ length: test.content.rows }, (_, row) => row).filter((row) => columns.every((values) => Number.isFinite(values[row])));
    if (complete.length === 0) throw new LicetError("table_value_invalid", { message: `\`${test.name}\` has no row with all features: there is nothing to ask with`, at: { component: test.name } });
    const order = permutation(randomFrom(`${seed}/rows`), complete.length);
    const row = (at: number) => rowsOf(columns.length, Float32Array.from(columns, (values) => values[complete[order[at % order.length] ?? 0] ?? 0] ?? Number.NaN));
    const times = await timesOf(model, row, check);
    const { statistics, notes } = measureLatency(times, { quantile: check.quantile });
    const { assessed: answered, ...figures } = statistics;
    const { attempted } = statistics;
    const counts = answered === 0 ? { attempted, assessed: 0, unassessed: attempted } : { attempted, assessed: attempted, unassessed: 0 };
    return { subject: modelSubject(model), inputs: [inputOf("test", test)], figures: { ...figures, answered }, counts, notes, queries: model.sent() };
  },
  decide: ({ answered, ...figures }, limit) => decideLatency({ ...figures, assessed: answered }, limit),
});

/** So many calls without any answer, and the rest is not tried. */
const silentCallsMax = 10;

async function timesOf(model: TestedModel, row: (at: number) => Rows, { calls, warmUp, inFlight }: LatencyCheck): Promise<Float64Array> {
  const times = new Float64Array(calls).fill(Number.NaN);
  for (let at = 0; at < warmUp; at += 1) await timed(model, row(at));
  const tally = { next: 0, answered: 0, silent: 0 };
  const worker = async (): Promise<void> => {
    for (let at = tally.next++; at < calls; at = tally.next++) {
      const found = await timed(model, row(warmUp + at));
      if (typeof found === "number") tally.answered += 1;
      else tally.silent += 1;
      if (typeof found !== "number" && tally.answered === 0 && tally.silent >= silentCallsMax) throw found;
      times[at] = typeof found === "number" ? found : Number.NaN;
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, calls) }, worker));
  return times;
}

/** Until the answer is there, pauses that the server asked for included; or why there is none. */
async function timed(model: TestedModel, row: Rows): Promise<number | LicetError> {
  const started = performance.now();
  try {
    const { scores } = await model.score(row);
    const took = performance.now() - started;
    return scores.every(Number.isFinite) ? took : new LicetError("subject_failed", { message: "the system under test cannot be read: its answer holds no number" });
  } catch (error) {
    if (error instanceof LicetError && ["subject_failed", "subject_timeout", "subject_refused"].includes(error.code)) return error;
    throw error;
  }
}
