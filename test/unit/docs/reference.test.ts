import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errors, permissions, rolePermissions, roles } from "@licet/contract";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { withBlock } from "../../../scripts/docs/block.ts";
import { documentedCommands, ownOptions } from "../../../scripts/docs/commands.ts";
import { commandExamples } from "../../../scripts/docs/examples.ts";
import { errorsPage } from "../../../scripts/docs/errors.ts";
import { manifestFields } from "../../../scripts/docs/manifest.ts";
import { blocks } from "../../../scripts/docs-reference.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const page = (name: string): string => readFileSync(join(root, "docs", name), "utf8");

describe("the reference pages say what the code says", () => {
  test.each(blocks)("$page holds the $name of today; else run scripts/docs-reference.ts", ({ page: name, name: block, content }) => {
    const text = page(name);
    expect(text).toBe(withBlock(text, block, content()));
  });

  test("errors.md is the registry of today; else run scripts/docs-errors.ts", () => {
    expect(page("errors.md")).toBe(errorsPage());
  });

  test("a page without its markers is not taken for a current one", () => {
    expect(() => withBlock("# a page", "commands", "text")).toThrow("holds no block `commands`");
  });
});

/** Whether an example names the command, options that it has, and all those that it must have. */
function takes(command: Command, name: string, line: string): boolean {
  const used = Array.from(line.matchAll(/(?<=\s)--[a-z-]+/gu), ([flag]) => flag);
  const known = command.options.map(({ long }) => long);
  const chosen = command.options.every(({ long, argChoices }) => {
    const value = new RegExp(`(?<=\\s${long} )\\S+`, "u").exec(line)?.[0];
    return argChoices === undefined || value === undefined || argChoices.includes(value);
  });
  const must = command.options.filter(({ mandatory }) => mandatory).map(({ long }) => long ?? "");
  const rest = line.slice(name.length).replaceAll(/"[^"]*"/gu, "TEXT").trim().split(/\s+/u).filter(Boolean);
  const first = rest.findIndex((word) => word.startsWith("--"));
  const given = first < 0 ? rest.length : first;
  const required = command.registeredArguments.filter((argument) => argument.required).length;
  const most = command.registeredArguments.some(({ variadic }) => variadic) ? Infinity : command.registeredArguments.length;
  return line.startsWith(name) && chosen && used.every((flag) => known.includes(flag)) && must.every((flag) => used.includes(flag)) && given >= required && (given <= most || line.includes(" > "));
}

describe("nothing is left out", () => {
  test("every error code has what, why and fix, once", () => {
    const text = page("errors.md");
    const listed = Array.from(text.matchAll(/^### `(\w+)`$/gmu), (match) => match[1] ?? "");
    expect(listed).toHaveLength(new Set(listed).size);
    expect(new Set(listed)).toStrictEqual(new Set(Object.keys(errors)));
    for (const part of ["What", "Why", "Fix"]) expect(text.match(new RegExp(`^- ${part}: \\S`, "gmu"))).toHaveLength(listed.length);
  });

  test("every command and every option of its own stands in cli.md", () => {
    const sections = page("cli.md").split("\n### ").slice(1);
    const missing = documentedCommands().flatMap(({ name, command }) => {
      const section = sections.find((each) => each.startsWith(`\`${name}\``) || each.startsWith(`\`${name} `));
      if (section === undefined) return [name];
      return ownOptions(command).filter((option) => !section.includes(`\`${option.flags}\``)).map((option) => `${name} ${option.flags}`);
    });
    expect(missing).toStrictEqual([]);
    expect(sections.length).toBe(documentedCommands().length);
  });

  test("every command has an example that it takes, its usage and its exit codes; one with others below it as well", () => {
    const named = documentedCommands().map(({ name }) => name);
    expect(named).toContain("licet check");
    expect(Object.keys(commandExamples).toSorted()).toStrictEqual(named.toSorted());
    const wrong = documentedCommands().flatMap(({ name, command }) => (commandExamples[name]?.lines ?? []).filter((line) => !takes(command, name, line)));
    expect(wrong).toStrictEqual([]);
    const sections = page("cli.md").split("\n### ").slice(1);
    for (const section of sections) for (const part of [/^Usage: `licet /mu, /^ {4}licet \S/mu, /^Exit codes: 0 fine, 1 \S.*, 2 usage, 3 could not run\.$/mu]) expect(section).toMatch(part);
  });

  test("every permission and every role stands in the table with what the contract gives it", () => {
    const rows = page("identity.md").split("\n").filter((line) => line.startsWith("| "));
    const named = permissions.filter((each) => each !== "public");
    const written = named.map((permission) => {
      const row = rows.find((line) => line.startsWith(`| \`${permission}\` |`));
      return [permission, row?.split("|").slice(2, -1).map((each) => each.trim() === "yes")];
    });
    expect(written).toStrictEqual(named.map((permission) => [permission, roles.map((role) => rolePermissions[role].includes(permission))]));
  });

  test("every field of the manifest has a row, and one that the schema describes has its words", () => {
    const text = page("manifest.md");
    for (const { path } of manifestFields()) expect(text).toContain(`| \`${path}\` |`);
    expect(manifestFields().length).toBeGreaterThan(120);
  });
});
