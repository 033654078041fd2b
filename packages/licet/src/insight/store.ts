import type { Kysely, Transaction } from "kysely";
import type { Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export async function atosOf(db: Reader, space: string, system: string): Promise<readonly Row<"ato">[]> {
  return db.selectFrom("ato").selectAll().where("space", "=", space).where("system", "=", system).orderBy("granted_at", "desc").limit(100).execute();
}

export async function deploymentsOf(db: Reader, space: string, system: string): Promise<readonly Row<"deployment">[]> {
  return db
    .selectFrom("deployment")
    .selectAll()
    .where("space", "=", space)
    .where("system", "=", system)
    .orderBy("active", "desc")
    .orderBy("recorded_at", "desc")
    .limit(50)
    .execute();
}

export async function credentialsOf(db: Reader, space: string, deployments: readonly string[]): Promise<readonly Row<"credential">[]> {
  if (deployments.length === 0) return [];
  return db.selectFrom("credential").selectAll().where("space", "=", space).where("deployment", "in", deployments).orderBy("issued_at", "desc").execute();
}

/** In force on this system, those on everything included. */
export async function holdsOn(db: Reader, space: string, system: string): Promise<readonly Row<"hold">[]> {
  return db
    .selectFrom("hold")
    .selectAll()
    .where("space", "=", space)
    .where("lifted_at", "is", null)
    .where((e) => e.or([e("scope", "=", "all"), e("system", "=", system)]))
    .orderBy("placed_at", "desc")
    .execute();
}

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

export async function emailsOf(db: Reader, space: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom("person").select(["id", "email"]).where("space", "=", space).execute();
  return new Map(rows.map((row) => [row.id, row.email]));
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
