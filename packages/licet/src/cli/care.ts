import { existsSync } from "node:fs";
import { join } from "node:path";
import { LicetError } from "@licet/contract";
import { systemClock } from "../base/clock.ts";
import { registryOf } from "../ledger/registry.ts";
import { rebuildDatabase } from "../ledger/replay.ts";
import { backUp } from "../server/backup.ts";
import { openRecordKeeping, type RecordKeeping } from "../server/record-keeping.ts";
import { restore } from "../server/restore.ts";
import { accountName } from "./account-name.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { painted, type Terminal } from "./terminal.ts";
import { readWitnessPolicy } from "./witness-policy.ts";

interface DirectoryOptions {
  readonly dir: string;
  readonly keys?: string;
}

/** Opens the record as a server would; `data_locked` names the server's pid while one runs. */
async function withRecord<T>(options: DirectoryOptions, work: (records: RecordKeeping) => Promise<T>): Promise<T> {
  if (!existsSync(join(options.dir, "format.json"))) throw new LicetError("file_unreadable", { message: `\`${options.dir}\` is not a data directory` });
  const witnessPolicy = await readWitnessPolicy(process.env["LICET_WITNESS_POLICY"]);
  const records = await openRecordKeeping({ directory: options.dir, keysDirectory: options.keys, witnessPolicy, clock: systemClock });
  try {
    return await work(records);
  } finally {
    await records.close();
  }
}

/** Everything but keys: they are exported apart, under a passphrase. */
export async function runBackup(options: DirectoryOptions & { readonly out: string }, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(options.out)) throw new LicetError("already_exists", { message: `\`${options.out}\` exists already` });
  const size = await withRecord(options, (records) => backUp(records, options.out));
  terminal.out(`backed up ${size} entries to ${options.out}; the keys are not in it: \`licet keys export\``);
  return exitCodes.fine;
}

/** Continues a backup's log in a new shard; the directory it was taken from, and any other, is refused from then on. */
export async function runRestore(options: DirectoryOptions & { readonly from: string }, terminal: Terminal): Promise<ExitCode> {
  const { shard, size, restored, erased } = await restore({ from: options.from, directory: options.dir, keysDirectory: options.keys, clock: systemClock, by: accountName() });
  const { previous, discarded } = restored;
  terminal.out(`restored ${previous.size} entries to ${options.dir}`);
  terminal.out(`the log goes on in the new shard ${shard}: entry ${size - 1} says from where`);
  if (discarded === null) terminal.out("the keys remember no checkpoint: whether the log had gone on after this backup is unknown");
  else if (discarded > 0) terminal.out(`${painted(terminal, "yellow", "discarded")}: ${discarded} entries that the keys know were signed after this backup are not in it`);
  if (erased > 0) terminal.out(`${erased} entries were erased since: their content did not come back`);
  return exitCodes.fine;
}

export async function runRebuild(options: DirectoryOptions, terminal: Terminal): Promise<ExitCode> {
  const counts = await withRecord(options, ({ database, log, keyring, definitions }) => rebuildDatabase({ database, log, keyring, registry: registryOf(definitions), now: () => systemClock.now() }));
  terminal.out(`rebuilt the record tables from the log: ${counts.applied} governance and ${counts.projected} runtime entries`);
  return exitCodes.fine;
}
