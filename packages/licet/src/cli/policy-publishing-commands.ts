import { InvalidArgumentError, type Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

/** A day or a moment in UTC; what is neither is wrong use, before anything has started. */
function moment(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z)?$/u.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("not a date such as 2026-11-01, or a moment such as 2026-11-01T09:00:00Z");
  return time;
}

function addPublish(policy: Command, terminal: Terminal): void {
  withServer(policy.command("publish"))
    .description("asks to publish the packs of a folder: a gate move, which another person approves")
    .argument("[folder]", "the folder with `packs/`, or that of one pack (default: policies)")
    .option("--comment <text>", "why; whoever approves reads it, and the record keeps it")
    .option("--remove <name...>", "packs of the space's own that go")
    .option("--prune", "remove every pack of the space's own that the folder does not hold")
    .option("--base <digest>", "refuse when another bundle is active by now")
    .option("--dry-run", "what it would find and change, and nothing else")
    .option("--json", "machine-readable")
    .action(async (folder: string | undefined, options) => {
      const { runPolicyPublish } = await import("./policy-publish.ts");
      process.exitCode = await runPolicyPublish({ ...options, folder }, terminal);
    });
  withServer(policy.command("history"))
    .description("who published what when, newest first")
    .option("--limit <n>", "how many", wholeNumber(1, 200))
    .option("--cursor <id>", "go on after this one")
    .option("--json", "machine-readable")
    .action(async (options) => {
      const { runPolicyHistory } = await import("./policy-publish.ts");
      process.exitCode = await runPolicyHistory(options, terminal);
    });
  withServer(policy.command("mismatches"))
    .description("sampled decisions that cedar-wasm came to differently, newest first; exit code 1 when there are any")
    .option("--limit <n>", "how many", wholeNumber(1, 200))
    .option("--cursor <id>", "go on after this one")
    .option("--json", "machine-readable")
    .action(async (options) => {
      const { runPolicyMismatches } = await import("./policy-mismatches.ts");
      process.exitCode = await runPolicyMismatches(options, terminal);
    });
  withServer(policy.command("pull"))
    .description("saves a published bundle, to decide and compare by it offline")
    .argument("<file>", "where to (- for standard output)")
    .option("--digest <digest>", "a bundle that was published once (default: the active one)")
    .option("--packs <folder>", "also write the space's own packs as files below this folder")
    .action(async (file: string, options) => {
      const { runPolicyPull } = await import("./policy-pull.ts");
      process.exitCode = await runPolicyPull({ ...options, file }, terminal);
    });
}

function addBacktest(policy: Command, terminal: Terminal): void {
  withServer(policy.command("backtest"))
    .description("replays recorded decisions against a candidate: which calls would change")
    .argument("[folder]", "the candidate: the space's packs with those of this folder")
    .option("--digest <digest>", "the candidate: a bundle that was published once")
    .option("--bundle <file>", "the same, by a saved bundle (licet policy pull)")
    .option("--from <date>", "first day or moment in UTC (default: 30 days before the end)", moment)
    .option("--to <date>", "end, exclusive, in UTC (default: now)", moment)
    .option("--system <name>", "only calls of this system")
    .option("--no-wait", "start it and leave")
    .option("--json", "machine-readable")
    .action(async (folder: string | undefined, options) => {
      const { runPolicyBacktest } = await import("./policy-backtest.ts");
      process.exitCode = await runPolicyBacktest({ ...options, folder }, terminal);
    });
  withServer(policy.command("backtests"))
    .description("backtests, newest first; or one with its report")
    .argument("[id]", "one backtest")
    .option("--cancel", "stop it")
    .option("--limit <n>", "how many", wholeNumber(1, 200))
    .option("--cursor <id>", "go on after this one")
    .option("--json", "machine-readable")
    .action(async (id: string | undefined, options) => {
      const { runPolicyBacktests } = await import("./policy-backtest.ts");
      process.exitCode = await runPolicyBacktests({ ...options, id }, terminal);
    });
}

/** Commands that ask a server about policies of the record. */
export function addPolicyPublishing(policy: Command, terminal: Terminal): void {
  addPublish(policy, terminal);
  addBacktest(policy, terminal);
}
