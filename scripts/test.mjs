// `npm test`: types, lint, build, then every suite, each with its time beside its budget in seconds.
// Ends with one line: N passed, N failed, N skipped.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
mkdirSync("test-output", { recursive: true });
const steps = [
  { name: "types", budget: 60, command: ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--checkers", "1"] },
  { name: "lint", budget: 60, command: ["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings", "."] },
  { name: "build", budget: 60, command: ["scripts/build.mjs"] },
  { name: "unit", budget: 300, suite: true },
  { name: "api", budget: 150, suite: true },
  { name: "journeys", budget: 300, suite: true },
];
/**
 * Half of a suite's time is spent waiting for disks and children, so two suites share the cores. What is built is built first.
 * Types have one checker, as each of several would work out the shared types anew, and leave the other core to build and lint.
 */
const lanes = [[["types"], ["build", "lint"]], [["unit"], ["api", "journeys"]]];
const only = new Set(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: 0 };
const times = [];
/** Said again at the very end, where somebody who sees only the end of the output looks. */
const failures = [];

function count(name) {
  const report = JSON.parse(readFileSync(`test-output/${name}.json`, "utf8"));
  noteFailures(name, report);
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
  // A file that failed to load ran no test and is still a failure.
  total.failed += report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
}

function noteFailures(suite, { testResults }) {
  for (const { name, status, message, assertionResults } of testResults) {
    if (status !== "failed") continue;
    const file = relative(process.cwd(), name);
    if (assertionResults.length === 0) failures.push(`${suite}: ${file} did not load: ${firstLines(message)}`);
    for (const test of assertionResults.filter((each) => each.status === "failed")) {
      failures.push(`${suite}: ${file}: ${test.fullName}: ${firstLines(test.failureMessages.join("\n"))}`);
    }
  }
}

function firstLines(message) {
  return message.split("\n").slice(0, 12).join("\n    ");
}

function score({ name, suite }, succeeded) {
  if (!suite) {
    if (succeeded) total.passed += 1;
    else {
      total.failed += 1;
      failures.push(`${name}: see what it said above`);
    }
    return;
  }
  const before = total.failed;
  try {
    count(name);
  } catch {
    total.failed += 1;
  }
  if (!succeeded && total.failed === before) total.failed += 1;
}

/** Two steps write at once, so what one says stands together, when it has ended; a line at its beginning shows life. */
async function run(step) {
  const args = step.suite
    ? ["node_modules/vitest/vitest.mjs", "run", "--project", step.name, "--reporter=default", "--reporter=json", `--outputFile.json=test-output/${step.name}.json`]
    : step.command;
  process.stdout.write(`.. ${step.name} begins\n`);
  const started = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? "1" : "0" } });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(chunk));
  const status = await new Promise((resolve) => {
    child.once("error", () => resolve(undefined));
    child.once("close", resolve);
  });
  process.stdout.write(`\n== ${step.name}\n${Buffer.concat(said).toString("utf8")}`);
  times.push({ ...step, seconds: (performance.now() - started) / 1000 });
  score(step, status === 0);
}

async function inOrder(names) {
  for (const name of names) {
    const step = steps.find((each) => each.name === name);
    if (only.size === 0 || only.has(name)) await run(step);
  }
}

const begun = performance.now();
for (const stage of lanes) await Promise.all(stage.map(inOrder));

process.stdout.write("\nsuite      seconds  budget\n");
for (const step of [...times, { name: "all", budget: 480, seconds: (performance.now() - begun) / 1000 }]) {
  process.stdout.write(`${step.name.padEnd(10)} ${step.seconds.toFixed(1).padStart(7)} ${String(step.budget).padStart(7)}${step.seconds > step.budget ? "  over budget" : ""}\n`);
}
for (const failure of failures) process.stdout.write(`\nfailed in ${failure}\n`);
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
