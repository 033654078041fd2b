import { ErasureBody as ErasureShape, LicetError, type ErasureBody, type ErasureTarget } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { ErasureLine, Keyring } from "../ledger/keyring.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { administratorsBeside, approvalsFor, countEntries, dropAccount, everyErasure, findErasure, markScrub, scrubDue, tombstoneOf, unmarkScrub, withoutSpace, type PrivacyDatabase, type StoredErasure } from "./store.ts";

export interface ErasureDeps {
  readonly database: PrivacyDatabase;
  readonly recorder: Recorder;
  readonly keyring: Keyring;
  readonly clock: Clock;
}

export interface ErasurePlan {
  readonly id: string;
  readonly space: string;
  readonly occasion: ErasureBody["occasion"];
  readonly target: ErasureTarget;
  readonly keys: readonly string[];
  readonly basis: string;
  readonly requestedBy: string;
  readonly request: string | null;
}

/** One entry names at most so many keys; a schedule with more makes several. */
export const keysPerErasureMax = 10_000;

/** The living keys that an erasure would destroy. */
export function keysOfTarget(keyring: Keyring, space: string, target: ErasureTarget): readonly string[] {
  if (target.kind === "person") return keyring.keysOf(space, `person:${target.person}`);
  if (target.kind === "schedule") return keyring.ended(space, target.class, target.before);
  const before = target.before ?? undefined;
  return target.kind === "user" ? keyring.keysOf(space, target.subject, { class: "content", before }) : keyring.keysOf(space, `system:${target.system}`, { class: target.class, before });
}

/** What stands in for the name of an end user wherever anything is kept. */
export async function endUserSubject(keyring: Keyring, space: string, user: string): Promise<string> {
  return `person:user-${await keyring.hashedName(space, "end-user", user)}`;
}

/** Throws `last_administrator`. */
export async function needAdministrator(db: Parameters<typeof administratorsBeside>[0], space: string, target: ErasureTarget): Promise<void> {
  if (target.kind !== "person") return;
  const administrators = await administratorsBeside(db, space, target.person);
  if (administrators.is && administrators.others === 0) throw new LicetError("last_administrator");
}

/** Throws `last_administrator`, `erasure_nothing`. */
export async function assertErasable({ database, keyring }: Pick<ErasureDeps, "database" | "keyring">, space: string, target: ErasureTarget): Promise<readonly string[]> {
  await needAdministrator(database.read, space, target);
  const keys = keysOfTarget(keyring, space, target);
  if (keys.length === 0) throw new LicetError("erasure_nothing");
  if (keys.length > keysPerErasureMax) throw new LicetError("invalid_request", { message: `the erasure would destroy ${keys.length} keys, over ${keysPerErasureMax}: narrow it with \`before\`` });
  return keys;
}

function classOf(target: ErasureTarget): ErasureBody["class"] {
  if (target.kind === "person") return "all";
  return target.kind === "user" ? "content" : target.class;
}

function beforeOf(target: ErasureTarget): number | null {
  return target.kind === "person" ? null : target.before;
}

function plain(body: ErasureBody): ErasureLine["body"] {
  return parseJson(JSON.stringify(body));
}

/** The intention is durable before the first key goes: a crash from here on is finished at the next start. */
async function intend({ database, recorder, keyring }: ErasureDeps, plan: ErasurePlan): Promise<void> {
  const { id, space, occasion, target, keys, basis, requestedBy, request } = plan;
  keyring.retire(keys);
  await recorder.settle();
  const approvals = request === null ? [] : await approvalsFor(database.read, space, request);
  await recorder.commit(async (tx) => {
    if ((await findErasure(tx, space, id)) !== undefined) return { nothing: undefined };
    await needAdministrator(tx, space, target);
    const tombstone = target.kind === "person" ? await tombstoneOf(tx, space, target.person) : undefined;
    const body: ErasureBody = {
      erasure: id,
      occasion,
      target,
      class: classOf(target),
      before: beforeOf(target),
      keys: [...keys],
      counts: { keys: keys.length, entries: await countEntries(tx, space, keys) },
      basis,
      requestedBy,
      request,
      approvals: [...approvals],
      tombstone: tombstone ?? null,
    };
    return { entry: { kind: "erasure.intended", space, actor: requestedBy, subject: "space", class: "governance", body: plain(body) }, value: undefined };
  });
}

