import type { CheckResult, SuiteReport } from "@licet/contract";
import { escapedXml } from "./markup.ts";
import { figuresOf, verdictWords, whyOf } from "./words.ts";

/**
 * JUnit XML, as continuous integration reads it. Insufficient evidence is a failure there, because most readers take a
 * skipped test for a good one; only what a signed statement calls not applicable is skipped.
 */
export function junitReport(report: SuiteReport): string {
  const { results } = report;
  const count = (...of: readonly CheckResult["verdict"][]) => results.filter(({ verdict }) => of.includes(verdict)).length;
  const totals = `tests="${results.length}" failures="${count("fail", "insufficient_evidence")}" errors="${count("errored")}" skipped="${count("not_applicable")}"`;
  const properties = [["release", report.release ?? "practice"], ["seed", report.seed], ["engine", `${report.engine.name} ${report.engine.version} ${report.engine.digest}`]] as const;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="licet check" ${totals} time="${seconds(report)}">`,
    `  <testsuite name="licet check" ${totals} time="${seconds(report)}" timestamp="${escapedXml(report.startedAt)}">`,
    "    <properties>",
    ...properties.map(([name, value]) => `      <property name="${name}" value="${escapedXml(value)}"/>`),
    "    </properties>",
    ...results.map(testcase),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testcase(result: CheckResult): string {
  const head = `    <testcase classname="${escapedXml(result.check)}" name="${escapedXml(result.label ?? result.id)}" time="${result.cost.wallMs / 1000}"`;
  if (result.verdict === "pass") return `${head}/>`;
  const message = escapedXml([figuresOf(result), whyOf(result)].filter((part) => part !== undefined).join("; "));
  const details = escapedXml(result.notes.join("\n"));
  if (result.verdict === "not_applicable") return `${head}><skipped message="${message}"/></testcase>`;
  const tag = result.verdict === "errored" ? "error" : "failure";
  return `${head}><${tag} type="${verdictWords[result.verdict]}" message="${message}">${details}</${tag}></testcase>`;
}

function seconds({ startedAt, finishedAt }: SuiteReport): number {
  return Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
}
