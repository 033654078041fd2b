import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { seeded } from "./log-fixture.ts";
import { dump, install, newDirectory, removeDirectory, toyKinds } from "./recorder-fixture.ts";
import { registryOf } from "./registry.ts";
import { rebuildDatabase } from "./replay.ts";

const child = fileURLToPath(new URL("kill-child.ts", import.meta.url));
const oracle = "../shared/evidence/verify_tlog.py";
const python = "/usr/bin/python3";
const independent = existsSync(oracle) && existsSync(python);

let directory = "";
afterEach(() => removeDirectory(directory));

/** Runs the child until it has told enough, kills it in the middle of its work, and returns what it acknowledged. */
function killed(run: string, acknowledgements: number): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const process = spawn(globalThis.process.execPath, ["--conditions=source", child, directory, run], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    process.stdout.on("data", (data: Buffer) => {
      output += data.toString();
      if (output.split("\n").length > acknowledgements) process.kill("SIGKILL");
    });
    process.on("error", reject);
    process.on("close", (_, signal) => {
      if (signal === "SIGKILL") resolve(output.split("\n").slice(1, -1));
      else reject(new Error(`the child ended by itself: ${output.slice(0, 300)}`));
    });
  });
}

test("a killed server loses nothing that it acknowledged, signs no second history, and rebuilds to the same tables", async () => {
  directory = await newDirectory();
  const random = seeded(5);
  const olds: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const acknowledged = await killed(`r${round}`, 30 + Math.floor(random() * 300));
    const checkpoint = await readFile(join(directory, "log", "checkpoint")).catch(() => undefined);
    if (checkpoint) {
      olds.push(join(directory, `old-${round}`));
      await writeFile(join(directory, `old-${round}`), checkpoint);
    }
    const at = await install({ directory, clock: systemClock });
    for (const line of acknowledged) {
      const [index = "", id = ""] = line.split(" ");
      expect(await at.recorder.readAt("main", Number(index))).toMatchObject({ id });
    }
    const live = await dump(at.database);
    const { database, log, keyring } = at;
    await rebuildDatabase({ database, log, keyring, registry: registryOf(toyKinds), now: () => 0 });
    expect(await dump(at.database)).toEqual(live);
    await log.publish();
    const args = [oracle, "check", join(directory, "log"), "--vkey", log.vkey, "--json", ...olds.flatMap((old) => ["--old", old])];
    const verdict = independent ? JSON.parse(execFileSync(python, args).toString("utf8")) : { ok: true, size: log.size };
    expect(verdict).toMatchObject({ ok: true, size: log.size });
    await at.close();
  }
}, 120_000);

test.skipIf(independent)("the independent verifier is not here, so the test above did without it", () => {
  expect(independent).toBe(false);
});
