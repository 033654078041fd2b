import { LicetError, observeDaysMax, WaiverDetail } from "@licet/contract";
import { newId } from "../base/ids.ts";
import type { Draft } from "../ledger/recorder.ts";
import type { Judged } from "./judge.ts";
import { waiversAt, type Reader, type StoredRequest, type WaiverRow } from "./store.ts";

export const dayMilliseconds = 86_400_000;

/** In force at a time: granted, not ended, not over. The one rule for it, for rows and for snapshots built from rows. */
export function inForce({ not_before, not_after, ended_at }: Pick<WaiverRow, "not_before" | "not_after" | "ended_at">, now: number): boolean {
  return ended_at === null && not_before <= now && now < not_after;
}

export interface Place {
  readonly space: string;
  readonly system: string;
  readonly environment: string;
}

/** The waiver under which a system is observed in an environment now. */
export async function observeWaiver(db: Reader, { space, ...place }: Place, now: number): Promise<WaiverRow | undefined> {
  return (await waiversAt(db, space, place)).find((row) => row.kind === "observe" && inForce(row, now));
}

/**
 * When an observation that is granted now would end: as asked, and never later than 30 days after the first one began,
 * so that it is not renewed by asking again. Throws `waiver_in_force`, `waiver_over`.
 */
export async function endOfWaiver(db: Reader, { space, ...place }: Place, { days, now }: { readonly days: number; readonly now: number }): Promise<number> {
  const rows = await waiversAt(db, space, place);
  const running = rows.find((row) => inForce(row, now));
  if (running !== undefined) throw new LicetError("waiver_in_force", { message: `\`${place.system}\` is observed in \`${place.environment}\` already, by ${running.id}` });
  const last = (rows[0]?.not_before ?? now) + observeDaysMax * dayMilliseconds;
  if (last <= now) throw new LicetError("waiver_over", { message: `\`${place.system}\` was observed in \`${place.environment}\` from ${new Date(rows[0]?.not_before ?? now).toISOString()} on, and ${observeDaysMax} days from then are over` });
  return Math.min(now + days * dayMilliseconds, last);
}

export interface Granting {
  readonly request: StoredRequest;
  readonly judged: Judged;
  readonly outcome: string;
  /** Ids of the approvals that it ends on. */
  readonly approvals: readonly string[];
  readonly now: number;
}

/** The entry that grants, or why what was approved cannot be granted any more. */
export async function waiverDraft(db: Reader, { request, judged, outcome, approvals, now }: Granting): Promise<Draft | { readonly returned: string }> {
  const { space, system, id, requestedBy } = request;
  const detail = WaiverDetail.parse(request.detail);
  if (system === null) return { returned: "a waiver is for one system" };
  const { kind, environment, days, reason, compensation } = detail;
  const end = await endOfWaiver(db, { space, system, environment }, { days, now }).catch((error: unknown) => {
    if (error instanceof LicetError) return { returned: error.message };
    throw error;
  });
  if (typeof end !== "number") return end;
  const spent = judged.weighed.filter(({ row }) => approvals.includes(row.id));
  return {
    kind: "waiver.granted",
    space,
    actor: "server",
    system,
    subject: `system:${system}`,
    class: "governance",
    body: {
      waiver: newId("wvr", now),
      kind,
      system,
      environment,
      reason,
      compensation,
      request: id,
      requestedBy,
      outcome,
      approvals: spent.map(({ row }) => ({ id: row.id, entry: row.entry, statementDigest: row.statement_digest, person: row.person, role: row.role })),
      policyDigest: judged.policyDigest,
      factsDigest: judged.factsDigest,
      notBefore: now,
      notAfter: end,
    },
  };
}

/** The entry that ends a waiver: at once by a person, or because its time is over. */
export function endDraft(row: WaiverRow, end: { readonly cause: "revoked" | "expired"; readonly reason: string; readonly by: string }): Draft {
  const { space, id, kind, system, environment } = row;
  const body = { waiver: id, kind, system, environment, cause: end.cause, reason: end.reason, endedBy: end.by };
  return { kind: "waiver.ended", space, actor: end.by, system, subject: `system:${system}`, class: "governance", body };
}
