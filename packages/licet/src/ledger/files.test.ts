import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nodeFiles } from "./files.ts";

const folder = mkdtempSync(join(tmpdir(), "licet-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what is written, read, cut and written again is what the file holds", async () => {
  const path = join(folder, "one");
  const file = await nodeFiles.open(path, "create");
  expect(await file.write(Buffer.from("hello world"), 0)).toBe(11);
  await file.datasync();
  await file.truncate(5);
  await file.datasync();
  await file.write(Buffer.from("!"), 5);
  await file.datasync();
  await file.close();
  expect(readFileSync(path, "utf8")).toBe("hello!");
  await expect(nodeFiles.open(path, "create")).rejects.toMatchObject({ code: "EEXIST" });
});

const traced = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

/** Every system call that makes data durable, in order, as the kernel saw them. */
function syncs(program: string): readonly string[] {
  const script = join(folder, "program.ts");
  const output = join(folder, "trace");
  writeFileSync(script, `import { nodeFiles } from ${JSON.stringify(new URL("files.ts", import.meta.url).href)};\nconst path = ${JSON.stringify(join(folder, "kept"))};\n${program}`);
  execFileSync("strace", ["-f", "-qq", "-o", output, "-e", "trace=openat,pwrite64,fdatasync,ftruncate", "-P", join(folder, "kept"), process.execPath, "--conditions=source", script], { stdio: "ignore" });
  const calls = readFileSync(output, "utf8").split("\n");
  return calls.flatMap((line) => {
    const name = /(openat|pwrite64|fdatasync|ftruncate)\(/u.exec(line)?.[1];
    return name === undefined ? [] : [name === "openat" ? `open${line.includes("O_DSYNC") ? " durable" : ""}` : name];
  });
}

test.skipIf(!traced)("a kept file is opened for durable writes, and synced once more for what is older or cut (needs strace)", () => {
  writeFileSync(join(folder, "kept"), "left by a process that died");
  const one = `await file.write(Buffer.from("x"), 0); await file.datasync();`;
  expect(syncs(`const file = await nodeFiles.open(path, "update"); await file.datasync(); ${one} ${one} await file.truncate(3); await file.datasync(); ${one} await file.close();`)).toEqual([
    "open durable",
    "fdatasync",
    "pwrite64",
    "pwrite64",
    "ftruncate",
    "fdatasync",
    "pwrite64",
  ]);
}, 60_000);
