import type { Kysely, Transaction } from "kysely";
import type { Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export interface LogLine {
  readonly id: string;
  readonly logIndex: number;
  readonly kind: string;
  readonly system: string | null;
  readonly actor: string;
  readonly time: number;
}

export interface LogPage {
  readonly before?: number | undefined;
  readonly limit: number;
  readonly kind?: string | undefined;
  readonly system?: string | undefined;
}

function line(row: Row<"entry">): LogLine {
  return { id: row.id, logIndex: row.log_index, kind: row.kind, system: row.system, actor: row.actor, time: row.time };
}

/** Newest first. */
export async function listEntries(db: Reader, space: string, page: LogPage): Promise<readonly LogLine[]> {
  let query = db.selectFrom("entry").selectAll().where("space", "=", space).orderBy("log_index", "desc").limit(page.limit);
  if (page.before !== undefined) query = query.where("log_index", "<", page.before);
  if (page.kind !== undefined) query = query.where("kind", "=", page.kind);
  if (page.system !== undefined) query = query.where("system", "=", page.system);
  return (await query.execute()).map(line);
}

export async function findEntry(db: Reader, space: string, id: string): Promise<LogLine | undefined> {
  const row = await db.selectFrom("entry").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : line(row);
}

/** A decision is known by its own id; it stands in the log at its index. */
export async function findDecisionLine(db: Reader, space: string, id: string): Promise<LogLine | undefined> {
  const row = await db.selectFrom("decision").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  if (row === undefined) return undefined;
  return { id: row.id, logIndex: row.log_index, kind: row.kind, system: row.system, actor: row.deployment ?? "unknown", time: row.decided_at };
}
