import { execFileSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";

const root = join(import.meta.dirname, "..", "..", "..");
const directMax = 36;

const counted = z
  .object({ direct: z.record(z.string(), z.int()), closure: z.array(z.string()) })
  .parse(JSON.parse(execFileSync(process.execPath, [join(root, "scripts", "dependency-count.mjs"), "--json"], { encoding: "utf8" })));
const page = readFileSync(join(root, "docs", "dependencies.md"), "utf8");

function ownNames(): readonly string[] {
  const Package = z.object({ dependencies: z.record(z.string(), z.string()).optional() });
  const files = globSync("packages/*/package.json", { cwd: root });
  const names = files.flatMap((file) => Object.keys(Package.parse(JSON.parse(readFileSync(join(root, file), "utf8"))).dependencies ?? {}));
  return [...new Set(names)].filter((name) => !name.startsWith("@licet/")).toSorted();
}

test("the count sees every direct dependency of every package", () => {
  expect(Object.keys(counted.direct).toSorted()).toStrictEqual(ownNames());
});

test("docs/dependencies.md lists each direct dependency with what it brings, and nothing else", () => {
  const rows = Array.from(page.matchAll(/^\| (@?[\w./-]+) \| (\d+) \| ([^|]+) \| ([^|]+) \|$/gmu), (match) => [match[1], Number(match[2])]);
  expect(Object.fromEntries(rows)).toStrictEqual(counted.direct);
});

test("docs/dependencies.md names the two counts, and the direct one is within the limit", () => {
  const direct = Object.keys(counted.direct).length;
  expect(page).toContain(`${direct} direct, ${counted.closure.length} in all.`);
  expect(direct).toBeLessThanOrEqual(directMax);
});

test("the closure holds what a direct dependency needs, each once, and no test tool", () => {
  expect(counted.closure).toStrictEqual([...new Set(counted.closure)].toSorted());
  const names = counted.closure.map((each) => each.slice(0, each.lastIndexOf("@")));
  expect(names).toContain("pg-protocol");
  expect(names).not.toContain("vitest");
});
