import { defaultPrivacy, ErasureBody, PrivacySettings, type ErasureBody as Body, type PersonTombstone } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Kysely, Transaction } from "kysely";
import type { Database } from "../db/database.ts";
import type { NewRow, Row, Tables } from "../db/tables.ts";
import { erasedActor } from "../ledger/store.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;
export type PrivacyDatabase = Database;

/** SQLite binds at most 32,766 values in a statement. */
const kidsPerStatement = 500;

function* parts<T>(items: readonly T[]): Generator<T[]> {
  for (let at = 0; at < items.length; at += kidsPerStatement) yield items.slice(at, at + kidsPerStatement);
}

export interface StoredPrivacy extends PrivacySettings {
  readonly setBy: string | null;
  readonly setAt: number | null;
}

function settings(row: Pick<Row<"privacy_setting">, "content_modes" | "retention_days">): PrivacySettings {
  return PrivacySettings.parse({ contentModes: parseJson(row.content_modes), retentionDays: parseJson(row.retention_days) });
}

/** What is in force in the space: the last that was set, else the defaults. */
export async function findPrivacy(db: Reader, space: string): Promise<StoredPrivacy> {
  const row = await db.selectFrom("privacy_setting").selectAll().where("space", "=", space).executeTakeFirst();
  return row === undefined ? { ...defaultPrivacy, setBy: null, setAt: null } : { ...settings(row), setBy: row.set_by, setAt: row.set_at };
}

/** Of every space that has changed the defaults. */
export async function privacyOfSpaces(db: Reader): Promise<readonly { readonly space: string; readonly settings: PrivacySettings }[]> {
  const rows = await db.selectFrom("privacy_setting").selectAll().execute();
  return rows.map((row) => ({ space: row.space, settings: settings(row) }));
}

export async function savePrivacy(tx: Transaction<Tables>, row: NewRow<"privacy_setting">): Promise<void> {
  const { space: _, ...changed } = row;
  await tx.insertInto("privacy_setting").values(row).onConflict((c) => c.column("space").doUpdateSet(changed)).execute();
}

export interface StoredErasure {
  readonly id: string;
  readonly space: string;
  readonly state: "intended" | "done";
  readonly body: Body;
  readonly intendedAt: number;
  readonly doneAt: number | null;
  readonly entry: string;
}

function stored(row: Row<"erasure">): StoredErasure {
  const { id, space, state, body, intended_at, done_at, entry } = row;
  return { id, space, state: state === "done" ? "done" : "intended", body: ErasureBody.parse(parseJson(body)), intendedAt: intended_at, doneAt: done_at, entry };
}

export async function findErasure(db: Reader, space: string, id: string): Promise<StoredErasure | undefined> {
  const row = await db.selectFrom("erasure").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : stored(row);
}

/** Newest first: ids sort by time. */
export async function listErasures(db: Reader, space: string, page: { readonly before?: string | undefined; readonly limit: number }): Promise<readonly StoredErasure[]> {
  const query = db.selectFrom("erasure").selectAll().where("space", "=", space).orderBy("intended_at", "desc").orderBy("id", "desc").limit(page.limit);
  if (page.before === undefined) return (await query.execute()).map(stored);
  const last = await findErasure(db, space, page.before);
  if (last === undefined) return [];
  const rows = await query.where((e) => e.or([e("intended_at", "<", last.intendedAt), e.and([e("intended_at", "=", last.intendedAt), e("id", "<", last.id)])])).execute();
  return rows.map(stored);
}

