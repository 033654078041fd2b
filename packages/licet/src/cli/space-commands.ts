import type { Command } from "commander";
import { withServer } from "./server-option.ts";
import type { Terminal } from "./terminal.ts";

export function addSpaceCommands(root: Command, terminal: Terminal): void {
  const space = root.command("space").description("spaces: each with its own systems, policies, people's roles and keys");
  withServer(space.command("create"))
    .description("opens a space beside `main`; you become its administrator")
    .argument("<name>", "lower-case letters, digits and hyphens")
    .option("--title <text>", "one line, as people read it (default: the name)")
    .action(async (name: string, options) => {
      const { runSpaceCreate } = await import("./space.ts");
      process.exitCode = await runSpaceCreate(name, options, terminal);
    });
  withServer(space.command("list"))
    .description("the spaces that you belong to, with your roles there")
    .action(async (options) => {
      const { runSpaceList } = await import("./space.ts");
      process.exitCode = await runSpaceList(options, terminal);
    });
}
