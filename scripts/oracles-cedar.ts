/**
 * Compares @licet/cedar with cedar-wasm: on Cedar's own corpus, on random policies, entities and requests of every form,
 * on random schemas with requests and entities right and wrong, on the domain policies, and on edge values.
 *
 *   npm run oracles:cedar -- [--corpus DIR|FILE.tar.gz] [--seed N] [--minutes M | --hours H]
 *
 * Without --corpus that area is left out. The last line is JSON. Exit code 0 when all is the same, 1 when something
 * differs, 2 when the corpus cannot be read. A mismatch names its seed: `--seed N --rounds 1` shows it again.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { compareCorpus, openCorpus } from "../packages/cedar/src/corpus-fixture.ts";
import { runAreas, type AreaRun } from "./oracles/cedar-areas.ts";
import { CedarTally } from "./oracles/cedar-tally.ts";

const options = { corpus: { type: "string" }, seed: { type: "string", default: "1" }, minutes: { type: "string", default: "3" }, hours: { type: "string" }, rounds: { type: "string" } } as const;
const { values } = parseArgs({ options });
const seed = Number(values.seed);
const minutes = values.hours === undefined ? Number(values.minutes) : Number(values.hours) * 60;
const rounds = Number(values.rounds ?? Infinity);
const testsPerStep = 500;
const progressMilliseconds = 30_000;

process.exitCode = await main();

async function main(): Promise<number> {
  if (!Number.isSafeInteger(seed) || !(minutes > 0) || !(rounds > 0)) return fail("usage: npm run oracles:cedar -- [--corpus DIR|FILE.tar.gz] [--seed N] [--minutes M | --hours H]");
  if (values.corpus !== undefined && !existsSync(values.corpus)) return fail(`there is no corpus at \`${values.corpus}\``);
  const corpus = new CedarTally("corpus");
  const skipped: Record<string, number> = {};
  if (values.corpus !== undefined) readCorpus(values.corpus, corpus, skipped);
  const until = performance.now() + minutes * 60_000;
  let told = performance.now();
  const { tallies, rounds: done, deaths } = await runAreas({ seed, rounds, goOn: () => performance.now() < until, onRound: (run) => (told = progress(run, told)) });
  const all = [corpus, ...tallies];
  for (const tally of all) console.log(tally.describe());
  console.log(`${done} rounds from seed ${seed}; cedar-wasm died ${deaths} times`);
  const areas = Object.fromEntries(all.map(({ area, matched, total }) => [area, { matched, total }]));
  const mismatches = all.flatMap((tally) => tally.mismatches);
  console.log(JSON.stringify({ oracle: "cedar", seed, areas, skipped, mismatches: mismatches.slice(0, 20) }));
  return all.every(({ matched, total }) => matched === total) ? 0 : 1;
}

function fail(message: string): number {
  console.error(message);
  return 2;
}

function readCorpus(path: string, tally: CedarTally, skipped: Record<string, number>): void {
  const corpus = openCorpus(path);
  for (let at = 0; at < corpus.tests.length; at += testsPerStep) {
    const { requests, same, differences, skipped: left } = compareCorpus(corpus, corpus.tests.slice(at, at + testsPerStep));
    tally.total += requests;
    tally.matched += same;
    for (const { test, request, ours, cedar } of differences) tally.mismatches.push({ area: "corpus", what: `${test} request ${request}`, ours, wasm: cedar, input: { test, request } });
    for (const [why, count] of Object.entries(left)) skipped[why] = (skipped[why] ?? 0) + count;
    console.log(`corpus: ${Math.min(at + testsPerStep, corpus.tests.length)} of ${corpus.tests.length} tests, ${tally.matched} of ${tally.total} requests the same`);
  }
}

function progress({ tallies, rounds }: AreaRun, told: number): number {
  if (performance.now() - told < progressMilliseconds) return told;
  console.log(`round ${rounds}: ${tallies.map(({ area, matched, total }) => `${area} ${matched}/${total}`).join(", ")}`);
  return performance.now();
}
