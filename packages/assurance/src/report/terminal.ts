import type { CheckResult, SuiteReport } from "@licet/contract";

/** Wraps a piece of text for a terminal or page; the default leaves it as it is. */
export type Paint = (text: string, tone: Tone) => string;
export type Tone = (typeof tones)[number] | "muted";

const tones = ["pass", "fail", "insufficient_evidence", "errored", "not_applicable"] as const;

const words: Readonly<Record<CheckResult["verdict"], string>> = {
  pass: "pass",
  fail: "fail",
  insufficient_evidence: "insufficient",
  errored: "errored",
  not_applicable: "not applicable",
};

const reasons: Readonly<Record<string, string>> = {
  too_few: "too few rows for a verdict",
  unassessed_budget: "too many rows without an answer",
  undefined_denominator: "a rate has no rows to be taken over",
  degenerate: "the data show no variation to judge by",
};

/** A report as plain text, one block per check, the summary last. Ends without line break. */
export function formatReport(report: SuiteReport, paint: Paint = (text) => text): string {
  const width = Math.max(0, ...report.results.map(({ id }) => id.length));
  const blocks = report.results.map((result) => formatResult(result, width, paint).join("\n"));
  const counts = tones.flatMap((verdict) => {
    const count = report.results.filter((result) => result.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${words[verdict]}`];
  });
  const summary = counts.length === 0 ? "no checks are declared" : counts.join(", ");
  return [...blocks, "", `${paint(words[report.verdict], report.verdict)}: ${summary}`].join("\n");
}

function formatResult(result: CheckResult, width: number, paint: Paint): readonly string[] {
  const head = `${paint(words[result.verdict].padEnd(12), result.verdict)}  ${result.id.padEnd(width)}  ${figures(result)}`;
  const lines = [why(result), ...result.notes].filter((line) => line !== undefined);
  return [head, ...lines.map((line) => paint(`${" ".repeat(14)}${line}`, "muted"))];
}

function figures(result: CheckResult): string {
  if (result.estimate === null) return `${result.check}, no figure`;
  const { op, value } = result.limit;
  const bound = op === "<=" ? result.interval?.upper : result.interval?.lower;
  const side = op === "<=" ? "at most" : "at least";
  const shown = bound === undefined || bound === null || result.interval?.method === "census" ? "" : ` (${side} ${figure(bound)})`;
  return `${result.unit} ${figure(result.estimate)}${shown}, limit ${op} ${value}`;
}

function why(result: CheckResult): string | undefined {
  if (result.error !== undefined) return `${result.error.code}: ${result.error.message}`;
  if (result.reason === undefined) return undefined;
  const needed = result.requiredN === undefined ? "" : `; about ${result.requiredN} such cases would decide it`;
  return `${reasons[result.reason] ?? result.reason}${needed}`;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
