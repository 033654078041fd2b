import type { CategoryCounts } from "../../../packages/assurance/src/drift/categorical.ts";
import { categoricalDriftAlarms, measureCategoricalDrift } from "../../../packages/assurance/src/drift/categorical.ts";
import { measureMissingDrift, missingDriftAlarms } from "../../../packages/assurance/src/drift/missing.ts";
import { measureNumericDrift, numericDriftAlarms } from "../../../packages/assurance/src/drift/numeric.ts";
import type { DriftAlarm } from "../../../packages/assurance/src/drift/family.ts";
import type { Random } from "../../../packages/assurance/src/stats/random.ts";

/** One column drawn twice from the same distribution: what a test says about it then is a false alarm. */
export interface World {
  readonly name: string;
  /** p-value and alarms of one pair of samples without drift. */
  draw(sizes: Sizes, random: Random, seed: string): Draw;
}

export interface Sizes {
  readonly n: number;
  readonly m: number;
}

export interface Draw {
  readonly p: number;
  readonly alarms: readonly DriftAlarm[];
}

/** An alarm rule without the bound on the size: what remains is the level of the test itself. */
const levelOnly = (alpha: number) => ({ alpha, effectMin: -1 });

function numeric(name: string, value: (random: Random) => number): World {
  return {
    name,
    draw({ n, m }, random, seed) {
      const column = (size: number) => Float64Array.from({ length: size }, () => value(random));
      const statistics = measureNumericDrift([{ name: "x", reference: column(n), current: column(m) }], { seed, permutations: 0 });
      return { p: statistics.columns[0]?.p ?? 1, alarms: numericDriftAlarms(statistics) };
    },
  };
}

function categorical(name: string, shares: readonly number[]): World {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const limits = shares.map((_, index) => shares.slice(0, index + 1).reduce((sum, share) => sum + share, 0) / total);
  const counts = (size: number, random: Random) => {
    const found = shares.map(() => 0);
    for (let row = 0; row < size; row += 1) {
      const u = random.uniform();
      let [low, high] = [0, limits.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((limits[middle] ?? 1) > u) high = middle;
        else low = middle + 1;
      }
      found[low] = (found[low] ?? 0) + 1;
    }
    return found;
  };
  return {
    name,
    draw({ n, m }, random, seed) {
      const column: CategoryCounts = { name: "x", categories: shares.map((_, index) => `c${index}`), reference: counts(n, random), current: counts(m, random), missing: { reference: 0, current: 0 } };
      const statistics = measureCategoricalDrift([column], { seed });
      return { p: statistics.columns[0]?.p ?? 1, alarms: categoricalDriftAlarms(statistics) };
    },
  };
}

function missing(name: string, share: number): World {
  return {
    name,
    draw({ n, m }, random) {
      const count = (size: number) => {
        let events = 0;
        for (let row = 0; row < size; row += 1) if (random.uniform() < share) events += 1;
        return { events, n: size };
      };
      const statistics = measureMissingDrift([{ name: "x", reference: count(n), current: count(m) }]);
      const p = missingDriftAlarms(statistics, levelOnly(1.01)).find((alarm) => alarm.name === "x")?.p ?? 1;
      return { p, alarms: missingDriftAlarms(statistics) };
    },
  };
}

const zipf = (size: number) => Array.from({ length: size }, (_, index) => 1 / (index + 1));

export const worlds: readonly World[] = [
  numeric("normal", (random) => random.normal()),
  numeric("normal, a fifth missing", (random) => (random.uniform() < 0.2 ? Number.NaN : random.normal())),
  numeric("whole numbers, few", (random) => Math.floor(-2 * Math.log(1 - random.uniform()))),
  numeric("whole numbers, many", (random) => Math.round(100 * random.normal())),
  numeric("two values", (random) => (random.uniform() < 0.3 ? 1 : 0)),
  numeric("two values, one rare", (random) => (random.uniform() < 0.02 ? 1 : 0)),
  numeric("mostly zero, else continuous", (random) => (random.uniform() < 0.6 ? 0 : Math.exp(random.normal()))),
  numeric("whole numbers, a third missing", (random) => (random.uniform() < 0.33 ? Number.NaN : Math.round(3 * random.normal()))),
  numeric("heavy tails", (random) => random.normal() / random.normal()),
  categorical("two categories", [0.3, 0.7]),
  categorical("two categories, one rare", [0.005, 0.995]),
  categorical("five categories", [1, 1, 1, 1, 1]),
  categorical("thirty categories, most rare", zipf(30)),
  categorical("three hundred categories, most rare", zipf(300)),
  missing("missing in a third", 0.33),
  missing("missing in a hundredth", 0.01),
];
