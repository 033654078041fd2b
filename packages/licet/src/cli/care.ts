import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isCancel, password as askPassword } from "@clack/prompts";
import { LicetError } from "@licet/contract";
import { systemClock } from "../base/clock.ts";
import { databaseFileName } from "../db/open.ts";
import { registryOf } from "../ledger/registry.ts";
import { exportKeys, importKeys, keysDirectory } from "../ledger/keys.ts";
import { rebuildDatabase } from "../ledger/replay.ts";
import { openRecordKeeping, type RecordKeeping } from "../server/record-keeping.ts";
import { syncTree } from "./sync-tree.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { readSecret } from "./login.ts";
import type { Terminal } from "./terminal.ts";

interface DirectoryOptions {
  readonly dir: string;
  readonly keys?: string;
}

/** Opens the record as a server would; `data_locked` names the server's pid while one runs. */
async function withRecord<T>(options: DirectoryOptions, work: (records: RecordKeeping) => Promise<T>): Promise<T> {
  if (!existsSync(join(options.dir, "format.json"))) throw new LicetError("file_unreadable", { message: `\`${options.dir}\` is not a data directory` });
  const records = await openRecordKeeping({ directory: options.dir, keysDirectory: options.keys, clock: systemClock });
  try {
    return await work(records);
  } finally {
    await records.close();
  }
}

/** Everything but keys: they are exported apart, under a passphrase. */
export async function runBackup(options: DirectoryOptions & { readonly out: string }, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(options.out)) throw new LicetError("already_exists", { message: `\`${options.out}\` exists already` });
  try {
    const size = await withRecord(options, async (records) => {
      await records.recorder.settle();
      await records.log.publish();
      for (const part of ["format.json", "log", "files"]) {
        if (existsSync(join(options.dir, part))) cpSync(join(options.dir, part), join(options.out, part), { recursive: true });
      }
      await records.database.backup(join(options.out, databaseFileName));
      return records.log.size;
    });
    await syncTree(options.out);
    terminal.out(`backed up ${size} entries to ${options.out}; the keys are not in it: \`licet keys export\``);
    return exitCodes.fine;
  } catch (error) {
    await rm(options.out, { recursive: true, force: true });
    throw error;
  }
}

/** Puts a backup in place. One that is older than what the keys have signed is refused: a log is never continued from it. */
export async function runRestore(options: DirectoryOptions & { readonly from: string }, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(options.dir)) throw new LicetError("already_exists", { message: `\`${options.dir}\` exists already: restore into a new directory` });
  if (!existsSync(join(options.from, "format.json"))) throw new LicetError("file_unreadable", { message: `\`${options.from}\` is not a backup` });
  cpSync(options.from, options.dir, { recursive: true });
  try {
    await syncTree(options.dir);
    const size = await withRecord(options, async (records) => records.log.size);
    terminal.out(`restored ${size} entries to ${options.dir}`);
    return exitCodes.fine;
  } catch (error) {
    await rm(options.dir, { recursive: true, force: true });
    throw error;
  }
}

export async function runRebuild(options: DirectoryOptions, terminal: Terminal): Promise<ExitCode> {
  const counts = await withRecord(options, ({ database, log, keyring, definitions }) => rebuildDatabase({ database, log, keyring, registry: registryOf(definitions), now: () => Date.now() }));
  terminal.out(`rebuilt the record tables from the log: ${counts.applied} governance and ${counts.projected} runtime entries`);
  return exitCodes.fine;
}

async function passphraseOf(options: { readonly passphraseFile?: string }): Promise<string> {
  if (options.passphraseFile !== undefined) return readSecret(options.passphraseFile);
  if (!process.stdin.isTTY) throw new UsageError("give --passphrase-file: there is no terminal to ask at");
  const answer = await askPassword({ message: "Passphrase for the exported keys" });
  if (isCancel(answer)) throw new UsageError("nothing entered");
  return answer;
}

function keysAt(options: DirectoryOptions): string {
  return options.keys ?? keysDirectory({ dataDirectory: options.dir, env: process.env });
}

export async function runKeysExport(options: DirectoryOptions & { readonly out: string; readonly passphraseFile?: string }, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(options.out)) throw new LicetError("already_exists", { message: `\`${options.out}\` exists already` });
  writeFileSync(options.out, await exportKeys(keysAt(options), await passphraseOf(options)), { mode: 0o600 });
  terminal.out(`wrote ${options.out}; without its passphrase it opens nothing`);
  return exitCodes.fine;
}

export async function runKeysImport(options: DirectoryOptions & { readonly from: string; readonly passphraseFile?: string }, terminal: Terminal): Promise<ExitCode> {
  await importKeys(keysAt(options), readFileSync(options.from, "utf8"), await passphraseOf(options));
  terminal.out(`imported the keys into ${keysAt(options)}`);
  return exitCodes.fine;
}
