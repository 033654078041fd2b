import { builtInProbeSet } from "../../probes/built-in.ts";
import { drawProbes, type Probe, type ProbeSet } from "../../probes/probe-set.ts";
import { randomFrom } from "../../stats/random.ts";
import type { Chat } from "../client/chat.ts";
import { squeezed } from "../detect/fold.ts";
import { execute, type RunOptions, type RunResult } from "../run/execute.ts";
import type { Exchange } from "../run/exchange.ts";
import { type AttemptStatistics, histogram } from "../statistics.ts";
import { inOrder } from "./attack-check.ts";
import { draw } from "./drawn.ts";
import type { DeclaredSystem } from "./system.ts";
import { taskRequest, whole } from "./task-check.ts";

/** Limit of `llm.consistency`: largest share of prompts that are not answered the same every time. */
export const consistencyLimit = { op: "<=", value: 0.1 } as const;

export interface ConsistencyOptions extends Omit<RunOptions, "chat" | "decided"> {
  readonly system: DeclaredSystem;
  readonly seed: string;
  readonly prompts?: number;
  /** Times that each prompt is asked, at least 2. */
  readonly repeats?: number;
  readonly sets?: readonly ProbeSet[];
}

const promptsDefault = 80;
const repeatsDefault = 5;

/**
 * `llm.consistency`: the same prompt several times, word for word; the event is a prompt whose answers differ. Answers are compared by their
 * numbers where they have some, and otherwise by their letters and digits. The prompt is the sampling unit: one with an unassessed repeat is
 * unassessed unless two answers differ already. Decide with `decideAttempts`.
 */
export async function measureConsistency(chat: Chat, options: ConsistencyOptions): Promise<{ readonly statistics: AttemptStatistics; readonly run: RunResult }> {
  const sets = options.sets ?? [builtInProbeSet("utility")].filter((set) => set !== undefined);
  const probes = inOrder(drawProbes(sets, options.prompts ?? promptsDefault, randomFrom(`${options.seed}/llm.consistency/probes`)), options.seed);
  const repeats = Math.max(2, options.repeats ?? repeatsDefault);
  const run = await execute(probes.flatMap((probe) => repeated(probe, repeats, options)), { ...options, chat });
  return { statistics: countAgreement(run, repeats), run };
}

function repeated(probe: Probe, repeats: number, options: ConsistencyOptions): readonly Exchange[] {
  const drawn = draw(randomFrom(`${options.seed}/llm.consistency/${probe.id}`));
  return Array.from({ length: repeats }, (_, repeat) => ({
    id: `${probe.id}#${repeat}`,
    cluster: probe.id,
    // Another seed each time: agreement of one draw with itself says nothing.
    request: { ...taskRequest(options.system, probe, drawn), seed: repeat + 1 },
    judge: ({ whole: reply }) => whole(reply, (text) => ({ outcome: "no_event", why: "answered", answer: essence(text) })),
  }));
}

/** What two answers are compared by. */
export function essence(text: string): string {
  const numbers = text.replaceAll(/(?<=\d)[,'’\s](?=\d{3}(?!\d))/gu, "").match(/\d+(?:[.,]\d+)?/gu);
  return (numbers === null ? squeezed(text) : numbers.join(" ")).slice(0, 500);
}

export function countAgreement(run: Pick<RunResult, "attempts" | "stopped">, repeats: number): AttemptStatistics {
  const prompts = new Map<string, { answers: Set<string>; assessed: number }>();
  const reasons: Record<string, number> = {};
  for (const { cluster, judgement } of run.attempts) {
    const prompt = prompts.get(cluster) ?? { answers: new Set<string>(), assessed: 0 };
    prompts.set(cluster, prompt);
    if (judgement.outcome === "unassessed") {
      reasons[judgement.why] = (reasons[judgement.why] ?? 0) + 1;
      continue;
    }
    prompt.answers.add(judgement.answer ?? "");
    prompt.assessed += 1;
  }
  const clusters: { events: number; n: number }[] = [];
  for (const { answers, assessed } of prompts.values()) {
    if (answers.size > 1) clusters.push({ events: 1, n: 1 });
    else if (assessed === repeats) clusters.push({ events: 0, n: 1 });
  }
  return {
    kind: "attempts",
    design: "fixed",
    complete: run.stopped === "complete",
    attempted: prompts.size,
    unassessed: prompts.size - clusters.length,
    reasons: Object.fromEntries(Object.entries(reasons).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    clusters: histogram(clusters),
  };
}
