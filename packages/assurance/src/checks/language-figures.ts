import type { LanguageFigureCheck } from "@licet/contract";
import { z } from "zod";
import { decidePairs, measureBias, type PairStatistics } from "../llm/checks/bias.ts";
import { measureConsistency } from "../llm/checks/consistency.ts";
import { countTokens, decideTokens, type TokenStatistics } from "../llm/checks/cost.ts";
import { measureTasks } from "../llm/checks/measure-attacks.ts";
import { tokensMaxDefault } from "../llm/checks/system.ts";
import { decideAttempts } from "../llm/decide-attempts.ts";
import type { RunResult } from "../llm/run/execute.ts";
import type { AttemptStatistics } from "../llm/statistics.ts";
import { round12 } from "../verdict/round.ts";
import type { RunContext } from "./definition.ts";
import { askedModel } from "./asked-model.ts";
import { attemptFigures } from "./language.ts";
import { count } from "./model-figures.ts";
import { statisticsCheck } from "./statistics.ts";

type Of<Id extends LanguageFigureCheck["check"]> = Extract<LanguageFigureCheck, { check: Id }>;

const components = ({ model }: LanguageFigureCheck) => [model];

/** What every run has, whatever is counted in it. */
function runOptions({ prompt }: LanguageFigureCheck, { language, seed }: RunContext) {
  return { system: language?.system(prompt) ?? { prompt: "" }, seed, ...(language?.budget !== undefined && { budget: language.budget }) };
}

/** The record of a run: `attempted` counts what is decided on, pairs or prompts or exchanges. */
function recorded<S extends { readonly attempted: number; readonly unassessed: number }>(check: LanguageFigureCheck, run: RunResult, { digest, figures, notes }: { readonly digest: string; readonly figures: S; readonly notes: readonly string[] }) {
  const { attempted, unassessed } = figures;
  const early = run.stopped === "complete" ? [] : [`the run ended early: ${run.stopped}`];
  return {
    subject: { kind: "openai", id: check.model, digest } as const,
    inputs: [],
    figures,
    counts: { attempted, assessed: attempted - unassessed, unassessed },
    notes: [...notes, ...(unassessed > 0 ? [`${unassessed} of ${attempted} have no answer to judge`] : []), ...early],
    queries: run.cost.queries,
  };
}

const bias = statisticsCheck<Of<"llm.bias.counterfactual">, PairStatistics>({
  check: "llm.bias.counterfactual",
  version: "1",
  op: "<=",
  unit: "share of cases that are decided differently for another person",
  figures: z.object({ kind: z.literal("pairs"), complete: z.boolean(), attempted: count, unassessed: count, bothYes: count, bothNo: count, onlyFirst: count, onlySecond: count }),
  limitValue: ({ max }) => max,
  components,
  measure: async (check, _files, context) => {
    const { chat, digest, unchanged } = askedModel(check.model, context);
    const { statistics, run, notes } = await measureBias(chat, { ...runOptions(check, context), ...(check.pairs !== undefined && { pairs: check.pairs }) });
    unchanged();
    return recorded(check, run, { digest, figures: statistics, notes });
  },
  decide: decidePairs,
});

const consistency = statisticsCheck<Of<"llm.consistency">, AttemptStatistics>({
  check: "llm.consistency",
  version: "2",
  op: "<=",
  unit: "share of prompts that are not answered the same every time",
  figures: attemptFigures,
  limitValue: ({ max }) => max,
  components,
  measure: async (check, _files, context) => {
    const { chat, digest, unchanged } = askedModel(check.model, context);
    const { prompts, repeats } = check;
    const { statistics, run } = await measureConsistency(chat, { ...runOptions(check, context), ...(prompts !== undefined && { prompts }), ...(repeats !== undefined && { repeats }) });
    unchanged();
    return recorded(check, run, { digest, figures: statistics, notes: [] });
  },
  decide: decideAttempts,
});

const figure = z.number().nullable();

const cost = statisticsCheck<Of<"llm.cost">, TokenStatistics>({
  check: "llm.cost",
  version: "1",
  op: "<=",
  unit: "share of exchanges with more tokens than allowed",
  figures: z.object({
    kind: z.literal("tokens"), complete: z.boolean(), attempted: count, unassessed: count,
    quantile: z.number(), tokensMax: count, over: count, overMax: count,
    quantiles: z.object({ p50: figure, p95: figure, p99: figure, max: figure }),
  }),
  // What may lie above the tokens is what the quantile leaves.
  limitValue: ({ quantile }) => round12(1 - quantile),
  components,
  measure: async (check, _files, context) => {
    const { chat, digest, unchanged } = askedModel(check.model, context);
    const options = runOptions(check, context);
    const { run } = await measureTasks(chat, "llm.utility", { ...options, ...(check.prompts !== undefined && { prompts: check.prompts }) });
    unchanged();
    const figures = countTokens(run, { quantile: check.quantile, tokensMax: check.tokens, completionMax: options.system.tokensMax ?? tokensMaxDefault });
    const { p50, p95, p99, max } = figures.quantiles;
    return recorded(check, run, { digest, figures, notes: max === null ? [] : [`tokens of an exchange: p50 ${p50}, p95 ${p95}, p99 ${p99}, most ${max}`] });
  },
  decide: decideTokens,
});

export const languageFigureChecks = [bias, consistency, cost] as const;
