import { Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";

function withDirectory(command: Command): Command {
  return command
    .addOption(new Option("--dir <folder>", "data directory").env("LICET_DIR").default(".licet"))
    .addOption(new Option("--keys <folder>", "key directory (default: the user's configuration directory)").env("LICET_KEYS"));
}

function addCopies(keys: Command, terminal: Terminal): void {
  withDirectory(keys.command("export"))
    .description("writes the keys under a passphrase")
    .requiredOption("--out <file>", "where")
    .option("--passphrase-file <file>", "read the passphrase from a file (- for standard input)")
    .action(async (options) => {
      const { runKeysExport } = await import("./keys.ts");
      process.exitCode = await runKeysExport(options, terminal);
    });
  withDirectory(keys.command("import"))
    .description("puts exported keys into the key directory")
    .requiredOption("--from <file>", "the exported file")
    .option("--passphrase-file <file>", "read the passphrase from a file (- for standard input)")
    .action(async (options) => {
      const { runKeysImport } = await import("./keys.ts");
      process.exitCode = await runKeysImport(options, terminal);
    });
}

function addCare(keys: Command, terminal: Terminal): void {
  withDirectory(keys.command("list"))
    .description("every key ever used: role, id, algorithm, times, protection")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runKeysList } = await import("./keys.ts");
      process.exitCode = await runKeysList(options, terminal);
    });
  withDirectory(keys.command("protect"))
    .description("wraps the root key, and seals the private keys under it; the server must be stopped")
    .option("--passphrase-file <file>", "the new passphrase (- for standard input)")
    .addOption(new Option("--with <what>", "how the root key is wrapped").choices(["none", "passphrase", "aws-kms", "gcp-kms", "azure-key-vault"]))
    .option("--key <name>", "the service's key: an ARN, a resource name, a key identifier")
    .addOption(new Option("--current-passphrase-file <file>", "opens keys that are under a passphrase now").env("LICET_PASSPHRASE_FILE"))
    .action(async (options) => {
      const { runKeysProtect } = await import("./keys.ts");
      process.exitCode = await runKeysProtect(options, terminal);
    });
  withDirectory(keys.command("rotate"))
    .description("replaces a key and records it in the log; the server must be stopped")
    .addOption(new Option("--role <role>", "which key").choices(["log", "log-mldsa", "statement", "root"]).makeOptionMandatory())
    .addOption(new Option("--with <service>", "let a key management service sign checkpoints (role log)").choices(["aws-kms", "gcp-kms"]))
    .option("--key <name>", "the service's Ed25519 key: an ARN, or the resource name of a key version")
    .addOption(new Option("--passphrase-file <file>", "opens protected keys").env("LICET_PASSPHRASE_FILE"))
    .action(async (options) => {
      const { runKeysRotate } = await import("./keys.ts");
      process.exitCode = await runKeysRotate(options, terminal);
    });
}

/** The group may be there already: others add to it. */
function logGroup(root: Command): Command {
  return root.commands.find((command) => command.name() === "log") ?? root.command("log").description("the evidence log");
}

export function addKeysCommands(root: Command, terminal: Terminal): void {
  const keys = root.command("keys").description("the installation's keys");
  addCopies(keys, terminal);
  addCare(keys, terminal);
  withDirectory(logGroup(root).command("timestamps"))
    .description("the RFC 3161 timestamps of checkpoints, and whether the last attempt failed")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runTimestamps } = await import("./keys-timestamps.ts");
      process.exitCode = await runTimestamps(options, terminal);
    });
}
