import type { Kysely, Transaction } from "kysely";
import { ReleaseBundle } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export interface StoredRelease extends Omit<Row<"release">, "bundle"> {
  readonly bundle: ReleaseBundle;
}

function release(row: Row<"release">): StoredRelease {
  return { ...row, bundle: ReleaseBundle.parse(parseJson(row.bundle)) };
}

export async function findSystem(db: Reader, space: string, name: string): Promise<Row<"system"> | undefined> {
  return db.selectFrom("system").selectAll().where("space", "=", space).where("name", "=", name).executeTakeFirst();
}

/** By name; `after` is the last name of the page before. */
export async function listSystems(db: Reader, space: string, page: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly Row<"system">[]> {
  const query = db.selectFrom("system").selectAll().where("space", "=", space).orderBy("name").limit(page.limit);
  return (page.after === undefined ? query : query.where("name", ">", page.after)).execute();
}

export async function findRelease(db: Reader, space: string, system: string, digest: string): Promise<StoredRelease | undefined> {
  const row = await db
    .selectFrom("release")
    .selectAll()
    .where("space", "=", space)
    .where("system", "=", system)
    .where("digest", "=", digest)
    .executeTakeFirst();
  return row === undefined ? undefined : release(row);
}

/** Without the bundles: they are read one at a time. Newest first. */
export async function listReleases(db: Reader, space: string, system: string): Promise<readonly Omit<Row<"release">, "bundle">[]> {
  return db
    .selectFrom("release")
    .select(["space", "system", "digest", "number", "file_digest", "materiality", "pushed_by", "pushed_at", "entry"])
    .where("space", "=", space)
    .where("system", "=", system)
    .orderBy("number", "desc")
    .limit(200)
    .execute();
}

/** Whether some release of the space names this digest; a digest is hexadecimal, so no part of it is a wildcard. */
export async function declaresFile(db: Reader, space: string, digest: string): Promise<boolean> {
  const row = await db.selectFrom("release").select("digest").where("space", "=", space).where("bundle", "like", `%"${digest}"%`).limit(1).executeTakeFirst();
  return row !== undefined;
}

export async function releaseNumbers(db: Reader, space: string, digests: readonly string[]): Promise<readonly Pick<Row<"release">, "system" | "digest" | "number">[]> {
  if (digests.length === 0) return [];
  return db.selectFrom("release").select(["system", "digest", "number"]).where("space", "=", space).where("digest", "in", [...new Set(digests)]).execute();
}

export async function countReleases(db: Reader, space: string, system: string): Promise<number> {
  const row = await db
    .selectFrom("release")
    .select((e) => e.fn.countAll().as("n"))
    .where("space", "=", space)
    .where("system", "=", system)
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

export async function insertRelease(tx: Transaction<Tables>, row: NewRow<"release">): Promise<void> {
  await tx.insertInto("release").values(row).execute();
}

/** The same facts pushed again with other immaterial text: the release stays, its file is the newer one. */
export async function renewFile(tx: Transaction<Tables>, row: Pick<NewRow<"release">, "space" | "system" | "digest" | "file_digest" | "bundle">): Promise<void> {
  await tx
    .updateTable("release")
    .set({ file_digest: row.file_digest, bundle: row.bundle })
    .where("space", "=", row.space)
    .where("system", "=", row.system)
    .where("digest", "=", row.digest)
    .execute();
}

export async function upsertSystem(tx: Transaction<Tables>, row: NewRow<"system">): Promise<void> {
  await tx
    .insertInto("system")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["space", "name"]).doUpdateSet({ title: row.title, purpose: row.purpose, latest_release: row.latest_release, updated_at: row.updated_at }),
    )
    .execute();
}

export async function findProvider(db: Reader, space: string, id: string): Promise<Row<"provider"> | undefined> {
  return db.selectFrom("provider").selectAll().where("space", "=", space).where("id", "=", id).where("active", "=", 1).executeTakeFirst();
}

export async function listProviders(db: Reader, space: string): Promise<readonly Row<"provider">[]> {
  return db.selectFrom("provider").selectAll().where("space", "=", space).where("active", "=", 1).orderBy("id").execute();
}

export async function upsertProvider(tx: Transaction<Tables>, row: NewRow<"provider">): Promise<void> {
  const { space: _space, id: _id, ...rest } = row;
  await tx
    .insertInto("provider")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "id"]).doUpdateSet(rest))
    .execute();
}

export async function saveProviderKey(db: Reader, row: NewRow<"provider_key">): Promise<void> {
  await db
    .insertInto("provider_key")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "provider"]).doUpdateSet({ sealed: row.sealed, updated_at: row.updated_at }))
    .execute();
}

export async function removeProviderKey(db: Reader, space: string, provider: string): Promise<void> {
  await db.deleteFrom("provider_key").where("space", "=", space).where("provider", "=", provider).execute();
}

export async function findProviderKey(db: Reader, space: string, provider: string): Promise<string | undefined> {
  const row = await db.selectFrom("provider_key").select("sealed").where("space", "=", space).where("provider", "=", provider).executeTakeFirst();
  return row?.sealed;
}

export async function providersWithKey(db: Reader, space: string): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom("provider_key").select("provider").where("space", "=", space).execute();
  return new Set(rows.map((row) => row.provider));
}
