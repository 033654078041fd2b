import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../base/clock.ts";
import { dump, install, toyKinds } from "./recorder-fixture.ts";
import { registryOf } from "./registry.ts";
import { rebuildDatabase } from "./replay.ts";
import { askTlogOracle, tlogOraclePresent } from "./tlog-oracle.ts";

const child = fileURLToPath(new URL("kill-child.ts", import.meta.url));

/** Runs the child until it has told enough, kills it in the middle of its work, and returns what it acknowledged. */
function killed(directory: string, run: string, acknowledgements: number): Promise<readonly string[]> {
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

export interface KillRound {
  readonly directory: string;
  /** Distinguishes the rounds on one directory. */
  readonly round: number;
  readonly acknowledgements: number;
  /** Files of checkpoints that earlier rounds saw; this round adds its own. */
  readonly olds: string[];
}

export interface KillResult {
  readonly acknowledged: number;
  readonly size: number;
  readonly losses: readonly string[];
}

/** One kill -9 in the middle of work, then a start, a rebuild of the tables, and the verifier's opinion. */
export async function killRound({ directory, round, acknowledgements, olds }: KillRound): Promise<KillResult> {
  const acknowledged = await killed(directory, `r${round}`, acknowledgements);
  const checkpoint = await readFile(join(directory, "log", "checkpoint")).catch(() => undefined);
  if (checkpoint) {
    const old = join(directory, `old-${round}`);
    await writeFile(old, checkpoint);
    olds.push(old);
  }
  const at = await install({ directory, clock: systemClock });
  const losses: string[] = [];
  try {
    for (const line of acknowledged) {
      const [index = "", id = ""] = line.split(" ");
      if ((await at.recorder.readAt("main", Number(index)))?.id !== id) losses.push(`round ${round}: entry ${index} (${id}) was acknowledged and is gone`);
    }
    const { database, log, keyring } = at;
    const live = JSON.stringify(await dump(database));
    await rebuildDatabase({ database, log, keyring, registry: registryOf(toyKinds), now: () => 0 });
    if (JSON.stringify(await dump(database)) !== live) losses.push(`round ${round}: the rebuilt tables differ from the live ones`);
    await log.publish();
    const verdict = tlogOraclePresent ? askTlogOracle(join(directory, "log"), log.vkey, olds) : { ok: true, size: log.size };
    if (!verdict.ok || verdict.size !== log.size) losses.push(`round ${round}: the independent verifier refuses the log`);
    return { acknowledged: acknowledged.length, size: log.size, losses };
  } finally {
    await at.close();
  }
}
