import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LicetError } from "../base/errors.ts";

/**
 * One writer per log. The kernel's own lock, which a dead process cannot keep and a second start cannot steal; Node
 * has no call for it, SQLite takes it on every platform. The file holds no data.
 */
export function lockLog(folder: string): { release(): void } {
  const path = join(folder, "lock");
  const database = new DatabaseSync(path);
  try {
    database.exec("pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive");
  } catch (cause) {
    database.close();
    throw new LicetError("data_locked", { message: `another process has the evidence log \`${folder}\` open`, cause });
  }
  return { release: () => database.close() };
}
