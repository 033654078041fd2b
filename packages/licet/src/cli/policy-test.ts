import { writeFileSync } from "node:fs";
import { builtinBundle } from "../policy/builtin.ts";
import type { Bundle } from "../policy/bundle-form.ts";
import { coverage, type PackCoverage } from "../policy/coverage.ts";
import { createDecider } from "../policy/decide.ts";
import { canonicalOutcome } from "../policy/scenario-outcome.ts";
import { readRequests } from "../policy/scenario-request.ts";
import { runScenarios, scenarioDiagnostic, type Scenario, type ScenarioResult } from "../policy/scenario.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { builtinScenarios } from "./policy-builtin.ts";
import { coverageText, percentCovered } from "./policy-coverage-text.ts";
import { checkFolder, policiesFrom, textIn } from "./policy-folder.ts";
import { junitReport } from "./policy-junit.ts";
import { filesReport } from "./policy-report.ts";
import { columns, painted, type Terminal } from "./terminal.ts";

interface TestOptions {
  readonly folder: string | undefined;
  readonly builtin?: boolean;
  readonly filter?: string;
  readonly coverage?: boolean;
  readonly minCoverage?: number;
  readonly junit?: string;
  readonly requests?: string;
  readonly bundle?: string;
  readonly json?: boolean;
}

/** What is tested: a bundle, scenarios, and the packs whose coverage counts. */
interface Subject {
  readonly bundle: Bundle;
  readonly scenarios: readonly Scenario[];
  readonly packs: readonly string[];
  readonly texts: ReadonlyMap<string, string>;
}

/** 0: every scenario came out as expected and coverage suffices; 1: not, or the packs have errors. */
export async function runPolicyTest(options: TestOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.requests !== undefined) return decideRequests(options, options.requests, terminal);
  if (options.bundle !== undefined) throw new UsageError("--bundle goes with --requests: a saved bundle holds no scenarios");
  const subject = options.builtin === true ? builtinSubject(options) : await folderSubject(options.folder, terminal);
  if (subject === undefined) return exitCodes.findings;
  const scenarios = subject.scenarios.filter(({ file, name }) => options.filter === undefined || `${file}\n${name}`.includes(options.filter));
  const results = runScenarios(createDecider(subject.bundle), scenarios);
  const packs = coverage(subject.bundle, results).filter(({ pack }) => subject.packs.includes(pack));
  if (options.junit !== undefined) writeFileSync(options.junit, junitReport(results));
  if (options.json === true) terminal.out(JSON.stringify(jsonReport(results, packs), null, 2));
  else textReport({ results, packs, subject, options }, terminal);
  const passed = results.every(({ differences }) => differences.length === 0);
  return passed && percentCovered(packs) >= (options.minCoverage ?? 0) ? exitCodes.fine : exitCodes.findings;
}

function builtinSubject({ folder }: TestOptions): Subject {
  if (folder !== undefined) throw new UsageError("give a folder or --builtin, not both");
  const bundle = builtinBundle();
  const { scenarios, texts } = builtinScenarios();
  return { bundle, scenarios, texts, packs: bundle.packs.map(({ name }) => name) };
}

async function folderSubject(folder: string | undefined, terminal: Terminal): Promise<Subject | undefined> {
  const { testable, scenarios, opened, diagnostics } = await checkFolder(folder, { whole: false });
  if (testable === undefined) {
    terminal.err(filesReport(diagnostics, opened.texts));
    return undefined;
  }
  return { bundle: testable, scenarios, texts: opened.texts, packs: opened.packs.map(({ name }) => name) };
}

function jsonReport(results: readonly ScenarioResult[], packs: readonly PackCoverage[]): object {
  const scenarios = results.map(({ scenario, came, differences }) => ({ file: scenario.file, line: scenario.line, column: scenario.column, name: scenario.name, passed: differences.length === 0, expected: scenario.expect, came, differences, request: scenario.request }));
  return { passed: scenarios.filter((each) => each.passed).length, failed: scenarios.filter((each) => !each.passed).length, covered: percentCovered(packs), scenarios, packs };
}

interface Report {
  readonly results: readonly ScenarioResult[];
  readonly packs: readonly PackCoverage[];
  readonly subject: Subject;
  readonly options: TestOptions;
}

function textReport({ results, packs, subject, options }: Report, terminal: Terminal): void {
  const failed = results.filter(({ differences }) => differences.length > 0);
  if (results.length === 0) terminal.out(subject.scenarios.length === 0 ? "no scenarios: write them in `tests/*.yaml` of a pack" : `no scenario matches \`${options.filter ?? ""}\``);
  else terminal.out(filesText(results, terminal));
  if (failed.length > 0) terminal.out(`\n${filesReport(failed.map(scenarioDiagnostic), subject.texts)}\n`);
  terminal.out(`${results.length - failed.length} passed, ${failed.length} failed`);
  const percent = percentCovered(packs);
  if (options.coverage === true || options.minCoverage !== undefined) terminal.out(coverageText(packs, terminal));
  if (percent < (options.minCoverage ?? 0)) terminal.out(painted(terminal, "red", `${percent} % of the policies are covered; ${options.minCoverage ?? 0} % are asked for`));
}

function filesText(results: readonly ScenarioResult[], terminal: Terminal): string {
  const files = [...new Set(results.map(({ scenario }) => scenario.file))];
  return columns(
    files.map((file) => {
      const own = results.filter(({ scenario }) => scenario.file === file);
      const failed = own.filter(({ differences }) => differences.length > 0).length;
      return [`${failed === 0 ? painted(terminal, "green", "✓") : painted(terminal, "red", "✗")} ${file}`, failed === 0 ? `${own.length} scenarios` : `${failed} of ${own.length} scenarios failed`];
    }),
  );
}

/** Decisions of a file of requests, one a line, for comparison byte by byte with what a server answers. */
async function decideRequests(options: TestOptions, file: string, terminal: Terminal): Promise<ExitCode> {
  const { bundle } = await policiesFrom({ ...(options.folder === undefined ? {} : { policies: options.folder }), ...(options.bundle === undefined ? {} : { bundle: options.bundle }) });
  const decider = createDecider(bundle);
  for (const request of readRequests(textIn(file), file)) terminal.out(canonicalOutcome(decider.decide(request)));
  return exitCodes.fine;
}
