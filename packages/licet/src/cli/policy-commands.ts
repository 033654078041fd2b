import { Option, type Command } from "commander";
import { addPolicyPublishing } from "./policy-publishing-commands.ts";
import { addPolicyReading } from "./policy-reading-commands.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

const folderHelp = "the folder with `packs/`, or that of one pack (default: policies)";

function addCheck(policy: Command, terminal: Terminal): void {
  policy
    .command("check")
    .description("parses, validates and lints policy packs together with those of the installation")
    .argument("[folder]", folderHelp)
    .option("--json", "machine-readable")
    .option("--sarif", "as SARIF 2.1.0, for annotations in a change")
    .action(async (folder: string | undefined, options) => {
      const { runPolicyCheck } = await import("./policy-check.ts");
      process.exitCode = await runPolicyCheck({ ...options, folder }, terminal);
    });
  policy
    .command("fmt")
    .description("puts the Cedar files of policy packs into their usual form; comments stay")
    .argument("[folder]", folderHelp)
    .option("--check", "change nothing; exit code 1 where a file would change")
    .option("--json", "machine-readable")
    .action(async (folder: string | undefined, options) => {
      const { runPolicyFormat } = await import("./policy-format.ts");
      process.exitCode = await runPolicyFormat({ ...options, folder }, terminal);
    });
}

function addTest(policy: Command, terminal: Terminal): void {
  policy
    .command("test")
    .description("runs the scenarios of policy packs, or decides a file of requests")
    .argument("[folder]", folderHelp)
    .option("--builtin", "the packs of the installation instead of a folder's")
    .option("--filter <text>", "only scenarios whose file or name holds this")
    .option("--coverage", "which policies the scenarios determine")
    .option("--min-coverage <percent>", "fail where fewer of the policies are covered", wholeNumber(0, 100))
    .option("--junit <file>", "also write a JUnit report")
    .option("--requests <file>", "decide requests, one JSON object a line (- for standard input), and print the decisions")
    .option("--bundle <file>", "with --requests: decide by a saved bundle (licet policy pull)")
    .option("--json", "machine-readable")
    .action(async (folder: string | undefined, options) => {
      const { runPolicyTest } = await import("./policy-test.ts");
      process.exitCode = await runPolicyTest({ ...options, folder }, terminal);
    });
}

function addWriting(policy: Command, terminal: Terminal): void {
  policy
    .command("new")
    .description("begins a policy pack, with a test that passes")
    .argument("<name>", "the pack's name: lower-case letters, digits, hyphens")
    .argument("[folder]", "the folder with `packs/`", "policies")
    .addOption(new Option("--kind <kind>", "baseline holds for every system, team only tightens for its systems, application has its own namespace").choices(["baseline", "team", "application"]).default("baseline"))
    .option("--system <name...>", "with --kind team: the systems that it tightens")
    .option("--json", "machine-readable")
    .action(async (name: string, folder: string, options) => {
      const { runPolicyNew } = await import("./policy-new.ts");
      process.exitCode = await runPolicyNew({ ...options, name, folder }, terminal);
    });
  policy
    .command("diff")
    .description("what changes from one set of policies to another, and which decisions")
    .argument("<old>", "a folder of policy packs, a saved bundle, or `builtin`")
    .argument("<new>", "a folder of policy packs, a saved bundle, or `builtin`")
    .option("--json", "machine-readable")
    .action(async (before: string, after: string, options) => {
      const { runPolicyDiff } = await import("./policy-diff.ts");
      process.exitCode = await runPolicyDiff({ ...options, before, after }, terminal);
    });
}

export function addPolicyCommands(root: Command, terminal: Terminal): void {
  const policy = root.command("policy").description("policy packs: write, check, test, explain, compare");
  addCheck(policy, terminal);
  addTest(policy, terminal);
  addWriting(policy, terminal);
  addPolicyReading(policy, terminal);
  addPolicyPublishing(policy, terminal);
}
