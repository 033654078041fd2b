import { Producer } from "@licet/contract";
import type { Kysely, Transaction } from "kysely";
import { z } from "zod";
import type { NewRow, Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export type ResultRow = Row<"check_result">;

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
}

function ticket(row: Row<"ticket">): Ticket {
  return {
    id: row.id,
    space: row.space,
    system: row.system,
    release: row.release,
    producer: Producer.parse(row.producer),
    checks: z.array(z.string()).parse(JSON.parse(row.checks)),
    datasets: z.record(z.string(), z.string()).parse(JSON.parse(row.datasets)),
    seed: row.seed,
    status: row.status === "open" ? "open" : "returned",
    attempt: row.attempt,
    issuedTo: row.issued_to,
    issuedAt: row.issued_at,
    leaseUntil: row.lease_until,
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
