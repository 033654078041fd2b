import type { Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

export function addTrafficCommands(root: Command, terminal: Terminal): void {
  withServer(root.command("tail"))
    .description("shows decisions on calls as they are made")
    .option("--system <name>", "of one system")
    .option("--refused", "refused calls only")
    .option("--last <n>", "decisions from before to begin with", wholeNumber(0, 200), 10)
    .option("--once", "show those and end")
    .option("--json", "one JSON object a line")
    .action(async (options) => {
      const { runTail } = await import("./tail.ts");
      process.exitCode = await runTail(options, terminal);
    });
  withServer(root.command("why"))
    .description("explains a refused call: which check, what to do, whose turn it is")
    .argument("<decision>", "the id from `licet.decision` or `x-licet-decision`, or the address from `licet.url`")
    .option("--request", "open the approval that lifts it: a promotion, or lifting a hold")
    .option("--reason <text>", "why, for whoever approves")
    .option("--json", "as JSON")
    .action(async (decision: string, options) => {
      const { runWhy } = await import("./why.ts");
      process.exitCode = await runWhy(decision, options, terminal);
    });
}
