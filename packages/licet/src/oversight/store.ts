import type { Kysely, Transaction } from "kysely";
import { GateMove } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;
export type ApprovalRow = Row<"approval">;
export type HoldRow = Row<"hold">;

const Status = z.enum(["open", "granted", "refused", "returned"]);
export type RequestStatus = z.output<typeof Status>;
const TrafficStage = z.enum(["experiment", "pilot", "production"]).nullable();

/** A request for a gate move, as it stands in the record. */
export interface StoredRequest {
  readonly id: string;
  readonly space: string;
  readonly move: GateMove;
  readonly system: string | null;
  readonly release: string | null;
  readonly stage: "experiment" | "pilot" | "production" | null;
  readonly environment: string | null;
  readonly detail: Readonly<Record<string, z.core.util.JSONType>>;
  readonly status: RequestStatus;
  readonly requestedBy: string;
  readonly requestedAt: number;
  readonly closedAt: number | null;
  readonly outcome: string | null;
  readonly entry: string;
}

function request(row: Row<"request">): StoredRequest {
  return {
    id: row.id,
    space: row.space,
    move: GateMove.parse(row.move),
    system: row.system,
    release: row.release,
    stage: TrafficStage.parse(row.stage),
    environment: row.environment,
    detail: z.record(z.string(), z.json()).parse(parseJson(row.detail)),
    status: Status.parse(row.status),
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    closedAt: row.closed_at,
    outcome: row.outcome,
    entry: row.entry,
  };
}

export async function findRequest(db: Reader, space: string, id: string): Promise<StoredRequest | undefined> {
  const row = await db.selectFrom("request").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : request(row);
}

