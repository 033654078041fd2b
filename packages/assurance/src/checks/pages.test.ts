import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { catalogue } from "./catalogue.ts";

const folder = path.resolve(import.meta.dirname, "../../../../docs/checks");

describe("what is written about checks", () => {
  test.each(catalogue.map(({ check }) => check))("%s has a page that says what it answers, how, and when not to use it", (check) => {
    const file = path.join(folder, `${check}.md`);
    expect(existsSync(file) ? "" : `docs/checks/${check}.md is missing`).toBe("");
    const page = readFileSync(file, "utf8");
    expect(page.startsWith(`# ${check}\n`)).toBe(true);
    expect(page.split("\n").length).toBeLessThanOrEqual(61);
    expect(page).toMatch(/\*\*Question\.?\*\*/u);
  });

  test("no check is in the catalogue twice", () => {
    const ids = catalogue.map(({ check }) => check);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
