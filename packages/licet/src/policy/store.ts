import { sql, type Kysely, type Transaction } from "kysely";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type { Database } from "../db/database.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export async function activeBundle(db: Reader, space: string): Promise<Row<"policy_bundle"> | undefined> {
  return db.selectFrom("policy_bundle").selectAll().where("space", "=", space).where("active", "=", 1).executeTakeFirst();
}

/** Of the active bundle, without its text. */
export async function activeDigest(db: Reader, space: string): Promise<string | undefined> {
  const row = await db.selectFrom("policy_bundle").select("digest").where("space", "=", space).where("active", "=", 1).executeTakeFirst();
  return row?.digest;
}

export async function findBundle(db: Reader, space: string, digest: string): Promise<Row<"policy_bundle"> | undefined> {
  return db.selectFrom("policy_bundle").selectAll().where("space", "=", space).where("digest", "=", digest).executeTakeFirst();
}

/** The published bundle becomes the only active one; the others stay, so that old decisions can be made again. */
export async function activateBundle(tx: Transaction<Tables>, row: NewRow<"policy_bundle">): Promise<void> {
  await tx.updateTable("policy_bundle").set({ active: 0 }).where("space", "=", row.space).where("active", "=", 1).execute();
  await tx
    .insertInto("policy_bundle")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "digest"]).doUpdateSet({ active: 1, published_by: row.published_by, published_at: row.published_at, entry: row.entry }))
    .execute();
}

export async function insertPublication(tx: Transaction<Tables>, row: NewRow<"policy_publication">): Promise<void> {
  await tx.insertInto("policy_publication").values(row).execute();
}

