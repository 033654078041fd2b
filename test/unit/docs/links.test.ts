import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");
const pages = globSync(["*.md", "docs/*.md", "packages/*/README.md", "examples/*/README.md"], { cwd: root });

interface Link {
  readonly file: string;
  readonly anchor: string | undefined;
}

/** Links of a page that lead to a file of the repository; code is not read for links. */
function linksOf(text: string): readonly Link[] {
  const prose = text.replaceAll(/^(?: {4}|\t).*$/gmu, "").replaceAll(/`[^`\n]*`/gu, "");
  const targets = Array.from(prose.matchAll(/\]\(([^)\s]+)\)/gu), (match) => match[1] ?? "");
  return targets.filter((target) => !/^[a-z]+:/u.test(target)).map((target) => ({ file: target.split("#")[0] ?? "", anchor: target.split("#")[1] }));
}

/** As GitHub makes them from headings. */
function anchorsOf(text: string): readonly string[] {
  const headings = Array.from(text.matchAll(/^#{1,6} (.+)$/gmu), (match) => match[1] ?? "");
  return headings.map((heading) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/gu, "-"));
}

test("there are pages to look at", () => {
  expect(pages.length).toBeGreaterThan(20);
});

test.each(pages)("every relative link of %s leads somewhere, and every anchor to a heading", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  const broken = linksOf(text).filter(({ file, anchor }) => {
    const path = file === "" ? page : normalize(join(dirname(page), file));
    if (!existsSync(join(root, path))) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(join(root, path), "utf8")).includes(anchor);
  });
  expect(broken).toStrictEqual([]);
});

test.each(pages)("%s names no place of somebody's machine", (page) => {
  expect(readFileSync(join(root, page), "utf8")).not.toMatch(/(?<![\w.])\/(?:home|root|work|tmp|Users)\//u);
});

test("every page in docs is reached from the README", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const unreached = pages.filter((page) => page.startsWith("docs/") && !readme.includes(`](${page}`));
  expect(unreached).toStrictEqual([]);
});
