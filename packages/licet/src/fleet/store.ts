import { sql, type Kysely, type Transaction } from "kysely";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;
export type GatewayRow = Row<"gateway">;

export async function listGateways(db: Reader, space: string): Promise<readonly GatewayRow[]> {
  return db.selectFrom("gateway").selectAll().where("space", "=", space).orderBy("name").execute();
}

export async function findGatewayByName(db: Reader, space: string, name: string): Promise<GatewayRow | undefined> {
  return db.selectFrom("gateway").selectAll().where("space", "=", space).where("name", "=", name).executeTakeFirst();
}

/** Over all spaces: a gateway says who it is before anybody knows of which space. */
export async function findGateway(db: Reader, id: string): Promise<GatewayRow | undefined> {
  return db.selectFrom("gateway").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Ids of gateways that joined and were not removed. */
export async function activeGateways(db: Reader): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom("gateway").select("id").where("joined_at", "is not", null).where("removed_at", "is", null).execute();
  return new Set(rows.map(({ id }) => id));
}

export async function logInUse(db: Reader, origin: string): Promise<boolean> {
  return (await db.selectFrom("gateway").select("id").where("log_origin", "=", origin).executeTakeFirst()) !== undefined;
}

export async function insertGateway(tx: Transaction<Tables>, row: NewRow<"gateway">): Promise<void> {
  await tx.insertInto("gateway").values(row).execute();
}

export async function joinGateway(tx: Transaction<Tables>, space: string, of: { readonly id: string; readonly public_key: string; readonly log_origin: string; readonly trust: string; readonly joined_at: number; readonly joined_entry: string }): Promise<void> {
  const { id, ...joined } = of;
  await tx.updateTable("gateway").set(joined).where("space", "=", space).where("id", "=", id).execute();
}

export async function endGateway(tx: Transaction<Tables>, space: string, { id, at }: { readonly id: string; readonly at: number }): Promise<void> {
  await tx.updateTable("gateway").set({ removed_at: at }).where("space", "=", space).where("id", "=", id).execute();
}

/** Changes with every provider key that is put in place or taken away; the keys themselves stay sealed. */
export async function providerKeyStamp(db: Reader): Promise<string> {
  const rows = await db.selectFrom("provider_key").select(["space", "provider", "updated_at"]).where("provider", "not like", "pending:%").orderBy("space").orderBy("provider").execute();
  return rows.map(({ space, provider, updated_at }) => `${space}/${provider} ${updated_at}`).join("\n");
}

/** By the origin of each shard of its log. */
export async function shipments(db: Reader, space: string, gateway: string): Promise<readonly Row<"gateway_shipment">[]> {
  return db.selectFrom("gateway_shipment").selectAll().where("space", "=", space).where("gateway", "=", gateway).execute();
}

export async function saveShipment(db: Reader, row: NewRow<"gateway_shipment">): Promise<void> {
  const { next_index, seen_at } = row;
  await db
    .insertInto("gateway_shipment")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "gateway", "log"]).doUpdateSet({ next_index, seen_at }))
    .execute();
}

const idsPerQuestion = 200;

/** What of these is already in the record: decisions and contents by id, outcomes by the decision that they end. */
export async function alreadyTaken(db: Reader, space: string, ids: readonly string[]): Promise<{ readonly decisions: ReadonlySet<string>; readonly outcomes: ReadonlySet<string>; readonly contents: ReadonlySet<string> }> {
  const decisions = new Set<string>();
  const outcomes = new Set<string>();
  const contents = new Set<string>();
  for (let at = 0; at < ids.length; at += idsPerQuestion) {
    const some = ids.slice(at, at + idsPerQuestion);
    const ended = sql<number>`case when outcome is null then 0 else 1 end`.as("ended");
    for (const row of await db.selectFrom("decision").select(["id", ended]).where("space", "=", space).where("id", "in", some).execute()) {
      decisions.add(row.id);
      if (row.ended === 1) outcomes.add(row.id);
    }
    for (const row of await db.selectFrom("content").select("id").where("space", "=", space).where("id", "in", some).execute()) contents.add(row.id);
  }
  return { decisions, outcomes, contents };
}

/** Places in the log where a key followed another, the oldest first. */
export async function keyRotations(db: Reader): Promise<readonly { readonly space: string; readonly index: number }[]> {
  const rows = await db.selectFrom("entry").select(["space", "log_index"]).where("kind", "=", "key.rotated").orderBy("log_index").execute();
  return rows.map(({ space, log_index }) => ({ space, index: log_index }));
}

export async function budgetShares(db: Reader): Promise<readonly Row<"budget_share">[]> {
  return db.selectFrom("budget_share").selectAll().execute();
}

export async function saveBudgetShare(db: Reader, row: NewRow<"budget_share">): Promise<void> {
  const { terms, seen_at } = row;
  await db
    .insertInto("budget_share")
    .values(row)
    .onConflict((conflict) => conflict.columns(["space", "gateway", "run"]).doUpdateSet({ terms, seen_at }))
    .execute();
}

export async function removeBudgetShare(db: Reader, { space, gateway, run }: { readonly space: string; readonly gateway: string; readonly run: string }): Promise<void> {
  await db.deleteFrom("budget_share").where("space", "=", space).where("gateway", "=", gateway).where("run", "=", run).execute();
}
