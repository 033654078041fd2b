import { RepeatDraw, type CheckRepeated, type Comparison, type DatasetReuse, type ReservedAttempt } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { AttemptRow, Reader, RepeatRow, Writer } from "../store.ts";

/** An attempt as the order of attempts sees it, with what came of it. */
export interface PastAttempt {
  readonly ticket: string;
  readonly check: string;
  readonly producer: string;
  readonly data: string | null;
  readonly configuration: string;
  readonly index: number;
  readonly alpha: number;
  readonly previous: readonly string[];
  readonly seed: string;
  readonly drawnAs: string;
  readonly repeats: string | null;
  /** Undefined where the ticket came back without it, or has not come back. */
  readonly result: string | undefined;
  /** The result has figures, and nobody found others. */
  readonly stands: boolean;
}

const texts = z.array(z.string());

export interface Lineage {
  readonly system: string;
  readonly subject: string;
  readonly kind: string;
  readonly version: string;
}

/** Every attempt on a subject by one kind of check, over all releases, oldest first. */
export async function attemptsOn(db: Reader, space: string, { system, subject, kind, version }: Lineage): Promise<readonly PastAttempt[]> {
  const rows = await db
    .selectFrom("check_attempt")
    .selectAll()
    .where("space", "=", space)
    .where("system", "=", system)
    .where("subject", "=", subject)
    .where("kind", "=", kind)
    .where("version", "=", version)
    .orderBy("reserved_at")
    .orderBy("ticket")
    .orderBy("attempt_index")
    .execute();
  const disputed = await disputedAmong(db, space, rows.flatMap(({ result }) => result ?? []));
  return rows.map((row) => ({
    ticket: row.ticket,
    check: row.check_id,
    producer: row.producer,
    data: row.data,
    configuration: row.configuration,
    index: row.attempt_index,
    alpha: row.alpha,
    previous: texts.parse(parseJson(row.previous)),
    seed: row.seed,
    drawnAs: row.drawn_as,
    repeats: row.repeats,
    result: row.result ?? undefined,
    stands: row.stands === 1 && !disputed.has(row.result ?? ""),
  }));
}

export async function reservedBy(db: Reader, space: string, ticket: string): Promise<readonly ReservedAttempt[]> {
  const rows = await db.selectFrom("check_attempt").selectAll().where("space", "=", space).where("ticket", "=", ticket).orderBy("check_id").execute();
  return rows.map(reserved);
}

function reserved(row: AttemptRow): ReservedAttempt {
  return {
    check: row.check_id,
    kind: row.kind,
    version: row.version,
    subject: row.subject,
    data: row.data,
    configuration: row.configuration,
    reads: texts.parse(parseJson(row.reads)),
    index: row.attempt_index,
    alpha: row.alpha,
    previous: texts.parse(parseJson(row.previous)),
    seed: row.seed,
    drawnAs: row.drawn_as,
    repeats: row.repeats,
  };
}

export type ReservedIn = Pick<ReservedAttempt, "check" | "index" | "alpha" | "repeats"> & { readonly ticket: string };

/** Of one release. */
export async function reservedForRelease(db: Reader, space: string, subject: { readonly system: string; readonly release: string }): Promise<readonly ReservedIn[]> {
  const rows = await db
    .selectFrom("check_attempt")
    .select(["ticket", "check_id", "attempt_index", "alpha", "repeats"])
    .where("space", "=", space)
    .where("system", "=", subject.system)
    .where("release", "=", subject.release)
    .orderBy("check_id")
    .execute();
  return rows.map((row) => ({ ticket: row.ticket, check: row.check_id, index: row.attempt_index, alpha: row.alpha, repeats: row.repeats }));
}

interface Reserving {
  readonly space: string;
  readonly ticket: string;
  readonly system: string;
  readonly release: string;
  readonly producer: string;
  readonly at: number;
  readonly entry: string;
}

