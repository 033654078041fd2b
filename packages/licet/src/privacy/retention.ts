import type { ErasureTarget } from "@licet/contract";
import { newId } from "../base/ids.ts";
import { taskRunner } from "../tasks/runner.ts";
import { enqueue } from "../tasks/store.ts";
import { carryOutErasure, keysPerErasureMax, scheduledErasure, type ErasureDeps } from "./erase.ts";
import { periodAt, periodEnd } from "../ledger/period.ts";
import { findPrivacy, lastUse, spacesKnown } from "./store.ts";

export const retentionTask = "privacy.retention";
const dayMilliseconds = 86_400_000;
const classes = ["runtime", "content"] as const;

/** Destroys the keys of every month that ended longer ago than its class is kept. Answers how many. Safe to repeat. */
export async function applyRetention(deps: ErasureDeps): Promise<number> {
  const now = deps.recorder.now();
  let destroyed = 0;
  for (const space of await spacesKnown(deps.database.read)) {
    const { retentionDays } = await findPrivacy(deps.database.read, space);
    for (const each of classes) {
      const days = retentionDays[each];
      destroyed += await destroyEnded(deps, { space, target: { kind: "schedule", class: each, before: now - days * dayMilliseconds }, days });
    }
  }
  return destroyed;
}

interface Ended {
  readonly space: string;
  readonly target: Extract<ErasureTarget, { readonly kind: "schedule" }>;
  readonly days: number;
}

async function destroyEnded(deps: ErasureDeps, { space, target, days }: Ended): Promise<number> {
  const kids = [...deps.keyring.ended(space, target.class, target.before), ...(await endlessEnded(deps, space, target))];
  for (let at = 0; at < kids.length; at += keysPerErasureMax) {
    const keys = kids.slice(at, at + keysPerErasureMax);
    const basis = `retention: ${target.class} is kept for ${days} days after the end of its month`;
    await carryOutErasure(deps, { id: scheduledErasure(deps.clock.now()), space, occasion: "schedule", target, keys, basis, requestedBy: "server", request: null });
  }
  return kids.length;
}

/** Keys from before there were months end with their last use. */
async function endlessEnded({ database, keyring }: ErasureDeps, space: string, { class: retention, before }: Ended["target"]): Promise<readonly string[]> {
  const kids: string[] = [];
  for (const { kid, created } of keyring.endless(space, retention)) {
    const used = (await lastUse(database.read, space, kid)) ?? created;
    if (periodEnd(periodAt(used)) <= before) kids.push(kid);
  }
  return kids;
}

function taskId(day: number): string {
  return `retention-${new Date(day).toISOString().slice(0, 10)}`;
}

/** One task a day, by its date in UTC: asked for again, it stays as it is. */
export async function scheduleRetention({ database }: Pick<ErasureDeps, "database">, now: number, daysAhead = 0): Promise<void> {
  const midnight = now - (now % dayMilliseconds) + daysAhead * dayMilliseconds;
  await enqueue(database.operational, { space: "main", now, kind: retentionTask, id: taskId(midnight), runAt: midnight, payload: null });
}

/** Tomorrow's task is there before today's begins, so that one that fails to the end does not end the row. */
export async function runRetention(deps: ErasureDeps): Promise<void> {
  const now = deps.recorder.now();
  await scheduleRetention(deps, now, 1);
  await applyRetention(deps);
}

/** The daily task, from now until the answered function is called. */
export async function startRetention(deps: ErasureDeps, onFailure: (error: unknown) => void): Promise<() => Promise<void>> {
  const { clock, database } = deps;
  await scheduleRetention(deps, clock.now());
  const runner = taskRunner({ database, clock, handlers: { [retentionTask]: () => runRetention(deps) }, owner: newId("run", clock.now()), pollMilliseconds: pollMinutes * 60_000, onFailure });
  runner.start();
  return () => runner.stop();
}

const pollMinutes = 10;

/** When the keys of the oldest month are due. */
export function dueTime(end: number | null, days: number): number | null {
  return end === null ? null : end + days * dayMilliseconds;
}
