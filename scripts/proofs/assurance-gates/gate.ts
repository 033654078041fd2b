import type { Random } from "../../../packages/assurance/src/stats/random.ts";
import type { Limit, Outcome } from "../../../packages/assurance/src/verdict/outcome.ts";

/** A world in which the truth lies exactly on the limit, and one draw from it with the verdict that it gets. */
export interface Gate {
  readonly name: string;
  /** Which verdicts the world is about. In a conjunction the worst world for passing is not the worst for failing. */
  readonly tests: "pass" | "fail" | "both";
  /** `name` is different in every run. */
  draw(random: Random, name: string): Pick<Outcome, "verdict">;
}

export const alpha = 0.05;

export function limit(op: Limit["op"], value: number): Limit {
  return { op, value, alpha, source: "simulation" };
}

/** 1 with probability p. */
export function coin(random: Random, p: number): number {
  return random.uniform() < p ? 1 : 0;
}

export function column(n: number, value: (row: number) => number): Float64Array {
  return Float64Array.from({ length: n }, (_, row) => value(row));
}

export function flags(n: number, value: (row: number) => number): Uint8Array {
  return Uint8Array.from({ length: n }, (_, row) => value(row));
}

const distributions = new Map<string, Float64Array>();

/** How many of n rows have what each has with probability p: the distribution function turned around, one number drawn. */
export function binomial(random: Random, n: number, p: number): number {
  const key = `${n} ${p}`;
  const known = distributions.get(key);
  const distribution = known ?? distributionOf(n, p);
  if (known === undefined) distributions.set(key, distribution);
  const u = random.uniform();
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((distribution[middle] ?? 1) > u) high = middle;
    else low = middle + 1;
  }
  return low;
}

function distributionOf(n: number, p: number): Float64Array {
  const [inside, outside] = [Math.log(p), Math.log1p(-p)];
  const found = new Float64Array(n + 1);
  let [choices, sum] = [0, 0];
  for (let k = 0; k <= n; k += 1) {
    if (k > 0) choices += Math.log((n - k + 1) / k);
    sum += Math.exp(choices + k * inside + (n - k) * outside);
    found[k] = sum;
  }
  return found;
}

/** More different counts come too seldom again to be kept. */
const keptMax = 100_000;

/** A gate whose verdict follows from a few counts. The same ones come again and again, and are decided once. */
export function countedGate(gate: Pick<Gate, "name" | "tests">, draw: (random: Random) => readonly number[], decide: (counts: readonly number[]) => Outcome): Gate {
  const kept = new Map<string, Outcome["verdict"]>();
  return {
    ...gate,
    draw: (random) => {
      const counts = draw(random);
      const key = counts.join(" ");
      const verdict = kept.get(key) ?? decide(counts).verdict;
      if (kept.size < keptMax) kept.set(key, verdict);
      return { verdict };
    },
  };
}
