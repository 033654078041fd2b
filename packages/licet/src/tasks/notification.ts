import type { Kysely } from "kysely";
import type { Tables } from "../db/tables.ts";
import { enqueue } from "./store.ts";

export const notificationKind = "notify";

/** What somebody should hear about; the words are made at delivery, from the records it points at. */
export interface Notification {
  /** Names the template: "approval_requested", "ato_expiring", … */
  readonly event: string;
  readonly recipient: { readonly person: string } | { readonly role: string };
  /** Ids of records: `{ system: "…", request: "…" }`. */
  readonly about: Readonly<Record<string, string>>;
}

/** The outbox: in the transaction of what it tells, so that neither is without the other. */
export async function enqueueNotification(
  tx: Kysely<Tables>,
  { space, now, notification }: { readonly space: string; readonly now: number; readonly notification: Notification },
): Promise<string> {
  return await enqueue(tx, { space, now, kind: notificationKind, payload: notification });
}