export interface RequestPage {
  readonly status?: RequestStatus | undefined;
  /** The last id of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first: ids sort by time. */
export async function listRequests(db: Reader, space: string, page: RequestPage): Promise<readonly StoredRequest[]> {
  let query = db.selectFrom("request").selectAll().where("space", "=", space).orderBy("id", "desc").limit(page.limit);
  if (page.status !== undefined) query = query.where("status", "=", page.status);
  if (page.before !== undefined) query = query.where("id", "<", page.before);
  return (await query.execute()).map(request);
}

/** Oldest first. */
export async function openRequests(db: Reader, space: string): Promise<readonly StoredRequest[]> {
  const rows = await db.selectFrom("request").selectAll().where("space", "=", space).where("status", "=", "open").orderBy("id").execute();
  return rows.map(request);
}

export async function spacesWithOpenRequests(db: Reader): Promise<readonly string[]> {
  const rows = await db.selectFrom("request").select("space").distinct().where("status", "=", "open").execute();
  return rows.map((row) => row.space);
}

export async function insertRequest(tx: Transaction<Tables>, row: NewRow<"request">): Promise<void> {
  await tx.insertInto("request").values(row).execute();
}

export interface RequestEnd {
  readonly id: string;
  readonly status: "granted" | "refused" | "returned";
  readonly outcome: string;
  readonly at: number;
}

export async function closeRequest(tx: Transaction<Tables>, space: string, end: RequestEnd): Promise<void> {
  await tx
    .updateTable("request")
    .set({ status: end.status, outcome: end.outcome, closed_at: end.at })
    .where("space", "=", space)
    .where("id", "=", end.id)
    .where("status", "=", "open")
    .execute();
}

/** In the order in which they were given. */
export async function approvalsOf(db: Reader, space: string, requestId: string): Promise<readonly Row<"approval">[]> {
  return db.selectFrom("approval").selectAll().where("space", "=", space).where("request", "=", requestId).orderBy("given_at").orderBy("id").execute();
}

export async function insertApproval(tx: Transaction<Tables>, row: NewRow<"approval">): Promise<void> {
  await tx.insertInto("approval").values(row).execute();
}

export async function spendApprovals(tx: Transaction<Tables>, space: string, spent: { readonly ids: readonly string[]; readonly by: string }): Promise<void> {
  if (spent.ids.length === 0) return;
  await tx.updateTable("approval").set({ spent_by: spent.by }).where("space", "=", space).where("id", "in", [...spent.ids]).where("spent_by", "is", null).execute();
}

export async function findHold(db: Reader, space: string, id: string): Promise<Row<"hold"> | undefined> {
  return db.selectFrom("hold").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

/** Newest first, in force and lifted. */
export async function listHolds(db: Reader, space: string, page: { readonly before?: string | undefined; readonly limit: number }): Promise<readonly Row<"hold">[]> {
  const query = db.selectFrom("hold").selectAll().where("space", "=", space).orderBy("id", "desc").limit(page.limit);
  return (page.before === undefined ? query : query.where("id", "<", page.before)).execute();
}

/** The holds in force that stop a system: its own and those on everything. */
export async function holdsOn(db: Reader, space: string, system: string): Promise<readonly Row<"hold">[]> {
  return db
    .selectFrom("hold")
    .selectAll()
    .where("space", "=", space)
    .where("lifted_at", "is", null)
    .where((e) => e.or([e("scope", "=", "all"), e("system", "=", system)]))
    .orderBy("id")
    .execute();
}

export async function insertHold(tx: Transaction<Tables>, row: NewRow<"hold">): Promise<void> {
  await tx.insertInto("hold").values(row).execute();
}

export async function endHold(tx: Transaction<Tables>, space: string, end: { readonly id: string; readonly by: string; readonly at: number }): Promise<void> {
  await tx.updateTable("hold").set({ lifted_by: end.by, lifted_at: end.at }).where("space", "=", space).where("id", "=", end.id).where("lifted_at", "is", null).execute();
}

/** Vendors of the providers that are registered, each once. */
export async function vendorsOf(db: Reader, space: string): Promise<readonly string[]> {
  const rows = await db.selectFrom("provider").select("vendor").distinct().where("space", "=", space).where("active", "=", 1).orderBy("vendor").execute();
  return rows.map(({ vendor }) => vendor);
}

export async function systemExists(db: Reader, space: string, name: string): Promise<boolean> {
  const row = await db.selectFrom("system").select("name").where("space", "=", space).where("name", "=", name).executeTakeFirst();
  return row !== undefined;
}

/** The authorization that a request led to. */
export async function atoOfRequest(db: Reader, space: string, requestId: string): Promise<string | undefined> {
  const row = await db.selectFrom("ato").select("id").where("space", "=", space).where("request", "=", requestId).executeTakeFirst();
  return row?.id;
}

/** E-mail addresses by person id; whoever is no person (the server, a deployment) is left out. */
export async function emailsOf(db: Reader, space: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("person").select(["id", "email"]).where("space", "=", space).where("id", "in", [...new Set(ids)]).execute();
  return new Map(rows.map((row) => [row.id, row.email]));
}

/** Everybody who holds or ever held one of the roles: an approver who was sent away still was one. */
export async function everHeld(db: Reader, space: string, roles: readonly string[]): Promise<readonly string[]> {
  const rows = await db.selectFrom("role_grant").select("person").distinct().where("space", "=", space).where("role", "in", [...roles]).execute();
  return rows.map((row) => row.person);
}

/** The open request for the same promotion, if there is one. */
export async function openPromotion(db: Reader, space: string, same: { readonly system: string; readonly release: string; readonly stage: string; readonly environment: string }): Promise<StoredRequest | undefined> {
  const row = await db
    .selectFrom("request")
    .selectAll()
    .where("space", "=", space)
    .where("move", "=", "promote")
    .where("status", "=", "open")
    .where("system", "=", same.system)
    .where("release", "=", same.release)
    .where("stage", "=", same.stage)
    .where("environment", "=", same.environment)
    .executeTakeFirst();
  return row === undefined ? undefined : request(row);
}

export type WaiverRow = Row<"waiver">;

export async function insertWaiver(tx: Transaction<Tables>, row: NewRow<"waiver">): Promise<void> {
  await tx.insertInto("waiver").values(row).execute();
}

export async function findWaiver(db: Reader, space: string, id: string): Promise<WaiverRow | undefined> {
  return db.selectFrom("waiver").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

/** Newest first, in force and over. */
export async function listWaivers(db: Reader, space: string, page: { readonly system?: string | undefined; readonly before?: string | undefined; readonly limit: number }): Promise<readonly WaiverRow[]> {
  let query = db.selectFrom("waiver").selectAll().where("space", "=", space).orderBy("id", "desc").limit(page.limit);
  if (page.system !== undefined) query = query.where("system", "=", page.system);
  if (page.before !== undefined) query = query.where("id", "<", page.before);
  return query.execute();
}

/** Every waiver that a system ever had in an environment, oldest first. */
export async function waiversAt(db: Reader, space: string, place: { readonly system: string; readonly environment: string }): Promise<readonly WaiverRow[]> {
  return db.selectFrom("waiver").selectAll().where("space", "=", space).where("system", "=", place.system).where("environment", "=", place.environment).orderBy("not_before").orderBy("id").execute();
}

/** Of every space: whose time is over and whose end is in no entry yet. */
export async function waiversOver(db: Reader, now: number): Promise<readonly WaiverRow[]> {
  return db.selectFrom("waiver").selectAll().where("ended_at", "is", null).where("not_after", "<=", now).orderBy("id").limit(200).execute();
}

export async function endWaiver(tx: Transaction<Tables>, space: string, end: { readonly id: string; readonly by: string; readonly cause: string; readonly reason: string; readonly at: number }): Promise<void> {
  await tx.updateTable("waiver").set({ ended_at: end.at, ended_by: end.by, end_cause: end.cause, end_reason: end.reason }).where("space", "=", space).where("id", "=", end.id).where("ended_at", "is", null).execute();
}

export interface WaivedReasonRow {
  readonly waiver: string;
  readonly code: string;
  readonly policy: string;
  readonly calls: number;
  readonly lastAt: number;
  /** Ids of decisions sort by time. */
  readonly lastDecision: string;
}

/** What would have been refused under waivers, the most frequent first; the gateway's records give the rows. */
export async function waivedReasons(db: Reader, space: string, waivers: readonly string[]): Promise<readonly WaivedReasonRow[]> {
  if (waivers.length === 0) return [];
  const rows = await db
    .selectFrom("waiver_refusal")
    .select((e) => ["waiver", "code", "policy", e.fn.countAll().as("calls"), e.fn.max("decided_at").as("lastAt"), e.fn.max("decision").as("lastDecision")])
    .where("space", "=", space)
    .where("waiver", "in", [...waivers])
    .groupBy(["waiver", "code", "policy"])
    .execute();
  return rows.map((row) => ({ ...row, calls: Number(row.calls) })).sort((a, b) => b.calls - a.calls || (a.code + a.policy < b.code + b.policy ? -1 : 1));
}
