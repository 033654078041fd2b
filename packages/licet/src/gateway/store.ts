import type { Kysely, Transaction } from "kysely";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

/** What a snapshot is built from: rows of every space, in one transaction's view where the engine gives one. */
export interface StandingRows {
  readonly credentials: readonly Row<"credential">[];
  readonly deployments: readonly Row<"deployment">[];
  readonly atos: readonly Row<"ato">[];
  readonly holds: readonly Row<"hold">[];
  readonly providers: readonly Row<"provider">[];
  readonly policies: readonly Row<"policy_bundle">[];
  readonly releases: readonly Pick<Row<"release">, "space" | "system" | "digest" | "bundle">[];
  readonly version: number;
}

/** Log index of the newest governance entry: what a snapshot stands on. Calls do not move it. */
export async function standingVersion(db: Reader): Promise<number> {
  const row = await db
    .selectFrom("entry")
    .select((e) => e.fn.max("log_index").as("version"))
    .executeTakeFirst();
  return row?.version ?? -1;
}

/** Only what a call may stand on: deployments that a credential names, their releases and authorizations. */
export async function standingRows(tx: Reader): Promise<StandingRows> {
  // Read first: rows newer than the version make the next heartbeat build again, older ones never pass as newer.
  const version = await standingVersion(tx);
  const deployments = await tx.selectFrom("deployment").selectAll().where("active", "=", 1).execute();
  return {
    version,
    deployments,
    credentials: await tx.selectFrom("credential").selectAll().where("revoked_at", "is", null).execute(),
    atos: await tx.selectFrom("ato").selectAll().orderBy("granted_at").execute(),
    holds: await tx.selectFrom("hold").selectAll().where("lifted_at", "is", null).execute(),
    providers: await tx.selectFrom("provider").selectAll().where("active", "=", 1).execute(),
    policies: await tx.selectFrom("policy_bundle").selectAll().where("active", "=", 1).execute(),
    releases: await releasesOf(tx, deployments),
  };
}

async function releasesOf(tx: Reader, deployments: readonly Row<"deployment">[]): Promise<StandingRows["releases"]> {
  const digests = [...new Set(deployments.map((row) => row.release))];
  if (digests.length === 0) return [];
  return tx.selectFrom("release").select(["space", "system", "digest", "bundle"]).where("digest", "in", digests).execute();
}

export async function insertDecision(tx: Transaction<Tables>, row: NewRow<"decision">): Promise<void> {
  await tx.insertInto("decision").values(row).execute();
}

export async function saveOutcome(tx: Transaction<Tables>, of: { readonly space: string; readonly decision: string; readonly outcome: string }): Promise<void> {
  await tx.updateTable("decision").set({ outcome: of.outcome }).where("space", "=", of.space).where("id", "=", of.decision).execute();
}

/** Newest first; `before` is the log index of the last row of the page before. */
export async function listDecisions(db: Reader, space: string, page: { readonly system: string; readonly before?: number | undefined; readonly limit: number }): Promise<readonly Row<"decision">[]> {
  const query = db.selectFrom("decision").selectAll().where("space", "=", space).where("system", "=", page.system).orderBy("log_index", "desc").limit(page.limit);
  return (page.before === undefined ? query : query.where("log_index", "<", page.before)).execute();
}

export async function findDecision(db: Reader, space: string, id: string): Promise<Row<"decision"> | undefined> {
  return db.selectFrom("decision").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}
