import type { Kysely, Transaction } from "kysely";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export async function activeBundle(db: Reader, space: string): Promise<Row<"policy_bundle"> | undefined> {
  return db.selectFrom("policy_bundle").selectAll().where("space", "=", space).where("active", "=", 1).executeTakeFirst();
}

export async function findBundle(db: Reader, space: string, digest: string): Promise<Row<"policy_bundle"> | undefined> {
  return db.selectFrom("policy_bundle").selectAll().where("space", "=", space).where("digest", "=", digest).executeTakeFirst();
}

/** The published bundle becomes the only active one; the others stay, so that old decisions can be made again. */
export async function activateBundle(tx: Transaction<Tables>, row: NewRow<"policy_bundle">): Promise<void> {
  await tx.updateTable("policy_bundle").set({ active: 0 }).where("space", "=", row.space).execute();
  await tx
    .insertInto("policy_bundle")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "digest"]).doUpdateSet({ active: 1, published_by: row.published_by, published_at: row.published_at, entry: row.entry }))
    .execute();
}
