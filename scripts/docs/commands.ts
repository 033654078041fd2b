import type { Argument, Command, Option } from "commander";
import { program } from "../../packages/licet/src/cli/program.ts";
import { table } from "./block.ts";

export interface DocumentedCommand {
  readonly name: string;
  readonly command: Command;
}

const silent = { out: () => undefined, err: () => undefined, colour: false, width: 80 };

function leaves(command: Command, before: readonly string[]): readonly DocumentedCommand[] {
  const path = [...before, command.name()];
  return command.commands.length === 0 ? [{ name: path.join(" "), command }] : command.commands.flatMap((child) => leaves(child, path));
}

/** Every command that does something, by its full name, in the order of `licet --help`. */
export function documentedCommands(): readonly DocumentedCommand[] {
  return leaves(program(silent), []);
}

const shared: ReadonlySet<string> = new Set(["--url", "--space"]);

export function ownOptions(command: Command): readonly Option[] {
  return command.options.filter((option) => !shared.has(option.long ?? ""));
}

export function talksToServer(command: Command): boolean {
  return command.options.some((option) => option.long === "--url");
}

function argumentText(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function notes(option: Option): string {
  const choices = option.argChoices === undefined ? [] : [`one of ${option.argChoices.map((choice) => `\`${choice}\``).join(", ")}`];
  const fallback = typeof option.defaultValue === "string" || typeof option.defaultValue === "number" ? [`default \`${option.defaultValue}\``] : [];
  const variable = option.envVar === undefined ? [] : [`or \`${option.envVar}\``];
  const must = option.mandatory ? ["required"] : [];
  return [...must, ...choices, ...fallback, ...variable].join("; ");
}

function section({ name, command }: DocumentedCommand): string {
  const usage = [name, ...command.registeredArguments.map(argumentText)].join(" ");
  const options = ownOptions(command).map((option) => [`\`${option.flags}\``, option.description, notes(option)]);
  const server = talksToServer(command) ? ["", "Talks to the server: `--url`, `--space`."] : [];
  return [`### \`${usage}\``, "", `${command.description()}.`, ...server, ...(options.length === 0 ? [] : ["", table(["option", "meaning", "notes"], options)])].join("\n");
}

/** The reference part of docs/cli.md. */
export function commandReference(): string {
  return documentedCommands().map(section).join("\n\n");
}
