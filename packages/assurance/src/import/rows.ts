import { histogram, type AttemptStatistics } from "../llm/statistics.ts";
import { inconsistent, unreadable } from "./refusal.ts";
import { rowsMax } from "./read.ts";
import type { ImportedRate } from "./report.ts";

/** One row of a report. `reported`: what the tool counted it as, where that is not what we count. */
export interface Row {
  readonly cluster: string;
  readonly outcome: "event" | "no_event" | "unassessed";
  readonly why?: string;
  readonly reported?: Row["outcome"];
}

export interface RateOptions {
  readonly id: string;
  readonly event: string;
  /** The report says that the run ended. */
  readonly complete?: boolean;
}

/** Counts rows by prompt. Rows without an answer are in no cluster. */
export function rateOfRows(rows: readonly Row[], options: RateOptions): ImportedRate {
  if (rows.length > rowsMax) throw unreadable(`the report has more than ${rowsMax} rows`);
  const reported = (outcome: Row["outcome"]) => rows.filter((row) => (row.reported ?? row.outcome) === outcome).length;
  const events = reported("event");
  return {
    kind: "rate",
    id: options.id,
    event: options.event,
    statistics: countRows(rows, options.complete ?? true),
    recounted: true,
    reported: { events, assessed: events + reported("no_event"), unassessed: reported("unassessed"), prompts: new Set(rows.map(({ cluster }) => cluster)).size },
  };
}

function countRows(rows: readonly Row[], complete: boolean): AttemptStatistics {
  const clusters = new Map<string, { events: number; n: number }>();
  const reasons = new Map<string, number>();
  for (const { cluster, outcome, why } of rows) {
    if (outcome === "unassessed") {
      reasons.set(why ?? "no_answer", (reasons.get(why ?? "no_answer") ?? 0) + 1);
      continue;
    }
    const entry = clusters.get(cluster) ?? { events: 0, n: 0 };
    clusters.set(cluster, { events: entry.events + (outcome === "event" ? 1 : 0), n: entry.n + 1 });
  }
  return {
    kind: "attempts",
    design: "fixed",
    complete,
    attempted: rows.length,
    unassessed: [...reasons.values()].reduce((sum, count) => sum + count, 0),
    reasons: Object.fromEntries([...reasons].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    clusters: histogram([...clusters.values()]),
  };
}

/** A row that stands twice makes a sample look larger than it was. */
export function requireUnique(what: string, ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) throw inconsistent(`${what} \`${id.slice(0, 200)}\` stands twice`);
    seen.add(id);
  }
}

/** Groups in the order of their first row. */
export function grouped<T>(items: readonly T[], key: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

export function blank(text: string | null | undefined): boolean {
  return text === null || text === undefined || text.trim() === "";
}
