import { sql, type CompiledQuery, type Kysely, type Transaction } from "kysely";
import type { NewRow, Row, Tables } from "../db/tables.ts";
import { privacyOfSpaces } from "../privacy/store.ts";

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
  readonly privacy: Awaited<ReturnType<typeof privacyOfSpaces>>;
  /** Not ended by anybody; whether their time has come or is over is asked at each call. */
  readonly waivers: readonly Row<"waiver">[];
  readonly budgetLimits: readonly Row<"budget_limit">[];
  readonly modelPrices: readonly Row<"model_price">[];
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
    privacy: await privacyOfSpaces(tx),
    budgetLimits: await tx.selectFrom("budget_limit").selectAll().execute(),
    modelPrices: await tx.selectFrom("model_price").selectAll().execute(),
    waivers: await tx.selectFrom("waiver").selectAll().where("ended_at", "is", null).orderBy("not_before").orderBy("id").execute(),
  };
}

async function releasesOf(tx: Reader, deployments: readonly Row<"deployment">[]): Promise<StandingRows["releases"]> {
  const digests = [...new Set(deployments.map((row) => row.release))];
  if (digests.length === 0) return [];
  return tx.selectFrom("release").select(["space", "system", "digest", "bundle"]).where("digest", "in", digests).execute();
}

export type DecisionRow = Row<"decision">;

/** The one order of the columns: statement and parameters are both made from it. */
function ordered({ space, id, log_index, gateway, seq, kind, system, deployment, ...row }: DecisionRow): DecisionRow {
  const { release, action, decision, code, model, detail, outcome, decided_at, kid, outcome_kid } = row;
  return { space, id, log_index, gateway, seq, kind, system, deployment, release, action, decision, code, model, detail, outcome, decided_at, kid, outcome_kid };
}

/** Few different sizes, so that few statements are compiled and prepared; the largest within what SQLite takes as parameters. */
const rowsPerInsert = [512, 64, 8, 1] as const;

/** Owned by `insertOf`: Kysely's work for a statement costs more than the statement, and is the same each time. */
const inserts = new WeakMap<object, Map<number, CompiledQuery>>();

function insertOf(tx: Transaction<Tables>, rows: readonly DecisionRow[]): CompiledQuery {
  const { adapter } = tx.getExecutor();
  const bySize = inserts.get(adapter) ?? new Map<number, CompiledQuery>();
  inserts.set(adapter, bySize);
  const compiled = bySize.get(rows.length) ?? tx.insertInto("decision").values(rows.map(ordered)).compile();
  bySize.set(rows.length, compiled);
  return compiled;
}

export async function insertDecisions(tx: Transaction<Tables>, rows: readonly DecisionRow[]): Promise<void> {
  for (let at = 0; at < rows.length; ) {
    const size = rowsPerInsert.find((count) => count <= rows.length - at) ?? 1;
    const part = rows.slice(at, at + size);
    await tx.executeQuery({ ...insertOf(tx, part), parameters: part.flatMap((row) => Object.values(ordered(row))) });
    at += size;
  }
}

export interface DecisionOutcome {
  readonly space: string;
  readonly decision: string;
  readonly outcome: string;
  readonly kid: string;
}

/** The later of two outcomes of one decision stands, as it would one by one. */
export async function saveOutcomes(tx: Transaction<Tables>, outcomes: readonly DecisionOutcome[]): Promise<void> {
  for (const space of new Set(outcomes.map((of) => of.space))) {
    const last = new Map(outcomes.filter((of) => of.space === space).map((of) => [of.decision, of]));
    const texts = [...last].map(([decision, of]) => sql`when ${decision} then ${of.outcome}`);
    const kids = [...last].map(([decision, of]) => sql`when ${decision} then ${of.kid}`);
    const outcome = sql<string>`case id ${sql.join(texts, sql` `)} end`;
    const outcome_kid = sql<string>`case id ${sql.join(kids, sql` `)} end`;
    await tx.updateTable("decision").set({ outcome, outcome_kid }).where("space", "=", space).where("id", "in", [...last.keys()]).execute();
  }
}

