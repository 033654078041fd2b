import { type LanguageCheck, attackCheckIds, taskCheckIds } from "@licet/contract";
import { z } from "zod";
import type { Chat } from "../llm/client/chat.ts";
import { attackChecks, type AttackCheckId } from "../llm/checks/attack-check.ts";
import { defaultLimit, measureAttacks, measureTasks, type MeasureOptions } from "../llm/checks/measure-attacks.ts";
import { taskChecks, type TaskCheckId } from "../llm/checks/task-check.ts";
import type { AttemptStatistics } from "../llm/statistics.ts";
import { decideAttempts } from "../llm/decide-attempts.ts";
import { askedModel } from "./asked-model.ts";
import type { ProbeSet } from "../probes/probe-set.ts";
import type { CheckDefinition, RunContext } from "./definition.ts";
import { count } from "./model-figures.ts";
import { ownProbes } from "./own-probes.ts";
import { statisticsCheck } from "./statistics.ts";

export const attemptFigures: z.ZodType<AttemptStatistics> = z.object({
  kind: z.literal("attempts"),
  design: z.enum(["fixed", "sequential"]),
  complete: z.boolean(),
  attempted: count,
  unassessed: count,
  reasons: z.record(z.string().max(100), count),
  clusters: z.array(z.object({ events: count, n: count, count })).max(10_000),
  utility: z.object({ done: count, judged: count }).exactOptional(),
});

function languageCheck(id: AttackCheckId | TaskCheckId): CheckDefinition<LanguageCheck> {
  const limit = defaultLimit(id);
  return statisticsCheck<LanguageCheck, AttemptStatistics>({
    check: id,
    version: "2",
    op: limit.op,
    unit: isTask(id) ? `share of ${taskChecks[id].title}` : `rate of ${attackChecks[id].title}`,
    figures: attemptFigures,
    limitValue: (check) => check.limit ?? limit.value,
    components: ({ model, probes }) => [model, ...(probes === undefined ? [] : [probes])],
    measure: async (check, files, context) => {
      const target = askedModel(check.model, context);
      const { sets, inputs } = await ownProbes(check, files);
      const { statistics, run, notes } = await measured(id, check, { context, chat: target.chat, sets });
      target.unchanged();
      const { attempted, unassessed } = statistics;
      return {
        subject: { kind: "openai", id: check.model, digest: target.digest },
        inputs,
        figures: statistics,
        counts: { attempted, assessed: attempted - unassessed, unassessed },
        notes,
        queries: run.cost.queries,
      };
    },
    decide: decideAttempts,
  });
}

interface Asked {
  readonly context: RunContext;
  readonly chat: Chat;
  readonly sets: readonly ProbeSet[] | undefined;
}

function measured(id: AttackCheckId | TaskCheckId, check: LanguageCheck, { context, chat, sets }: Asked): ReturnType<typeof measureTasks> {
  const { op, value } = defaultLimit(id);
  const { prompt, prompts, repeats, sequential, limit = value } = check;
  const plan = {
    system: context.language?.system(prompt) ?? { prompt: "" },
    seed: context.seed,
    ...(sets !== undefined && { sets }),
    ...(prompts !== undefined && { prompts }),
    ...(repeats !== undefined && { repeats }),
    ...(context.language?.budget !== undefined && { budget: context.language.budget }),
    ...(sequential === true && { sequential: { op, limit, alpha: context.alpha } satisfies MeasureOptions["sequential"] }),
  };
  return isTask(id) ? measureTasks(chat, id, plan) : measureAttacks(chat, id, plan);
}

function isTask(id: AttackCheckId | TaskCheckId): id is TaskCheckId {
  const tasks: readonly string[] = taskCheckIds;
  return tasks.includes(id);
}

export const languageChecks = [...attackCheckIds, ...taskCheckIds].map(languageCheck);
