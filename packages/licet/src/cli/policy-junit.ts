import { escapedXml } from "@licet/assurance";
import type { ScenarioResult } from "../policy/scenario.ts";

/** JUnit XML, as continuous integration reads it: a suite for each file. */
export function junitReport(results: readonly ScenarioResult[]): string {
  const files = [...new Set(results.map(({ scenario }) => scenario.file))];
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  const suites = files.map((file) => suite(file, results.filter(({ scenario }) => scenario.file === file)));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="licet policy test" tests="${results.length}" failures="${failed}">\n${suites.join("")}</testsuites>\n`;
}

function suite(file: string, results: readonly ScenarioResult[]): string {
  const failed = results.filter(({ differences }) => differences.length > 0).length;
  return `  <testsuite name="${escapedXml(file)}" tests="${results.length}" failures="${failed}">\n${results.map(testcase).join("")}  </testsuite>\n`;
}

function testcase({ scenario, differences }: ScenarioResult): string {
  const head = `    <testcase classname="${escapedXml(scenario.file)}" name="${escapedXml(scenario.name)}" file="${escapedXml(scenario.file)}" line="${scenario.line}"`;
  if (differences.length === 0) return `${head}/>\n`;
  return `${head}>\n      <failure message="${escapedXml(differences[0] ?? "")}">${escapedXml(differences.join("\n"))}</failure>\n    </testcase>\n`;
}
