import type { Kysely, Transaction } from "kysely";
import type { Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export async function approvalsOf(db: Reader, space: string, system: string): Promise<readonly Row<"approval">[]> {
  return db
    .selectFrom("approval")
    .innerJoin("request", (join) => join.onRef("request.space", "=", "approval.space").onRef("request.id", "=", "approval.request"))
    .selectAll("approval")
    .where("approval.space", "=", space)
    .where("request.system", "=", system)
    .orderBy("approval.given_at", "desc")
    .limit(100)
    .execute();
}

export interface TimelineRow {
  readonly id: string;
  readonly log_index: number;
  readonly kind: string;
  readonly actor: string;
  readonly time: number;
}

/** Newest first; `before` is the log index of the last row of the page before. */
export async function timeline(db: Reader, space: string, page: { readonly system: string; readonly before?: number | undefined; readonly limit: number }): Promise<readonly TimelineRow[]> {
  const query = db
    .selectFrom("entry")
    .select(["id", "log_index", "kind", "actor", "time"])
    .where("space", "=", space)
    .where("system", "=", page.system)
    .orderBy("log_index", "desc")
    .limit(page.limit);
  return (page.before === undefined ? query : query.where("log_index", "<", page.before)).execute();
}
