import type { Leaf } from "@licet/evidence";
import { type Kysely, sql, type Transaction } from "kysely";
import type { Database } from "../db/database.ts";
import { tableColumns, type Tables } from "../db/tables.ts";
import type { CheckpointMemory } from "./checkpoint.ts";
import type { LoggedEntry } from "./entry.ts";

type Reader = Kysely<Tables> | Transaction<Tables>;

const installationId = "installation";

/** How far the database follows the log; -1 before the first entry. */
export interface Cursors {
  /** Every governance entry up to here has its rows. */
  readonly applied: number;
  /** Every runtime entry up to here has its rows. */
  readonly projected: number;
}

/** The one row of the installation, made at the first start. */
export async function readCursors(tx: Transaction<Tables>, now: number): Promise<Cursors> {
  // Looked for first: at load each statement costs a turn of the event loop, and the row is missing once.
  const row = await tx.selectFrom("installation").selectAll().where("id", "=", installationId).executeTakeFirst();
  if (row !== undefined) return { applied: row.applied_index, projected: row.projected_index };
  await tx.insertInto("installation").values({ id: installationId, applied_index: -1, projected_index: -1, checkpoint: null, created_at: now }).execute();
  return { applied: -1, projected: -1 };
}

export async function writeCursors(tx: Transaction<Tables>, cursors: Partial<Cursors>): Promise<void> {
  await tx
    .updateTable("installation")
    .set({
      ...(cursors.applied === undefined ? {} : { applied_index: cursors.applied }),
      ...(cursors.projected === undefined ? {} : { projected_index: cursors.projected }),
    })
    .where("id", "=", installationId)
    .execute();
}

export async function insertEntry(tx: Transaction<Tables>, entry: LoggedEntry): Promise<void> {
  const { space, id, index, kind, v, system, actor, time, kid = "" } = entry;
  await tx
    .insertInto("entry")
    .values({ space, id, log_index: index, kind, v, system: system ?? null, actor, time, kid })
    .execute();
}

/** What stands in place of the actor of an erased entry. */
export const erasedActor = "erased";

/** That the entry was made stays known; by whom and about what is gone with its key. */
export async function insertErasedEntry(tx: Transaction<Tables>, { space, id, kind, kv, time, payload }: Leaf, index: number): Promise<void> {
  await tx
    .insertInto("entry")
    .values({ space, id, log_index: index, kind, v: kv, system: null, actor: erasedActor, time, kid: payload.kid })
    .execute();
}

/** Where an entry stands in the log: governance entries and gateway decisions have rows that say so. */
export async function findIndex(db: Reader, space: string, id: string): Promise<number | undefined> {
  const entry = await db.selectFrom("entry").select("log_index").where("space", "=", space).where("id", "=", id).executeTakeFirst();
  if (entry) return entry.log_index;
  const decision = await db.selectFrom("decision").select("log_index").where("space", "=", space).where("id", "=", id).executeTakeFirst();
  if (decision) return decision.log_index;
  const content = await db.selectFrom("content").select("log_index").where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return content?.log_index;
}

const recordTables = Object.entries(tableColumns).flatMap(([table, { kind }]) => (kind === "record" ? [table] : []));

/** Empties what is rebuilt from the log, and nothing else. */
export async function clearRecords(tx: Transaction<Tables>): Promise<void> {
  for (const table of recordTables) await sql`delete from ${sql.table(table)}`.execute(tx);
  await writeCursors(tx, { applied: -1, projected: -1 });
}

/** Keeps the last signed checkpoint in the database as well. */
export function databaseMemory(database: Database): CheckpointMemory {
  return {
    get: async () => {
      const row = await database.read.selectFrom("installation").select("checkpoint").where("id", "=", installationId).executeTakeFirst();
      return row?.checkpoint ?? undefined;
    },
    set: async (note) => {
      await database.operational.updateTable("installation").set({ checkpoint: note }).where("id", "=", installationId).execute();
    },
  };
}
