import type { Command } from "commander";
import { observeDaysMax } from "@licet/contract";
import type { Terminal } from "./terminal.ts";
import { withServer } from "./server-option.ts";
import { wholeNumber } from "./whole-number.ts";

export function addWaiverCommands(root: Command, terminal: Terminal): void {
  const waiver = root.command("waiver").description("exceptions for a time: observe a system before it is enforced");
  withServer(waiver.command("request"))
    .description("asks to observe a system in an environment: a gate move of the risk owner")
    .requiredOption("--environment <name>", "the environment")
    .requiredOption("--reason <text>", "why it cannot be enforced yet")
    .option("--days <n>", `how long, at most ${observeDaysMax} (default ${observeDaysMax})`, wholeNumber(1, observeDaysMax))
    .option("--compensation <text...>", "what is done instead meanwhile")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .action(async (options) => {
      const { runWaiverRequest } = await import("./waiver.ts");
      process.exitCode = await runWaiverRequest(options, terminal);
    });
  withServer(waiver.command("list"))
    .description("waivers in force and over, newest first")
    .option("--system <name>", "only of this system")
    .option("--cursor <id>", "the next page, as the last one named it")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runWaiverList } = await import("./waiver.ts");
      process.exitCode = await runWaiverList(options, terminal);
    });
  withServer(waiver.command("show"))
    .description("one waiver, and what would have been refused under it")
    .argument("<waiver>", "the waiver's id")
    .option("--json", "as JSON")
    .action(async (id: string, options) => {
      const { runWaiverShow } = await import("./waiver.ts");
      process.exitCode = await runWaiverShow(id, options, terminal);
    });
  withServer(waiver.command("end"))
    .description("ends a waiver at once: calls are refused again within a second")
    .argument("<waiver>", "the waiver's id")
    .requiredOption("--reason <text>", "why")
    .action(async (id: string, options) => {
      const { runWaiverEnd } = await import("./waiver.ts");
      process.exitCode = await runWaiverEnd(id, options, terminal);
    });
}