function doneKind(occasion: ErasureBody["occasion"]): "payload.erased" | "retention.applied" {
  return occasion === "request" ? "payload.erased" : "retention.applied";
}

async function destroyKeys({ keyring }: ErasureDeps, { id, space, body }: Pick<StoredErasure, "id" | "space" | "body">): Promise<void> {
  await keyring.destroy(body.keys, { erasure: id, space, kind: doneKind(body.occasion), body: plain(body) });
}

/** Says that the keys are gone; in the same transaction their rows go. */
async function conclude({ recorder }: ErasureDeps, { id, space, body }: Pick<StoredErasure, "id" | "space" | "body">): Promise<void> {
  await recorder.commit(async (tx) => {
    if ((await findErasure(tx, space, id))?.state === "done") return { nothing: undefined };
    return { entry: { kind: doneKind(body.occasion), space, actor: body.requestedBy, subject: "space", class: "governance", body: plain(body) }, value: undefined };
  });
}

async function dropAccountOf({ database }: ErasureDeps, { target }: ErasureBody): Promise<boolean> {
  if (target.kind !== "person" || !(await withoutSpace(database.read, target.person))) return false;
  return dropAccount(database.operational, target.person);
}

async function scrubIfDue({ database }: ErasureDeps): Promise<void> {
  if (!(await scrubDue(database.operational))) return;
  await database.scrub();
  await unmarkScrub(database.operational);
}

/** Every step may be repeated, and the last leaves the database's file without what was erased. */
async function complete(deps: ErasureDeps, erasure: Pick<StoredErasure, "id" | "space" | "body">): Promise<void> {
  await destroyKeys(deps, erasure);
  await markScrub(deps.database.operational, deps.clock.now());
  await conclude(deps, erasure);
  // What was still waiting for its rows in memory is dropped here.
  await deps.recorder.settle();
  await dropAccountOf(deps, erasure.body);
  await scrubIfDue(deps);
}

const turns = new WeakMap<Keyring, Promise<void>>();

/** Of two erasures that want the same key the second finds it destroyed, and does not claim it as its own. */
function inTurn(keyring: Keyring, erase: () => Promise<void>): Promise<void> {
  const turn = (turns.get(keyring) ?? Promise.resolve()).then(erase);
  turns.set(keyring, turn.catch(() => {}));
  return turn;
}

/**
 * Erases, or finishes what a crash interrupted; nothing for one that is done, or whose keys are all destroyed by now.
 * Throws `last_administrator`.
 */
export function carryOutErasure(deps: ErasureDeps, plan: ErasurePlan): Promise<void> {
  return inTurn(deps.keyring, async () => {
    const { database, keyring } = deps;
    const known = await findErasure(database.read, plan.space, plan.id);
    if (known?.state === "done") return;
    const keys = plan.keys.filter((kid) => !keyring.isDestroyed(kid));
    if (known === undefined) {
      if (keys.length === 0) return;
      await needAdministrator(deps.database.read, plan.space, plan.target);
      await intend(deps, { ...plan, keys });
    }
    const intended = await findErasure(database.read, plan.space, plan.id);
    if (intended === undefined) throw new LicetError("internal");
    await complete(deps, intended);
  });
}

/** One erasure's id follows from its request, so that a request is carried out once. */
export function erasureOf(request: string): string {
  return `era_${request.replace(/^req_/u, "")}`;
}

export function scheduledErasure(time: number): string {
  return newId("era", time);
}

/**
 * At each start, before anything is served: finishes what a crash interrupted, destroys again what an older copy of the
 * keys brought back, and tells a log that was put back from before an erasure of that erasure.
 */
export async function finishErasures(deps: ErasureDeps): Promise<void> {
  const { database, keyring } = deps;
  const known = new Set<string>();
  for await (const erasure of everyErasure(database.read)) {
    known.add(`${erasure.space} ${erasure.id}`);
    if (erasure.state === "intended") await complete(deps, erasure);
    else await keepErased(deps, erasure);
  }
  for (const { erasure: id, space, body } of keyring.erasures()) {
    if (!known.has(`${space} ${id}`)) await complete(deps, { id, space, body: ErasureShape.parse(body) });
  }
  await scrubIfDue(deps);
}

async function keepErased(deps: ErasureDeps, erasure: StoredErasure): Promise<void> {
  await destroyKeys(deps, erasure);
  if (await dropAccountOf(deps, erasure.body)) await markScrub(deps.database.operational, deps.clock.now());
}
