import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

export interface InstallationFile {
  readonly applied: number;
  readonly projected: number;
  /** The last signed checkpoint. */
  readonly checkpoint: string | null;
}

/**
 * What the embedded database says of the log, without opening it for writing and without migrating it; `undefined` when
 * there is no database or no installation in it. Throws what SQLite throws for a file that is not one.
 */
export function readInstallationFile(file: string): InstallationFile | undefined {
  if (!existsSync(file)) return undefined;
  const address = pathToFileURL(file);
  // A journal that is not empty has to be read too; otherwise SQLite must not make one, for the disk may be read-only.
  const journal = `${file}-wal`;
  if (!existsSync(journal) || statSync(journal).size === 0) address.searchParams.set("immutable", "1");
  const database = new DatabaseSync(address, { readOnly: true });
  try {
    const row = database.prepare("select applied_index, projected_index, checkpoint from installation").get();
    if (row === undefined) return undefined;
    const { applied_index: applied, projected_index: projected, checkpoint } = row;
    return { applied: Number(applied), projected: Number(projected), checkpoint: typeof checkpoint === "string" ? checkpoint : null };
  } finally {
    database.close();
  }
}
