import { clopperPearson } from "../../packages/assurance/src/stats/proportion.ts";
import { randomFrom } from "../../packages/assurance/src/stats/random.ts";
import { type Sizes, type World, worlds } from "./assurance-drift-worlds.ts";
import type { Proof, ProofRow } from "./proof.ts";

/** A test at level alpha may be wrong so much more often, for what approximations cost. */
const slack = 1.2;
const levels = [0.05, 0.01] as const;

interface Tried extends Sizes {
  readonly world: World;
  runs: number;
  /** p-values below each level. */
  readonly below: number[];
  alarms: number;
}

const sizes: readonly (Sizes & { readonly draws: number })[] = [
  { n: 20, m: 20, draws: 40 },
  { n: 100, m: 20, draws: 40 },
  { n: 100, m: 100, draws: 40 },
  { n: 1000, m: 50, draws: 20 },
  { n: 1000, m: 1000, draws: 10 },
  { n: 5000, m: 3000, draws: 4 },
  { n: 20_000, m: 20_000, draws: 2 },
  { n: 100_000, m: 100_000, draws: 1 },
];

export interface FalseAlarms {
  readonly figures: { readonly draws: number; readonly worlds: number };
  readonly losses: readonly string[];
  readonly table: readonly ProofRow[];
}

/**
 * Draws pairs of samples without drift and counts how often each test calls it drift. A loss is a rate whose 99.9 %
 * lower bound, corrected for the number of rates looked at, exceeds 1.2 times the level.
 */
export function countFalseAlarms({ seed, goOn, largest = Infinity }: { seed: number; goOn: () => boolean; largest?: number }): FalseAlarms {
  const used = sizes.filter(({ n, m }) => Math.max(n, m) <= largest);
  const tried = worlds.flatMap((world) => used.map(({ n, m }): Tried => ({ world, n, m, runs: 0, below: levels.map(() => 0), alarms: 0 })));
  for (let round = 0; round === 0 || goOn(); round += 1) {
    const random = randomFrom(`drift ${seed} ${round}`);
    for (const each of tried) {
      const draws = used.find(({ n, m }) => n === each.n && m === each.m)?.draws ?? 1;
      for (let draw = 0; draw < draws; draw += 1) tryOnce(each, `${seed} ${round} ${draw}`, random);
    }
  }
  return { figures: { draws: tried.reduce((sum, { runs }) => sum + runs, 0), worlds: worlds.length }, losses: tried.flatMap((each) => lossesOf(each, tried.length)), table: tried.map(rowOf) };
}

function tryOnce(tried: Tried, seed: string, random: ReturnType<typeof randomFrom>): void {
  const { p, alarms } = tried.world.draw(tried, random, seed);
  tried.runs += 1;
  for (const [index, level] of levels.entries()) if (p < level) tried.below[index] = (tried.below[index] ?? 0) + 1;
  if (alarms.length > 0) tried.alarms += 1;
}

function lossesOf({ world, n, m, runs, below, alarms }: Tried, family: number): readonly string[] {
  const over = (events: number, level: number) => clopperPearson(events, runs, 0.001 / (family * (levels.length + 1))).lower > slack * level;
  const at = `${world.name}, ${n} and ${m} rows`;
  return [
    ...levels.flatMap((level, index) => (over(below[index] ?? 0, level) ? [`${at}: p below ${level} in ${below[index] ?? 0} of ${runs}`] : [])),
    ...(over(alarms, 0.01) ? [`${at}: ${alarms} alarms in ${runs}`] : []),
  ];
}

function rowOf({ world, n, m, runs, below, alarms }: Tried): ProofRow {
  return { column: world.name, n, m, runs, "p < 0.05": below[0] ?? 0, "p < 0.01": below[1] ?? 0, alarms };
}

export const assuranceDrift: Proof = {
  name: "assurance-drift",
  promise: "without drift, alarms come at most 1.2 times as often as their level says, from 20 to 100,000 rows, with ties and missing values",
  covers: ["packages/assurance/src/drift"],
  run: ({ seed, goOn }) => Promise.resolve(countFalseAlarms({ seed, goOn })),
};
