import { parseJson } from "@licet/evidence";
import { sql, type Kysely } from "kysely";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Database } from "../db/database.ts";
import type { Row, Tables } from "../db/tables.ts";
import { attemptsMaxDefault, backoffMilliseconds, errorCharactersMax, payloadCharactersMax, type Task, type TaskDraft } from "./task.ts";

export interface Enqueue extends TaskDraft {
  readonly space: string;
  readonly now: number;
}

/** In `tx` it is due exactly if the transaction commits. Returns the id; a task that has it already stays as it is. */
export async function enqueue(tx: Kysely<Tables>, task: Enqueue): Promise<string> {
  const { space, now, kind, id = newId("task", now), runAt = now, attemptsMax = attemptsMaxDefault } = task;
  const payload = JSON.stringify(task.payload ?? null);
  if (payload.length > payloadCharactersMax) throw new LicetError("body_too_large", { message: `a task's payload has at most ${payloadCharactersMax} characters` });
  await tx
    .insertInto("task")
    .values({
      space,
      id,
      kind,
      payload,
      run_at: runAt,
      attempts: 0,
      max_attempts: attemptsMax,
      leased_until: null,
      lease_owner: null,
      last_error: null,
      created_at: now,
      done_at: null,
    })
    .onConflict((oc) => oc.columns(["space", "id"]).doNothing())
    .execute();
  return id;
}

export interface Claim {
  readonly owner: string;
  readonly kinds: readonly string[];
  readonly now: number;
  readonly leaseUntil: number;
  readonly tasksMax: number;
  /** What the asker still runs itself: after a leap of the clock its leases look as if they had run out. */
  readonly running?: (task: Pick<Task, "space" | "id">) => boolean;
}

/** Due tasks of every space, now leased by `owner`. Of two runners that claim the same task one gets it. */
export async function claim(database: Database, request: Claim): Promise<readonly Task[]> {
  const candidates = (await due(database.read, request)).filter((candidate) => request.running?.(candidate) !== true);
  const claimed: Task[] = [];
  for (const candidate of candidates) {
    const row = await lease(database.operational, candidate, request);
    if (row !== undefined) claimed.push(taskOf(row));
  }
  return claimed;
}

type Key = Pick<Row<"task">, "space" | "id">;

async function due(db: Kysely<Tables>, { kinds, now, tasksMax }: Claim): Promise<readonly Key[]> {
  if (kinds.length === 0 || tasksMax <= 0) return [];
  return await db
    .selectFrom("task")
    .select(["space", "id"])
    .where("done_at", "is", null)
    .where("run_at", "<=", now)
    .where("kind", "in", kinds)
    .whereRef("attempts", "<", "max_attempts")
    .where((eb) => eb.or([eb("leased_until", "is", null), eb("leased_until", "<=", now)]))
    .orderBy("run_at")
    .orderBy("id")
    .limit(tasksMax)
    .execute();
}

/** The conditions stand here again because another runner may have leased it since it was read. */
async function lease(db: Kysely<Tables>, { space, id }: Key, { owner, now, leaseUntil }: Claim): Promise<Row<"task"> | undefined> {
  return await db
    .updateTable("task")
    .set((eb) => ({ attempts: eb("attempts", "+", 1), lease_owner: owner, leased_until: leaseUntil }))
    .where("space", "=", space)
    .where("id", "=", id)
    .where("done_at", "is", null)
    .where("run_at", "<=", now)
    .whereRef("attempts", "<", "max_attempts")
    .where((eb) => eb.or([eb("leased_until", "is", null), eb("leased_until", "<=", now)]))
    .returningAll()
    .executeTakeFirst();
}

function taskOf(row: Row<"task">): Task {
  const payload: unknown = parseJson(row.payload);
  return { space: row.space, id: row.id, kind: row.kind, payload, attempt: row.attempts, attemptsMax: row.max_attempts };
}

/** What a runner may still do with a task: only the owner of the current attempt, and only before it is done. */
function held(db: Kysely<Tables>, task: Task, owner: string) {
  return db
    .updateTable("task")
    .where("space", "=", task.space)
    .where("id", "=", task.id)
    .where("lease_owner", "=", owner)
    .where("attempts", "=", task.attempt)
    .where("done_at", "is", null);
}

/** False: the lease is another's by now. */
export async function extendLease(database: Database, task: Task, { owner, leaseUntil }: Pick<Claim, "owner" | "leaseUntil">): Promise<boolean> {
  const { numUpdatedRows } = await held(database.operational, task, owner).set({ leased_until: leaseUntil }).executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function complete(database: Database, task: Task, { owner, now }: Pick<Claim, "owner" | "now">): Promise<boolean> {
  const { numUpdatedRows } = await held(database.operational, task, owner)
    .set({ done_at: now, leased_until: null, lease_owner: null, last_error: null })
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export interface Failed {
  readonly owner: string;
  readonly now: number;
  /** A code or a public message; never content. */
  readonly error: string;
}

/** Gives the task back, due again after a pause, or exhausted when this was its last attempt. */
export async function fail(database: Database, task: Task, { owner, now, error }: Failed): Promise<boolean> {
  const { numUpdatedRows } = await held(database.operational, task, owner)
    .set({
      leased_until: null,
      lease_owner: null,
      last_error: error.slice(0, errorCharactersMax),
      run_at: now + backoffMilliseconds(task.attempt),
    })
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Tasks that failed, or lost their runner, in their last permitted attempt. */
export async function exhausted(database: Database, space: string, now: number): Promise<readonly Row<"task">[]> {
  return await database.read
    .selectFrom("task")
    .selectAll()
    .where("space", "=", space)
    .where("done_at", "is", null)
    .whereRef("attempts", ">=", "max_attempts")
    .where((eb) => eb.or([eb("leased_until", "is", null), eb("leased_until", "<=", now)]))
    .orderBy("run_at")
    .limit(exhaustedListMax)
    .execute();
}

const exhaustedListMax = 100;

/** Gives an exhausted task one more round of attempts, for a person who has removed the cause. */
export async function retry(database: Database, space: string, { id, now }: { readonly id: string; readonly now: number }): Promise<boolean> {
  const { numUpdatedRows } = await database.operational
    .updateTable("task")
    .set({ attempts: 0, run_at: now, leased_until: null, lease_owner: null })
    .where("space", "=", space)
    .where("id", "=", id)
    .where("done_at", "is", null)
    .whereRef("attempts", ">=", "max_attempts")
    .where((eb) => eb.or([eb("leased_until", "is", null), eb("leased_until", "<=", now)]))
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** How many are due or running, in all spaces. */
export async function backlog(database: Database, now: number): Promise<number> {
  const row = await database.read
    .selectFrom("task")
    .select(sql<number>`count(*)`.as("count"))
    .where("done_at", "is", null)
    .where("run_at", "<=", now)
    .whereRef("attempts", "<", "max_attempts")
    .executeTakeFirst();
  return row?.count ?? 0;
}

export async function pruneDone(database: Database, before: number): Promise<number> {
  const { numDeletedRows } = await database.operational.deleteFrom("task").where("done_at", "<", before).executeTakeFirst();
  return Number(numDeletedRows);
}
