import { Option, type Command } from "commander";
import { addStatementCommands } from "./statement-commands.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

function withDirectory(command: Command): Command {
  return command
    .addOption(new Option("--dir <folder>", "data directory").env("LICET_DIR").default(".licet"))
    .addOption(new Option("--keys <folder>", "key directory (default: the user's configuration directory)").env("LICET_KEYS"));
}

export function addLogCommands(root: Command, terminal: Terminal): void {
  const log = root.command("log").description("the evidence log");
  addStatementCommands(log, terminal);
  addCare(log, terminal);
}

/** The care of the log's files; all of it with the server stopped. */
function addCare(log: Command, terminal: Terminal): void {
  withDirectory(log.command("fsck"))
    .description("derives everything of the log again and names the first bad byte of each file; reads only")
    .option("--json", "machine-readable")
    .action(async (options) => {
      const { runLogFsck } = await import("./log-care.ts");
      process.exitCode = await runLogFsck(options, terminal);
    });
  withDirectory(log.command("repair"))
    .description("puts back from a backup what the signed tree proves, makes derived files again, and checks everything")
    .requiredOption("--from <folder>", "the backup")
    .option("--dry-run", "say what would be written")
    .option("--json", "machine-readable")
    .action(async (options) => {
      const { runLogRepair } = await import("./log-care.ts");
      process.exitCode = await runLogRepair(options, terminal);
    });
  withDirectory(log.command("prune"))
    .description("stops serving old entries over HTTP and gives back the space of erased payloads; the tree stays whole")
    .option("--before <index>", "entries below this index", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option("--older-than <days>", "entries older than this", wholeNumber(1, 36_500))
    .option("--dry-run", "say what would be done")
    .action(async (options) => {
      const { runLogPrune } = await import("./log-care.ts");
      process.exitCode = await runLogPrune(options, terminal);
    });
}
