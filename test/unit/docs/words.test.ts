import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { documentedCommands } from "../../../scripts/docs/commands.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const pages = globSync(["*.md", "docs/*.md"], { cwd: root }).filter((page) => page !== "GLOSSARY.md");

/** Words that GLOSSARY.md replaces. Those with another plain meaning here (`project`, `run`, `version`) are left out. */
const avoided = /\b(?:tenants?|workspaces?|use cases?|service accounts?|audit rows?|whitelist|blacklist|sudo|kill chain)\b/iu;

test("every avoided word stands in the glossary, or is one that nobody needs", () => {
  const glossary = readFileSync(join(root, "GLOSSARY.md"), "utf8");
  for (const word of ["tenant", "workspace", "use case", "service account", "audit row", "sudo"]) expect(glossary).toContain(word);
});

test.each(pages)("no heading of %s uses a word that the glossary replaces", (page) => {
  const headings = readFileSync(join(root, page), "utf8").match(/^#{1,6} .+$/gmu) ?? [];
  expect(headings.filter((heading) => avoided.test(heading))).toStrictEqual([]);
});

test("no command or option of the command line uses one", () => {
  const words = documentedCommands().flatMap(({ name, command }) => [name, command.description(), ...command.options.flatMap((option) => [option.flags, option.description])]);
  expect(words.filter((text) => avoided.test(text))).toStrictEqual([]);
});
