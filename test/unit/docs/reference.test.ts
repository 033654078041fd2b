import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errors, permissions, rolePermissions, roles } from "@licet/contract";
import { describe, expect, test } from "vitest";
import { withBlock } from "../../../scripts/docs/block.ts";
import { documentedCommands, ownOptions } from "../../../scripts/docs/commands.ts";
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
