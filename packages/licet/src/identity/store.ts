import type { Kysely, Transaction } from "kysely";
import { roles, type Role } from "@licet/contract";
import type { Database } from "../db/database.ts";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;
export type IdentityDatabase = Pick<Database, "read" | "operational">;
export type Person = Row<"person">;

/** A role in force. `early` grants count at once; the others after 24 hours. */
export interface HeldRole {
  readonly role: Role;
  readonly grantedBy: string;
  readonly grantedAt: number;
  readonly early: boolean;
}

function isRole(value: string): value is Role {
  return roles.some((role) => role === value);
}

/** A role that this version does not know gives nothing. */
function held(row: Row<"role_grant">): readonly HeldRole[] {
  return isRole(row.role) ? [{ role: row.role, grantedBy: row.granted_by, grantedAt: row.granted_at, early: row.early === 1 }] : [];
}

export async function findPerson(db: Reader, space: string, id: string): Promise<Person | undefined> {
  return db.selectFrom("person").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

export async function findPersonByEmail(db: Reader, space: string, email: string): Promise<Person | undefined> {
  return db.selectFrom("person").selectAll().where("space", "=", space).where("email", "=", email.toLowerCase()).executeTakeFirst();
}

/** Members with one of the addresses, as ids. */
export async function idsByEmail(db: Reader, space: string, emails: readonly string[]): Promise<readonly string[]> {
  if (emails.length === 0) return [];
  const rows = await db.selectFrom("person").select("id").where("space", "=", space).where("email", "in", [...new Set(emails)].slice(0, 5_000)).execute();
  return rows.map(({ id }) => id);
}

/** The same person in whichever space: one id per e-mail address in the installation, also of a set-up that stopped half-way. */
export async function findIdByEmail(db: Reader, email: string): Promise<string | undefined> {
  const address = email.toLowerCase();
  const person = await db.selectFrom("person").select("id").where("email", "=", address).orderBy("created_at").executeTakeFirst();
  if (person !== undefined) return person.id;
  const user = await db.selectFrom("user").select("id").where("email", "=", address).executeTakeFirst();
  return user?.id;
}

/** By id, which is the order of joining; `after` is the last id of the page before. */
export async function listPeople(db: Reader, space: string, page: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly Person[]> {
  const query = db.selectFrom("person").selectAll().where("space", "=", space).orderBy("id").limit(page.limit);
  return (page.after === undefined ? query : query.where("id", ">", page.after)).execute();
}

/** E-mail addresses of people, for pages: the log itself holds pseudonyms. */
export async function peopleNames(db: Reader, space: string): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom("person").select(["id", "email"]).where("space", "=", space).execute();
  return new Map(rows.map((row) => [row.id, row.email]));
}

/** How many people could act in the space: one means a sole operator. */
export async function countPeople(db: Reader, space: string): Promise<number> {
  const row = await db
    .selectFrom("person")
    .select((e) => e.fn.countAll().as("n"))
    .where("space", "=", space)
    .where("disabled_at", "is", null)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

export async function spacesOf(db: Reader, person: string): Promise<readonly string[]> {
  const rows = await db.selectFrom("person").select("space").where("id", "=", person).where("disabled_at", "is", null).orderBy("space").execute();
  return rows.map((row) => row.space);
}

/** Where somebody was added first. */
export async function firstSpaceOf(db: Reader, person: string): Promise<string | undefined> {
  const row = await db.selectFrom("person").select("space").where("id", "=", person).orderBy("created_at").orderBy("entry").limit(1).executeTakeFirst();
  return row?.space;
}

export async function heldRoles(db: Reader, space: string, person: string): Promise<readonly HeldRole[]> {
  const rows = await db
    .selectFrom("role_grant")
    .selectAll()
    .where("space", "=", space)
    .where("person", "=", person)
    .where("revoked_at", "is", null)
    .orderBy("role")
    .execute();
  return rows.flatMap(held);
}

/** The people who hold a role now: whose turn it is. */
export async function holdersOf(db: Reader, space: string, role: Role): Promise<readonly Person[]> {
  return db
    .selectFrom("person")
    .innerJoin("role_grant", (join) => join.onRef("role_grant.space", "=", "person.space").onRef("role_grant.person", "=", "person.id"))
    .selectAll("person")
    .where("person.space", "=", space)
    .where("person.disabled_at", "is", null)
    .where("role_grant.role", "=", role)
    .where("role_grant.revoked_at", "is", null)
    .orderBy("person.id")
    .execute();
}

export async function anyAdministratorEver(db: Reader): Promise<boolean> {
  const row = await db.selectFrom("role_grant").select("person").where("role", "=", "administrator").limit(1).executeTakeFirst();
  return row !== undefined;
}

export async function insertPerson(tx: Transaction<Tables>, row: NewRow<"person">): Promise<void> {
  await tx.insertInto("person").values(row).execute();
}

export async function upsertGrant(tx: Transaction<Tables>, row: NewRow<"role_grant">): Promise<void> {
  const { granted_by, granted_at, early, entry } = row;
  await tx
    .insertInto("role_grant")
    .values(row)
    .onConflict((c) => c.columns(["space", "person", "role"]).doUpdateSet({ granted_by, granted_at, early, entry, revoked_at: null }))
    .execute();
}

export async function endGrant(tx: Transaction<Tables>, key: Pick<Row<"role_grant">, "space" | "person" | "role"> & { readonly at: number; readonly entry: string }): Promise<void> {
  await tx
    .updateTable("role_grant")
    .set({ revoked_at: key.at, entry: key.entry })
    .where("space", "=", key.space)
    .where("person", "=", key.person)
    .where("role", "=", key.role)
    .execute();
}

/** When the installation's first entry was made: from the log, because a database can be made anew. */
export async function installedAt(db: Reader): Promise<number | undefined> {
  const row = await db.selectFrom("entry").select("time").orderBy("log_index").limit(1).executeTakeFirst();
  return row?.time;
}

export async function insertLink(db: Reader, row: Omit<NewRow<"one_time_link">, "used_at">): Promise<void> {
  await db.insertInto("one_time_link").values({ ...row, used_at: null }).execute();
}

export async function dropUnusedLinks(db: Reader, link: { readonly purpose: string; readonly person: string | null }): Promise<void> {
  await db.deleteFrom("one_time_link").where("purpose", "=", link.purpose).where("person", link.person === null ? "is" : "=", link.person).where("used_at", "is", null).execute();
}

export interface LinkUse {
  readonly digest: string;
  readonly purpose: "setup" | "invitation";
  readonly at: number;
}

/** Spends a link; `undefined` where it is unknown, spent or expired. One statement, so that only one caller can win. */
export async function spendLink(db: Reader, use: LinkUse): Promise<Row<"one_time_link"> | undefined> {
  return db
    .updateTable("one_time_link")
    .set({ used_at: use.at })
    .where("digest", "=", use.digest)
    .where("purpose", "=", use.purpose)
    .where("used_at", "is", null)
    .where("expires_at", ">", use.at)
    .returningAll()
    .executeTakeFirst();
}

/** Of the given people, those who have set a password. */
export async function withPassword(db: Reader, people: readonly string[]): Promise<ReadonlySet<string>> {
  if (people.length === 0) return new Set();
  const rows = await db.selectFrom("account").select("userId").where("userId", "in", [...people]).where("password", "is not", null).execute();
  return new Set(rows.map((row) => row.userId));
}

export async function passkeysOf(db: Reader, person: string): Promise<readonly Row<"passkey">[]> {
  return db.selectFrom("passkey").selectAll().where("userId", "=", person).orderBy("id").execute();
}

export async function advanceCounter(db: Reader, id: string, counter: number): Promise<void> {
  await db.updateTable("passkey").set({ counter }).where("id", "=", id).execute();
}

/** Sessions and challenges that ran out; times in these tables are ISO text, which sorts by time. */
export async function dropExpired(db: Reader, now: number): Promise<void> {
  const limit = new Date(now).toISOString();
  await db.deleteFrom("verification").where("expiresAt", "<", limit).execute();
  await db.deleteFrom("session").where("expiresAt", "<", limit).execute();
}
