import type { CheckResult, SuiteReport } from "@licet/contract";
import { escapedMarkdown } from "./markup.ts";
import { decidingBound, figure, nextStepOf, summaryOf, verdictWords, whyOf, wornOut } from "./words.ts";

const marks: Readonly<Record<CheckResult["verdict"], string>> = { pass: "✅", fail: "❌", insufficient_evidence: "❔", errored: "⚠️", not_applicable: "➖" };

/** A table for a pull request or a wiki, what needs attention below it. */
export function markdownReport(report: SuiteReport): string {
  const rows = report.results.map((result) => `| ${[name(result), `${marks[result.verdict]} ${verdictWords[result.verdict]}`, ...figures(result)].join(" | ")} |`);
  const open = report.results.filter(({ verdict }) => verdict !== "pass");
  return [
    `### Assurance: ${marks[report.verdict]} ${verdictWords[report.verdict]}`,
    "",
    `${summaryOf(report.results)}. ${report.release === null ? "Practice: not evidence." : `Release \`${report.release}\`.`}`,
    "",
    "| Check | Verdict | Estimate | Bound | Limit | Attempt |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    ...(open.length === 0 ? [] : ["", ...open.flatMap(attention)]),
    ...wornOut(report.results).flatMap((line) => ["", `⚠️ ${escapedMarkdown(line)}`]),
    "",
    `Seed \`${escapedMarkdown(report.seed)}\`, engine ${report.engine.name} ${report.engine.version}. The bound, not the estimate, is held against the limit.`,
    "",
  ].join("\n");
}

function name(result: CheckResult): string {
  return `${escapedMarkdown(result.label ?? result.id)} (${result.check})`;
}

function figures(result: CheckResult): readonly string[] {
  const bound = decidingBound(result);
  return [result.estimate === null ? "—" : figure(result.estimate), bound === undefined ? "—" : figure(bound), `${result.limit.op === "<=" ? "≤" : "≥"} ${result.limit.value}`, `${result.attempt.index}, α ${figure(result.attempt.alphaSpent)}`];
}

function attention(result: CheckResult): readonly string[] {
  const why = whyOf(result);
  const step = nextStepOf(result);
  const lines = [why, ...result.notes.slice(0, 5), step === undefined ? undefined : `do: ${step}`].filter((line) => line !== undefined).map((line) => `  - ${escapedMarkdown(line)}`);
  return [`- ${marks[result.verdict]} **${escapedMarkdown(result.label ?? result.id)}**: ${escapedMarkdown(result.unit)}`, ...lines];
}
