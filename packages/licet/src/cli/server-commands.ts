import { Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

function withDirectory(command: Command): Command {
  return command
    .addOption(new Option("--dir <folder>", "data directory").env("LICET_DIR").default(".licet"))
    .addOption(new Option("--keys <folder>", "key directory (default: the user's configuration directory)").env("LICET_KEYS"));
}

function withPorts(command: Command): Command {
  return command
    .addOption(new Option("--port <n>", "console and API").env("LICET_PORT").default(4400).argParser(wholeNumber(0, 65_535)))
    .addOption(new Option("--data-port <n>", "data plane").env("LICET_DATA_PORT").default(4401).argParser(wholeNumber(0, 65_535)))
    .addOption(new Option("--host <address>", "address to listen on; beyond loopback it needs a trusted proxy").env("LICET_HOST").default("127.0.0.1"))
    .addOption(new Option("--trusted-proxy <origin>", "the https origin of the reverse proxy in front, such as https://licet.example").env("LICET_TRUSTED_PROXY"));
}

function addRunning(root: Command, terminal: Terminal): void {
  withPorts(withDirectory(root.command("serve")))
    .description("starts console, API and data plane in this process; with --role gateway a data plane alone, which a control plane feeds")
    .addOption(new Option("--role <role>", "what this process is").env("LICET_ROLE").choices(["control", "gateway"]).default("control"))
    .addOption(new Option("--control <url>", "of a gateway: origin of the control plane's data plane (default: the one that it joined at)").env("LICET_CONTROL"))
    .addOption(new Option("--control-ca <file>", "of a gateway: PEM certificates to trust for the control plane instead of the system's").env("LICET_CONTROL_CA"))
    .addOption(new Option("--join-token <file>", "of a gateway, at its first start: holds the token of `licet gateway add` (- for standard input)").env("LICET_JOIN_TOKEN_FILE"))
    .addOption(new Option("--witness-policy <file>", "C2SP tlog-policy text: which witnesses cosign the log, at which addresses, and how many are enough").env("LICET_WITNESS_POLICY"))
    .option("--accept-unwitnessed <reason>", "sign although no witness answers at this start; recorded with the reason")
    .addOption(new Option("--passphrase-file <file>", "opens keys that are under a passphrase (- for standard input)").env("LICET_PASSPHRASE_FILE"))
    .addOption(new Option("--timestamp-url <url>", "an RFC 3161 authority that stamps checkpoints, hourly at most").env("LICET_TIMESTAMP_URL"))
    .addOption(new Option("--timestamp-allow-private", "the authority may be on this machine or in a private network").env("LICET_TIMESTAMP_ALLOW_PRIVATE"))
    .addOption(new Option("--ext-authz-port <n>", "answers Envoy's external authorization over gRPC, on loopback only (default: off)").env("LICET_EXT_AUTHZ_PORT").argParser(wholeNumber(0, 65_535)))
    .addOption(new Option("--otlp-endpoint <url>", "an OpenTelemetry collector: spans and metrics go there by OTLP over HTTP; LICET_OTLP_HEADERS are sent along").env("LICET_OTLP_ENDPOINT"))
    .addOption(new Option("--metrics-port <n>", "GET /metrics for Prometheus, on loopback only (default: off)").env("LICET_METRICS_PORT").argParser(wholeNumber(0, 65_535)))
    .addOption(new Option("--runner <bounds>", "of the server's own runner: time=10m,memory=2048,rows=2000000,concurrency=2,queries=20000,tokens=20000000,money=25USD,repeat=72h, with those to change").env("LICET_RUNNER"))
    .addOption(new Option("--log-level <level>", "what to log").env("LICET_LOG_LEVEL").choices(["silent", "error", "info"]).default("error"))
    .action(async (options) => {
      const { runServe } = await import("./serve.ts");
      process.exitCode = await runServe(options, terminal);
    });
  withPorts(root.command("demo"))
    .description("plays the whole story on two real pilots and leaves the server running")
    .option("--dir <folder>", "data directory of the demo (default: a new temporary one)")
    .option("--exit", "stop when the story has been told")
    .action(async (options) => {
      const { runDemo } = await import("./demo.ts");
      process.exitCode = await runDemo(options, terminal);
    });
}

function addCare(root: Command, terminal: Terminal): void {
  withDirectory(root.command("backup"))
    .description("a consistent copy of database and log, without keys; the server must be stopped")
    .requiredOption("--out <folder>", "a new folder")
    .action(async (options) => {
      const { runBackup } = await import("./care.ts");
      process.exitCode = await runBackup(options, terminal);
    });
  withDirectory(root.command("restore"))
    .description("puts a backup in a new data directory, whose log goes on in a new shard; the old one stays readable in it")
    .requiredOption("--from <folder>", "the backup")
    .action(async (options) => {
      const { runRestore } = await import("./care.ts");
      process.exitCode = await runRestore(options, terminal);
    });
  const db = root.command("db").description("the embedded database");
  withDirectory(db.command("rebuild"))
    .description("recreates the record tables from the log; the server must be stopped")
    .action(async (options) => {
      const { runRebuild } = await import("./care.ts");
      process.exitCode = await runRebuild(options, terminal);
    });
}

export function addServerCommands(root: Command, terminal: Terminal): void {
  addRunning(root, terminal);
  addCare(root, terminal);
}
