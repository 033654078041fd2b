import { LicetError, type ErrorCode } from "../base/errors.ts";
import type { SqliteFault } from "./sqlite-protocol.ts";

/** Primary result codes of https://www.sqlite.org/rescode.html (the low byte of an extended code). */
const codes: ReadonlyMap<number, ErrorCode> = new Map([
  [5, "database_unavailable"],
  [6, "database_unavailable"],
  [10, "database_unavailable"],
  [11, "database_unavailable"],
  [13, "disk_full"],
  [14, "database_unavailable"],
  [26, "database_unavailable"],
]);
const uniqueViolations = new Set([1555, 2067]);

export function sqliteFailure({ code, message }: SqliteFault): LicetError {
  const cause = new Error(`sqlite ${code}: ${message}`);
  if (uniqueViolations.has(code)) return new LicetError("conflict", { cause });
  return new LicetError(codes.get(code & 0xff) ?? "internal", { cause });
}
