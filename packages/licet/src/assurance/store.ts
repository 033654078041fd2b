import { CiClaim, CiClaimNames, CiKind, CiProvenance, Producer, repeatMsDefault, RunnerBudget, SettledCheck } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Kysely, Transaction } from "kysely";
import { z } from "zod";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

/** Inside the transaction of an entry. */
export type Writer = Transaction<Tables>;

export type ResultRow = Row<"check_result">;

export type AttemptRow = Row<"check_attempt">;

export type RepeatRow = Row<"check_repeat">;

export interface Ticket {
  readonly id: string;
  readonly space: string;
  readonly system: string;
  readonly release: string;
  readonly producer: Producer;
  readonly checks: readonly string[];
  readonly datasets: Readonly<Record<string, string>>;
  readonly seed: string;
  readonly status: "open" | "returned";
  readonly attempt: number;
  readonly issuedTo: string;
  readonly issuedAt: number;
  readonly leaseUntil: number;
  readonly settled: readonly SettledCheck[];
  /** How long the server has to make a drawn check again. */
  readonly repeatWithinMs: number;
  readonly budget: RunnerBudget | undefined;
}

function ticket(row: Row<"ticket">): Ticket {
  return {
    id: row.id,
    space: row.space,
    system: row.system,
    release: row.release,
    producer: Producer.parse(row.producer),
    checks: z.array(z.string()).parse(parseJson(row.checks)),
    datasets: z.record(z.string(), z.string()).parse(parseJson(row.datasets)),
    seed: row.seed,
    status: row.status === "open" ? "open" : "returned",
    attempt: row.attempt,
    issuedTo: row.issued_to,
    issuedAt: row.issued_at,
    leaseUntil: row.lease_until,
    settled: row.settled === null ? [] : z.array(SettledCheck).parse(parseJson(row.settled)),
    repeatWithinMs: row.repeat_within ?? repeatMsDefault,
    budget: row.budget === null ? undefined : RunnerBudget.parse(parseJson(row.budget)),
  };
}

export async function findTicket(db: Reader, space: string, id: string): Promise<Ticket | undefined> {
  const row = await db.selectFrom("ticket").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : ticket(row);
}

/** Newest first. */
export async function listTickets(db: Reader, space: string, subject: { readonly system: string; readonly release: string }): Promise<readonly Ticket[]> {
  const rows = await db
    .selectFrom("ticket")
    .selectAll()
    .where("space", "=", space)
    .where("system", "=", subject.system)
    .where("release", "=", subject.release)
    .orderBy("issued_at", "desc")
    .execute();
  return rows.map(ticket);
}

export async function insertTicket(tx: Transaction<Tables>, row: NewRow<"ticket">): Promise<void> {
  await tx.insertInto("ticket").values(row).execute();
}

export async function closeTicket(tx: Transaction<Tables>, space: string, id: string): Promise<void> {
  await tx.updateTable("ticket").set({ status: "returned" }).where("space", "=", space).where("id", "=", id).execute();
}

export async function insertResult(tx: Transaction<Tables>, row: NewRow<"check_result">): Promise<void> {
  await tx.insertInto("check_result").values(row).execute();
}

export async function resultsOfTicket(db: Reader, space: string, id: string): Promise<readonly ResultRow[]> {
  return db.selectFrom("check_result").selectAll().where("space", "=", space).where("ticket", "=", id).orderBy("check_id").execute();
}

export async function findResult(db: Reader, space: string, id: string): Promise<ResultRow | undefined> {
  return db.selectFrom("check_result").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
}

/** Every result of a release, newest first. */
export async function resultsOfRelease(db: Reader, space: string, subject: { readonly system: string; readonly release: string }): Promise<readonly ResultRow[]> {
  return db
    .selectFrom("check_result")
    .selectAll()
    .where("space", "=", space)
    .where("system", "=", subject.system)
    .where("release", "=", subject.release)
    .orderBy("produced_at", "desc")
    .orderBy("check_id")
    .limit(500)
    .execute();
}

export interface CiRegistration extends Omit<Row<"ci_registration">, "kind" | "names" | "claims"> {
  readonly kind: CiKind;
  readonly names: CiClaimNames;
  readonly claims: readonly CiClaim[];
}

function ciRegistration(row: Row<"ci_registration">): CiRegistration {
  return { ...row, kind: CiKind.parse(row.kind), names: CiClaimNames.parse(parseJson(row.names)), claims: z.array(CiClaim).parse(parseJson(row.claims)) };
}

/** Newest first, in force and removed. */
export async function listCiRegistrations(db: Reader, space: string, system: string): Promise<readonly CiRegistration[]> {
  const rows = await db.selectFrom("ci_registration").selectAll().where("space", "=", space).where("system", "=", system).orderBy("registered_at", "desc").orderBy("id", "desc").limit(200).execute();
  return rows.map(ciRegistration);
}

