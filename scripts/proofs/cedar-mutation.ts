import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { recordVectors, writeVectors } from "../oracles/cedar-vectors.ts";
import { folderDigest, root, type Proof, type ProofOptions, type ProofRow, type ProofRun } from "./proof.ts";

const scoreMin = 90;
const vectorRounds = 16;
const sources = "packages/cedar/src";
const listFile = path.join(root, "docs", "proofs", "cedar-mutants.md");
const reportFile = path.join(root, "test-output", "stryker-cedar.json");
/**
 * What was judged before, by group of files: hours of work that a break must not undo. With other tests only
 * survivors are judged again, so who takes tests away or changes the recorded questions deletes the folder first.
 */
const judgedFolder = path.join(root, "test-output", "stryker-cedar");
const groupBytesMax = 9_000;
/** As each start of Stryker takes half a minute by itself. */
const groupsAtOnce = 5;
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
  readonly statusReason?: string;
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
  const judging: Judging = { vectors: await recorded(seed), digest: `${folderDigest([sources])} ${seed}`, tests: testsDigest() };
  const known = groups().map((group) => ({ group, kept: readKept(group, judging) }));
  const unknown = known.filter(({ kept }) => kept === undefined).map(({ group }) => group);
  for (let first = 0; first < unknown.length; first += groupsAtOnce) judgeAll(unknown.slice(first, first + groupsAtOnce), judging);
  judgeAgain(known.flatMap(({ group, kept }) => (kept === undefined || kept.tests === judging.tests ? [] : [{ group, kept }])), judging);
  return judge({ files: Object.assign({}, ...groups().map((group) => readKept(group, judging)?.report.files)) });
}

/** The questions and answers in a file, made once for a seed and a generator. */
async function recorded(seed: number): Promise<string> {
  const file = path.join(judgedFolder, `questions-${createHash("sha256").update(folderDigest(["scripts/oracles"])).digest("hex").slice(0, 16)}-${seed}-${vectorRounds}`);
  if (existsSync(file)) return file;
  mkdirSync(judgedFolder, { recursive: true });
  writeFileSync(file, writeVectors(await recordVectors(seed, vectorRounds)));
  return file;
}

/** Files in groups: the verdicts on each are kept in a file. */
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
  /** Of the sources and the seed: a kill counts as long as both are the same, as more tests can only kill more. */
  readonly digest: string;
  /** Of the unit tests: a survivor without a reason counts as long as they are the same. */
  readonly tests: string;
}

interface Kept {
  readonly digest: string;
  readonly tests?: string;
  readonly report: Report;
}

function keptFile(group: readonly string[]): string {
  return path.join(judgedFolder, `${group.join("+").replaceAll("/", "_")}.json`);
}

function readKept(group: readonly string[], { digest }: Judging): Kept | undefined {
  const file = keptFile(group);
  const read: Kept | undefined = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
  return read?.digest === digest ? read : undefined;
}

function keep(group: readonly string[], files: Report["files"], { digest, tests }: Judging): void {
  const own = Object.fromEntries(Object.entries(files).filter(([name]) => group.includes(path.relative(sources, name))));
  writeFileSync(keptFile(group), JSON.stringify({ digest, tests, report: { files: own } } satisfies Kept));
}

function judgeAll(some: readonly (readonly string[])[], judging: Judging): void {
  const { files } = stryker(judging.vectors, some.flat().map((name) => `${sources}/${name}`));
  for (const group of some) keep(group, files, judging);
}

/** The same mutants, of which those are tried again that are not known to be found and have no reason listed. */
function judgeAgain(some: readonly { readonly group: readonly string[]; readonly kept: Kept }[], judging: Judging): void {
  const before = some.flatMap(({ kept }) => Object.entries(kept.report.files));
  const listed = new Set(survivorsListed());
  const open = ([name, { source, mutants }]: (typeof before)[number]) => mutants.filter((mutant) => isUndecided(mutant) && !(survived(mutant) && listed.has(survivorLine(path.relative(sources, name), source, mutant))));
  const places = before.flatMap((file) => open(file).map(({ location }) => `${file[0]}:${rangeOf(location)}`));
  if (places.length === 0) return;
  const { files: again } = stryker(judging.vectors, [...new Set(places)]);
  const judged = before.map(([name, { source, mutants }]) => {
    const verdicts = new Map(again[name]?.mutants.map((mutant) => [identity(mutant), mutant]));
    return [name, { source, mutants: mutants.map((mutant) => (isUndecided(mutant) ? (verdicts.get(identity(mutant)) ?? mutant) : mutant)) }] as const;
  });
  for (const { group } of some) keep(group, Object.fromEntries(judged), judging);
}

function survived({ status }: Mutant): boolean {
  return status === "Survived" || status === "NoCoverage";
}

/** A mutant that goes on for ever comes back to where it is and is counted; by the clock alone a busy machine ends runs, too. */
function isUndecided(mutant: Mutant): boolean {
  return survived(mutant) || (mutant.status === "Timeout" && mutant.statusReason?.includes("Hit limit") !== true);
}

/** As Stryker's `mutate` wants it: columns from zero, while its report counts them from one. */
function rangeOf({ start, end }: Mutant["location"]): string {
  return `${start.line}:${start.column - 1}-${end.line}:${end.column - 1}`;
}

function identity({ mutatorName, replacement, location: { start, end } }: Mutant): string {
  return JSON.stringify([mutatorName, replacement, start.line, start.column, end.line, end.column]);
}

function testsDigest(): string {
  const sum = createHash("sha256");
  const names = readdirSync(path.join(root, sources), { recursive: true, encoding: "utf8" }).filter((name) => /(?:\.test|-fixture)\.ts$/u.test(name));
  for (const name of names.toSorted()) sum.update(`${name}\n${readFileSync(path.join(root, sources, name), "utf8")}\n`);
  return sum.digest("hex");
}

function stryker(vectors: string, mutate: readonly string[]): Report {
  rmSync(reportFile, { force: true });
  const program = path.join(path.dirname(createRequire(import.meta.url).resolve("@stryker-mutator/core/package.json")), "bin", "stryker.js");
  const env = { ...process.env, LICET_CEDAR_VECTORS: vectors };
  const run = spawnSync(process.execPath, [program, "run", "scripts/proofs/stryker.cedar.json", "--concurrency", processes, "--mutate", mutate.join()], { cwd: root, env, stdio: "inherit" });
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
    const survivors = mutants.filter(survived);
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
