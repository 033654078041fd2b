import type { DataLineage } from "@licet/contract";
import type { DataTarget } from "./data-output.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { painted, type Terminal } from "./terminal.ts";

export interface ReportOptions {
  readonly json?: boolean;
}

/** What was written, what it promises and what it cost. */
export function reportTransform({ lineage, target }: { readonly lineage: DataLineage; readonly target: DataTarget }, { json }: ReportOptions, terminal: Terminal): ExitCode {
  if (json === true) {
    terminal.out(JSON.stringify({ kind: "written", out: target.out, lineageFile: target.lineage, lineage }, null, 2));
    return exitCodes.fine;
  }
  terminal.out(`wrote ${lineage.output.name}, ${lineage.output.rows} rows, ${lineage.output.digest}`);
  terminal.out(`privacy: ${privacyText(lineage)}`);
  terminal.out(`loss: ${lossText(lineage)}`);
  for (const note of lineage.notes) terminal.err(painted(terminal, "yellow", note));
  return exitCodes.fine;
}

/** A budget that does not allow it is a decision, and no failure of the program. */
export function reportRefusal(reason: string, { json }: ReportOptions, terminal: Terminal): ExitCode {
  if (json === true) terminal.out(JSON.stringify({ kind: "refused", code: "privacy_budget_spent", reason }, null, 2));
  else terminal.err(`${painted(terminal, "red", "refused")}: privacy_budget_spent: ${reason}; nothing was written`);
  return exitCodes.findings;
}

function privacyText(lineage: DataLineage): string {
  if (lineage.method === "anonymise") {
    const { k, groups, sensitive } = lineage.privacy;
    return [`at least ${k} rows share their quasi-identifiers, ${groups} groups`, ...sensitive.map(({ column, distinctL, t }) => `${column}: at least ${distinctL} values in a group, at most ${t} from all rows (t)`)].join("; ");
  }
  const { epsilon, delta, epsilonAfter, epsilonTotal } = lineage.privacy.spent;
  const spent = `spent epsilon ${epsilon} at delta ${delta}; ${epsilonAfter} of ${epsilonTotal} is gone`;
  return lineage.method === "noise" ? spent : `${spent}; ${lineage.privacy.copies} rows equal a real one`;
}

function lossText(lineage: DataLineage): string {
  if (lineage.method === "anonymise") {
    const { rows, suppressed, certaintyPenalty, groupSizeOverK } = lineage.loss;
    return `${suppressed} of ${rows} rows left out, cells ${percent(certaintyPenalty)} as wide as their columns, groups ${groupSizeOverK} times k`;
  }
  if (lineage.method === "synthesise") return `shares of one column differ by ${percent(lineage.loss.oneWay)}, of two together by ${percent(lineage.loss.twoWay)} on average (total variation)`;
  return lineage.loss.figures.map(({ figure, column, expectedError }) => `${figure} of ${column} off by ${expectedError} on average`).join("; ");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
