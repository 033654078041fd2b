import { statementFormats } from "@licet/contract";
import { Option, type Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

const numberMax = Number.MAX_SAFE_INTEGER;

function out(command: Command): Command {
  return command.requiredOption("--out <file>", "where to write it").option("--force", "write over an existing file");
}

/** What `licet log` has of proofs: between two checkpoints, and of one entry. */
export function addStatementCommands(log: Command, terminal: Terminal): void {
  withServer(log.command("consistency"))
    .description("verifies here that a newer checkpoint's log begins with an older one's, unchanged")
    .requiredOption("--old <file>", "a signed checkpoint that you kept")
    .option("--new <file>", "a newer one (default: the server's)")
    .option("--trust <file>", "the trust file (default: as the server names its keys)")
    .action(async (options) => {
      const { runLogConsistency } = await import("./statements.ts");
      process.exitCode = await runLogConsistency(options, terminal);
    });
  out(withServer(log.command("proof")))
    .description("writes the proof that an entry is in the log (C2SP tlog-proof), and its leaf beside it")
    .argument("<index>", "the entry's number in the log", wholeNumber(0, numberMax))
    .action(async (index: number, options) => {
      const { runStatementExport } = await import("./statements.ts");
      process.exitCode = await runStatementExport(String(index), { ...options, format: "tlog-proof" }, terminal);
    });
}

function addStatement(root: Command, terminal: Terminal): void {
  const statement = root.command("statement").description("signed statements, in formats that others read");
  out(withServer(statement.command("export")))
    .description("writes the signed statement of an entry")
    .argument("<entry>", "an entry's id or number, or an authorization's id")
    .addOption(new Option("--format <format>", "dsse and sigstore as signed; svr, vsa and test-result derived; tlog-proof with the leaf in FILE.leaf").choices(statementFormats).default("dsse"))
    .action(async (entry: string, options) => {
      const { runStatementExport } = await import("./statements.ts");
      process.exitCode = await runStatementExport(entry, options, terminal);
    });
  out(withServer(statement.command("decisions")))
    .description("has the server sign that a gateway run's records are complete from one number to another")
    .requiredOption("--gateway <name>", "the run, as its decisions name it")
    .option("--from <n>", "first number (default 1)", wholeNumber(1, numberMax))
    .option("--to <n>", "last number (default: the newest)", wholeNumber(1, numberMax))
    .action(async (options) => {
      const { runStatementDecisions } = await import("./statements.ts");
      process.exitCode = await runStatementDecisions(options, terminal);
    });
}

function addReconcile(root: Command, terminal: Terminal): void {
  withServer(root.command("reconcile"))
    .description("compares a provider's usage export with the log; exit 1 where the provider billed what the log does not know")
    .requiredOption("--usage <file>", "the export: OpenAI usage API (JSON or CSV), Anthropic usage report (JSON), or CSV with start,end,model,requests,input_tokens,output_tokens")
    .addOption(new Option("--format <format>", "its form (default: seen by its content)").choices(["openai", "anthropic", "csv"]))
    .option("--from <time>", "UTC date or time (default: where the export begins)")
    .option("--to <time>", "exclusive (default: where the export ends)")
    .option("--provider <id>", "the registered provider whose export it is")
    .option("--model <billed=logged...>", "models that the provider bills by another name than it was asked for")
    .option("--json", "the comparison as JSON")
    .action(async (options) => {
      const { runReconcile } = await import("./reconcile.ts");
      process.exitCode = await runReconcile(options, terminal);
    });
}

export function addStatementGroups(root: Command, terminal: Terminal): void {
  addStatement(root, terminal);
  addReconcile(root, terminal);
}
