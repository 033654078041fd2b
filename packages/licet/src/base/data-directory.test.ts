import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { manualClock } from "./clock.ts";
import { openDataDirectory } from "./data-directory.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });
const clock = manualClock(1_700_000_000_000);
let root = "";
let path = "";

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "licet-data-"));
  path = join(root, "a", "data");
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function hold(directory: string): Promise<ChildProcess> {
  const source = `
    const { openDataDirectory } = await import(${JSON.stringify(join(import.meta.dirname, "data-directory.ts"))});
    await openDataDirectory(${JSON.stringify(directory)}, { now: () => 0 });
    process.stdout.write("held");
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", reject);
  });
  return child;
}

test("a new directory is private and says who made it, in which format", async () => {
  const data = await openDataDirectory(path, clock);
  expect(data.isNew).toBe(true);
  data.close();
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect(JSON.parse(await readFile(join(path, "format.json"), "utf8"))).toEqual({ formatVersion: 1, createdBy: "licet 0.1.0", createdAt: 1_700_000_000_000 });
  const again = await openDataDirectory(path, manualClock(5));
  expect(again).toMatchObject({ isNew: false, format: { createdAt: 1_700_000_000_000 } });
  again.close();
});

test("an empty directory that others could read is made private", async () => {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
  (await openDataDirectory(path, clock)).close();
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test("a second process is refused and told the first one's number, until kill -9 ends that", async () => {
  const holder = await hold(path);
  await expect(openDataDirectory(path, clock)).rejects.toThrow(code("data_locked"));
  await expect(openDataDirectory(path, clock)).rejects.toThrow(`\`${path}\` is in use by process ${holder.pid};`);
  const ended = new Promise((resolve) => holder.once("exit", resolve));
  holder.kill("SIGKILL");
  await ended;
  (await openDataDirectory(path, clock)).close();
});

test("the same process is refused too, until it has closed the directory", async () => {
  const first = await openDataDirectory(path, clock);
  await expect(openDataDirectory(path, clock)).rejects.toThrow(code("data_locked"));
  first.close();
  first.close();
  (await openDataDirectory(path, clock)).close();
});

test("a directory of a newer format is refused, and left unlocked and unchanged", async () => {
  (await openDataDirectory(path, clock)).close();
  const newer = '{"formatVersion":2,"createdBy":"licet 9","createdAt":1}';
  await writeFile(join(path, "format.json"), newer);
  await expect(openDataDirectory(path, clock)).rejects.toThrow(code("data_too_new"));
  await expect(openDataDirectory(path, clock)).rejects.toThrow(code("data_too_new"));
  expect(await readFile(join(path, "format.json"), "utf8")).toBe(newer);
});

test.each(["", "{", "null", "[]", '{"formatVersion":"1"}', '{"formatVersion":0,"createdBy":"x","createdAt":1}', `{"x":"${"y".repeat(5_000)}"}`])(
  "a damaged format file is refused, never rewritten: %s",
  async (text) => {
    (await openDataDirectory(path, clock)).close();
    await writeFile(join(path, "format.json"), text);
    await expect(openDataDirectory(path, clock)).rejects.toThrow(code("data_damaged"));
    expect(await readFile(join(path, "format.json"), "utf8")).toBe(text);
  },
);

test("somebody else's directory is refused and nothing is put into it", async () => {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o755);
  await writeFile(join(path, "thesis.txt"), "mine");
  await expect(openDataDirectory(path, clock)).rejects.toThrow(code("data_foreign"));
  await expect(stat(join(path, "lock.db"))).rejects.toThrow(/ENOENT/u);
  expect((await stat(path)).mode & 0o777).toBe(0o755);
});

test("a path through a file is refused as unwritable", async () => {
  await writeFile(join(root, "file"), "");
  await expect(openDataDirectory(join(root, "file", "data"), clock)).rejects.toThrow(code("data_unwritable"));
  await expect(openDataDirectory(join(root, "file"), clock)).rejects.toThrow(code("data_unwritable"));
});

test.skipIf(process.getuid?.() === 0)("a directory without write permission is refused as unwritable (root may write anywhere)", async () => {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o500);
  await expect(openDataDirectory(path, clock)).rejects.toThrow(code("data_unwritable"));
});
