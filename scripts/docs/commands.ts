import type { Argument, Command, Option } from "commander";
import { program } from "../../packages/licet/src/cli/program.ts";
import { table } from "./block.ts";
import { commandExamples } from "./examples.ts";

export interface DocumentedCommand {
  readonly name: string;
  readonly command: Command;
}

const silent = { out: () => undefined, err: () => undefined, colour: false, width: 80 };

/** A command with others below it may do something of its own: commander keeps what it does in this member, and has no question for it. */
function acts(command: Command): boolean {
  return command.commands.length === 0 || typeof Reflect.get(command, "_actionHandler") === "function";
}

function acting(command: Command, before: readonly string[]): readonly DocumentedCommand[] {
  const path = [...before, command.name()];
  const own = acts(command) ? [{ name: path.join(" "), command }] : [];
  return [...own, ...command.commands.flatMap((child) => acting(child, path))];
}

/** Every command that does something, by its full name, in the order of `licet --help`. */
export function documentedCommands(): readonly DocumentedCommand[] {
  return acting(program(silent), []);
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
  const mandatory = ownOptions(command).filter((option) => option.mandatory).map((option) => option.flags);
  const optional = command.options.some((option) => !option.mandatory) ? ["[options]"] : [];
  const example = commandExamples[name];
  const options = ownOptions(command).map((option) => [`\`${option.flags}\``, option.description, notes(option)]);
  const server = talksToServer(command) ? ["", "Talks to the server: `--url`, `--space`."] : [];
  return [
    `### \`${usage}\``, "", `${command.description()}.`, ...server, "",
    `Usage: \`${[usage, ...mandatory, ...optional].join(" ")}\``,
    ...(options.length === 0 ? [] : ["", table(["option", "meaning", "notes"], options)]), "",
    ...(example === undefined ? [] : [...example.lines.map((line) => `    ${line}`), ""]),
    `Exit codes: 0 fine, 1 ${example?.one ?? (talksToServer(command) ? "the server refused" : "refused")}, 2 usage, 3 could not run.`,
  ].join("\n");
}

/** The reference part of docs/cli.md. */
export function commandReference(): string {
  return documentedCommands().map(section).join("\n\n");
}
