import { CiKind } from "@licet/contract";
import { Option, type Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";

export function addCiCommands(root: Command, terminal: Terminal): void {
  const ci = root.command("ci").description("whose CI runs count: tokens of a registered repository, ref and workflow");
  withServer(ci.command("register"))
    .description("lets the runs of one workflow count for a system: a gate move")
    .addOption(new Option("--kind <kind>", "whose tokens").choices(CiKind.options).makeOptionMandatory())
    .option("--repository <name>", "such as octo/app; of GitLab the project's path")
    .option("--ref <ref>", "GitHub: refs/heads/main; GitLab: main; `*` stands for any characters")
    .option("--workflow <file>", "such as .github/workflows/licet.yml, or the claim's whole value")
    .option("--claim <rule...>", "NAME=VALUE: what a claim must be, besides or instead of those")
    .option("--name <claim...>", "for other: PART=CLAIM, which claim says repository, ref, workflow, commit, run")
    .option("--issuer <address>", "exactly the `iss` of its tokens (default: GitHub's or GitLab's public one)")
    .option("--audience <text>", "exactly the `aud` of its tokens (default: the server's address)")
    .option("--allow-private", "the issuer's address may be private (never link-local or metadata)")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .action(async (options) => {
      const { runCiRegister } = await import("./ci.ts");
      process.exitCode = await runCiRegister(options, terminal);
    });
  withServer(ci.command("list"))
    .description("the CI registrations of a system: who let in what, when")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { runCiList } = await import("./ci.ts");
      process.exitCode = await runCiList(options, terminal);
    });
  withServer(ci.command("remove"))
    .description("removes a registration at once; credentials exchanged under it end with it")
    .argument("<registration>", "its id, as `licet ci list` prints it")
    .requiredOption("--reason <text>", "why")
    .option("--dir <folder>", "the folder of licet.yaml", ".")
    .option("--system <name>", "a system by name instead of a folder")
    .action(async (id: string, options) => {
      const { runCiRemove } = await import("./ci.ts");
      process.exitCode = await runCiRemove(id, options, terminal);
    });
}
