import { existsSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { LicetError } from "../base/errors.ts";
import { syncTree } from "../base/sync-tree.ts";
import { databaseFileName } from "../db/open.ts";
import type { RecordKeeping } from "./record-keeping.ts";

/** An exact copy of log, files and database in a new folder, without keys; answers how many entries. The caller alone has the record open. */
export async function backUp(records: RecordKeeping, out: string): Promise<number> {
  const { directory, recorder, log, database } = records;
  if (existsSync(out)) throw new LicetError("already_exists", { message: `\`${out}\` exists already` });
  try {
    await recorder.settle();
    // Nothing is appended from here on: the copied journal ends where its checkpoint does.
    await log.publish();
    for (const part of ["format.json", "log", "files"]) {
      if (existsSync(join(directory, part))) await cp(join(directory, part), join(out, part), { recursive: true });
    }
    await database.backup(join(out, databaseFileName));
    await syncTree(out);
    return log.size;
  } catch (error) {
    await rm(out, { recursive: true, force: true });
    throw error;
  }
}
