import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";

const folder = path.resolve(import.meta.dirname, "../../../../docs/checks");

/** What every page says, in a sentence at least. */
const parts = {
  "the question it answers": /\*\*Question\.\*\* [A-Z][^\n]{20,}\?/u,
  "how it is computed": /\*\*Method\.\*\*\s\S(?:(?!\n\n\*\*)[\s\S]){80,}/u,
  "what decides": /\*\*(?:Verdict|Default limit)\.\*\* \S[^\n]{3,}/u,
  "what it assumes": /\*\*Assumes[^*\n]*\*\*:? \S[^\n]{15,}/u,
  "when not to use it": /\*\*Do not (?:use|read)\*\* \S[^\n]{15,}/u,
  "its source": /(?:\*\*Sources?\.\*\*|^Sources:) \S[^\n]{10,}/mu,
} as const;

describe("what is written about checks", () => {
  test.each(catalogue.map(({ check }) => check))("%s has a page that says what it answers, how, and when not to use it", (check) => {
    const file = path.join(folder, `${check}.md`);
    expect(existsSync(file) ? "" : `docs/checks/${check}.md is missing`).toBe("");
    const page = readFileSync(file, "utf8");
    expect(page.startsWith(`# ${check}\n`)).toBe(true);
    expect(page.split("\n").length).toBeLessThanOrEqual(61);
    for (const [part, form] of Object.entries(parts)) expect(form.test(page) ? "" : `docs/checks/${check}.md: ${part}`).toBe("");
    const blocks = Array.from(page.matchAll(/^```\w*\n([\s\S]+?)\n```$/gmu), ([, block = ""]) => block);
    const shown = blocks.find((block) => /^(?:pass|fail|insufficient evidence|advisory)\b/u.test(block.startsWith(`${check}  `) ? block.slice(check.length + 2) : ""));
    expect(shown ?? `docs/checks/${check}.md shows no result`).toMatch(/\d/u);
  });

  test("a page with headings and nothing below them is not taken for one", () => {
    const hollow = "# x\n**Question.**\n\n**Method.**\n\n**Verdict.**\n\n**Assumes**\n\n**Do not use**\n\n**Source.**\n";
    expect(Object.entries(parts).filter(([, form]) => form.test(hollow))).toEqual([]);
  });

  test("no check is in the catalogue twice", () => {
    const ids = catalogue.map(({ check }) => check);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