export async function insertAttempts(tx: Writer, of: Reserving, attempts: readonly ReservedAttempt[]): Promise<void> {
  for (const each of attempts) {
    await tx
      .insertInto("check_attempt")
      .values({
        space: of.space,
        ticket: of.ticket,
        check_id: each.check,
        system: of.system,
        release: of.release,
        producer: of.producer,
        kind: each.kind,
        version: each.version,
        subject: each.subject,
        data: each.data,
        configuration: each.configuration,
        reads: JSON.stringify(each.reads),
        attempt_index: each.index,
        alpha: each.alpha,
        previous: JSON.stringify(each.previous),
        seed: each.seed,
        drawn_as: each.drawnAs,
        repeats: each.repeats,
        result: null,
        stands: 0,
        reserved_at: of.at,
        entry: of.entry,
      })
      .execute();
  }
  // Who makes a result again learns nothing from the data that was not known.
  for (const digest of new Set(attempts.flatMap(({ reads, repeats }) => (repeats === null ? reads : [])))) {
    await tx.insertInto("dataset_use").values({ space: of.space, system: of.system, digest, ticket: of.ticket, used_at: of.at }).execute();
  }
}

export async function endAttempt(tx: Writer, space: string, of: { readonly ticket: string; readonly check: string; readonly result: string; readonly stands: boolean }): Promise<void> {
  await tx.updateTable("check_attempt").set({ result: of.result, stands: of.stands ? 1 : 0 }).where("space", "=", space).where("ticket", "=", of.ticket).where("check_id", "=", of.check).execute();
}

/** How often each of these data sets has judged something of a system: tickets, whatever became of them. */
export async function usesOf(db: Reader, space: string, of: { readonly system: string; readonly datasets: ReadonlyMap<string, string> }): Promise<readonly DatasetReuse[]> {
  const digests = [...new Set(of.datasets.values())];
  const rows =
    digests.length === 0
      ? []
      : await db
          .selectFrom("dataset_use")
          .select((e) => ["digest", e.fn.countAll().as("uses")])
          .where("space", "=", space)
          .where("system", "=", of.system)
          .where("digest", "in", digests)
          .groupBy("digest")
          .execute();
  const uses = new Map(rows.map((row) => [row.digest, Number(row.uses)]));
  return [...of.datasets].map(([id, digest]) => ({ id, digest, uses: uses.get(digest) ?? 0 }));
}

export async function insertRepeat(tx: Writer, of: { readonly space: string; readonly at: number; readonly entry: string; readonly repeat: string | null }, body: Omit<CheckRepeated, "drawn"> & { readonly drawn: RepeatDraw | null }): Promise<void> {
  await tx
    .insertInto("check_repeat")
    .values({
      space: of.space,
      id: body.id,
      system: body.system,
      release: body.release,
      ticket: body.ticket,
      check_id: body.check,
      reported: body.reported,
      repeat: of.repeat,
      drawn: body.drawn === null ? null : JSON.stringify(body.drawn),
      agrees: body.comparison.agrees ? 1 : 0,
      differences: JSON.stringify(body.comparison.differences),
      repeated_at: of.at,
      entry: of.entry,
      voided: body.voided ?? null,
    })
    .execute();
}

export interface Repeat extends Comparison {
  readonly ticket: string;
  readonly reported: string;
  readonly repeat: string | null;
  readonly drawn: boolean;
  /** Why it was not made within its time. */
  readonly voided: string | undefined;
  readonly at: number;
  readonly entry: string;
}

function repeatOf(row: RepeatRow): Repeat {
  return {
    ticket: row.ticket,
    reported: row.reported,
    repeat: row.repeat,
    drawn: row.drawn !== null,
    voided: row.voided ?? undefined,
    agrees: row.agrees === 1,
    differences: texts.parse(parseJson(row.differences)),
    at: row.repeated_at,
    entry: row.entry,
  };
}

/** Repetitions that these results were part of, oldest first. */
export async function repeatsAmong(db: Reader, space: string, results: readonly string[]): Promise<readonly Repeat[]> {
  if (results.length === 0) return [];
  const rows = await db
    .selectFrom("check_repeat")
    .selectAll()
    .where("space", "=", space)
    .where((e) => e.or([e("reported", "in", results), e("repeat", "in", results)]))
    .orderBy("repeated_at")
    .orderBy("id")
    .execute();
  return rows.map(repeatOf);
}

/**
 * Results that nobody may lean on: what was reported and came out otherwise, and the second run where it came out better; all of a
 * run whose drawn check did not agree, because it was drawn to speak for the others; and whatever stands on one of these elsewhere.
 */
