import { Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

function withFolder(command: Command): Command {
  return command.addOption(new Option("--dir <folder>", "the witness's folder: its key, and the state of each log").env("LICET_WITNESS_DIR").default(".licet-witness"));
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function addLogs(witness: Command, terminal: Terminal): void {
  withFolder(witness.command("add-log"))
    .description("lets a log submit checkpoints; also while the witness serves")
    .requiredOption("--vkey <key>", "the log's verifier key; repeat it for each key that the log signs with", collected)
    .option("--origin <text>", "the log's origin line (default: the key's name)")
    .action(async (options) => {
      const { runAddLog } = await import("./witness.ts");
      process.exitCode = await runAddLog(options, terminal);
    });
  withFolder(witness.command("remove-log"))
    .description("refuses a log's checkpoints from now on; what was cosigned stays remembered")
    .requiredOption("--origin <text>", "the log's origin line")
    .action(async (options) => {
      const { runRemoveLog } = await import("./witness.ts");
      process.exitCode = await runRemoveLog(options, terminal);
    });
  withFolder(witness.command("list"))
    .description("the logs, and the last checkpoint that was cosigned for each")
    .action(async (options) => {
      const { runListLogs } = await import("./witness.ts");
      process.exitCode = await runListLogs(options, terminal);
    });
}

export function addWitnessCommands(root: Command, terminal: Terminal): void {
  const witness = root.command("witness").description("cosigns the checkpoints of others' logs (C2SP tlog-witness); needs no server and no database");
  withFolder(witness.command("init"))
    .description("makes the witness's key and prints its verifier keys and a line for the log's witness policy")
    .requiredOption("--name <name>", "the witness's name for ever, such as witness.example/one")
    .action(async (options) => {
      const { runWitnessInit } = await import("./witness.ts");
      process.exitCode = await runWitnessInit(options, terminal);
    });
  withFolder(witness.command("serve"))
    .description("answers logs at POST /add-checkpoint")
    .option("--name <name>", "makes the key at the first start; later it must be the same")
    .addOption(new Option("--port <n>", "where to listen").env("LICET_WITNESS_PORT").default(4410).argParser(wholeNumber(0, 65_535)))
    .addOption(new Option("--host <address>", "address to listen on; beyond this machine use --tls-cert, or a reverse proxy with TLS in front").env("LICET_WITNESS_HOST").default("127.0.0.1"))
    .option("--tls-cert <file>", "certificate chain, PEM")
    .option("--tls-key <file>", "private key of the certificate, PEM")
    .option("--requests-per-minute <n>", "from one address; a tenth of what is taken in all", wholeNumber(1, 1_000_000), 600)
    .action(async (options) => {
      const { runWitnessServe } = await import("./witness.ts");
      process.exitCode = await runWitnessServe(options, terminal);
    });
  addLogs(witness, terminal);
}
