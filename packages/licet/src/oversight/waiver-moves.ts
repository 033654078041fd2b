import { errorInfo, isErrorCode, LicetError, type RouteAnswer } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Recorder } from "../ledger/recorder.ts";
import { findRelease, findSystem } from "../inventory/store.ts";
import type { Oversight } from "./oversight.ts";
import { emailsOf, findWaiver, waivedReasons, waiversOver, type Reader, type WaiverRow } from "./store.ts";
import { endDraft, endOfWaiver, inForce, type Place } from "./waivers.ts";

export type WaiverView = RouteAnswer<"showWaiver">;

export interface WaiverAsked extends Place {
  readonly kind: "observe";
  readonly days: number;
  readonly reason: string;
  readonly compensation: readonly string[];
  readonly by: string;
}

export interface WaiverDeps {
  readonly read: Reader;
  readonly recorder: Recorder;
}

/** Opens the gate move. Answers the request's id. Throws `not_found`, `waiver_environment`, `waiver_in_force`, `waiver_over`. */
export async function askForWaiver({ read, recorder }: WaiverDeps, ask: Oversight["ask"], { by, space, system, ...detail }: WaiverAsked): Promise<string> {
  const { environment, days, compensation } = detail;
  const found = await findSystem(read, space, system);
  const release = found === undefined ? undefined : await findRelease(read, space, system, found.latest_release);
  if (release === undefined) throw new LicetError("not_found", { message: `there is no system \`${system}\` in this space` });
  const { environments } = release.bundle.manifest;
  if (!environments.includes(environment)) throw new LicetError("waiver_environment", { message: `\`${system}\` declares ${environments.map((each) => `\`${each}\``).join(", ")}, not \`${environment}\`` });
  await endOfWaiver(read, { space, system, environment }, { days, now: recorder.now() });
  return ask({ space, move: "grant-waiver", system, detail: { ...detail, compensation: [...compensation] }, by });
}

/** Ends a waiver at once. Throws `not_found`, `waiver_ended_already`. */
export async function revokeWaiver(recorder: Recorder, { space, waiver, reason, by }: { readonly space: string; readonly waiver: string; readonly reason: string; readonly by: string }): Promise<void> {
  await recorder.commit(async (tx, now) => {
    const row = await findWaiver(tx, space, waiver);
    if (row === undefined) throw new LicetError("not_found", { message: `there is no waiver \`${waiver}\` in this space` });
    if (!inForce(row, now)) throw new LicetError("waiver_ended_already");
    return { entry: endDraft(row, { cause: "revoked", reason, by }), value: undefined };
  });
}

/** Writes down the end of every waiver whose time is over. They stopped counting at that time, whenever this runs. */
export async function expireWaivers({ read, recorder }: WaiverDeps): Promise<number> {
  const over = await waiversOver(read, recorder.now());
  for (const { space, id } of over) {
    await recorder.commit(async (tx, now) => {
      const row = await findWaiver(tx, space, id);
      if (row === undefined || row.ended_at !== null || now < row.not_after) return { nothing: undefined };
      return { entry: endDraft(row, { cause: "expired", reason: "its time is over", by: "server" }), value: undefined };
    });
  }
  return over.length;
}

const expireEveryMs = 60_000;

/** From now until the answered function is called, which waits for the running pass. */
export async function startWaivers(deps: WaiverDeps, onFailure: (error: unknown) => void): Promise<() => Promise<void>> {
  let running: Promise<unknown> = Promise.resolve();
  const pass = (): void => {
    running = running.then(() => expireWaivers(deps)).catch(onFailure);
  };
  pass();
  await running;
  const timer = setInterval(pass, expireEveryMs).unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}

const Compensation = z.array(z.string());

function stateOf(row: WaiverRow, now: number): WaiverView["state"] {
  if (row.end_cause === "revoked") return "revoked";
  return inForce(row, now) ? "in-force" : "expired";
}

export async function waiverViews({ read, recorder }: WaiverDeps, space: string, rows: readonly WaiverRow[]): Promise<WaiverView[]> {
  const now = recorder.now();
  const refused = await waivedReasons(read, space, rows.map((row) => row.id));
  const emails = await emailsOf(read, space, rows.flatMap((row) => [row.requested_by, ...(row.ended_by === null ? [] : [row.ended_by])]));
  const named = (id: string): string => emails.get(id) ?? id;
  return rows.map((row) => ({
    id: row.id,
    kind: "observe" as const,
    system: row.system,
    environment: row.environment,
    state: stateOf(row, now),
    reason: row.reason,
    compensation: Compensation.parse(parseJson(row.compensation)),
    requestedBy: named(row.requested_by),
    request: row.request,
    outcome: row.outcome,
    notBefore: row.not_before,
    notAfter: row.not_after,
    endedAt: row.ended_at,
    endedBy: row.ended_by === null ? null : named(row.ended_by),
    endReason: row.end_reason,
    refused: refused.filter((each) => each.waiver === row.id).map(({ code, policy, calls, lastAt, lastDecision }) => ({ code, policy, calls, lastAt, lastDecision, message: isErrorCode(code) ? errorInfo(code).what : code })),
    entry: row.entry,
  }));
}

export async function waiverView(deps: WaiverDeps, space: string, id: string): Promise<WaiverView> {
  const row = await findWaiver(deps.read, space, id);
  const [view] = row === undefined ? [] : await waiverViews(deps, space, [row]);
  if (view === undefined) throw new LicetError("not_found", { message: `there is no waiver \`${id}\` in this space` });
  return view;
}
