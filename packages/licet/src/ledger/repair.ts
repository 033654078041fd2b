import { dirname, join } from "node:path";
import { examineLog, type LogExamination } from "./examine.ts";
import { replaceFile } from "./files.ts";
import type { FileVerdict } from "./verdict.ts";

export interface RepairOptions extends LogExamination {
  /** `log` in the backup. */
  readonly backup: string;
  /** Only says what would be written. */
  readonly dryRun?: boolean;
}

export interface Repaired {
  /** Below `log`. */
  readonly written: readonly string[];
  /** Verdicts with something in them that nothing proves. */
  readonly left: readonly FileVerdict[];
}

/**
 * Writes what is proven and damaged, and nothing else: journal frames whose leaf the signed tree has at that place and
 * whose payload the leaf commits to, tiles that lead to the signed root, bundles and indexes that follow from those.
 * Each file is replaced whole, so a crash leaves the damaged one or the right one.
 */
export async function repairLog(options: RepairOptions): Promise<Repaired> {
  const { files, folder, dryRun = false } = options;
  const left: FileVerdict[] = [];
  const written: string[] = [];
  for await (const verdict of examineLog(options)) {
    if (!verdict.complete) left.push(withoutBytes(verdict));
    if (!verdict.repaired) continue;
    written.push(verdict.path);
    if (dryRun) continue;
    const path = join(folder, verdict.path);
    await files.makeDirectory(dirname(path));
    await replaceFile(files, path, verdict.repaired);
    for (let up = dirname(path); up.length >= folder.length; up = dirname(up)) await files.syncDirectory(up);
  }
  return { written, left };
}

/** A segment's 64 MB need not be kept for the report. */
function withoutBytes({ path, flaws, complete }: FileVerdict): FileVerdict {
  return { path, flaws, complete };
}
