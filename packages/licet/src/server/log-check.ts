import { existsSync } from "node:fs";
import { join } from "node:path";
import { lockDirectory } from "../base/directory-lock.ts";
import { LicetError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { databaseFileName } from "../db/open.ts";
import { type InstallationFile, readInstallationFile } from "../db/installation-file.ts";
import { nodeFiles } from "../ledger/files.ts";
import { type Finding, fsckLog, type FsckReport } from "../ledger/fsck.ts";
import { openKeyring } from "../ledger/keyring.ts";
import { keysDirectory, openKeys } from "../ledger/keys.ts";
import { repairLog, type Repaired } from "../ledger/repair.ts";
import { shardMemory } from "../ledger/shard-list.ts";
import { keyMeans, type Opening } from "./record-keeping.ts";

export interface LogCheckOptions extends Opening {
  readonly clock: Clock;
  readonly onProgress?: (what: string) => void;
}

interface Opened {
  readonly check: Parameters<typeof fsckLog>[0];
  readonly trouble: readonly Finding[];
}

/** `licet log fsck`: reads the whole of a stopped data directory and writes nothing into it. */
export function checkLog(options: LogCheckOptions): Promise<FsckReport> {
  return stopped(options, async ({ check, trouble }) => {
    const report = await fsckLog(check);
    return { ...report, findings: [...trouble, ...report.findings] };
  });
}

export interface LogRepairOptions extends LogCheckOptions {
  /** A backup folder. */
  readonly from: string;
  readonly dryRun?: boolean | undefined;
}

/** `licet log repair`: what a backup proves is put back, then everything is checked. */
export function repairFrom(options: LogRepairOptions): Promise<Repaired & { readonly report: FsckReport }> {
  const backup = join(options.from, "log");
  if (!existsSync(backup)) throw new LicetError("file_unreadable", { message: `\`${options.from}\` is not a backup` });
  return stopped(options, async ({ check, trouble }) => {
    const isDestroyed = (kid: string) => check.keyring.isDestroyed(kid);
    const repaired = await repairLog({ ...check, isDestroyed, backup, dryRun: options.dryRun === true });
    const report = await fsckLog(check);
    return { ...repaired, report: { ...report, findings: [...trouble, ...report.findings] } };
  });
}

/** Under the directory's lock, where there ever was a server that would take it. */
async function stopped<T>(options: LogCheckOptions, work: (opened: Opened) => Promise<T>): Promise<T> {
  const { directory, clock, onProgress } = options;
  if (!existsSync(join(directory, "format.json"))) throw new LicetError("file_unreadable", { message: `\`${directory}\` is not a data directory` });
  const lock = lockIfUsed(directory);
  try {
    const keys = await openKeys({ directory: options.keysDirectory ?? keysDirectory({ dataDirectory: directory, env: process.env }), fresh: false, now: clock.now(), clock, means: keyMeans(options) });
    const keyring = await openKeyring({ directory: keys.directory, root: keys.root, clock });
    try {
      const { installation, trouble } = installationIn(directory);
      const remembered = await keys.memory.get();
      const notes = [remembered, installation?.checkpoint ?? undefined].filter((note) => note !== undefined);
      const known = await shardMemory(keys.directory).get();
      return await work({ check: { files: nodeFiles, folder: join(directory, "log"), signer: keys.log, notes, known, keyring, cursors: installation, ...(onProgress && { onProgress }) }, trouble });
    } finally {
      await keyring.close();
    }
  } finally {
    lock?.release();
  }
}

function lockIfUsed(directory: string): { release(): void } | undefined {
  if (!existsSync(join(directory, "lock.db"))) return undefined;
  try {
    return lockDirectory(directory);
  } catch (error) {
    // What cannot be written by us is not being written by a server of ours either.
    if (error instanceof LicetError && error.code === "data_unwritable") return undefined;
    throw error;
  }
}

function installationIn(directory: string): { readonly installation: InstallationFile | undefined; readonly trouble: readonly Finding[] } {
  try {
    return { installation: readInstallationFile(join(directory, databaseFileName)), trouble: [] };
  } catch (error) {
    const why = error instanceof Error ? error.message : "it does not open";
    return { installation: undefined, trouble: [{ file: databaseFileName, offset: null, entry: null, what: `the database cannot be read: ${why}; \`licet db rebuild\` makes its record tables again` }] };
  }
}
