import { chmod, mkdir, open, readdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseJson } from "@licet/evidence";
import type { Clock } from "./clock.ts";
import { lockDirectory, lockFileNames, unwritable, type DirectoryLock } from "./directory-lock.ts";
import { LicetError } from "./errors.ts";
import { licetVersion } from "./version.ts";

/** The layout of the data directory that this program reads and writes. */
export const formatVersion = 1;

export interface DataFormat {
  readonly formatVersion: number;
  readonly createdBy: string;
  readonly createdAt: number;
}

/** A directory that this process alone works in, until `close`. */
export interface DataDirectory {
  readonly path: string;
  readonly format: DataFormat;
  /** This call has created it: there is no log, no database and no person yet. */
  readonly isNew: boolean;
  close(): void;
}

const formatFile = "format.json";
const formatDraft = "format.json.new";
const formatBytesMax = 4_096;

/**
 * Creates the directory (0700) or takes over an existing one, under the operating system's lock.
 * Throws `data_locked`, `data_unwritable`, `data_foreign`, `data_damaged`, `data_too_new` or `disk_full`.
 */
export async function openDataDirectory(path: string, clock: Clock): Promise<DataDirectory> {
  await refuseForeign(path);
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  const lock = lockDirectory(path);
  try {
    return await openLocked(path, clock, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openLocked(path: string, clock: Clock, lock: DirectoryLock): Promise<DataDirectory> {
  const existing = await readFormat(path);
  const format = existing ?? { formatVersion, createdBy: `licet ${licetVersion}`, createdAt: clock.now() };
  if (format.formatVersion > formatVersion) {
    throw new LicetError("data_too_new", {
      message: `\`${path}\` has format ${format.formatVersion}, written by ${format.createdBy}; this program knows ${formatVersion}: run a newer version`,
    });
  }
  try {
    if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o700);
    if (existing === undefined) await writeFormat(path, format);
  } catch (cause) {
    throw unwritable(path, cause);
  }
  return { path, format, isNew: existing === undefined, close: () => lock.release() };
}

/** A mistyped LICET_DIR must not turn somebody's home directory into ours. */
async function refuseForeign(path: string): Promise<void> {
  const names = await namesIn(path);
  const ours: readonly string[] = [formatDraft, ...lockFileNames];
  if (names.includes(formatFile) || names.every((name) => ours.some((own) => name.startsWith(own)))) return;
  throw new LicetError("data_foreign", { message: `\`${path}\` holds other files; name an empty or a new directory with LICET_DIR` });
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return [];
    throw unwritable(path, cause);
  }
}

async function readFormat(path: string): Promise<DataFormat | undefined> {
  const text = await readFile(join(path, formatFile), "utf8").catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw unwritable(path, cause);
  });
  if (text === undefined) return undefined;
  const format = text.length <= formatBytesMax ? parseFormat(text) : undefined;
  if (format === undefined) throw new LicetError("data_damaged", { message: `\`${join(path, formatFile)}\` cannot be read; restore it from a backup` });
  return format;
}

function parseFormat(text: string): DataFormat | undefined {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (!("formatVersion" in value && "createdBy" in value && "createdAt" in value)) return undefined;
  const { formatVersion: version, createdBy, createdAt } = value;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) return undefined;
  if (typeof createdBy !== "string" || typeof createdAt !== "number") return undefined;
  return { formatVersion: version, createdBy, createdAt };
}

/** Under its name only when complete and on the disk: a crash leaves the old state or the new one. */
async function writeFormat(path: string, format: DataFormat): Promise<void> {
  const file = await open(join(path, formatDraft), "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(format, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(join(path, formatDraft), join(path, formatFile));
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
