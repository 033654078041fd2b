import type { Kysely, Transaction } from "kysely";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;
export type AtoRow = Row<"ato">;
export type DeploymentRow = Row<"deployment">;
export type CredentialRow = Row<"credential">;

export async function insertAto(tx: Transaction<Tables>, row: NewRow<"ato">): Promise<void> {
  await tx.insertInto("ato").values(row).execute();
}

export async function findAto(db: Reader, space: string, id: string): Promise<AtoRow | undefined> {
  return db.selectFrom("ato").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

/** Newest first. */
export async function listAtos(db: Reader, space: string, system: string): Promise<readonly AtoRow[]> {
  return db.selectFrom("ato").selectAll().where("space", "=", space).where("system", "=", system).orderBy("granted_at", "desc").orderBy("id", "desc").limit(200).execute();
}

export interface Place {
  readonly system: string;
  readonly release: string;
  readonly stage: string;
  readonly environment: string;
}

/** The newest authorization for exactly this release, stage and environment, whatever its state. */
export async function atoFor(db: Reader, space: string, place: Place): Promise<AtoRow | undefined> {
  return db
    .selectFrom("ato")
    .selectAll()
    .where("space", "=", space)
    .where("system", "=", place.system)
    .where("release", "=", place.release)
    .where("stage", "=", place.stage)
    .where("environment", "=", place.environment)
    .orderBy("granted_at", "desc")
    .orderBy("id", "desc")
    .executeTakeFirst();
}

/** Whether the system was ever authorised for the stage, by whichever release. */
export async function everAuthorised(db: Reader, space: string, at: { readonly system: string; readonly stage: string }): Promise<boolean> {
  const row = await db.selectFrom("ato").select("id").where("space", "=", space).where("system", "=", at.system).where("stage", "=", at.stage).limit(1).executeTakeFirst();
  return row !== undefined;
}

export async function setAtoState(tx: Transaction<Tables>, space: string, to: { readonly id: string; readonly state: string; readonly reason: string; readonly at: number }): Promise<void> {
  await tx.updateTable("ato").set({ state: to.state, state_reason: to.reason, state_since: to.at }).where("space", "=", space).where("id", "=", to.id).execute();
}

/** A newer authorization for the same place takes over: the older one stays in the record, revoked. */
export async function supersedeAtos(tx: Transaction<Tables>, space: string, by: Place & { readonly id: string; readonly at: number }): Promise<void> {
  await tx
    .updateTable("ato")
    .set({ state: "revoked", state_reason: `superseded by ${by.id}`, state_since: by.at })
    .where("space", "=", space)
    .where("system", "=", by.system)
    .where("release", "=", by.release)
    .where("stage", "=", by.stage)
    .where("environment", "=", by.environment)
    .where("id", "!=", by.id)
    .where("state", "!=", "revoked")
    .execute();
}

const stagesUpwards = ["experiment", "pilot", "production"] as const;

/** A system stands at the highest stage for which an authorization is in force; with none it is proposed. */
export async function restage(tx: Transaction<Tables>, space: string, of: { readonly system: string; readonly at: number }): Promise<void> {
  const rows = await tx
    .selectFrom("ato")
    .select("stage")
    .where("space", "=", space)
    .where("system", "=", of.system)
    .where("state", "=", "granted")
    .where("not_after", ">", of.at)
    .execute();
  const stage = stagesUpwards.findLast((each) => rows.some((row) => row.stage === each)) ?? "proposed";
  await tx
    .updateTable("system")
    .set({ stage, stage_since: of.at, updated_at: of.at })
    .where("space", "=", space)
    .where("name", "=", of.system)
    .where("stage", "not in", [stage, "retired"])
    .execute();
}

/** Another release leaves the environment; the same release keeps its earlier deployments, and so its credentials. */
export async function retireDeployments(tx: Transaction<Tables>, space: string, by: { readonly system: string; readonly environment: string; readonly release: string }): Promise<void> {
  await tx
    .updateTable("deployment")
    .set({ active: 0 })
    .where("space", "=", space)
    .where("system", "=", by.system)
    .where("environment", "=", by.environment)
    .where("release", "!=", by.release)
    .execute();
}

export async function insertDeployment(tx: Transaction<Tables>, row: NewRow<"deployment">): Promise<void> {
  await tx.insertInto("deployment").values(row).execute();
}

export async function findDeployment(db: Reader, space: string, id: string): Promise<DeploymentRow | undefined> {
  return db.selectFrom("deployment").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

/** Newest first. */
export async function listDeployments(db: Reader, space: string, system: string): Promise<readonly DeploymentRow[]> {
  return db.selectFrom("deployment").selectAll().where("space", "=", space).where("system", "=", system).orderBy("recorded_at", "desc").orderBy("id", "desc").limit(200).execute();
}

export async function insertCredential(tx: Transaction<Tables>, row: NewRow<"credential">): Promise<void> {
  await tx.insertInto("credential").values(row).execute();
}

export async function findCredential(db: Reader, space: string, id: string): Promise<CredentialRow | undefined> {
  return db.selectFrom("credential").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

export async function credentialsOf(db: Reader, space: string, deployments: readonly string[]): Promise<readonly CredentialRow[]> {
  if (deployments.length === 0) return [];
  return db.selectFrom("credential").selectAll().where("space", "=", space).where("deployment", "in", [...deployments]).orderBy("issued_at").orderBy("id").execute();
}

export async function endCredential(tx: Transaction<Tables>, space: string, end: { readonly id: string; readonly at: number }): Promise<void> {
  await tx.updateTable("credential").set({ revoked_at: end.at }).where("space", "=", space).where("id", "=", end.id).where("revoked_at", "is", null).execute();
}
