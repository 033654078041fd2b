import { Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";
import { withServer } from "./server-option.ts";

function addLocal(root: Command, terminal: Terminal): void {
  root
    .command("init")
    .description("writes a commented licet.yaml")
    .option("--dir <folder>", "where", ".")
    .option("--name <name>", "the system's name (default: the folder's)")
    .option("--force", "write over an existing file")
    .action(async (options) => {
      const { runInit } = await import("./init-command.ts");
      process.exitCode = runInit({ ...options, stdout: terminal.out });
    });
  root
    .command("validate")
    .description("checks licet.yaml offline: every problem in one run")
    .argument("[file]", "the manifest", "licet.yaml")
    .addOption(new Option("--format <format>", "how to print").choices(["text", "json", "sarif"]).default("text"))
    .action(async (file: string, options) => {
      const { runValidate } = await import("./validate-command.ts");
      process.exitCode = runValidate({ file, ...options, stdout: terminal.out });
    });
  root
    .command("schema")
    .description("the manifest's JSON Schema, for editors")
    .action(async () => {
      const { runSchema } = await import("./schema-command.ts");
      process.exitCode = runSchema({ stdout: terminal.out });
    });
}

function addRemote(root: Command, terminal: Terminal): void {
  withServer(root.command("push"))
    .description("registers a release: shows the plan first")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--dry-run", "show the plan and change nothing")
    .action(async (options) => {
      const { runPush } = await import("./push.ts");
      process.exitCode = await runPush(options, terminal);
    });
  withServer(root.command("assess"))
    .description("the tier of a system, with its arithmetic")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runAssess } = await import("./assess.ts");
      process.exitCode = await runAssess(options, terminal);
    });
  withServer(root.command("answer"))
    .description("signs an answer that only the risk owner may give")
    .argument("<question>", "the question's id, as `licet assess` prints it")
    .addOption(new Option("--value <value>", "the answer").choices(["yes", "no"]).makeOptionMandatory())
    .requiredOption("--reason <text>", "why")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .action(async (question: string, options) => {
      const { runAnswer } = await import("./assess.ts");
      process.exitCode = await runAnswer(question, options, terminal);
    });
  withServer(root.command("check"))
    .description("runs the declared checks with a ticket and returns the results")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--on-server", "let the server's own runner do it: what counts above minimal tier")
    .option("--practice", "run without a ticket: not evidence, nothing is sent")
    .option("--json", "the report as JSON")
    .action(async (options) => {
      const { runCheck } = await import("./check.ts");
      process.exitCode = await runCheck(options, terminal);
    });
}

export function addProjectCommands(root: Command, terminal: Terminal): void {
  addLocal(root, terminal);
  addRemote(root, terminal);
}
