/**
 * What the assurance engine costs: drift over a million rows and twenty columns on each side, and fairness over a
 * million rows, beside the same statistics in pandas and scipy (Debian's python3-pandas and python3-scipy, through
 * /usr/bin/python3); and the cold start of `licet check --help` beside `node -e 0`.
 *
 *   npm run bench:assurance [-- --quick]
 *
 * Rounds take turns. The last line of the output is one JSON object: `ratios.drift` and `ratios.fairness` say how many
 * times faster than pandas and scipy (null where those are not installed), `ratios.start` how many times slower than
 * `node -e 0`; `figures` holds the medians in milliseconds.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { countCategories } from "../packages/assurance/src/drift/categories.ts";
import { measureCategoricalDrift } from "../packages/assurance/src/drift/categorical.ts";
import { measureMissingDrift } from "../packages/assurance/src/drift/missing.ts";
import { measureNumericDrift } from "../packages/assurance/src/drift/numeric.ts";
import { decideParity, measureParity } from "../packages/assurance/src/fairness/parity.ts";
import { type BenchData, makeData, writeData } from "./assurance/data.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const rows = values.quick ? 100_000 : 1_000_000;
const rounds = values.quick ? 3 : 5;
const python = "/usr/bin/python3";
const reference = fileURLToPath(new URL("assurance/reference.py", import.meta.url));
const program = fileURLToPath(new URL("../packages/licet/bin/licet.js", import.meta.url));

function drift({ numeric, categorical }: BenchData): unknown {
  const columns = measureNumericDrift(numeric, { seed: "bench" });
  const counts = categorical.map((pair) => countCategories(pair.name, pair.reference, pair.current));
  const missing = columns.columns.map(({ name, n, m, missing: lost }) => ({ name, reference: { events: lost.reference, n: n + lost.reference }, current: { events: lost.current, n: m + lost.current } }));
  return [columns, measureCategoricalDrift(counts, { seed: "bench" }), measureMissingDrift(missing)];
}

function fairness({ decided }: BenchData): unknown {
  const limit = { op: "<=", value: 0.1, alpha: 0.05, source: "bench" } as const;
  return (["fair.parity", "fair.odds", "fair.accuracy"] as const).map((check) => decideParity(measureParity(decided, { check }), limit));
}

function timed(act: () => unknown): number {
  const start = performance.now();
  act();
  return performance.now() - start;
}

/** Milliseconds of one round in Python; undefined, with the reason printed once, where it cannot be run. */
function pythonRound(folder: string, what: "drift" | "fairness"): number | undefined {
  const run = spawnSync(python, [reference, folder, what], { encoding: "utf8" });
  const line = run.error === undefined ? (run.stdout.trim().split("\n").at(-1) ?? "") : "";
  const answer = line.startsWith("{") ? Answer.parse(JSON.parse(line)) : undefined;
  if (answer?.seconds !== undefined) return 1000 * answer.seconds;
  absent ??= `${python}: ${answer?.absent ?? run.error?.message ?? run.stderr.trim().split("\n").at(-1) ?? "no answer"}`;
  return undefined;
}

const Answer = z.object({ seconds: z.number().optional(), absent: z.string().optional() });

let absent: string | undefined;

function median(times: readonly (number | undefined)[]): number | null {
  const known = times.filter((time) => time !== undefined).sort((a, b) => a - b);
  return known.length < times.length || known.length === 0 ? null : (known[known.length >> 1] ?? null);
}

function compare(data: BenchData, folder: string): Record<"drift" | "fairness", { ours: number | null; theirs: number | null }> {
  const times = { drift: { ours: [] as number[], theirs: [] as (number | undefined)[] }, fairness: { ours: [] as number[], theirs: [] as (number | undefined)[] } };
  for (let round = 0; round < rounds; round += 1) {
    times.drift.ours.push(timed(() => drift(data)));
    times.drift.theirs.push(absent === undefined ? pythonRound(folder, "drift") : undefined);
    times.fairness.ours.push(timed(() => fairness(data)));
    times.fairness.theirs.push(absent === undefined ? pythonRound(folder, "fairness") : undefined);
  }
  const both = (what: "drift" | "fairness") => ({ ours: median(times[what].ours), theirs: median(times[what].theirs) });
  return { drift: both("drift"), fairness: both("fairness") };
}

function coldStarts(): { empty: number | null; check: number | null } {
  const start = (args: readonly string[]) => timed(() => execFileSync(process.execPath, args, { stdio: "ignore" }));
  const [empty, check]: [number[], (number | undefined)[]] = [[], []];
  for (let round = 0; round < 2 * rounds; round += 1) {
    empty.push(start(["-e", "0"]));
    try {
      check.push(start([program, "check", "--help"]));
    } catch {
      // Without a build, or with a failing start, there is no figure.
      check.push(undefined);
    }
  }
  return { empty: median(empty), check: median(check) };
}

const ratio = (slow: number | null, fast: number | null) => (slow === null || fast === null ? null : Math.round((100 * slow) / fast) / 100);
const whole = (time: number | null) => (time === null ? null : Math.round(10 * time) / 10);

const folder = mkdtempSync(join(tmpdir(), "licet-bench-"));
try {
  const data = makeData(rows);
  writeData(folder, data);
  drift(data);
  fairness(data);
  const times = compare(data, folder);
  const starts = coldStarts();
  if (absent !== undefined) console.log(`no comparison: ${absent}`);
  console.log(JSON.stringify({
    bench: "assurance",
    rows,
    ratios: { drift: ratio(times.drift.theirs, times.drift.ours), fairness: ratio(times.fairness.theirs, times.fairness.ours), start: ratio(starts.check, starts.empty) },
    figures: {
      driftMs: whole(times.drift.ours), driftPandasMs: whole(times.drift.theirs),
      fairnessMs: whole(times.fairness.ours), fairnessPandasMs: whole(times.fairness.theirs),
      startMs: whole(starts.check), emptyStartMs: whole(starts.empty),
    },
  }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
