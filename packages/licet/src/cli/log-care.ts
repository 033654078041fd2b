import { systemClock } from "../base/clock.ts";
import type { Finding, FsckReport } from "../ledger/fsck.ts";
import { checkLog, repairFrom } from "../server/log-check.ts";
import { pruneLog } from "../server/prune-log.ts";
import { accountName } from "./account-name.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { painted, type Terminal } from "./terminal.ts";

interface DirectoryOptions {
  readonly dir: string;
  readonly keys?: string;
  readonly json?: boolean;
}

function opening(options: DirectoryOptions, terminal: Terminal) {
  const onProgress = (what: string) => terminal.err(painted(terminal, "dim", what));
  return { directory: options.dir, keysDirectory: options.keys, clock: systemClock, ...(terminal.colour && options.json !== true ? { onProgress } : {}) };
}

function place({ file, offset, entry }: Finding): string {
  return [file, ...(offset === null ? [] : [`byte ${offset}`]), ...(entry === null ? [] : [`entry ${entry}`])].join(", ");
}

function summary({ entries, shards, erased }: FsckReport): string {
  return `${entries} entries in ${shards} ${shards === 1 ? "shard" : "shards"}, ${erased} erased`;
}

function report(found: FsckReport, options: DirectoryOptions, terminal: Terminal): ExitCode {
  if (options.json === true) terminal.out(JSON.stringify(found, null, 2));
  else {
    for (const finding of found.findings) terminal.out(`${painted(terminal, "red", "damaged")}: ${place(finding)}: ${finding.what}`);
    terminal.out(found.findings.length === 0 ? `${summary(found)}: everything derives from the journal, and the journal is what was signed` : `${summary(found)}: ${found.findings.length} findings`);
    if (found.findings.length > 0) terminal.out("`licet log repair --from BACKUP` puts back what a backup proves");
  }
  return found.findings.length === 0 ? exitCodes.fine : exitCodes.findings;
}

export async function runLogFsck(options: DirectoryOptions, terminal: Terminal): Promise<ExitCode> {
  return report(await checkLog(opening(options, terminal)), options, terminal);
}

export async function runLogRepair(options: DirectoryOptions & { readonly from: string; readonly dryRun?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { written, left, report: found } = await repairFrom({ ...opening(options, terminal), from: options.from, dryRun: options.dryRun });
  if (options.json === true) {
    terminal.out(JSON.stringify({ written, left, report: found }, null, 2));
    return found.findings.length === 0 ? exitCodes.fine : exitCodes.findings;
  }
  for (const path of written) terminal.out(`${options.dryRun === true ? "would write" : "wrote"} log/${path}`);
  for (const { path, flaws } of left) {
    for (const { offset, lost } of flaws) if (lost !== undefined) terminal.out(`${painted(terminal, "red", "not repaired")}: log/${path}, byte ${offset}: nothing proves ${lost}`);
  }
  return report(found, options, terminal);
}

export async function runLogPrune(options: DirectoryOptions & { readonly before?: number; readonly olderThan?: number; readonly dryRun?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { before, olderThan } = options;
  if ((before === undefined) === (olderThan === undefined)) throw new UsageError("give either --before INDEX or --older-than DAYS");
  const keep = before === undefined ? { olderThanDays: olderThan ?? 0 } : { before };
  const { minimumIndex, reclaimedBytes } = await pruneLog({ directory: options.dir, keysDirectory: options.keys, clock: systemClock, keep, by: accountName(), dryRun: options.dryRun });
  const verb = options.dryRun === true ? "would serve" : "serves";
  terminal.out(`the log ${verb} entries from ${minimumIndex} on; ${reclaimedBytes} bytes of erased payloads ${options.dryRun === true ? "would be" : "were"} given back`);
  return exitCodes.fine;
}