/** What would have refused calls that went on under a waiver. */
export async function insertWaived(tx: Transaction<Tables>, rows: readonly NewRow<"waiver_refusal">[]): Promise<void> {
  for (let at = 0; at < rows.length; at += 64) {
    await tx.insertInto("waiver_refusal").values(rows.slice(at, at + 64)).execute();
  }
}

export async function insertContent(tx: Transaction<Tables>, row: NewRow<"content">): Promise<void> {
  await tx.insertInto("content").values(row).execute();
}

/** Newest first; `before` is the log index of the last row of the page before. */
export async function listDecisions(db: Reader, space: string, page: { readonly system: string; readonly before?: number | undefined; readonly limit: number }): Promise<readonly Row<"decision">[]> {
  const query = db.selectFrom("decision").selectAll().where("space", "=", space).where("system", "=", page.system).orderBy("log_index", "desc").limit(page.limit);
  return (page.before === undefined ? query : query.where("log_index", "<", page.before)).execute();
}

export async function findDecision(db: Reader, space: string, id: string): Promise<Row<"decision"> | undefined> {
  return db.selectFrom("decision").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

export async function saveBudgetLimit(tx: Transaction<Tables>, row: NewRow<"budget_limit">): Promise<void> {
  const { space: _, system: __, ...changed } = row;
  await tx.insertInto("budget_limit").values(row).onConflict((c) => c.columns(["space", "system"]).doUpdateSet(changed)).execute();
}

export async function removeBudgetLimit(tx: Transaction<Tables>, space: string, system: string): Promise<void> {
  await tx.deleteFrom("budget_limit").where("space", "=", space).where("system", "=", system).execute();
}

export async function budgetLimits(db: Reader, space: string): Promise<readonly Row<"budget_limit">[]> {
  return db.selectFrom("budget_limit").selectAll().where("space", "=", space).execute();
}

export async function saveModelPrice(tx: Transaction<Tables>, row: NewRow<"model_price">): Promise<void> {
  const { space: _, provider: __, model: ___, ...changed } = row;
  await tx.insertInto("model_price").values(row).onConflict((c) => c.columns(["space", "provider", "model"]).doUpdateSet(changed)).execute();
}

export async function removeModelPrice(tx: Transaction<Tables>, space: string, { provider, model }: { readonly provider: string; readonly model: string }): Promise<void> {
  await tx.deleteFrom("model_price").where("space", "=", space).where("provider", "=", provider).where("model", "=", model).execute();
}

export async function modelPrices(db: Reader, space: string): Promise<readonly Row<"model_price">[]> {
  return db.selectFrom("model_price").selectAll().where("space", "=", space).orderBy("provider").orderBy("model").execute();
}

/** Adds to what was spent; an outcome adds what it came to less what was reserved, so a row can shrink. */
export async function addSpent(tx: Transaction<Tables>, rows: readonly NewRow<"budget_spent">[]): Promise<void> {
  for (const row of rows) {
    await tx
      .insertInto("budget_spent")
      .values(row)
      .onConflict((c) =>
        c.columns(["space", "system", "day", "currency"]).doUpdateSet((e) => ({
          tokens: e("budget_spent.tokens", "+", e.ref("excluded.tokens")),
          micros: e("budget_spent.micros", "+", e.ref("excluded.micros")),
        })),
      )
      .execute();
  }
}

/** The same for each run of a gateway process. */
export async function addSpentByRuns(tx: Transaction<Tables>, rows: readonly NewRow<"budget_spent_run">[]): Promise<void> {
  for (const row of rows) {
    await tx
      .insertInto("budget_spent_run")
      .values(row)
      .onConflict((c) =>
        c.columns(["space", "run", "system", "day", "currency"]).doUpdateSet((e) => ({
          tokens: e("budget_spent_run.tokens", "+", e.ref("excluded.tokens")),
          micros: e("budget_spent_run.micros", "+", e.ref("excluded.micros")),
        })),
      )
      .execute();
  }
}

/** Of every space; days since the epoch. */
export async function spentByRuns(db: Reader, day: number): Promise<readonly Row<"budget_spent_run">[]> {
  return db.selectFrom("budget_spent_run").selectAll().where("day", ">=", day).execute();
}

/** Of every space, or of one; days since the epoch. */
export async function spentSince(db: Reader, day: number, space?: string): Promise<readonly Row<"budget_spent">[]> {
  const query = db.selectFrom("budget_spent").selectAll().where("day", ">=", day);
  return (space === undefined ? query : query.where("space", "=", space)).execute();
}

export interface DeployedBundle {
  readonly system: string;
  readonly bundle: string;
  readonly active: boolean;
}

/** Of every system its latest release, and each that carries traffic. */
export async function budgetedReleases(db: Reader, space: string, system?: string): Promise<readonly DeployedBundle[]> {
  const all = db
    .selectFrom("release")
    .innerJoin("system", (join) => join.onRef("system.space", "=", "release.space").onRef("system.name", "=", "release.system"))
    .leftJoin("deployment", (join) => join.onRef("deployment.space", "=", "release.space").onRef("deployment.system", "=", "release.system").onRef("deployment.release", "=", "release.digest").on("deployment.active", "=", 1))
    .select(["release.system as system", "release.bundle as bundle", "deployment.id as deployment"])
    .where("release.space", "=", space)
    .where((e) => e.or([e("deployment.id", "is not", null), e("system.latest_release", "=", e.ref("release.digest"))]))
    .orderBy("release.system");
  const rows = await (system === undefined ? all : all.where("release.system", "=", system)).execute();
  return rows.map((row) => ({ system: row.system, bundle: row.bundle, active: row.deployment !== null }));
}

export async function systemNames(db: Reader, space: string): Promise<readonly string[]> {
  const rows = await db.selectFrom("system").select("name").where("space", "=", space).orderBy("name").execute();
  return rows.map(({ name }) => name);
}

/** INVARIANT: rows never change each other: an erasure of one entry's key then leaves what the log without it gives. */
export async function insertBoundIds(tx: Transaction<Tables>, rows: readonly NewRow<"bound_id">[]): Promise<void> {
  if (rows.length > 0) await tx.insertInto("bound_id").values(rows).execute();
}

/** Bindings that nothing after them has ended. */
function holding(db: Reader) {
  return db
    .selectFrom("bound_id as bound")
    .selectAll("bound")
    .where("bound.ends", "=", 0)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom("bound_id as end")
            .select("end.id")
            .whereRef("end.space", "=", "bound.space")
            .whereRef("end.provider", "=", "bound.provider")
            .whereRef("end.id", "=", "bound.id")
            .where("end.ends", "=", 1)
            .whereRef("end.log_index", ">=", "bound.log_index"),
        ),
      ),
    );
}

/** Newest first. */
export async function newestBoundIds(db: Reader, limit: number): Promise<readonly Row<"bound_id">[]> {
  return holding(db).orderBy("bound.log_index", "desc").limit(limit).execute();
}

/** Of one system at one provider, newest first. */
export async function boundIdsOf(db: Reader, { space, system, object, provider }: { readonly space: string; readonly system: string; readonly object: string; readonly provider: string }, limit: number): Promise<readonly Row<"bound_id">[]> {
  return holding(db).where("bound.space", "=", space).where("bound.provider", "=", provider).where("bound.system", "=", system).where("bound.object", "=", object).orderBy("bound.log_index", "desc").limit(limit).execute();
}

/** The first that holds. */
export async function findBoundId(db: Reader, { space, provider, id }: { readonly space: string; readonly provider: string; readonly id: string }): Promise<Row<"bound_id"> | undefined> {
  return holding(db).where("bound.space", "=", space).where("bound.provider", "=", provider).where("bound.id", "=", id).orderBy("bound.log_index").limit(1).executeTakeFirst();
}
