import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { LicetError } from "./errors.ts";

/** Holds a directory for this process until `release` or the end of the process, however it ends. */
export interface DirectoryLock {
  release(): void;
}

export const lockFileNames = ["lock.db", "lock.pid"] as const;
const [lockFile, pidFile] = lockFileNames;

/**
 * An operating-system lock, taken through SQLite because Node has no call of its own for one: unlike a pid
 * file it is gone after kill -9 and cannot be left behind.
 * INVARIANT: nothing else in this process opens `lock.db`; closing any descriptor of it drops a POSIX lock.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const database = open(directory);
  try {
    database.exec("pragma locking_mode = exclusive; begin exclusive");
  } catch (cause) {
    database.close();
    throw isBusy(cause) ? locked(directory) : unwritable(directory, cause);
  }
  try {
    writeFileSync(join(directory, pidFile), `${process.pid}\n`, { mode: 0o600 });
  } catch (cause) {
    database.close();
    throw unwritable(directory, cause);
  }
  let held = true;
  return {
    release: () => {
      if (!held) return;
      held = false;
      rmSync(join(directory, pidFile), { force: true });
      database.close();
    },
  };
}

function open(directory: string): DatabaseSync {
  try {
    return new DatabaseSync(join(directory, lockFile), { timeout: 0 });
  } catch (cause) {
    throw unwritable(directory, cause);
  }
}

/** SQLITE_BUSY, also in its extended forms. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 5;
}

function locked(directory: string): LicetError {
  const pid = holder(directory);
  const who = pid === undefined ? "another process" : `process ${pid}`;
  return new LicetError("data_locked", {
    message: `\`${directory}\` is in use by ${who}; stop it, or choose another directory`,
    at: { directory, pid },
  });
}

function holder(directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(directory, pidFile), "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    // The holder has the lock but has not written its number yet.
    return undefined;
  }
}

export function unwritable(directory: string, cause: unknown): LicetError {
  const reason = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? ` (${cause.code})` : "";
  return new LicetError(reason.includes("ENOSPC") ? "disk_full" : "data_unwritable", {
    message: `\`${directory}\` cannot be written${reason}; free space or give this user permission, or choose another directory`,
    at: { directory },
    cause,
  });
}