export async function disputedAmong(db: Reader, space: string, results: readonly string[]): Promise<ReadonlySet<string>> {
  const origins = await originsOf(db, space, results);
  const repeats = await repeatsAmong(db, space, [...new Set([...results, ...origins.map(({ origin }) => origin)])]);
  const disputed = new Set(repeats.filter(({ agrees }) => !agrees).flatMap(({ reported, repeat }) => (repeat === null ? [reported] : [reported, repeat])));
  const runs = await disputedRuns(db, space, origins.map(({ ticket }) => ticket));
  for (const { id, origin, ticket } of origins) if (disputed.has(origin) || runs.has(ticket)) disputed.add(id);
  return disputed;
}

async function disputedRuns(db: Reader, space: string, tickets: readonly string[]): Promise<ReadonlySet<string>> {
  if (tickets.length === 0) return new Set();
  const rows = await db.selectFrom("check_repeat").select("ticket").where("space", "=", space).where("ticket", "in", [...new Set(tickets)]).where("drawn", "is not", null).where("agrees", "=", 0).execute();
  return new Set(rows.map(({ ticket }) => ticket));
}

/** A result with the one that it stands on: itself, or the one that it was carried from, and the ticket of that. */
export interface Origin {
  readonly id: string;
  readonly origin: string;
  readonly ticket: string;
}

export async function originsOf(db: Reader, space: string, results: readonly string[]): Promise<readonly Origin[]> {
  const rows = await ticketsOf(db, space, results);
  const carried = new Map((await ticketsOf(db, space, rows.flatMap((row) => row.carried_from ?? []))).map((row) => [row.id, row.ticket]));
  return rows.map(({ id, ticket, carried_from: from }) => ({ id, origin: from ?? id, ticket: from === null ? ticket : (carried.get(from) ?? ticket) }));
}

async function ticketsOf(db: Reader, space: string, results: readonly string[]) {
  if (results.length === 0) return [];
  return db.selectFrom("check_result").select(["id", "ticket", "carried_from"]).where("space", "=", space).where("id", "in", results).execute();
}

/** The drawn repetition of a ticket. */
export async function drawnRepeatOf(db: Reader, space: string, ticket: string): Promise<Repeat | undefined> {
  const row = await db.selectFrom("check_repeat").selectAll().where("space", "=", space).where("ticket", "=", ticket).where("drawn", "is not", null).executeTakeFirst();
  return row === undefined ? undefined : repeatOf(row);
}

/** A run of the server's own that made this result again and came to the same, drawn or not. */
export async function serverAgreesWith(db: Reader, space: string, reported: string): Promise<Repeat | undefined> {
  const row = await db
    .selectFrom("check_repeat")
    .innerJoin("check_result", (join) => join.onRef("check_result.space", "=", "check_repeat.space").onRef("check_result.id", "=", "check_repeat.repeat"))
    .selectAll("check_repeat")
    .where("check_repeat.space", "=", space)
    .where("check_repeat.reported", "=", reported)
    .where("check_repeat.agrees", "=", 1)
    .where("check_result.producer", "=", "licet")
    .executeTakeFirst();
  return row === undefined ? undefined : repeatOf(row);
}

/** Tickets of CI runs issued since a time of which no drawn check was made again, in every space. */
export async function unrepeatedRuns(db: Reader, since: number): Promise<readonly { readonly space: string; readonly id: string }[]> {
  return db
    .selectFrom("ticket")
    .select(["space", "id"])
    .where("producer", "=", "ci")
    .where("issued_at", ">", since)
    .where((e) => e.not(e.exists(e.selectFrom("check_repeat").select("check_repeat.id").whereRef("check_repeat.space", "=", "ticket.space").whereRef("check_repeat.ticket", "=", "ticket.id").where("check_repeat.drawn", "is not", null))))
    .orderBy("issued_at")
    .execute();
}

/** Of these entries the one that the log has last. */
export async function lastInLog(db: Reader, space: string, entries: readonly string[]): Promise<string | undefined> {
  if (entries.length === 0) return undefined;
  const row = await db.selectFrom("entry").select("id").where("space", "=", space).where("id", "in", entries).orderBy("log_index", "desc").limit(1).executeTakeFirst();
  return row?.id;
}
