import { Option, type Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";

function withPolicies(command: Command): Command {
  return command
    .option("--policies <folder>", "the installation's packs together with this folder's")
    .option("--bundle <file>", "a saved bundle (licet policy pull)");
}

/** `list`, `show` and `explain`: commands that read policies and change nothing. */
export function addPolicyReading(policy: Command, terminal: Terminal): void {
  withPolicies(policy.command("list"))
    .description("packs and policies: of the installation, a folder or a saved bundle")
    .option("--pack <name>", "only this pack")
    .option("--json", "machine-readable")
    .action(async (options) => {
      const { runPolicyList } = await import("./policy-show.ts");
      process.exitCode = await runPolicyList(options, terminal);
    });
  withPolicies(policy.command("show"))
    .description("a policy with its requirement, remedy, turn, controls and text; or a pack")
    .argument("<id>", "the policy's id, or a pack's name")
    .option("--json", "machine-readable")
    .action(async (id: string, options) => {
      const { runPolicyShow } = await import("./policy-show.ts");
      process.exitCode = await runPolicyShow({ ...options, id }, terminal);
    });
  withServer(withPolicies(policy.command("explain")))
    .description("decides a question and says what still has to hold")
    .argument("[system]", "the system, with --to: the gate's question now, or with --model: the gateway's; asked of the server")
    .addOption(new Option("--to <stage>", "the stage").choices(["experiment", "pilot", "production"]))
    .option("--model <name>", "a model that the system's deployment would call, as the manifest names it")
    .option("--classes <class...>", "data classes that the call would carry")
    .option("--environment <name>", "the environment (default: the manifest's first)")
    .option("--request <file>", "a request as JSON (- for standard input), decided here without a server")
    .option("--unknown <path...>", "parts of the request that are not known yet, such as context.evidence")
    .option("--json", "machine-readable")
    .action(async (system: string | undefined, options) => {
      const { runPolicyExplain } = await import("./policy-explain.ts");
      process.exitCode = await runPolicyExplain({ ...options, system }, terminal);
    });
}
