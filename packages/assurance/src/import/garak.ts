import { z } from "zod";
import { histogram } from "../llm/statistics.ts";
import { jsonLinesOf, shaped } from "./read.ts";
import { inconsistent, requireEqual, unfinished, unreadable } from "./refusal.ts";
import type { ImportedRate, ReadReport } from "./report.ts";
import { blank, rateOfRows, requireUnique, type Row } from "./rows.ts";

const count = z.int().nonnegative();
const Entry = z.looseObject({ entry_type: z.string() });
const Init = z.looseObject({ garak_version: z.string(), run: z.string() });
const Completion = z.looseObject({ run: z.string() });
const Setup = z.looseObject({ "run.generations": z.int().positive().optional(), "run.eval_threshold": z.number().optional() });
const Evaluation = z.looseObject({
  probe: z.string(),
  detector: z.string(),
  passed: count,
  fails: count.optional(),
  nones: count.optional(),
  total: count.optional(),
  total_evaluated: count.optional(),
  total_processed: count.optional(),
});
const Output = z.union([z.string(), z.looseObject({ text: z.string().nullish() })]).nullable();
const Attempt = z.looseObject({
  uuid: z.string(),
  status: z.int(),
  probe_classname: z.string(),
  outputs: z.array(Output).nullish(),
  detector_results: z.record(z.string(), z.array(z.number().nullable())).nullish(),
});

type Attempt = z.infer<typeof Attempt>;
const evaluated = 2;
const thresholdDefault = 0.5;

/**
 * garak's report, one JSON object for each line. A detector's score at or above `eval_threshold` is a hit; `eval` entries hold totals, and
 * attempts of status 2 the scores. Prompts are clusters of their generations. Empty outputs are unassessed even where the detector found
 * nothing in them, which is why a silent target does not pass. The run ended when there is a `completion` entry of the same run.
 * Source: garak `garak/report.py`, `garak/evaluators/base.py`, `garak/attempt.py`.
 */
export function readGarak(bytes: Uint8Array): ReadReport {
  const entries = jsonLinesOf(bytes).map((value, index) => ({ entry: shaped(Entry, value, `line ${index + 1}`), line: index + 1 }));
  const of = <T>(type: string, schema: z.ZodType<T>): readonly T[] =>
    entries.filter(({ entry }) => entry.entry_type === type).map(({ entry, line }) => shaped(schema, entry, `line ${line}`));
  const [init] = of("init", Init);
  if (init === undefined) throw unreadable("there is no `init` entry: this is no report of garak");
  const completions = of("completion", Completion);
  if (!completions.some(({ run }) => run === init.run)) throw unfinished("there is no `completion` entry of this run: run garak to its end");
  const [setup] = of("start_run setup", Setup);
  const attempts = of("attempt", Attempt).filter(({ status }) => status === evaluated);
  requireUnique("the attempt", attempts.map(({ uuid }) => uuid));
  const evaluations = of("eval", Evaluation);
  requireUnique("the evaluation", evaluations.map(({ probe, detector }) => `${probe} ${detector}`));
  if (evaluations.length === 0) throw unreadable("there is no `eval` entry: nothing was evaluated");
  const run = { generations: setup?.["run.generations"], threshold: setup?.["run.eval_threshold"] ?? thresholdDefault };
  const items = evaluations.map((evaluation) => itemOf(evaluation, attempts, run));
  const bare = items.filter(({ recounted }) => !recounted).map(({ id }) => `the attempts of \`${id}\` are not in the report: its totals cannot be counted again`);
  return { tool: "garak", toolVersion: init.garak_version, items, notes: bare };
}

interface Run {
  readonly generations: number | undefined;
  readonly threshold: number;
}

function itemOf(evaluation: z.infer<typeof Evaluation>, attempts: readonly Attempt[], run: Run): ImportedRate {
  const nones = evaluation.nones ?? 0;
  const assessed = evaluation.total_evaluated ?? evaluation.total ?? evaluation.passed + (evaluation.fails ?? 0);
  const events = evaluation.fails ?? assessed - evaluation.passed;
  const id = `${evaluation.probe} ${evaluation.detector}`;
  if (events < 0 || events + evaluation.passed !== assessed) throw inconsistent(`\`${id}\`: passed and failed do not add up to those evaluated`);
  requireEqual(`\`${id}\` processed`, evaluation.total_processed, assessed + nones);
  const scored = attempts.filter((attempt) => attempt.probe_classname === evaluation.probe && attempt.detector_results?.[evaluation.detector] !== undefined);
  if (scored.length === 0) return totalsOnly(id, { events, assessed, nones }, run.generations);
  const rows = scored.flatMap((attempt) => rowsOf(attempt, evaluation.detector, run.threshold));
  const rate = rateOfRows(rows, { id, event: "detector hit" });
  requireEqual(`\`${id}\` fails`, events, rate.reported.events);
  requireEqual(`\`${id}\` evaluated`, assessed, rate.reported.assessed);
  requireEqual(`\`${id}\` nones`, nones, rate.reported.unassessed);
  return rate;
}

function rowsOf(attempt: Attempt, detector: string, threshold: number): readonly Row[] {
  const scores = attempt.detector_results?.[detector] ?? [];
  const outputs = attempt.outputs ?? [];
  if (outputs.length > 0 && outputs.length !== scores.length) throw inconsistent(`the attempt \`${attempt.uuid}\` has ${outputs.length} outputs and ${scores.length} scores`);
  return scores.map((score, index) => {
    const output = outputs[index];
    const text = typeof output === "string" || output === null || output === undefined ? output : output.text;
    if (score === null) return { cluster: attempt.uuid, outcome: "unassessed", why: "judge_failed" };
    const reported = score >= threshold ? "event" : "no_event";
    return blank(text) ? { cluster: attempt.uuid, outcome: "unassessed", why: "empty", reported } : { cluster: attempt.uuid, outcome: reported };
  });
}

/** Without rows nobody knows which generations belong to which prompt: events are put into as few prompts as can hold them. */
function totalsOnly(id: string, totals: { readonly events: number; readonly assessed: number; readonly nones: number }, generations: number | undefined): ImportedRate {
  const { events, assessed, nones } = totals;
  const size = generations ?? 1;
  const prompts = Math.ceil((assessed + nones) / size);
  const clusters: { events: number; n: number }[] = [];
  for (let from = 0; from < assessed; from += size) {
    const n = Math.min(size, assessed - from);
    clusters.push({ events: Math.max(0, Math.min(n, events - from)), n });
  }
  return {
    kind: "rate",
    id,
    event: "detector hit",
    statistics: { kind: "attempts", design: "fixed", complete: true, attempted: assessed + nones, unassessed: nones, reasons: nones > 0 ? { judge_failed: nones } : {}, clusters: histogram(clusters) },
    recounted: false,
    reported: { events, assessed, unassessed: nones, prompts },
  };
}
