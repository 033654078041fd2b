import type { Kysely, Transaction } from "kysely";
import type { Database } from "../db/database.ts";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;
export type DecisionDatabase = Pick<Database, "read">;

/** What changes when a space's data does: a row that is put in has a newer entry than every one before it, one that is taken out is missing. */
export interface DataStamp {
  readonly space: string;
  readonly entities: number;
  readonly newest: string;
}

export async function dataStamps(db: Reader): Promise<readonly DataStamp[]> {
  const rows = await db
    .selectFrom("policy_entity")
    .select((e) => ["space", e.fn.countAll().as("entities"), e.fn.max("entry").as("newest")])
    .groupBy("space")
    .execute();
  return rows.map(({ space, entities, newest }) => ({ space, entities: Number(entities), newest }));
}

export async function entitiesOf(db: Reader, space: string): Promise<readonly string[]> {
  const rows = await db.selectFrom("policy_entity").select("entity").where("space", "=", space).execute();
  return rows.map(({ entity }) => entity);
}

export async function countEntities(db: Reader, space: string): Promise<number> {
  const row = await db
    .selectFrom("policy_entity")
    .select((e) => e.fn.countAll().as("n"))
    .where("space", "=", space)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

export async function hasEntity(db: Reader, space: string, { type, id }: { readonly type: string; readonly id: string }): Promise<boolean> {
  const row = await db.selectFrom("policy_entity").select("id").where("space", "=", space).where("type", "=", type).where("id", "=", id).executeTakeFirst();
  return row !== undefined;
}

export interface EntityPage {
  readonly type?: string | undefined;
  readonly search?: string | undefined;
  /** Type and id of the last of the page before. */
  readonly after?: { readonly type: string; readonly id: string } | undefined;
  readonly limit: number;
}

/** By type and id. */
export async function listEntities(db: Reader, space: string, { type, search, after, limit }: EntityPage): Promise<readonly Row<"policy_entity">[]> {
  let query = db.selectFrom("policy_entity").selectAll().where("space", "=", space).orderBy("type").orderBy("id").limit(limit);
  if (type !== undefined) query = query.where("type", "=", type);
  if (search !== undefined) query = query.where("id", "like", `%${search.replaceAll(/[\\%_]/gu, "")}%`);
  if (after !== undefined) query = query.where((e) => e.or([e("type", ">", after.type), e.and([e("type", "=", after.type), e("id", ">", after.id)])]));
  return query.execute();
}

export async function putEntity(tx: Transaction<Tables>, row: NewRow<"policy_entity">): Promise<void> {
  const { entity, entry, updated_at } = row;
  await tx
    .insertInto("policy_entity")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "type", "id"]).doUpdateSet({ entity, entry, updated_at }))
    .execute();
}

export async function removeEntity(tx: Transaction<Tables>, space: string, { type, id }: { readonly type: string; readonly id: string }): Promise<void> {
  await tx.deleteFrom("policy_entity").where("space", "=", space).where("type", "=", type).where("id", "=", id).execute();
}

export type ClientRow = Row<"policy_client">;

/** Of every space: a token says nothing of its own. */
export async function clientsInForce(db: Reader): Promise<readonly ClientRow[]> {
  return db.selectFrom("policy_client").selectAll().where("revoked_at", "is", null).execute();
}

export async function findClient(db: Reader, space: string, id: string): Promise<ClientRow | undefined> {
  return db.selectFrom("policy_client").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

/** Newest first: ids sort by time. */
export async function listClients(db: Reader, space: string, page: { readonly before?: string | undefined; readonly limit: number }): Promise<readonly ClientRow[]> {
  const query = db.selectFrom("policy_client").selectAll().where("space", "=", space).orderBy("id", "desc").limit(page.limit);
  return (page.before === undefined ? query : query.where("id", "<", page.before)).execute();
}

export async function insertClient(tx: Transaction<Tables>, row: NewRow<"policy_client">): Promise<void> {
  await tx.insertInto("policy_client").values(row).execute();
}

export async function endClient(tx: Transaction<Tables>, space: string, end: { readonly id: string; readonly at: number; readonly entry: string }): Promise<void> {
  await tx.updateTable("policy_client").set({ revoked_at: end.at, entry: end.entry }).where("space", "=", space).where("id", "=", end.id).where("revoked_at", "is", null).execute();
}

export async function findSpace(db: Reader, name: string): Promise<Row<"space"> | undefined> {
  return db.selectFrom("space").selectAll().where("name", "=", name).executeTakeFirst();
}

/** Every space that was opened beside `main`. */
export async function openedSpaces(db: Reader): Promise<readonly string[]> {
  const rows = await db.selectFrom("space").select("name").orderBy("name").execute();
  return rows.map(({ name }) => name);
}

/** Anything at all that is recorded in the space. */
export async function spaceUsed(db: Reader, space: string): Promise<boolean> {
  const row = await db.selectFrom("entry").select("id").where("space", "=", space).limit(1).executeTakeFirst();
  return row !== undefined;
}

export async function insertSpace(tx: Transaction<Tables>, row: NewRow<"space">): Promise<void> {
  await tx.insertInto("space").values(row).execute();
}

/** The digest of each space's active bundle. */
export async function activeDigests(db: Reader): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom("policy_bundle").select(["space", "digest"]).where("active", "=", 1).execute();
  return new Map(rows.map(({ space, digest }) => [space, digest]));
}

export type AccessRequestRow = Pick<Row<"request">, "id" | "space" | "status" | "detail" | "requested_at" | "closed_at">;

const accessRequestColumns = ["id", "space", "status", "detail", "requested_at", "closed_at"] as const;

export async function findAccessRequest(db: Reader, space: string, id: string): Promise<AccessRequestRow | undefined> {
  return db.selectFrom("request").select(accessRequestColumns).where("space", "=", space).where("id", "=", id).where("move", "=", "grant-access").executeTakeFirst();
}

/** Of every space, since a time. */
export async function grantedAccess(db: Reader, since: number): Promise<readonly AccessRequestRow[]> {
  return db.selectFrom("request").select(accessRequestColumns).where("move", "=", "grant-access").where("status", "=", "granted").where("closed_at", ">=", since).execute();
}

/** What a decision of the decision API was recorded with. */
export async function accessDecisionDetail(db: Reader, space: string, id: string): Promise<string | undefined> {
  const row = await db.selectFrom("decision").select("detail").where("space", "=", space).where("id", "=", id).where("kind", "=", "access.decision").executeTakeFirst();
  return row?.detail;
}