/** In force, oldest first. */
export async function ciRegistrationsOf(db: Reader, space: string, system: string): Promise<readonly CiRegistration[]> {
  const rows = await db.selectFrom("ci_registration").selectAll().where("space", "=", space).where("system", "=", system).where("removed_at", "is", null).orderBy("registered_at").orderBy("id").execute();
  return rows.map(ciRegistration);
}

export async function findCiRegistration(db: Reader, space: string, id: string): Promise<CiRegistration | undefined> {
  const row = await db.selectFrom("ci_registration").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : ciRegistration(row);
}

/** The registration that a request led to. */
export async function ciRegistrationOfRequest(db: Reader, space: string, request: string): Promise<string | undefined> {
  const row = await db.selectFrom("ci_registration").select("id").where("space", "=", space).where("request", "=", request).executeTakeFirst();
  return row?.id;
}

export async function insertCiRegistration(tx: Transaction<Tables>, row: NewRow<"ci_registration">): Promise<void> {
  await tx.insertInto("ci_registration").values(row).execute();
}

export async function endCiRegistration(tx: Transaction<Tables>, space: string, end: { readonly id: string; readonly by: string; readonly because: string; readonly at: number }): Promise<void> {
  await tx.updateTable("ci_registration").set({ removed_by: end.by, removed_at: end.at, removed_because: end.because }).where("space", "=", space).where("id", "=", end.id).where("removed_at", "is", null).execute();
}

/** How many tokens were exchanged under each registration, and when last. */
export async function ciUse(db: Reader, space: string, system: string): Promise<ReadonlyMap<string, { readonly runs: number; readonly lastAt: number }>> {
  const rows = await db
    .selectFrom("ci_run")
    .select((e) => ["registration", e.fn.countAll().as("runs"), e.fn.max("exchanged_at").as("lastAt")])
    .where("space", "=", space)
    .where("system", "=", system)
    .groupBy("registration")
    .execute();
  return new Map(rows.map((row) => [row.registration, { runs: Number(row.runs), lastAt: row.lastAt }]));
}

export interface CiRun extends Omit<Row<"ci_run">, "provenance" | "authors"> {
  readonly provenance: CiProvenance;
  readonly authors: readonly string[];
}

function ciRun(row: Row<"ci_run">): CiRun {
  return { ...row, provenance: CiProvenance.parse(parseJson(row.provenance)), authors: z.array(z.string()).parse(parseJson(row.authors)) };
}

export async function findCiRun(db: Reader, space: string, id: string): Promise<CiRun | undefined> {
  const row = await db.selectFrom("ci_run").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : ciRun(row);
}

export async function findCiRunBySecret(db: Reader, space: string, digest: string): Promise<CiRun | undefined> {
  const row = await db.selectFrom("ci_run").selectAll().where("space", "=", space).where("secret_digest", "=", digest).executeTakeFirst();
  return row === undefined ? undefined : ciRun(row);
}

/** Who used a token: in every space, because a token begins one run in the whole installation. */
export async function ciRunOfToken(db: Reader, use: string): Promise<{ readonly space: string; readonly id: string; readonly replayedAt: number | null } | undefined> {
  const row = await db.selectFrom("ci_run").select(["space", "id", "replayed_at"]).where("token_use", "=", use).executeTakeFirst();
  return row === undefined ? undefined : { space: row.space, id: row.id, replayedAt: row.replayed_at };
}

export async function insertCiRun(tx: Transaction<Tables>, row: NewRow<"ci_run">): Promise<void> {
  await tx.insertInto("ci_run").values(row).execute();
}

export async function bindCiTicket(tx: Transaction<Tables>, space: string, bound: { readonly run: string; readonly ticket: string }): Promise<void> {
  await tx.updateTable("ci_run").set({ ticket: bound.ticket }).where("space", "=", space).where("id", "=", bound.run).execute();
}

/** Of a token that came again, in whichever space it had been used. */
export async function markReplayed(tx: Transaction<Tables>, run: string, at: number): Promise<void> {
  await tx.updateTable("ci_run").set({ replayed_at: at }).where("id", "=", run).where("replayed_at", "is", null).execute();
}

/** The runs that began a counted attempt on a release. */
export async function ciRunsOfRelease(db: Reader, space: string, subject: { readonly system: string; readonly release: string }): Promise<readonly CiRun[]> {
  const rows = await db
    .selectFrom("ci_run")
    .innerJoin("ticket", (join) => join.onRef("ticket.space", "=", "ci_run.space").onRef("ticket.id", "=", "ci_run.ticket"))
    .selectAll("ci_run")
    .where("ci_run.space", "=", space)
    .where("ticket.system", "=", subject.system)
    .where("ticket.release", "=", subject.release)
    .orderBy("ci_run.id")
    .execute();
  return rows.map(ciRun);
}
