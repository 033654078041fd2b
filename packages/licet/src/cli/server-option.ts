import { Option, type Command } from "commander";

/** The options of every command that talks to a server. */
export function withServer(command: Command): Command {
  return command
    .addOption(new Option("--url <address>", "the server's address (default LICET_URL, else http://127.0.0.1:4400)"))
    .addOption(new Option("--space <name>", "the space (default LICET_SPACE, else main)"));
}
