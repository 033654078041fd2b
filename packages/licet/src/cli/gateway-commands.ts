import type { Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";

export function addGatewayCommands(root: Command, terminal: Terminal): void {
  const gateway = root.command("gateway").description("gateways that run as processes of their own, beside the one in `licet serve`");
  withServer(gateway.command("add"))
    .description("lets a gateway join the space: prints a token that works once, for an hour")
    .argument("<name>", "lower-case letters, digits and hyphens")
    .option("--token-file <file>", "write the token to a new file (0600) instead of printing it")
    .action(async (name: string, options) => {
      const { runGatewayAdd } = await import("./gateways.ts");
      process.exitCode = await runGatewayAdd(name, options, terminal);
    });
  withServer(gateway.command("list"))
    .description("gateways, whether their feed is open, and how much of their records was taken over")
    .action(async (options) => {
      const { runGatewayList } = await import("./gateways.ts");
      process.exitCode = await runGatewayList(options, terminal);
    });
  withServer(gateway.command("remove"))
    .description("cuts a gateway off: it denies every call within a second, and nothing that it sends is taken any more")
    .argument("<name>", "as `licet gateway list` shows it")
    .requiredOption("--reason <text>", "why: recorded")
    .action(async (name: string, options) => {
      const { runGatewayRemove } = await import("./gateways.ts");
      process.exitCode = await runGatewayRemove(name, options, terminal);
    });
  withServer(gateway.command("trust"))
    .description("writes the trust file of a gateway's own log and prints its fingerprint")
    .argument("<name>", "as `licet gateway list` shows it")
    .requiredOption("--out <file>", "where to")
    .action(async (name: string, options) => {
      const { runGatewayTrust } = await import("./gateways.ts");
      process.exitCode = await runGatewayTrust(name, options, terminal);
    });
}
