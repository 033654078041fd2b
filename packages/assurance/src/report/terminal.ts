import { intervalScale, type CheckResult, type SuiteReport } from "@licet/contract";
import { plottedInterval } from "./plotted-interval.ts";
import { attemptOf, figure, figuresOf, nextStepOf, summaryOf, verdictWords, whyOf, wornOut } from "./words.ts";

/** Wraps a piece of text for a terminal; the default leaves it as it is. */
export type Paint = (text: string, tone: Tone) => string;
export type Tone = CheckResult["verdict"] | "muted";

/** A report as plain text, one block per check, the summary last. Ends without line break. */
export function formatReport(report: SuiteReport, paint: Paint = (text) => text): string {
  const width = Math.max(0, ...report.results.map(({ id }) => id.length));
  const blocks = report.results.map((result) => formatResult(result, { width, counted: report.release !== null }, paint).join("\n"));
  return [...blocks, ...wornOut(report.results).map((line) => paint(`warning: ${line}`, "insufficient_evidence")), "", `${paint(verdictWords[report.verdict], report.verdict)}: ${summaryOf(report.results)}`].join("\n");
}

interface Shown {
  readonly width: number;
  /** Practice is no attempt. */
  readonly counted: boolean;
}

function formatResult(result: CheckResult, { width, counted }: Shown, paint: Paint): readonly string[] {
  const head = `${paint(verdictWords[result.verdict].padEnd(12), result.verdict)}  ${result.id.padEnd(width)}  ${figuresOf(result)}`;
  const lines = [plot(result), whyOf(result), ...result.notes, stepLine(result), counted ? attemptOf(result) : undefined].filter((line) => line !== undefined);
  return [head, ...lines.map((line) => paint(`${" ".repeat(14)}${line}`, "muted"))];
}

function stepLine(result: CheckResult): string | undefined {
  const step = nextStepOf(result);
  return step === undefined ? undefined : `do: ${step}`;
}

/** A figure that was counted over everything has no interval to look at. */
function plot(result: CheckResult): string | undefined {
  const scale = result.interval === null || result.interval.method === "census" ? undefined : intervalScale(result);
  return scale === undefined ? undefined : `${figure(scale.from)} ${plottedInterval(scale)} ${figure(scale.to)}`;
}
