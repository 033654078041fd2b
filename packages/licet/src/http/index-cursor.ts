import { LicetError } from "../base/errors.ts";

/** Cursors of pages in the log's order are log indices. Throws `invalid_request` for one that no page gave. */
export function indexCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const index = /^\d{1,15}$/u.test(cursor) ? Number(cursor) : -1;
  if (index < 0) throw new LicetError("invalid_request", { message: "the cursor is not one that this server gave" });
  return index;
}
