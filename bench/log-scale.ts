/**
 * A log that grows to ten million entries: resident memory on the way, bytes on disk, the time to start, to prove an
 * entry from disk and to verify everything. Entries are sealed gateway decisions as the product writes them.
 *
 *   npm run bench:log-scale -- [--entries N] [--quick]
 *
 * Needs about 1.5 KB of disk for an entry, in the folder for temporary files. The processes that hold the log run with a
 * small young generation and an allocator that gives memory back, as docs/operate.md advises where memory is short; --plain
 * leaves both out. The last line of the output is one JSON object.
 */
import { fork, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { systemClock } from "../packages/licet/src/base/clock.ts";
import { newId } from "../packages/licet/src/base/ids.ts";
import type { Entry } from "../packages/licet/src/ledger/entry.ts";
import { openKeyring } from "../packages/licet/src/ledger/keyring.ts";
import { openKeys, type Keys } from "../packages/licet/src/ledger/keys.ts";
import { seeded } from "../packages/licet/src/ledger/log-fixture.ts";
import { openLog, type EvidenceLog } from "../packages/licet/src/ledger/log.ts";
import { sealEntry } from "../packages/licet/src/ledger/sealing.ts";

const { values } = parseArgs({
  options: { entries: { type: "string" }, quick: { type: "boolean", default: false }, plain: { type: "boolean", default: false }, role: { type: "string" }, folder: { type: "string", default: "" }, to: { type: "string", default: "0" } },
});
const entries = Number(values.entries ?? (values.quick ? 200_000 : 10_000_000));
const writers = 64;
const proofs = values.quick ? 2000 : 5000;
const evidence = join(import.meta.dirname, "..", "packages", "evidence");
/** The built verifier, or its source where nothing has been built. */
const built = join(evidence, "dist", "licet-verify.mjs");
const verifier = existsSync(built) ? [built] : ["--conditions=source", join(evidence, "src", "verify-entry.ts")];

const frugal = values.plain ? { options: [], env: {} } : { options: ["--max-semi-space-size=2"], env: { MALLOC_ARENA_MAX: "2", MALLOC_TRIM_THRESHOLD_: "65536", MALLOC_MMAP_THRESHOLD_: "65536" } };
const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
const rounded = (value: number, digits = 2) => Number(value.toFixed(digits));
const part = (values: readonly number[], at: number) => values[Math.floor(values.length * at)] ?? Number.NaN;

// ---- the processes that hold the log -------------------------------------------------------------------------------

interface Grown {
  readonly size: number;
  readonly startMilliseconds: number;
  readonly perSecond: number;
  readonly memory: readonly { readonly entries: number; readonly megabytes: number }[];
  readonly memoryMaxMegabytes: number;
}

interface Proven {
  readonly startMilliseconds: number;
  readonly proofHashes: number;
  readonly inclusionP50Milliseconds: number;
  readonly inclusionP99Milliseconds: number;
  readonly consistencyP50Milliseconds: number;
}

async function opened(folder: string): Promise<{ readonly log: EvidenceLog; readonly keys: Keys; readonly milliseconds: number }> {
  const keys = await openKeys({ directory: join(folder, "keys"), fresh: true, now: systemClock.now() });
  const begin = performance.now();
  const log = await openLog({ folder: join(folder, "log"), signer: keys.log, memories: [keys.memory] });
  return { log, keys, milliseconds: Math.round(performance.now() - begin) };
}

/** A decision without its content: what a call leaves behind when prompts are kept by digest only. */
function decision(seq: number): Entry {
  const time = systemClock.now();
  const body = { decision: "allow", model: "chat", policies: ["p1"], promptDigest: `sha256:${"a".repeat(64)}`, snapshot: 7 };
  return { id: newId("ent", time), v: 1, time, kind: "gateway.decision", space: "main", actor: "dep_1", system: "scale", subject: "system:scale", class: "runtime", gateway: "gw-1", seq, body };
}

async function grow(folder: string, to: number): Promise<Grown> {
  const { log, keys, milliseconds } = await opened(folder);
  const keyring = await openKeyring({ directory: keys.directory, root: keys.root, clock: systemClock });
  writeFileSync(join(folder, "trust.json"), JSON.stringify(keys.trustFile()));
  const from = log.size;
  const memory = [{ entries: from, megabytes: megabytes(process.memoryUsage.rss()) }];
  const marks = [0.1, 0.2, 0.5, 1].map((share) => Math.round(share * entries)).filter((mark) => mark > from && mark <= to);
  let begun = from;
  let highest = 0;
  const watching = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 100);
  const writer = async () => {
    while (begun < to) {
      begun += 1;
      const { frame } = await sealEntry(keyring, decision(begun));
      const index = await log.append(frame);
      if (index + 1 === marks[0]) memory.push({ entries: marks.shift() ?? 0, megabytes: megabytes(process.memoryUsage.rss()) });
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: writers }, writer));
  const perSecond = Math.round((to - from) / ((performance.now() - begin) / 1000));
  clearInterval(watching);
  await log.close();
  await keyring.close();
  return { size: log.size, startMilliseconds: milliseconds, perSecond, memory, memoryMaxMegabytes: megabytes(highest) };
}

