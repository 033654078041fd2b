import { sql, type Kysely, type Transaction } from "kysely";
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

export type TrafficRecord = Pick<Row<"decision">, "id" | "log_index" | "kind" | "system" | "deployment" | "release" | "action" | "decision" | "code" | "model" | "gateway" | "seq" | "detail" | "outcome" | "decided_at">;

const trafficColumns = ["id", "log_index", "kind", "system", "deployment", "release", "action", "decision", "code", "model", "gateway", "seq", "detail", "outcome", "decided_at"] as const;

export interface TrafficFilter {
  readonly system?: string | undefined;
  readonly decision?: "allow" | "deny" | undefined;
  readonly code?: string | undefined;
}

/** How far back a code is looked for: no index knows the codes of ends. */
const codeEntriesMax = 200_000;

function filtered(db: Reader, space: string, { system, decision, code }: TrafficFilter) {
  const newest = db.selectFrom("decision").select((e) => e.fn.max("log_index").as("newest"));
  return db
    .selectFrom("decision")
    .select(trafficColumns)
    .where("space", "=", space)
    .$if(system !== undefined, (query) => query.where("system", "=", system ?? ""))
    .$if(decision === "allow", (query) => query.where("decision", "=", "allow"))
    // A literal: an index of refusals alone is not used for a parameter.
    .$if(decision === "deny", (query) => query.where(sql<boolean>`decision = 'deny'`))
    .$if(code !== undefined, (query) =>
      query.where((e) => e.or([e("code", "=", code ?? ""), e("outcome", "like", `%"code":"${code ?? ""}"%`)])).where("log_index", ">", sql<number>`(${newest}) - ${codeEntriesMax}`),
    );
}

/** Oldest first, in the order of the log. */
export async function trafficAfter(db: Reader, space: string, page: TrafficFilter & { readonly after: number; readonly limit: number }): Promise<readonly TrafficRecord[]> {
  return filtered(db, space, page).where("log_index", ">", page.after).orderBy("log_index").limit(page.limit).execute();
}

/** Newest first; `before` is the log index of the last row of the page before. */
export async function trafficBefore(db: Reader, space: string, page: TrafficFilter & { readonly before?: number | undefined; readonly limit: number }): Promise<readonly TrafficRecord[]> {
  const query = filtered(db, space, page).orderBy("log_index", "desc").limit(page.limit);
  return (page.before === undefined ? query : query.where("log_index", "<", page.before)).execute();
}

/** Of these decisions, those whose outcome is recorded. */
export async function trafficEnded(db: Reader, space: string, ids: readonly string[]): Promise<readonly TrafficRecord[]> {
  if (ids.length === 0) return [];
  return filtered(db, space, {}).where("id", "in", ids).where("outcome", "is not", null).orderBy("log_index").execute();
}

/** Log index of the newest decision of any space; -1 before the first. */
export async function newestDecision(db: Reader): Promise<number> {
  const row = await db
    .selectFrom("decision")
    .select((e) => e.fn.max("log_index").as("newest"))
    .executeTakeFirst();
  return row?.newest ?? -1;
}

/** A result without its figures, which may be long. */
export type ResultHead = Pick<Row<"check_result">, "id" | "ticket" | "release" | "check_id" | "producer" | "produced_at" | "entry">;

const resultHeadsMax = 5000;

/** Of one release, newest first. */
export async function resultHeads(db: Reader, space: string, subject: { readonly system: string; readonly release: string }): Promise<readonly ResultHead[]> {
  return db
    .selectFrom("check_result")
    .select(["id", "ticket", "release", "check_id", "producer", "produced_at", "entry"])
    .where("space", "=", space)
    .where("system", "=", subject.system)
    .where("release", "=", subject.release)
    .orderBy("produced_at", "desc")
    .orderBy("check_id")
    .limit(resultHeadsMax)
    .execute();
}

/** A result with the number of its attempt. */
export type ResultOfAttempt = Row<"check_result"> & { readonly attempt: number };

function resultsWithAttempt(db: Reader, space: string) {
  return db
    .selectFrom("check_result")
    .innerJoin("ticket", (join) => join.onRef("ticket.space", "=", "check_result.space").onRef("ticket.id", "=", "check_result.ticket"))
    .selectAll("check_result")
    .select("ticket.attempt")
    .where("check_result.space", "=", space);
}

export async function resultsById(db: Reader, space: string, ids: readonly string[]): Promise<readonly ResultOfAttempt[]> {
  return ids.length === 0 ? [] : resultsWithAttempt(db, space).where("check_result.id", "in", ids).execute();
}

/** Of one check over all releases, newest first: ids are sorted by time. `before` is the last id of the page before. */
export async function resultsOfCheck(db: Reader, space: string, page: { readonly system: string; readonly check: string; readonly before?: string | undefined; readonly limit: number }): Promise<readonly ResultOfAttempt[]> {
  const query = resultsWithAttempt(db, space).where("check_result.system", "=", page.system).where("check_result.check_id", "=", page.check).orderBy("check_result.id", "desc").limit(page.limit);
  return (page.before === undefined ? query : query.where("check_result.id", "<", page.before)).execute();
}

const attemptsMax = 100;

/** Tickets of one release, newest first. */
export async function attempts(db: Reader, space: string, subject: { readonly system: string; readonly release: string }): Promise<readonly Row<"ticket">[]> {
  return db
    .selectFrom("ticket")
    .selectAll()
    .where("space", "=", space)
    .where("system", "=", subject.system)
    .where("release", "=", subject.release)
    .orderBy("issued_at", "desc")
    .orderBy("attempt", "desc")
    .limit(attemptsMax)
    .execute();
}
