import { Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";
import type { ServerOptions } from "./session.ts";
import { withServer } from "./server-option.ts";
import { wholeNumber } from "./whole-number.ts";

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
  const check = withServer(root.command("check"))
    .description("runs the declared checks with a ticket and returns the results")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--on-server", "let the server's own runner do it: what counts above minimal tier")
    .option("--ci", "as a CI run, with the token that the CI gives this job: what counts above minimal tier")
    .option("--audience <text>", "with --ci: the registered audience (default LICET_OIDC_AUDIENCE, else the server's address)")
    .option("--author <email...>", "with --ci: commit authors besides those that the CI names")
    .option("--practice", "run without a ticket: not evidence, nothing is sent")
    .option("--json", "the report as JSON")
    .option("--seed <text>", "with --practice: draw what an earlier run drew")
    .option("--no-cache", "measure everything anew, also what has not changed since an earlier run")
    .option("--endpoint <url...>", "where models without a file answer: URL, or NAME=URL for one of them")
    .option("--endpoint-key <variable...>", "environment variable that holds the credential: VARIABLE, or NAME=VARIABLE for one of them")
    .option("--dialect <name>", "openai or anthropic", "openai")
    .option("--budget <parts>", "what the run may spend on asking models, such as queries=500,tokens=200000,money=2.50,time=10m")
    .option("--dry-run", "say what would be asked and what it would cost at most, and ask nobody")
    .option("--workers <count>", "checks at a time (default: as many as there are cores)")
    .option("--changed [commit]", "only checks whose subject, declaration or data changed since they passed here, or since a commit")
    .option("--report <file...>", "write it to files as well: .html, .md, .json, .sarif or .xml (JUnit)")
    .action(async (options) => {
      const { runCheck } = await import("./check.ts");
      process.exitCode = await runCheck(options, terminal);
    });
  addCheckTools(check, terminal);
}

/** What goes with checks: other tools' reports, repetitions, a provider for replays, proposals. */
function addCheckTools(check: Command, terminal: Terminal): void {
  check
    .command("import <file>")
    .description("counts a report of another tool again from its rows: promptfoo, garak, Evidently, SARIF, JUnit and others")
    .option("--format <name>", "of the report; default: what it looks like")
    .option("--max <share>", "largest rate of what is unwanted", "0.05")
    .option("--json", "everything that was counted as JSON")
    .action(async (file: string, _options, command: Command) => {
      const { runCheckImport } = await import("./check-import.ts");
      process.exitCode = await runCheckImport(file, command.optsWithGlobals<{ format?: string; max: string; json?: boolean }>(), terminal);
    });
  check
    .command("repeat <ticket>")
    .description("has the server make the drawn check of a returned ticket again, and sends the files that it lacks")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .action(async (ticket: string, _options, command: Command) => {
      const { runCheckRepeat } = await import("./check-repeat.ts");
      process.exitCode = await runCheckRepeat(ticket, command.optsWithGlobals<ServerOptions & { dir: string }>(), terminal);
    });
  check
    .command("upstream")
    .description("a provider that answers as a hijacked model would, for `llm.defence.replay` through a gateway; runs until it is ended")
    .option("--port <number>", "where it listens on 127.0.0.1; 0 picks a free port", wholeNumber(0, 65_535), 0)
    .option("--calls <file>", "calls of your own; the file that the check names")
    .action(async (options) => {
      const { runCheckUpstream } = await import("./check-upstream.ts");
      await runCheckUpstream(options, terminal);
    });
  check
    .command("init")
    .description("proposes checks for what the manifest declares, with the numbers of rows that they take")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--write", "append the section to the manifest")
    .action(async (_options, command: Command) => {
      const { runCheckInit } = await import("./check-init.ts");
      process.exitCode = await runCheckInit(command.optsWithGlobals<{ dir: string; write?: boolean }>(), terminal);
    });
}

function addScan(root: Command, terminal: Terminal): void {
  root
    .command("scan <files...>")
    .description("says what loading files of models would do, without loading them")
    .option("--json", "every finding as JSON")
    .action(async (files: string[], options) => {
      const { runScan } = await import("./scan.ts");
      process.exitCode = await runScan(files, options, terminal);
    });
}

export function addProjectCommands(root: Command, terminal: Terminal): void {
  addLocal(root, terminal);
  addRemote(root, terminal);
  addScan(root, terminal);
}
