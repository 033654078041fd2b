import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import { formatPacks } from "../policy/pack-format.ts";
import { hasErrors } from "../inventory/diagnostic.ts";
import { openPacks } from "../policy/pack-folder.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { policyFolder } from "./policy-folder.ts";
import { filesReport } from "./policy-report.ts";
import type { Terminal } from "./terminal.ts";

interface FormatOptions {
  readonly folder: string | undefined;
  readonly check?: boolean;
  readonly json?: boolean;
}

/** 0: all files have the usual form now, or had it; 1: with --check some would change, or some cannot be parsed. */
export async function runPolicyFormat(options: FormatOptions, terminal: Terminal): Promise<ExitCode> {
  const opened = openPacks(policyFolder(options.folder));
  const { files, diagnostics } = await formatPacks(opened);
  const changed = files.filter(({ before, after }) => before !== after);
  if (options.check !== true) for (const { file, after } of changed) writeFileSync(file, after);
  if (options.json === true) terminal.out(JSON.stringify({ changed: changed.map(({ file }) => file), files: files.length, diagnostics }, null, 2));
  else {
    if (diagnostics.length > 0) terminal.out(filesReport(diagnostics, opened.texts));
    const done = options.check === true ? "would change" : "changed";
    for (const { file } of changed) terminal.out(`${done}: ${relative(process.cwd(), file) || file}`);
    terminal.out(changed.length === 0 ? `${files.length} Cedar files have the usual form` : `${changed.length} of ${files.length} Cedar files ${done}`);
  }
  return hasErrors(diagnostics) || (options.check === true && changed.length > 0) ? exitCodes.findings : exitCodes.fine;
}
