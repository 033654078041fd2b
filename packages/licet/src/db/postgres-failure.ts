import { LicetError } from "../base/errors.ts";

/** Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html */
const conflicts = new Set(["23505", "40001", "40P01"]);
const unavailable = /^(08|57|58|XX|28|3D|53|55P03)/u;

/** PostgreSQL puts row values into messages of class 22 and into details, so only the code is kept of those. */
export function postgresFailure(error: unknown): LicetError {
  if (error instanceof LicetError) return error;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const text = error instanceof Error && !code.startsWith("22") ? error.message : "";
  const cause = new Error(`postgres ${code}: ${text}`);
  if (conflicts.has(code)) return new LicetError("conflict", { cause });
  if (code === "53100") return new LicetError("disk_full", { cause });
  // Without an SQLSTATE (five characters) the failure is one of the connection, not of the statement.
  if (!/^[0-9A-Z]{5}$/u.test(code) || unavailable.test(code)) return new LicetError("database_unavailable", { cause });
  return new LicetError("internal", { cause });
}
