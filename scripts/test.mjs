// `npm test`: types, lint, build, then every suite, each with its time beside its budget in seconds.
// Ends with one line: N passed, N failed, N skipped.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
mkdirSync("test-output", { recursive: true });
const steps = [
  { name: "types", budget: 40, command: ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"] },
  { name: "lint", budget: 40, command: ["node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings", "."] },
  { name: "build", budget: 60, command: ["scripts/build.mjs"] },
  { name: "unit", budget: 160, suite: true },
  { name: "api", budget: 75, suite: true },
  { name: "journeys", budget: 180, suite: true },
];
const only = new Set(process.argv.slice(2));
const total = { passed: 0, failed: 0, skipped: 0 };
const times = [];

function count(name) {
  const report = JSON.parse(readFileSync(`test-output/${name}.json`, "utf8"));
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + (report.numTodoTests ?? 0);
  // A file that failed to load ran no test and is still a failure.
  total.failed += report.testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
}

for (const step of steps) {
  if (only.size > 0 && !only.has(step.name)) continue;
  const args = step.suite
    ? ["node_modules/vitest/vitest.mjs", "run", "--project", step.name, "--reporter=default", "--reporter=json", `--outputFile.json=test-output/${step.name}.json`]
    : step.command;
  process.stdout.write(`\n== ${step.name}\n`);
  const started = performance.now();
  const run = spawnSync(process.execPath, args, { stdio: "inherit" });
  const seconds = (performance.now() - started) / 1000;
  times.push({ ...step, seconds });
  if (step.suite) {
    const before = total.failed;
    try {
      count(step.name);
    } catch {
      total.failed += 1;
    }
    if (run.status !== 0 && total.failed === before) total.failed += 1;
  } else if (run.status === 0) total.passed += 1;
  else total.failed += 1;
}

process.stdout.write("\nsuite      seconds  budget\n");
for (const step of times) {
  process.stdout.write(`${step.name.padEnd(10)} ${step.seconds.toFixed(1).padStart(7)} ${String(step.budget).padStart(7)}${step.seconds > step.budget ? "  over budget" : ""}\n`);
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
