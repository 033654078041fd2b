import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { decideReport, guessFormat, importReport } from "@licet/assurance";
import { importFormats } from "@licet/contract";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { columns, painted, type Terminal } from "./terminal.ts";

interface CheckImportOptions {
  readonly format?: string;
  readonly max: string;
  readonly json?: boolean;
}

const tones = { pass: "green", fail: "red", insufficient_evidence: "yellow" } as const;

/** Says what a report of another tool shows when its rows are counted again. Practice: what counts is declared in the manifest. */
export async function runCheckImport(file: string, { format, max, json }: CheckImportOptions, terminal: Terminal): Promise<ExitCode> {
  const bytes = read(file);
  const known = importFormats.find((each) => each === (format ?? guessFormat(basename(file), bytes)));
  if (known === undefined) throw new UsageError(`the form of \`${file}\` is ${format === undefined ? "not clear: say it" : `not \`${format}\``} with --format ${importFormats.join("|")}`);
  const value = Number(max);
  if (!(value >= 0 && value <= 1)) throw new UsageError("`--max` is a share from 0 to 1");
  const result = importReport(bytes, known);
  const outcome = decideReport(result, { op: "<=", value, alpha: 0.05, source: "command line" });
  if (json === true) terminal.out(JSON.stringify({ ...result, outcome }, null, 2));
  else {
    if (result.kind === "refused") for (const problem of result.problems) terminal.out(`refused, ${result.reason.replaceAll("_", " ")}: ${problem}`);
    else {
      terminal.out(columns([["PART", "COUNTED", "WITHOUT AN ANSWER"], ...result.report.items.map((item) => [item.id, countedIn(item), lostIn(item)])]));
      for (const note of result.report.notes) terminal.out(painted(terminal, "gray", note));
    }
    terminal.out(`${painted(terminal, tones[outcome.verdict], outcome.verdict.replaceAll("_", " "))}${outcome.reason === undefined ? "" : `, ${outcome.reason.replaceAll("_", " ")}`}`);
    terminal.out("practice: to count, declare the file as a data set and an `import.report` check on it");
  }
  return outcome.verdict === "pass" ? exitCodes.fine : exitCodes.findings;
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new UsageError(`\`${file}\` cannot be read`, { cause });
  }
}

type Item = Extract<ReturnType<typeof importReport>, { kind: "imported" }>["report"]["items"][number];

function countedIn(item: Item): string {
  if (item.kind === "value") return `${item.value ?? "no figure"} (${item.method}; decides nothing)`;
  if (item.kind === "census") return `${item.violations} of ${item.n} broken`;
  const events = item.statistics.clusters.reduce((sum, cluster) => sum + cluster.events * cluster.count, 0);
  const prompts = item.statistics.clusters.reduce((sum, cluster) => sum + cluster.count, 0);
  return `${events} of ${item.statistics.attempted - item.statistics.unassessed} ${item.event}, ${prompts} prompts`;
}

function lostIn(item: Item): string {
  if (item.kind === "value") return "";
  return String(item.kind === "census" ? item.unassessed : item.statistics.unassessed);
}
