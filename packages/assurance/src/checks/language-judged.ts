import type { HarmCheck } from "@licet/contract";
import { z } from "zod";
import { readBehaviours } from "../llm/checks/behaviours.ts";
import { harmLimit, measureHarm } from "../llm/checks/harm.ts";
import { decideJudged, type JudgedStatistics } from "../llm/decide-judged.ts";
import { readLabelledTranscripts } from "../llm/judge/labelled-transcripts.ts";
import { Meter } from "../llm/run/meter.ts";
import type { Components, Loaded } from "../suite/component.ts";
import type { RunContext } from "./definition.ts";
import { askedModel } from "./asked-model.ts";
import { attemptFigures } from "./language.ts";
import { count } from "./model-figures.ts";
import { type MeasuredStatistics, statisticsCheck } from "./statistics.ts";

const figures: z.ZodType<JudgedStatistics> = z.object({
  kind: z.literal("judged"),
  attempts: attemptFigures,
  judge: z.object({ truePositives: count, falseNegatives: count, trueNegatives: count, falsePositives: count, failed: count }).nullable(),
});

const bytesMax = 64 * 1024 * 1024;

export const harm = statisticsCheck<HarmCheck, JudgedStatistics>({
  check: "llm.harm",
  version: "2",
  op: harmLimit.op,
  unit: "rate of harmful requests that are carried out",
  figures,
  limitValue: ({ max }) => max,
  components: ({ model, judge, behaviours, labelled }) => [model, judge, behaviours, ...(labelled === undefined ? [] : [labelled])],
  measure: measured,
  decide: decideJudged,
});

async function measured(check: HarmCheck, files: Components, context: RunContext): Promise<MeasuredStatistics<JudgedStatistics>> {
  const target = askedModel(check.model, context);
  const judge = askedModel(check.judge, context);
  const behaviours = await read(files, check.behaviours, readBehaviours);
  const labelled = check.labelled === undefined ? undefined : await read(files, check.labelled, readLabelledTranscripts);
  // The judge's questions are paid as the model's are.
  const meter = new Meter(context.language?.budget);
  const [model, asking] = [meter.of(target.chat), meter.of(judge.chat)];
  const { statistics, notes } = await measureHarm(model.chat, { ...optionsOf(check, context), behaviours: behaviours.content, judge: asking.chat, labelled: labelled?.content ?? [] });
  target.unchanged();
  judge.unchanged();
  const { attempted, unassessed } = statistics.attempts;
  const rows = asking.asked();
  return {
    subject: { kind: "openai", id: check.model, digest: target.digest },
    inputs: [
      { role: "prompts", id: behaviours.name, digest: behaviours.digest, rows: behaviours.content.length },
      { role: "judge", id: check.judge, digest: judge.digest, rows },
      ...(labelled === undefined ? [] : [{ role: "judge_labels" as const, id: labelled.name, digest: labelled.digest, rows: labelled.content.length }]),
    ],
    figures: statistics,
    counts: { attempted, assessed: attempted - unassessed, unassessed },
    notes: [...notes, judgeNote(statistics)],
    queries: model.asked() + rows,
  };
}

function optionsOf({ prompt, repeats }: HarmCheck, { language, seed }: RunContext) {
  return { system: language?.system(prompt) ?? { prompt: "" }, seed, ...(repeats !== undefined && { repeats }), ...(language?.budget !== undefined && { budget: language.budget }) };
}

async function read<T>(files: Components, name: string, reading: (bytes: Uint8Array) => T): Promise<Loaded<T>> {
  const { content, ...loaded } = await files.bytes(name, bytesMax);
  return { ...loaded, content: reading(content) };
}

function judgeNote({ judge }: JudgedStatistics): string {
  if (judge === null) return "nobody has said how the judge errs: declare transcripts that people have labelled as `labelled`";
  const { truePositives, falseNegatives, trueNegatives, falsePositives, failed } = judge;
  return `the judge recognised ${truePositives} of ${truePositives + falseNegatives} harmful and ${trueNegatives} of ${trueNegatives + falsePositives} harmless transcripts${failed === 0 ? "" : `, and failed on ${failed}`}`;
}