/** In a process that has read nothing yet. */
async function prove(folder: string): Promise<Proven> {
  const { log, milliseconds } = await opened(folder);
  const random = seeded(1);
  const size = log.size;
  const timed = async (one: () => Promise<unknown>) => {
    const begin = performance.now();
    await one();
    return performance.now() - begin;
  };
  const inclusion: number[] = [];
  const consistency: number[] = [];
  let hashes = 0;
  for (let n = 0; n < proofs; n += 1) {
    const at = Math.floor(random() * size);
    inclusion.push(await timed(async () => (hashes = Math.max(hashes, (await log.inclusionProof(at, size)).length))));
    if (n % 5 === 0) consistency.push(await timed(() => log.consistencyProof(at, size)));
  }
  await log.close();
  inclusion.sort((a, b) => a - b);
  consistency.sort((a, b) => a - b);
  return { startMilliseconds: milliseconds, proofHashes: hashes, inclusionP50Milliseconds: rounded(part(inclusion, 0.5), 3), inclusionP99Milliseconds: rounded(part(inclusion, 0.99), 3), consistencyP50Milliseconds: rounded(part(consistency, 0.5), 3) };
}

// ---- the driver ----------------------------------------------------------------------------------------------------

/** As the product runs: one bundle. Stripping the types of the sources would hold 60 MB that no installation holds. */
const bundles = join(import.meta.dirname, "..", "node_modules", ".cache", "licet-bench");
const bundle = join(bundles, "log-scale.js");

async function bundled(): Promise<void> {
  const banner = { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" };
  const external = ["esbuild", "pg-native", "@cedar-policy/cedar-wasm"];
  const ledger = join(import.meta.dirname, "..", "packages", "licet", "src", "ledger");
  const workers = Object.fromEntries(["seal-worker", "replace-worker"].map((name) => [name, join(ledger, `${name}.ts`)]));
  await build({ entryPoints: { "log-scale": import.meta.filename, ...workers }, outdir: bundles, splitting: true, bundle: true, format: "esm", platform: "node", target: "node24", conditions: ["source"], external, banner, logLevel: "error" });
}

function inProcess<T>(args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const own = [...args, "--entries", String(entries), ...(values.quick ? ["--quick"] : [])];
    const child = fork(bundle, own, { execArgv: frugal.options, env: { ...process.env, ...frugal.env } });
    child.once("message", (answer) => resolve(answer as T));
    child.once("exit", (code) => reject(new Error(`a process of the bench ended with ${code}`)));
  });
}

interface Space {
  readonly journal: number;
  readonly tiles: number;
  readonly bundles: number;
}

/** What the file system has given away, not what the files say they are. */
function spaceOf(folder: string): Space {
  const used = (below: string, skip = "") =>
    readdirSync(join(folder, below), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !(skip !== "" && entry.parentPath.startsWith(join(folder, skip))))
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0);
  return { journal: used("log/journal"), tiles: used("log/tile", "log/tile/entries"), bundles: used("log/tile/entries") };
}

/** As an auditor runs it: every leaf, tile and bundle of the folder, the root and the signature. */
function verify(folder: string): { readonly seconds: number; readonly verified: boolean; readonly residentMegabytes: number } {
  const measure = `process.on("exit", () => console.error("resident", process.resourceUsage().maxRSS))`;
  const args = ["--import", `data:text/javascript,${encodeURIComponent(measure)}`, ...verifier, join(folder, "log"), "--trust", join(folder, "trust.json")];
  const begin = performance.now();
  const run = spawnSync(process.execPath, args, { encoding: "utf8" });
  const seconds = rounded((performance.now() - begin) / 1000);
  if (run.status !== 0) console.log(`the verifier answered ${run.status}: ${run.stdout.slice(-2000)} ${run.stderr.slice(-2000)}`);
  return { seconds, verified: run.status === 0, residentMegabytes: Math.round(Number(/resident (\d+)/.exec(run.stderr)?.[1] ?? 0) / 1024) };
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "licet-scale-"));
  const first = Math.round(entries / 10);
  await bundled();
  const begin = performance.now();
  try {
    const small = await inProcess<Grown>(["--role", "grow", "--folder", folder, "--to", String(first)]);
    console.log(`grown to ${small.size}: ${small.perSecond} entries a second, resident at most ${small.memoryMaxMegabytes} MB`);
    const verified = verify(folder);
    console.log(`verified ${first}: ${JSON.stringify(verified)}`);
    const large = await inProcess<Grown>(["--role", "grow", "--folder", folder, "--to", String(entries)]);
    console.log(`grown to ${large.size}: ${JSON.stringify(large)}`);
    const proven = await inProcess<Proven>(["--role", "prove", "--folder", folder]);
    console.log(`proven: ${JSON.stringify(proven)}`);
    const space = spaceOf(folder);
    const bytesPerEntry = rounded((space.journal + space.tiles + space.bundles) / entries, 1);
    const figures = { entries, settings: frugal, grown: { toTenth: small, toEnd: large }, proven, verification: { entries: first, ...verified }, bytesPerEntry, space, seconds: Math.round((performance.now() - begin) / 1000), node: process.version };
    const targets = { inclusionP50Under1Millisecond: proven.inclusionP50Milliseconds < 1, residentUnder200Megabytes: large.memoryMaxMegabytes < 200, verifiedUnder10SecondsAMillion: verified.verified && (verified.seconds * 1e6) / first < 10 };
    console.log(JSON.stringify({ bench: "log-scale", targets, figures }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (values.role === undefined) await main();
else {
  const answer = values.role === "grow" ? await grow(values.folder, Number(values.to)) : await prove(values.folder);
  process.send?.(answer, () => process.disconnect());
}
