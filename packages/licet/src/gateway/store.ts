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

/** Few different sizes, so that few statements are compiled and prepared. */
const rowsPerInsert = [64, 8, 1] as const;

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