export async function findPublication(db: Reader, space: string, id: string): Promise<Row<"policy_publication"> | undefined> {
  return db.selectFrom("policy_publication").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

/** Decisions of a period whose entries stand between two places of the log, in its order. */
export async function decisionsBetween(db: Reader, { space, from, to, system }: { readonly space: string; readonly from: number; readonly to: number; readonly system?: string | undefined }, { first, end }: { readonly first: number; readonly end: number }): Promise<readonly Pick<Row<"decision">, "id" | "system" | "log_index" | "decided_at" | "kid" | "detail">[]> {
  const inLog = db.selectFrom("decision").select(["id", "system", "log_index", "decided_at", "kid", "detail"]).where("log_index", ">=", first).where("log_index", "<", end);
  // So written, SQLite does not take an index of spaces, by which it would look at every decision of one.
  const inPeriod = inLog.where(sql`coalesce(space, '')`, "=", space).where("decided_at", ">=", from).where("decided_at", "<", to).orderBy("log_index");
  return (system === undefined ? inPeriod : inPeriod.where(sql`coalesce(system, '')`, "=", system)).execute();
}

/** The one whose bundle is active. */
export async function lastPublication(db: Reader, space: string): Promise<Row<"policy_publication"> | undefined> {
  return publicationBy(db, space).where("policy_bundle.active", "=", 1).executeTakeFirst();
}

/** The newest that published this bundle. */
export async function publicationOfBundle(db: Reader, space: string, digest: string): Promise<Row<"policy_publication"> | undefined> {
  return publicationBy(db, space).where("policy_bundle.digest", "=", digest).executeTakeFirst();
}

function publicationBy(db: Reader, space: string) {
  return db
    .selectFrom("policy_publication")
    .innerJoin("policy_bundle", (join) => join.onRef("policy_bundle.space", "=", "policy_publication.space").onRef("policy_bundle.entry", "=", "policy_publication.entry"))
    .selectAll("policy_publication")
    .where("policy_publication.space", "=", space);
}

export async function publicationOfRequest(db: Reader, space: string, request: string): Promise<Row<"policy_publication"> | undefined> {
  return db.selectFrom("policy_publication").selectAll().where("space", "=", space).where("request", "=", request).executeTakeFirst();
}

export interface Page {
  /** The last id of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first: ids sort by time. */
export async function listPublications(db: Reader, space: string, page: Page): Promise<readonly Omit<Row<"policy_publication">, "packs">[]> {
  const query = db
    .selectFrom("policy_publication")
    .select(["space", "id", "digest", "previous", "occasion", "request", "outcome", "approvals", "composed", "changed", "comment", "compiled_by", "published_by", "published_at", "entry"])
    .where("space", "=", space)
    .orderBy("id", "desc")
    .limit(page.limit);
  return (page.before === undefined ? query : query.where("id", "<", page.before)).execute();
}

/** Spaces that a bundle was ever published in. */
export async function spacesWithPolicies(db: Reader): Promise<readonly string[]> {
  const rows = await db.selectFrom("policy_bundle").select("space").distinct().orderBy("space").execute();
  return rows.map((row) => row.space);
}

export interface GivenApproval {
  readonly id: string;
  readonly person: string;
  readonly role: string;
  readonly method: string;
  readonly given_at: number;
}

export async function approvalsById(db: Reader, space: string, ids: readonly string[]): Promise<readonly GivenApproval[]> {
  if (ids.length === 0) return [];
  return db.selectFrom("approval").select(["id", "person", "role", "method", "given_at"]).where("space", "=", space).where("id", "in", [...ids]).orderBy("given_at").execute();
}

/** E-mail addresses by person id. */
export async function emailsOf(db: Reader, space: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("person").select(["id", "email"]).where("space", "=", space).where("id", "in", [...new Set(ids)]).execute();
  return new Map(rows.map((row) => [row.id, row.email]));
}

/** Ids of publications that wait, oldest first. */
export async function openPublicationRequests(db: Reader, space: string): Promise<readonly string[]> {
  const rows = await db.selectFrom("request").select("id").where("space", "=", space).where("status", "=", "open").where("move", "=", "publish-policy").orderBy("id").limit(openRequestsMax).execute();
  return rows.map((row) => row.id);
}

const openRequestsMax = 200;

/** The detail of a request for a publication, as JSON text. */
export async function publicationRequest(db: Reader, space: string, id: string): Promise<{ readonly status: string; readonly detail: string } | undefined> {
  return db.selectFrom("request").select(["status", "detail"]).where("space", "=", space).where("id", "=", id).where("move", "=", "publish-policy").executeTakeFirst();
}

/** The bundle of a system's latest release, as JSON text. */
export async function latestReleaseBundle(db: Reader, space: string, system: string): Promise<string | undefined> {
  const row = await db
    .selectFrom("system")
    .innerJoin("release", (join) => join.onRef("release.space", "=", "system.space").onRef("release.system", "=", "system.name").onRef("release.digest", "=", "system.latest_release"))
    .select("release.bundle")
    .where("system.space", "=", space)
    .where("system.name", "=", system)
    .executeTakeFirst();
  return row?.bundle;
}

/** A recorded decision's body, as JSON text. */
export async function decisionDetail(db: Reader, space: string, id: string): Promise<string | undefined> {
  const row = await db.selectFrom("decision").select("detail").where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row?.detail;
}

export async function insertBacktest(db: Reader, row: NewRow<"backtest">): Promise<void> {
  await db.insertInto("backtest").values(row).execute();
}

export async function findBacktest(db: Reader, space: string, id: string): Promise<Row<"backtest"> | undefined> {
  return db.selectFrom("backtest").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

export type BacktestHead = Omit<Row<"backtest">, "candidate" | "tally" | "report">;

/** Newest first: ids sort by time. */
export async function listBacktests(db: Reader, space: string, page: Page): Promise<readonly BacktestHead[]> {
  const query = db
    .selectFrom("backtest")
    .select(["space", "id", "asked_by", "asked_at", "candidate_digest", "active_digest", "from_time", "to_time", "system", "state", "cursor", "progress", "error", "entry"])
    .where("space", "=", space)
    .orderBy("id", "desc")
    .limit(page.limit);
  return (page.before === undefined ? query : query.where("id", "<", page.before)).execute();
}

/** Only while it has not ended: a cancellation stands. False when it had. */
export async function saveBacktest(db: Reader, space: string, saved: { readonly id: string } & Partial<Pick<Row<"backtest">, "state" | "cursor" | "progress" | "tally" | "error">>): Promise<boolean> {
  const { id, ...set } = saved;
  const { numUpdatedRows } = await db.updateTable("backtest").set(set).where("space", "=", space).where("id", "=", id).where("state", "in", ["waiting", "running"]).executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function backtestState(db: Reader, space: string, id: string): Promise<string | undefined> {
  const row = await db.selectFrom("backtest").select("state").where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row?.state;
}

/** The candidate's text and what was gathered on the way are of no use any more. */
export async function endBacktest(tx: Reader, space: string, end: { readonly id: string; readonly state: "done"; readonly report: string; readonly entry: string }): Promise<void> {
  const { id, ...set } = end;
  await tx.updateTable("backtest").set({ ...set, candidate: "", tally: null }).where("space", "=", space).where("id", "=", id).where("state", "in", ["waiting", "running"]).execute();
}

export async function countRunning(db: Reader, space: string): Promise<number> {
  const row = await db.selectFrom("backtest").select((e) => e.fn.countAll().as("n")).where("space", "=", space).where("state", "in", ["waiting", "running"]).executeTakeFirst();
  return Number(row?.n ?? 0);
}

/** Spaces that were made, and those that a bundle was ever published in. */
export async function spacesKnown(db: Reader): Promise<readonly string[]> {
  const made = await db.selectFrom("space").select("name").orderBy("name").execute();
  return [...new Set([...made.map(({ name }) => name), ...(await spacesWithPolicies(db))])];
}

/** False when it had ended. */
export async function cancelStored(db: Reader, space: string, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db.updateTable("backtest").set({ state: "cancelled", candidate: "", tally: null }).where("space", "=", space).where("id", "=", id).where("state", "in", ["waiting", "running"]).executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** A live decision that cedar-wasm made otherwise. */
export async function insertMismatch(tx: Transaction<Tables>, row: NewRow<"policy_mismatch">): Promise<void> {
  await tx.insertInto("policy_mismatch").values(row).execute();
}

/** Digests of bundles of which a live decision came out otherwise, ever. */
/** Newest first: ids sort by time. */
export async function listMismatches(db: Reader, space: string, page: Page): Promise<readonly Row<"policy_mismatch">[]> {
  const query = db.selectFrom("policy_mismatch").selectAll().where("space", "=", space).orderBy("id", "desc").limit(page.limit);
  return (page.before === undefined ? query : query.where("id", "<", page.before)).execute();
}

export async function mismatchedBundles(db: Reader): Promise<readonly string[]> {
  return (await db.selectFrom("policy_mismatch").select("bundle").distinct().execute()).map(({ bundle }) => bundle);
}
