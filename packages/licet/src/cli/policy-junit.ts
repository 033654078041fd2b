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
  return `  <testsuite name="${escaped(file)}" tests="${results.length}" failures="${failed}">\n${results.map(testcase).join("")}  </testsuite>\n`;
}

function testcase({ scenario, differences }: ScenarioResult): string {
  const head = `    <testcase classname="${escaped(scenario.file)}" name="${escaped(scenario.name)}" file="${escaped(scenario.file)}" line="${scenario.line}"`;
  if (differences.length === 0) return `${head}/>\n`;
  return `${head}>\n      <failure message="${escaped(differences[0] ?? "")}">${escaped(differences.join("\n"))}</failure>\n    </testcase>\n`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };

/** XML 1.0 has no way to write most control characters, nor half a surrogate pair. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- these are what XML cannot hold
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu, "\ufffd")
    .replaceAll(/[&<>"']/gu, (sign) => entities[sign] ?? sign);
}
