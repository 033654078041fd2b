import { randomFrom } from "../../../packages/assurance/src/stats/random.ts";
import { type Sizes, type World, worlds } from "./worlds.ts";

export const levels = [0.05, 0.01] as const;

/** How often samples of one world and size were drawn, and what was said about them. */
export interface Tried extends Sizes {
  readonly world: string;
  readonly runs: number;
  /** p-values below each level. */
  readonly below: readonly number[];
  readonly alarms: number;
}

/** So often in a round: small samples are cheap, and their tests err most. */
export const sizes: readonly (Sizes & { readonly draws: number })[] = [
  { n: 20, m: 20, draws: 10 },
  { n: 100, m: 20, draws: 10 },
  { n: 100, m: 100, draws: 10 },
  { n: 1000, m: 50, draws: 5 },
  { n: 1000, m: 1000, draws: 3 },
  { n: 5000, m: 3000, draws: 1 },
  { n: 20_000, m: 20_000, draws: 1 },
  { n: 100_000, m: 100_000, draws: 1 },
];
/** The largest samples are drawn in one round of so many. */
const largeEvery = 4;
const largeRows = 20_000;

export interface Round {
  readonly seed: number;
  readonly round: number;
  readonly largest: number;
}

export function roundOf({ seed, round, largest }: Round): readonly Tried[] {
  const used = sizes.filter(({ n, m }) => Math.max(n, m) <= largest && (Math.max(n, m) < largeRows || round % largeEvery === 0));
  return worlds.flatMap((world) => used.map(({ n, m, draws }) => tryOften(world, { n, m, draws, name: `drift ${seed} ${round} ${world.name} ${n} ${m}` })));
}

function tryOften(world: World, { n, m, draws, name }: Sizes & { readonly draws: number; readonly name: string }): Tried {
  const random = randomFrom(name);
  const below = levels.map(() => 0);
  let alarmed = 0;
  for (let draw = 0; draw < draws; draw += 1) {
    const { p, alarms } = world.draw({ n, m }, random, `${name} ${draw}`);
    for (const [index, level] of levels.entries()) if (p < level) below[index] = (below[index] ?? 0) + 1;
    if (alarms.length > 0) alarmed += 1;
  }
  return { world: world.name, n, m, runs: draws, below, alarms: alarmed };
}
