import { textOf } from "./read.ts";
import { requireEqual, unfinished, unreadable } from "./refusal.ts";
import type { ImportedItem, ReadReport } from "./report.ts";
import { readXml, type XmlElement } from "./xml.ts";

interface Counts {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
}

/**
 * JUnit XML. Failures are violations; errors, and tests that were skipped or disabled, are unassessed. Every suite has to say how many tests it
 * has (`tests`), because a file that was written half has no other mark, and what it says has to follow from its cases.
 * Source: the JUnit 4 Ant task's format and its schema by Jenkins (`junit-10.xsd`).
 */
export function readJunit(bytes: Uint8Array): ReadReport {
  const root = readXml(textOf(bytes));
  if (root.name !== "testsuites" && root.name !== "testsuite") throw unreadable(`the root element is \`${root.name.slice(0, 60)}\`: this is no JUnit report`);
  const suites = root.name === "testsuite" ? [root] : root.children.filter(({ name }) => name === "testsuite");
  for (const suite of suites) requireDeclared(suite);
  requireTotals(root, countsOf(root), `the report`);
  return { tool: "junit", toolVersion: null, items: suites.map(itemOf) };
}

function requireDeclared(suite: XmlElement): void {
  const name = `suite \`${(suite.attributes["name"] ?? "").slice(0, 100)}\``;
  if (suite.attributes["tests"] === undefined) throw unfinished(`the ${name} does not say how many tests it has`);
  requireTotals(suite, countsOf(suite), `the ${name}`);
  for (const inner of suite.children) if (inner.name === "testsuite") requireDeclared(inner);
}

function requireTotals(element: XmlElement, counts: Counts, what: string): void {
  for (const key of ["tests", "failures", "errors"] as const) requireEqual(`${key} of ${what}`, declared(element, key), counts[key]);
  const skipped = declared(element, "skipped") ?? declared(element, "skips");
  requireEqual(`skipped tests of ${what}`, skipped === undefined ? undefined : skipped + (declared(element, "disabled") ?? 0), counts.skipped);
}

function declared(element: XmlElement, key: string): number | undefined {
  const text = element.attributes[key];
  if (text === undefined || text === "") return undefined;
  if (!/^\d{1,9}$/u.test(text)) throw unreadable(`\`${key}\` is \`${text.slice(0, 40)}\`, which is no count`);
  return Number(text);
}

function countsOf(element: XmlElement): Counts {
  const counts = { tests: 0, failures: 0, errors: 0, skipped: 0 };
  for (const test of casesOf(element)) {
    counts.tests += 1;
    const outcome = outcomeOf(test);
    if (outcome !== "passed") counts[outcome] += 1;
  }
  return counts;
}

function casesOf(element: XmlElement): readonly XmlElement[] {
  return element.children.flatMap((child) => (child.name === "testcase" ? [child] : child.name === "testsuite" ? casesOf(child) : []));
}

function outcomeOf(test: XmlElement): "passed" | "failures" | "errors" | "skipped" {
  const has = (name: string) => test.children.some((child) => child.name === name);
  if (has("error")) return "errors";
  if (has("failure")) return "failures";
  const status = test.attributes["status"] ?? "";
  return has("skipped") || status === "notrun" || status === "disabled" ? "skipped" : "passed";
}

function itemOf(suite: XmlElement): ImportedItem {
  const { tests, failures, errors, skipped } = countsOf(suite);
  const failed = casesOf(suite).filter((test) => outcomeOf(test) === "failures");
  const found = Object.fromEntries(failed.slice(0, 500).map((test, index) => [`${index + 1}. ${test.attributes["name"] ?? ""}`.slice(0, 200), 1]));
  return { kind: "census", id: (suite.attributes["name"] ?? "suite").slice(0, 200), n: tests - errors - skipped, violations: failures, unassessed: errors + skipped, complete: true, evidence: "assertions", found };
}
