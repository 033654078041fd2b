/**
 * Writes a log with the product's own writer, several writers at once, killed at random points and started again, and
 * has it checked: every acknowledged entry against the published files, the whole log and every checkpoint seen on the
 * way against the independent verifier where that is present.
 *
 *   npm run oracles:log -- --out DIR [--entries N] [--seed S] [--quick]
 *
 * DIR must be new or empty; afterwards the log is in DIR/log, checkpoints seen on the way in DIR/seen. The last line is
 * JSON. Exit code 0 when all match, 1 when something differs, 2 when DIR cannot be used.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { entriesPath, parseCheckpoint, parseEntryBundle, parseLeaf, parseNote, tileWidthAt } from "@licet/evidence";
import { seeded } from "../packages/licet/src/ledger/log-fixture.ts";
import { askTlogOracle, tlogOracleAbsent, tlogOraclePresent } from "../packages/licet/src/ledger/tlog-oracle.ts";

interface Written {
  readonly vkey: string;
  /** Id by index. */
  readonly acknowledged: ReadonlyMap<number, string>;
  readonly kills: number;
  readonly seen: readonly string[];
}

interface Workload {
  readonly entries: number;
  readonly seed: number;
  readonly killsMax: number;
}

interface Mismatch {
  readonly area: "writer";
  readonly name: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

const child = path.join(import.meta.dirname, "oracles", "log-writer.ts");
const tileWidth = 256;

const { values } = parseArgs({
  options: { out: { type: "string" }, entries: { type: "string" }, seed: { type: "string", default: "1" }, quick: { type: "boolean", default: false } },
});
process.exitCode = await main(values.out, Number(values.entries ?? (values.quick ? 2000 : 50_000)), Number(values.seed));

async function main(out: string | undefined, entries: number, seed: number): Promise<number> {
  if (out === undefined || !(entries > 0) || !Number.isSafeInteger(seed) || (existsSync(out) && readdirSync(out).length > 0)) {
    console.error("usage: npm run oracles:log -- --out DIR [--entries N] [--seed S] [--quick], with DIR new or empty");
    return 2;
  }
  const dir = path.resolve(out);
  mkdirSync(path.join(dir, "seen"), { recursive: true });
  const written = await write(dir, { entries, seed, killsMax: values.quick ? 3 : 8 });
  const { mismatches, total } = check(dir, written);
  console.log(`${written.acknowledged.size} acknowledged entries, ${written.kills} kills, ${written.seen.length} checkpoints on the way${tlogOraclePresent ? "" : `; ${tlogOracleAbsent}`}`);
  const areas = { writer: { matched: total - mismatches.length, total } };
  console.log(JSON.stringify({ oracle: "log", dir: path.join(dir, "log"), vkey: written.vkey, areas, mismatches: mismatches.slice(0, 100) }));
  return mismatches.length === 0 ? 0 : 1;
}

/** Starts the writer again after each kill; the last one ends by itself. */
async function write(dir: string, { entries, seed, killsMax }: Workload): Promise<Written> {
  const random = seeded(seed);
  const acknowledged = new Map<number, string>();
  const seen: string[] = [];
  let vkey = "";
  let kills = 0;
  for (let round = 0; ; round += 1) {
    const left = entries - acknowledged.size;
    // Each kill comes within what is left; one that comes at once hits the recovery from the kill before.
    const after = round < killsMax ? Math.floor(random() ** 2 * left) : undefined;
    const { killed, output } = await runWriter([dir, String(entries), String(seed * 1000 + round)], after);
    kills += killed ? 1 : 0;
    for (const line of output.split("\n").slice(0, -1)) {
      const [first = "", second = ""] = line.split(" ");
      if (first === "vkey") vkey = second;
      else acknowledged.set(Number(first), second);
    }
    keepCheckpoint(dir, round, seen);
    if (!killed) return { vkey, acknowledged, kills, seen };
  }
}

function keepCheckpoint(dir: string, round: number, seen: string[]): void {
  const checkpoint = path.join(dir, "log", "checkpoint");
  if (!existsSync(checkpoint)) return;
  const copy = path.join(dir, "seen", String(round));
  writeFileSync(copy, readFileSync(checkpoint));
  seen.push(copy);
}

function runWriter(args: readonly string[], killAfter: number | undefined): Promise<{ readonly killed: boolean; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const writer = spawn(process.execPath, ["--conditions=source", child, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    const pieces: string[] = [];
    let lines = 0;
    writer.stdout.on("data", (data: Buffer) => {
      pieces.push(data.toString("utf8"));
      for (const byte of data) lines += byte === 10 ? 1 : 0;
      if (killAfter !== undefined && lines > killAfter) writer.kill("SIGKILL");
    });
    writer.on("error", reject);
    writer.on("close", (code, signal) => {
      if (code === 0 || signal === "SIGKILL") resolve({ killed: signal === "SIGKILL", output: pieces.join("") });
      else reject(new Error(`the writer ended with ${code ?? signal}`));
    });
  });
}

function check(dir: string, { vkey, acknowledged, seen }: Written): { readonly mismatches: readonly Mismatch[]; readonly total: number } {
  const log = path.join(dir, "log");
  const size = sizeOf(path.join(log, "checkpoint"));
  const published = publishedIds(log, size);
  const mismatches: Mismatch[] = [];
  for (const [index, id] of acknowledged) {
    if (published[index] !== id) mismatches.push({ area: "writer", name: `entry ${index}`, expected: id, actual: published[index] ?? null });
  }
  if (!tlogOraclePresent) return { mismatches, total: acknowledged.size };
  // One at a time only to name the culprit: each question reads the whole log.
  const whole = agrees(verdict(log, vkey, seen), size);
  for (const olds of whole ? [] : [[], ...seen.map((old) => [old])]) {
    const actual = verdict(log, vkey, olds);
    const name = olds[0] === undefined ? "the log" : `consistency with checkpoint ${path.basename(olds[0])}`;
    if (!agrees(actual, size)) mismatches.push({ area: "writer", name, expected: { ok: true, size }, actual });
  }
  return { mismatches, total: acknowledged.size + 1 + seen.length };
}

function agrees(answer: ReturnType<typeof verdict>, size: number): boolean {
  return typeof answer === "object" && answer.ok && answer.size === size;
}

function verdict(log: string, vkey: string, olds: readonly string[]) {
  try {
    return askTlogOracle(log, vkey, olds);
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : "failed";
  }
}

function sizeOf(checkpoint: string): number {
  const note = parseNote(readFileSync(checkpoint, "utf8"));
  const parsed = note.ok ? parseCheckpoint(note.value.text) : note;
  if (!parsed.ok) throw new Error(`the checkpoint does not parse: ${parsed.message}`);
  return parsed.value.size;
}

/** Ids of the leaves as a reader of the published files finds them, without the journal. */
function publishedIds(log: string, size: number): readonly string[] {
  const ids: string[] = [];
  for (let index = 0; index * tileWidth < size; index += 1) {
    const width = tileWidthAt({ level: "entries", index, size });
    const bundle = parseEntryBundle(readFileSync(path.join(log, entriesPath(index, width))), width);
    if (!bundle.ok) throw new Error(`bundle ${index} does not parse: ${bundle.message}`);
    for (const bytes of bundle.value) {
      const leaf = parseLeaf(bytes);
      ids.push(leaf.ok ? leaf.value.id : "");
    }
  }
  return ids;
}
