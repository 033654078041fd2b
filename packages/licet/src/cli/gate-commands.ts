import { Option, type Command } from "commander";
import type { Terminal } from "./terminal.ts";
import { withServer } from "./server-option.ts";
import { wholeNumber } from "./whole-number.ts";

const stage = (flag: string): Option => new Option(`${flag} <stage>`, "the stage").choices(["experiment", "pilot", "production"]).makeOptionMandatory();

function addGate(root: Command, terminal: Terminal): void {
  withServer(root.command("gate"))
    .description("every requirement of a move, met or not, with remedy and turn")
    .addOption(stage("--to"))
    .option("--environment <name>", "the environment (default: the manifest's first)")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .option("--facts <file>", "decide offline on facts saved with --save-facts")
    .option("--save-facts <file>", "write the facts that this answer stands on")
    .option("--bundle <file>", "with --facts or --offline: decide by a saved bundle (licet policy pull) instead of the installation's policies")
    .option("--offline", "do not ask the server: what it knows is unmet, `unknown offline`")
    .option("--json", "the answer as canonical JSON")
    .action(async (options) => {
      const { runGate } = await import("./gate.ts");
      process.exitCode = await runGate(options, terminal);
    });
  withServer(root.command("promote"))
    .description("asks for a promotion; granted at once where nobody has to be waited for")
    .addOption(stage("--to"))
    .option("--environment <name>", "the environment (default: the manifest's first)")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .option("--days <n>", "how long the authorization lasts, at most what the tier allows", wholeNumber(1, 730))
    .action(async (options) => {
      const { runPromote } = await import("./gate.ts");
      process.exitCode = await runPromote(options, terminal);
    });
}

function addOperate(root: Command, terminal: Terminal): void {
  const ato = root.command("ato").description("authorizations to operate");
  withServer(ato.command("show"))
    .description("the authorizations of a system")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .option("--json", "with the signed statements")
    .action(async (options) => {
      const { runAtoShow } = await import("./operate.ts");
      process.exitCode = await runAtoShow(options, terminal);
    });
  const deploy = root.command("deploy").description("deployments and their credentials");
  withServer(deploy.command("record"))
    .description("records that a release runs in an environment and issues its credential, shown once")
    .requiredOption("--environment <name>", "the environment")
    .addOption(stage("--stage"))
    .option("--release <digest>", "the release (default: that of the folder)")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .option("--credential-days <n>", "how long the credential lives", wholeNumber(1, 365))
    .option("--credential-file <file>", "write the credential there, mode 0600, instead of printing it")
    .action(async (options) => {
      const { runDeployRecord } = await import("./operate.ts");
      process.exitCode = await runDeployRecord(options, terminal);
    });
  const hold = root.command("hold").description("the kill switch");
  withServer(hold.command("place"))
    .description("stops a system, a vendor or everything within a second")
    .option("--system <name>", "the system to stop")
    .option("--vendor <name>", "the vendor to suspend: nothing is sent to its providers")
    .option("--all", "stop everything in the space")
    .requiredOption("--reason <text>", "why")
    .action(async (options) => {
      const { runHoldPlace } = await import("./operate.ts");
      process.exitCode = await runHoldPlace(options, terminal);
    });
  withServer(hold.command("lift"))
    .description("asks to lift a hold: a gate move")
    .argument("<hold>", "the hold's id")
    .requiredOption("--reason <text>", "why")
    .action(async (holdId: string, options) => {
      const { runHoldLift } = await import("./operate.ts");
      process.exitCode = await runHoldLift(holdId, options, terminal);
    });
  withServer(hold.command("list"))
    .description("holds in force and lifted")
    .action(async (options) => {
      const { runHoldList } = await import("./operate.ts");
      process.exitCode = await runHoldList(options, terminal);
    });
}

export function addGateCommands(root: Command, terminal: Terminal): void {
  addGate(root, terminal);
  addOperate(root, terminal);
}
