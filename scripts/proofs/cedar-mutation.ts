import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { recordVectors, writeVectors } from "../oracles/cedar-vectors.ts";
import { folderDigest, root, type Proof, type ProofOptions, type ProofRow, type ProofRun } from "./proof.ts";

const scoreMin = 90;
const vectorRounds = 16;
const sources = "packages/cedar/src";
const listFile = path.join(root, "docs", "proofs", "cedar-mutants.md");
const reportFile = path.join(root, "test-output", "stryker-cedar.json");
/** What was judged before, by group of files: hours of work that a break must not undo. */
const judgedFolder = path.join(root, "test-output", "stryker-cedar");
const groupBytesMax = 9_000;
/** Mutants that are tried at once. */
const processes = process.env["LICET_MUTATION_PROCESSES"] ?? "2";
/** What decides nothing: formatting, explanation, types, and what only tests use. */
const beside = /^(?:format|residual|index|json|limits|schema-declared|schema-type\.)|-fixture\.ts$|\.test\.ts$/u;

interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

interface Mutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly location: { readonly start: Position; readonly end: Position };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** Every mutant that Stryker makes of the evaluator, against recorded answers of cedar-wasm. */
export const cedarMutation: Proof = {
  name: "cedar-mutation",
  promise: `of the mutants of @licet/cedar's evaluator at least ${scoreMin} % give another answer than cedar-wasm, and the reason of each other one is listed`,
  covers: [sources],
  async run({ seed, rounds }: ProofOptions): Promise<ProofRun> {
    // Minutes and not seconds: in a slice, only whether the list still speaks of the code that is there.
    return rounds === undefined ? stillThere() : await judged(seed);
  },
};

export function evaluatorFiles(): readonly string[] {
  const names = readdirSync(path.join(root, sources), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".ts") && !beside.test(path.basename(name))).toSorted();
}

async function judged(seed: number): Promise<ProofRun> {
  const folder = mkdtempSync(path.join(tmpdir(), "licet-cedar-mutation-"));
  try {
    const vectors = path.join(folder, "vectors");
    writeFileSync(vectors, writeVectors(await recordVectors(seed, vectorRounds)));
    const digest = `${folderDigest([sources])} ${seed}`;
    return judge({ files: Object.assign({}, ...groups().map((group) => judgedOnce(group, { vectors, digest }).files)) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Files in groups, as each start of Stryker takes half a minute by itself. */
export function groups(): readonly (readonly string[])[] {
  const all: string[][] = [];
  let bytes = groupBytesMax;
  for (const name of evaluatorFiles()) {
    bytes += statSync(path.join(root, sources, name)).size;
    if (bytes > groupBytesMax) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)?.push(name);
  }
  return all;
}

interface Judging {
  readonly vectors: string;
  /** Of the sources and the seed: a verdict counts as long as both are the same. More tests can only find more. */
  readonly digest: string;
}

function judgedOnce(group: readonly string[], { vectors, digest }: Judging): Report {
  const kept = path.join(judgedFolder, `${group.join("+").replaceAll("/", "_")}.json`);
  const before: { readonly digest: string; readonly report: Report } | undefined = existsSync(kept) ? JSON.parse(readFileSync(kept, "utf8")) : undefined;
  if (before?.digest === digest) return before.report;
  const report = stryker(vectors, group);
  mkdirSync(judgedFolder, { recursive: true });
  writeFileSync(kept, JSON.stringify({ digest, report }));
  return report;
}

function stryker(vectors: string, group: readonly string[]): Report {
  rmSync(reportFile, { force: true });
  const program = path.join(path.dirname(createRequire(import.meta.url).resolve("@stryker-mutator/core/package.json")), "bin", "stryker.js");
  const mutate = group.map((name) => `${sources}/${name}`).join();
  const env = { ...process.env, LICET_CEDAR_VECTORS: vectors };
  const run = spawnSync(process.execPath, [program, "run", "scripts/proofs/stryker.cedar.json", "--concurrency", processes, "--mutate", mutate], { cwd: root, env, stdio: "inherit" });
  if (run.status !== 0 || !existsSync(reportFile)) throw new Error(`stryker ended with ${run.status ?? run.signal}`);
  return JSON.parse(readFileSync(reportFile, "utf8"));
}

/** The report in figures; a loss is a survivor that nobody has given a reason for. */
export function judge({ files }: Report): ProofRun {
  const listed = new Set(survivorsListed());
  const total = { mutants: 0, killed: 0, timedOut: 0, survived: 0, ignored: 0 };
  const losses: string[] = [];
  const table: ProofRow[] = [];
  for (const [name, { source, mutants }] of Object.entries(files)) {
    const count = (status: string) => mutants.filter((mutant) => mutant.status === status).length;
    const survivors = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
    const row = { mutants: mutants.length - count("Ignored"), killed: count("Killed") + count("RuntimeError"), timedOut: count("Timeout"), survived: survivors.length, ignored: count("Ignored") };
    for (const key of ["mutants", "killed", "timedOut", "survived", "ignored"] as const) total[key] += row[key];
    if (row.mutants > 0) table.push({ file: path.relative(sources, name), ...row });
    losses.push(...survivors.map((mutant) => survivorLine(path.relative(sources, name), source, mutant)).filter((line) => !listed.has(line)));
  }
  const hundredths = total.mutants === 0 ? 0 : Math.floor(((total.killed + total.timedOut) * 10_000) / total.mutants);
  if (hundredths < scoreMin * 100) losses.unshift(`only ${hundredths / 100} % of the mutants were found`);
  return { figures: { ...total, scoreHundredths: hundredths }, losses: losses.map((loss) => `no reason listed: ${loss}`), table };
}

/** Names a survivor by what it changes and not by its line, so that the list outlives other changes. */
function survivorLine(file: string, source: string, { mutatorName, replacement = "", location: { start, end } }: Mutant): string {
  const lines = source.split("\n").slice(start.line - 1, end.line);
  const last = lines.length - 1;
  const cut = lines.map((line, index) => line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined));
  return `${file} ${mutatorName} ${short(cut.join(" "))} => ${short(replacement)}`;
}

function short(code: string): string {
  const bare = code.replaceAll(/\s+/gu, " ").trim();
  return bare.length > 90 ? `${bare.slice(0, 90)}…` : bare;
}

/** The lines between fences: one survivor each. */
function survivorsListed(): readonly string[] {
  if (!existsSync(listFile)) return [];
  return readFileSync(listFile, "utf8").split("```").filter((_, index) => index % 2 === 1).flatMap((block) => block.split("\n").slice(1)).filter((line) => line !== "");
}

function stillThere(): ProofRun {
  const listed = survivorsListed();
  const gone = [...new Set(listed.map((line) => line.slice(0, line.indexOf(" "))))].filter((file) => !existsSync(path.join(root, sources, file)));
  return { figures: { listed: listed.length }, losses: gone.map((file) => `the list of survivors names \`${file}\`, which is gone`) };
}