/** Of every space, a few at a time, so that a long history is not in memory at once. */
export async function* everyErasure(db: Reader): AsyncGenerator<StoredErasure> {
  let after = "";
  for (;;) {
    const rows = await db.selectFrom("erasure").selectAll().where("id", ">", after).orderBy("id").limit(20).execute();
    for (const row of rows) yield stored(row);
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

export async function insertErasure(tx: Transaction<Tables>, row: NewRow<"erasure">): Promise<void> {
  await tx.insertInto("erasure").values(row).execute();
}

/** After a restore the intention may stand in another shard: then the row begins here. */
export async function endErasure(tx: Transaction<Tables>, row: NewRow<"erasure">): Promise<void> {
  const { state, done_at, entry } = row;
  await tx.insertInto("erasure").values(row).onConflict((c) => c.columns(["space", "id"]).doUpdateSet({ state, done_at, entry })).execute();
}

export interface Touched {
  readonly entries: number;
}

/** Entries of the log whose payloads the keys seal, as far as their rows are there. */
export async function countEntries(db: Reader, space: string, kids: readonly string[]): Promise<number> {
  let count = 0;
  const add = (row: { readonly n: string | number | bigint } | undefined): void => {
    count += Number(row?.n ?? 0);
  };
  for (const some of parts(kids)) {
    add(await db.selectFrom("entry").select((e) => e.fn.countAll().as("n")).where("space", "=", space).where("kid", "in", some).executeTakeFirst());
    add(await db.selectFrom("decision").select((e) => e.fn.countAll().as("n")).where("space", "=", space).where("kid", "in", some).executeTakeFirst());
    add(await db.selectFrom("decision").select((e) => e.fn.countAll().as("n")).where("space", "=", space).where("outcome_kid", "in", some).executeTakeFirst());
    add(await db.selectFrom("content").select((e) => e.fn.countAll().as("n")).where("space", "=", space).where("kid", "in", some).executeTakeFirst());
  }
  return count;
}

/** INVARIANT: leaves what replaying the log without these payloads gives; see `insertErasedEntry`. */
export async function eraseRows(tx: Transaction<Tables>, space: string, kids: readonly string[]): Promise<void> {
  for (const some of parts(kids)) {
    await tx.updateTable("entry").set({ actor: erasedActor, system: null }).where("space", "=", space).where("kid", "in", some).execute();
    await tx.deleteFrom("decision").where("space", "=", space).where("kid", "in", some).execute();
    await tx.updateTable("decision").set({ outcome: null, outcome_kid: null }).where("space", "=", space).where("outcome_kid", "in", some).execute();
    await tx.deleteFrom("content").where("space", "=", space).where("kid", "in", some).execute();
    await tx.deleteFrom("waiver_refusal").where("space", "=", space).where("kid", "in", some).execute();
    await tx.deleteFrom("bound_id").where("space", "=", space).where("kid", "in", some).execute();
  }
}

/** What stays of a person when their record is erased; `undefined` for nobody of this space. */
export async function tombstoneOf(db: Reader, space: string, id: string): Promise<PersonTombstone | undefined> {
  const person = await db.selectFrom("person").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  if (person === undefined) return undefined;
  const grants = await db.selectFrom("role_grant").selectAll().where("space", "=", space).where("person", "=", id).orderBy("role").execute();
  return {
    person: id,
    createdBy: person.created_by,
    createdAt: person.created_at,
    entry: person.entry,
    roles: grants.map((grant) => ({ role: grant.role, grantedBy: grant.granted_by, grantedAt: grant.granted_at, early: grant.early === 1, revokedAt: grant.revoked_at, entry: grant.entry })),
  };
}

export const erasedName = "erased";

/** The same rows whether the person's own are still there or could not come back. */
export async function buryPerson(tx: Transaction<Tables>, space: string, { person, roles, ...stone }: PersonTombstone, at: number): Promise<void> {
  const row = { space, id: person, email: `${erasedName}-${person}`, name: erasedName, created_by: stone.createdBy, created_at: stone.createdAt, disabled_at: at, entry: stone.entry };
  await tx.deleteFrom("person").where("space", "=", space).where("id", "=", person).execute();
  await tx.insertInto("person").values(row).execute();
  await tx.deleteFrom("role_grant").where("space", "=", space).where("person", "=", person).execute();
  for (const { role, grantedBy, grantedAt, early, revokedAt, entry } of roles) {
    const grant = { space, person, role, granted_by: grantedBy, granted_at: grantedAt, early: early ? 1 : 0, revoked_at: revokedAt ?? at, entry };
    await tx.insertInto("role_grant").values(grant).execute();
  }
}

/** People without any living record in a space, out of these. */
export async function withoutSpace(db: Reader, person: string): Promise<boolean> {
  const row = await db.selectFrom("person").select("id").where("id", "=", person).where("disabled_at", "is", null).limit(1).executeTakeFirst();
  return row === undefined;
}

/** Account, sessions, passkeys and links of somebody who is in no space any more. Answers whether there was anything. */
export async function dropAccount(db: Reader, person: string): Promise<boolean> {
  const user = await db.selectFrom("user").select(["id", "email"]).where("id", "=", person).executeTakeFirst();
  const links = await db.deleteFrom("one_time_link").where("person", "=", person).executeTakeFirst();
  if (user === undefined) return links.numDeletedRows > 0n;
  await db.deleteFrom("session").where("userId", "=", person).execute();
  await db.deleteFrom("account").where("userId", "=", person).execute();
  await db.deleteFrom("passkey").where("userId", "=", person).execute();
  await db.deleteFrom("verification").where((e) => e.or([e("identifier", "like", `%${person}%`), e("value", "like", `%${person}%`), e("value", "like", `%${user.email}%`)])).execute();
  await db.deleteFrom("user").where("id", "=", person).execute();
  return true;
}

const scrubId = "scrub";

export async function markScrub(db: Reader, now: number): Promise<void> {
  await db.insertInto("scrub").values({ id: scrubId, due_at: now }).onConflict((c) => c.column("id").doNothing()).execute();
}

export async function scrubDue(db: Reader): Promise<boolean> {
  return (await db.selectFrom("scrub").select("id").limit(1).executeTakeFirst()) !== undefined;
}

export async function unmarkScrub(db: Reader): Promise<void> {
  await db.deleteFrom("scrub").execute();
}

/** The answers of those who approved the request, in the order given. */
export async function approvalsFor(db: Reader, space: string, request: string): Promise<readonly string[]> {
  const rows = await db.selectFrom("approval").select("id").where("space", "=", space).where("request", "=", request).where("answer", "=", "approve").orderBy("given_at").orderBy("id").execute();
  return rows.map((row) => row.id);
}

export async function administratorsBeside(db: Reader, space: string, person: string): Promise<{ readonly is: boolean; readonly others: number }> {
  const rows = await db.selectFrom("role_grant").select("person").where("space", "=", space).where("role", "=", "administrator").where("revoked_at", "is", null).execute();
  return { is: rows.some((row) => row.person === person), others: rows.filter((row) => row.person !== person).length };
}

/** Spaces that anything was ever recorded in. */
export async function spacesKnown(db: Reader): Promise<readonly string[]> {
  const rows = await db.selectFrom("entry").select("space").distinct().orderBy("space").execute();
  return rows.map((row) => row.space);
}

/** When the newest row whose payload the key seals was made; for keys from before there were months. */
export async function lastUse(db: Reader, space: string, kid: string): Promise<number | undefined> {
  const row = await db
    .selectFrom("decision")
    .select((e) => e.fn.max("decided_at").as("last"))
    .where("space", "=", space)
    .where((e) => e.or([e("kid", "=", kid), e("outcome_kid", "=", kid)]))
    .executeTakeFirst();
  return row?.last ?? undefined;
}
