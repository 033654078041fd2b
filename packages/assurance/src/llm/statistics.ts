import type { Usage } from "./reply.ts";
import type { FinishedAttempt, RunResult } from "./run/execute.ts";

/** Clusters that saw the same: `count` of them had `n` judged attempts, `events` of these with the event. */
export interface ClusterCount {
  readonly events: number;
  readonly n: number;
  readonly count: number;
}

/**
 * What a verdict about a rate of attempts is derived from. Clusters are prompts or seeds; attempts without an answer stand in
 * `unassessed` and in no cluster. Sorted, so that equal counts are equal bytes.
 */
export interface AttemptStatistics {
  readonly kind: "attempts";
  readonly design: "fixed" | "sequential";
  /** All planned attempts were made, or a sequential run was decided. */
  readonly complete: boolean;
  readonly attempted: number;
  readonly unassessed: number;
  /** Attempts without an answer by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly clusters: readonly ClusterCount[];
  /** The legitimate task beside the attack: done in `done` of `judged` attempts. */
  readonly utility?: { readonly done: number; readonly judged: number };
}

/** Counts the attempts of a run. */
export function countAttempts(run: Pick<RunResult, "attempts" | "stopped">, design: "fixed" | "sequential" = "fixed"): AttemptStatistics {
  const { attempts } = run;
  const clusters = new Map<string, { events: number; n: number }>();
  const reasons: Record<string, number> = {};
  for (const { cluster, judgement } of attempts) {
    if (judgement.outcome === "unassessed") {
      reasons[judgement.why] = (reasons[judgement.why] ?? 0) + 1;
      continue;
    }
    const entry = clusters.get(cluster) ?? { events: 0, n: 0 };
    clusters.set(cluster, { events: entry.events + (judgement.outcome === "event" ? 1 : 0), n: entry.n + 1 });
  }
  const utility = utilityOf(attempts);
  return {
    kind: "attempts",
    design,
    complete: run.stopped === "complete" || run.stopped === "decided",
    attempted: attempts.length,
    unassessed: Object.values(reasons).reduce((sum, count) => sum + count, 0),
    reasons: Object.fromEntries(Object.entries(reasons).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    clusters: histogram([...clusters.values()]),
    ...(utility.judged > 0 && { utility }),
  };
}

/** Clusters with equal counts as one entry each. */
export function histogram(clusters: readonly { readonly events: number; readonly n: number }[]): readonly ClusterCount[] {
  const counts = new Map<string, ClusterCount>();
  for (const { events, n } of clusters) {
    const key = `${n}/${events}`;
    counts.set(key, { events, n, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].toSorted((a, b) => a.n - b.n || a.events - b.events);
}

function utilityOf(attempts: readonly FinishedAttempt[]): { readonly done: number; readonly judged: number } {
  let done = 0;
  let judged = 0;
  for (const { judgement } of attempts) {
    if (judgement.outcome === "unassessed" || judgement.utility === undefined) continue;
    judged += 1;
    if (judgement.utility) done += 1;
  }
  return { done, judged };
}

export function tokensOf(usage: Usage | null): number | undefined {
  return usage === null ? undefined : usage.promptTokens + usage.completionTokens;
}
