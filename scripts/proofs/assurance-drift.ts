import { clopperPearson } from "../../packages/assurance/src/stats/proportion.ts";
import { levels, roundOf, sizes, type Tried } from "./assurance-drift/rounds.ts";
import { worlds } from "./assurance-drift/worlds.ts";
import type { Proof, ProofOptions, ProofRow, ProofRun } from "./proof.ts";
import { inThreads } from "./threads.ts";

/** A test at level alpha may be wrong so much more often, for what approximations cost. */
const slack = 1.2;
/** Error rate of the proof itself, over everything that it looks at. */
const proofAlpha = 0.001;
/** Rounds of a record: 5,000 pairs of the smallest samples of every kind, 125 of the largest. */
const driftRounds = 500;
/** Samples of more rows take too long for a slice. */
const sliceRowsMax = 100;

/**
 * Draws pairs of samples without drift and counts how often each test calls it drift. A loss is a rate whose 99.9 %
 * lower bound, corrected for the number of rates looked at, exceeds 1.2 times the level.
 */
export function countFalseAlarms({ seed, goOn, largest = Infinity }: { seed: number; goOn: () => boolean; largest?: number }): ProofRun {
  const sum = new Map<string, Tried>();
  for (let round = 0; round === 0 || goOn(); round += 1) for (const tried of roundOf({ seed, round, largest })) add(sum, tried);
  return runOf([...sum.values()]);
}

/** The same in threads, with samples of every size. */
async function countAll({ seed, goOn }: Pick<ProofOptions, "seed" | "goOn">): Promise<ProofRun> {
  const sum = new Map<string, Tried>();
  let round = -1;
  await inThreads<{ readonly seed: number; readonly round: number; readonly largest: number }, readonly Tried[]>({
    script: new URL("assurance-drift/worker.ts", import.meta.url),
    next: () => {
      if (round >= 0 && !goOn()) return undefined;
      round += 1;
      return { seed, round, largest: Infinity };
    },
    told: (found) => {
      for (const tried of found) add(sum, tried);
    },
  });
  const { losses, ...run } = runOf([...sum.values()]);
  const short = round + 1 < driftRounds ? [`${round + 1} rounds are not enough for a record, which takes ${driftRounds}: give more --minutes`] : [];
  return { ...run, losses: [...short, ...losses] };
}

function add(sum: Map<string, Tried>, tried: Tried): void {
  const key = `${tried.world} ${tried.n} ${tried.m}`;
  const before = sum.get(key);
  sum.set(key, before === undefined ? tried : { ...tried, runs: before.runs + tried.runs, below: tried.below.map((count, index) => count + (before.below[index] ?? 0)), alarms: before.alarms + tried.alarms });
}

function runOf(tried: readonly Tried[]): ProofRun {
  const inOrder = worlds.flatMap(({ name }) => sizes.flatMap(({ n, m }) => tried.filter((each) => each.world === name && each.n === n && each.m === m)));
  return {
    figures: { draws: tried.reduce((sum, { runs }) => sum + runs, 0), worlds: worlds.length },
    losses: inOrder.flatMap((each) => lossesOf(each, inOrder.length)),
    table: inOrder.map(rowOf),
  };
}

function lossesOf({ world, n, m, runs, below, alarms }: Tried, family: number): readonly string[] {
  const over = (events: number, level: number) => clopperPearson(events, runs, proofAlpha / (family * (levels.length + 1))).lower > slack * level;
  const at = `${world}, ${n} and ${m} rows`;
  return [
    ...levels.flatMap((level, index) => (over(below[index] ?? 0, level) ? [`${at}: p below ${level} in ${below[index] ?? 0} of ${runs}`] : [])),
    ...(over(alarms, 0.01) ? [`${at}: ${alarms} alarms in ${runs}`] : []),
  ];
}

function rowOf({ world, n, m, runs, below, alarms }: Tried): ProofRow {
  return { column: world, n, m, runs, "p < 0.05": below[0] ?? 0, "p < 0.01": below[1] ?? 0, alarms };
}

export const assuranceDrift: Proof = {
  name: "assurance-drift",
  promise: "without drift, alarms are not shown (at 99.9 %) to come more than 1.2 times as often as their level says, from 20 to 100,000 rows, with ties and missing values",
  covers: ["packages/assurance/src/drift", "packages/assurance/src/stats"],
  run: ({ seed, goOn, rounds }) => (rounds === undefined ? Promise.resolve(countFalseAlarms({ seed, goOn, largest: sliceRowsMax })) : countAll({ seed, goOn })),
};
