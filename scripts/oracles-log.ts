/**
 * Writes a log with the product's own writer, several writers at once, killed at random points and started again; then
 * erases the payloads of two of its four subjects, prunes its first third, and writes on. Before and after that it is
 * checked: every acknowledged entry against the published files, the whole log and every checkpoint seen on the way
 * against the independent verifier where that is present, every payload against its key.
 *
 *   npm run oracles:log -- --out DIR [--entries N] [--seed S] [--quick]
 *
 * DIR must be new or empty; afterwards the log is in DIR/log, checkpoints seen on the way in DIR/seen. The last line is
 * JSON. Exit code 0 when all match, 1 when something differs, 2 when DIR cannot be used.
 */
import { spawn, spawnSync } from "node:child_process";
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
  /** What was acknowledged before. */
  readonly prior: ReadonlyMap<number, string>;
}

interface Checked {
  readonly mismatches: readonly Mismatch[];
  readonly total: number;
}

interface Mismatch {
  readonly area: "writer";
  readonly name: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

const child = path.join(import.meta.dirname, "oracles", "log-writer.ts");
const eraser = path.join(import.meta.dirname, "oracles", "log-eraser.ts");
const tileWidth = 256;
/** Of the entries, so many are there when payloads are erased. */
const shareBefore = 0.9;
const erasedSubjects = ["system:system-1", "system:system-3"];

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
  const before = Math.ceil(entries * shareBefore);
  const first = await write(dir, { entries: before, seed, killsMax: values.quick ? 3 : 8, prior: new Map() });
  const checks = [check(dir, first), erase(dir)];
  const written = await write(dir, { entries, seed: seed + 1, killsMax: 1, prior: first.acknowledged });
  const seen = [...first.seen, ...written.seen];
  checks.push(check(dir, { ...written, seen }));
  const mismatches = checks.flatMap((each) => each.mismatches);
  const total = checks.reduce((sum, each) => sum + each.total, 0);
  console.log(`${written.acknowledged.size} acknowledged entries, ${first.kills + written.kills} kills, ${seen.length} checkpoints on the way${tlogOraclePresent ? "" : `; ${tlogOracleAbsent}`}`);
  const areas = { writer: { matched: total - mismatches.length, total } };
  console.log(JSON.stringify({ oracle: "log", dir: path.join(dir, "log"), vkey: written.vkey, areas, mismatches: mismatches.slice(0, 100) }));
  return mismatches.length === 0 ? 0 : 1;
}

/** Starts the writer again after each kill; the last one ends by itself. */
async function write(dir: string, { entries, seed, killsMax, prior }: Workload): Promise<Written> {
  const random = seeded(seed);
  const acknowledged = new Map(prior);
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
    keepCheckpoint(dir, `${seed}-${round}`, seen);
    if (!killed) return { vkey, acknowledged, kills, seen };
  }
}

function keepCheckpoint(dir: string, round: string, seen: string[]): void {
  const checkpoint = path.join(dir, "log", "checkpoint");
  if (!existsSync(checkpoint)) return;
  const copy = path.join(dir, "seen", round);
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

/** Leaves stay, so that the log verifies as before; of the payloads, those of the erased subjects open no more. */
function erase(dir: string): Checked {
  const run = spawnSync(process.execPath, ["--conditions=source", eraser, dir, ...erasedSubjects], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (run.status !== 0) throw new Error(`the eraser ended with ${run.status ?? run.signal}`);
  const { erased, opened, wrong, minimumIndex }: { erased: number; opened: number; wrong: number; minimumIndex: number } = JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "");
  const whole = erased > 0 && opened > 0 && minimumIndex > 0;
  const mismatches: Mismatch[] = wrong === 0 && whole ? [] : [{ area: "writer", name: "erased payloads", expected: { wrong: 0 }, actual: { erased, opened, wrong, minimumIndex } }];
  return { mismatches, total: 1 };
}

function check(dir: string, { vkey, acknowledged, seen }: Written): Checked {
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
