import { Option, type Command } from "commander";
import { ProviderKind, roles } from "@licet/contract";
import type { Terminal } from "./terminal.ts";
import { withServer } from "./server-option.ts";

function addSession(root: Command, terminal: Terminal): void {
  withServer(root.command("login"))
    .description("signs in and keeps the session for the next commands")
    .option("--email <address>", "your e-mail address")
    .option("--password-file <file>", "read the password from a file (- for standard input) instead of asking")
    .action(async (options) => {
      const { runLogin } = await import("./login.ts");
      process.exitCode = await runLogin(options, terminal);
    });
  withServer(root.command("logout"))
    .description("forgets the session")
    .action(async (options) => {
      const { runLogout } = await import("./login.ts");
      process.exitCode = runLogout(options, terminal);
    });
  withServer(root.command("whoami"))
    .description("who is signed in, with which roles")
    .action(async (options) => {
      const { runWhoami } = await import("./login.ts");
      process.exitCode = await runWhoami(options, terminal);
    });
}

function addPeople(root: Command, terminal: Terminal): void {
  const people = root.command("people").description("people and their roles");
  withServer(people.command("add"))
    .description("adds a person and prints a one-time invitation")
    .requiredOption("--email <address>", "e-mail address")
    .requiredOption("--name <name>", "name")
    .addOption(new Option("--role <role...>", "roles to grant: gate moves").choices(roles))
    .action(async (options) => {
      const { runPeopleAdd } = await import("./people.ts");
      process.exitCode = await runPeopleAdd(options, terminal);
    });
  withServer(people.command("grant"))
    .description("grants a role: a gate move")
    .requiredOption("--email <address>", "whom")
    .addOption(new Option("--role <role...>", "roles").choices(roles).makeOptionMandatory())
    .action(async (options) => {
      const { runPeopleGrant } = await import("./people.ts");
      process.exitCode = await runPeopleGrant(options, terminal);
    });
  withServer(people.command("list"))
    .description("people and their roles")
    .action(async (options) => {
      const { runPeopleList } = await import("./people.ts");
      process.exitCode = await runPeopleList(options, terminal);
    });
}

function addProviders(root: Command, terminal: Terminal): void {
  const provider = root.command("provider").description("model providers: an endpoint in a manifest is compared, never dialled");
  withServer(provider.command("add"))
    .description("registers a provider: a gate move")
    .argument("<id>", "the name that manifests use")
    .requiredOption("--base-url <address>", "up to and including the version segment, as in https://api.openai.com/v1")
    .requiredOption("--vendor <name>", "the company behind it")
    .requiredOption("--region <name>", "where it processes data, such as eu")
    .addOption(new Option("--kind <kind>", "whose protocol it speaks, and how its key travels").choices(ProviderKind.options).default("openai"))
    .option("--api-version <version>", "of Azure: the value of `api-version`, where its address needs one")
    .option("--key-file <file>", "read the provider's key from a file (- for standard input)")
    .option("--allow-private", "its address may be private (never link-local or metadata)")
    .action(async (id: string, options) => {
      const { runProviderAdd } = await import("./providers.ts");
      process.exitCode = await runProviderAdd(id, options, terminal);
    });
  withServer(provider.command("list"))
    .description("registered providers")
    .action(async (options) => {
      const { runProviderList } = await import("./providers.ts");
      process.exitCode = await runProviderList(options, terminal);
    });
}

export function addOrganisationCommands(root: Command, terminal: Terminal): void {
  addSession(root, terminal);
  addPeople(root, terminal);
  addProviders(root, terminal);
}
