import { LicetError, type RouteAnswer } from "@licet/contract";
import { newId } from "../base/ids.ts";
import { sameVendor } from "../inventory/vendor-name.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { openMove, subjectOf, type MoveOptions } from "./moves.ts";
import { emailsOf, findHold, systemExists, vendorsOf, type HoldRow, type Reader } from "./store.ts";

export type HoldView = RouteAnswer<"placeHold">;

export interface Placing {
  readonly space: string;
  readonly scope: HoldView["scope"];
  readonly system?: string | undefined;
  readonly vendor?: string | undefined;
  readonly reason: string;
  readonly by: string;
}

/** Stops at once: one entry, no approval, nobody to wait for. Throws `hold_scope_invalid`, `not_found`. */
export async function placeHold(recorder: Recorder, placing: Placing): Promise<string> {
  const { space, scope, vendor, reason, by } = placing;
  const system = placing.system ?? null;
  if ((scope === "system") !== (system !== null) || (scope === "vendor") !== (vendor !== undefined)) throw new LicetError("hold_scope_invalid");
  const { value } = await recorder.commit(async (tx, time) => {
    if (system !== null && !(await systemExists(tx, space, system))) throw new LicetError("not_found", { message: `there is no system \`${system}\` in this space` });
    if (vendor !== undefined) await needVendor(tx, space, vendor);
    const hold = newId("hold", time);
    const body = { hold, scope, system, ...(vendor !== undefined && { vendor }), reason, placedBy: by };
    return { entry: { kind: "hold.placed", space, actor: by, ...(system !== null && { system }), subject: subjectOf(system), class: "governance", body }, value: hold };
  });
  return value;
}

/** A hold on a misspelt name would stop nothing. */
async function needVendor(db: Reader, space: string, vendor: string): Promise<void> {
  const known = await vendorsOf(db, space);
  if (known.some((each) => sameVendor(each, vendor))) return;
  const named = known.length === 0 ? "no provider is registered" : `registered are ${known.map((each) => `\`${each}\``).join(", ")}`;
  throw new LicetError("not_found", { message: `no provider of the vendor \`${vendor}\` is registered in this space; ${named}` });
}

export interface Lifting {
  readonly space: string;
  readonly hold: string;
  readonly reason: string;
  readonly by: string;
}

/** Asks to lift a hold. Answers the request's id. Throws `not_found`, `hold_lifted_already`. */
export async function askToLift(options: MoveOptions, { space, hold, reason, by }: Lifting): Promise<string> {
  const found = await findHold(options.read, space, hold);
  if (found === undefined) throw new LicetError("not_found", { message: `there is no hold \`${hold}\` in this space` });
  if (found.lifted_at !== null) throw new LicetError("hold_lifted_already");
  return openMove(options, { space, move: "lift-hold", system: found.system, detail: { hold, reason, ...(found.vendor !== null && { vendor: found.vendor }) }, by });
}

/** A scope that nobody knows stops everything. */
export function holdScope(scope: string): HoldView["scope"] {
  return scope === "system" || scope === "vendor" ? scope : "all";
}

export async function holdViews(db: Reader, space: string, rows: readonly HoldRow[]): Promise<HoldView[]> {
  const people = rows.flatMap((row) => [row.placed_by, ...(row.lifted_by === null ? [] : [row.lifted_by])]);
  const emails = await emailsOf(db, space, people);
  return rows.map((row) => ({
    id: row.id,
    scope: holdScope(row.scope),
    system: row.system,
    vendor: row.vendor,
    reason: row.reason,
    placedBy: emails.get(row.placed_by) ?? row.placed_by,
    placedAt: row.placed_at,
    liftedBy: row.lifted_by === null ? null : (emails.get(row.lifted_by) ?? row.lifted_by),
    liftedAt: row.lifted_at,
  }));
}
