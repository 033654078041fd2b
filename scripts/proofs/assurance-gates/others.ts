import { decideLabelNoise } from "../../../packages/assurance/src/data/label-noise.ts";
import { decideCategoricalDrift, measureCategoricalDrift } from "../../../packages/assurance/src/drift/categorical.ts";
import { decideLabelShift } from "../../../packages/assurance/src/drift/label-shift.ts";
import { decideMissingDrift } from "../../../packages/assurance/src/drift/missing.ts";
import { decideNumericDrift, measureNumericDrift } from "../../../packages/assurance/src/drift/numeric.ts";
import { decideAttempts } from "../../../packages/assurance/src/llm/decide-attempts.ts";
import { type AttemptStatistics, histogram } from "../../../packages/assurance/src/llm/statistics.ts";
import { decideScenarios } from "../../../packages/assurance/src/robust/paired.ts";
import { normalQuantile } from "../../../packages/assurance/src/stats/normal.ts";
import type { Random } from "../../../packages/assurance/src/stats/random.ts";
import { decideCounts } from "../../../packages/assurance/src/verdict/decide-counts.ts";
import { binomial, column, countedGate, type Gate, limit } from "./gate.ts";

function missing(name: string, tests: Gate["tests"], rates: readonly number[]): Gate {
  const counts = { attempted: 300, assessed: 300, unassessed: 0 };
  return countedGate({ name: `data.missing ${name}`, tests }, (random) => rates.map((rate) => binomial(random, 300, rate)), (events) =>
    decideCounts({ kind: "columns", columns: events.map((each, index) => ({ name: `c${index}`, events: each, n: 300 })) }, limit("<=", 0.05), counts),
  );
}

const data: readonly Gate[] = [
  missing("in one column of five", "pass", [0.05, 0.001, 0.001, 0.001, 0.001]),
  missing("in all of three columns", "fail", [0.05, 0.05, 0.05]),
  // A quarter of the rows with 10 % wrong, the others with 2 %.
  countedGate({ name: "data.labels.noise 0.04 in two strata of 150 judged", tests: "both" }, (random) => [binomial(random, 150, 0.1), binomial(random, 150, 0.02)], ([first = 0, second = 0]) =>
    decideLabelNoise({ strata: [{ size: 500, judged: 150, wrong: first }, { size: 1500, judged: 150, wrong: second }] }, limit("<=", 0.04)),
  ),
];

function emptied(name: string, tests: Gate["tests"], { rates, value }: { readonly rates: readonly [number, number]; readonly value: number }): Gate {
  return countedGate({ name: `drift.missing ${name}`, tests }, (random) => rates.map((rate) => binomial(random, 800, rate)), ([before = 0, now = 0]) =>
    decideMissingDrift({ columns: [{ name: "c", reference: { events: before, n: 800 }, current: { events: now, n: 800 } }] }, limit("<=", value)),
  );
}

/** Counts of categories with these shares. */
function multinomial(random: Random, n: number, shares: readonly number[]): readonly number[] {
  let [left, rest] = [n, 1];
  return shares.map((share, index) => {
    const count = index === shares.length - 1 ? left : binomial(random, left, Math.min(1, share / rest));
    left -= count;
    rest -= share;
    return count;
  });
}

function categories(name: string, before: readonly number[], now: readonly number[]): Gate {
  const k = before.length;
  const draw = (random: Random) => [...multinomial(random, 500, before), ...multinomial(random, 500, now)];
  return countedGate({ name: `drift.categorical ${name}`, tests: "both" }, draw, (counts) => {
    const pair = { name: "c", categories: before.map((_, index) => `${index}`), reference: counts.slice(0, k), current: counts.slice(k), missing: { reference: 0, current: 0 } };
    return decideCategoricalDrift(measureCategoricalDrift([pair], { seed: "s" }), limit("<=", 0.1));
  });
}

function shifted(name: string, value: (random: Random) => number): Gate {
  // Two normals so far apart that their distribution functions differ by 0.1 at most.
  const shift = 2 * normalQuantile(0.55);
  return {
    name: `drift.numeric ${name}`,
    tests: "both",
    draw: (random, seed) => {
      const [reference, current] = [column(400, () => value(random)), column(400, () => value(random) + shift)];
      return decideNumericDrift(measureNumericDrift([{ name: "c", reference, current }], { seed, permutations: 0 }), limit("<=", 0.1));
    },
  };
}

const drift: readonly Gate[] = [
  emptied("0.05 and 0.07 of 800", "both", { rates: [0.05, 0.07], value: 0.02 }),
  emptied("0.1 on both sides and no difference allowed", "fail", { rates: [0.1, 0.1], value: 0 }),
  categories("two categories 0.1 apart", [0.4, 0.6], [0.5, 0.5]),
  categories("five categories 0.1 apart", [0.3, 0.3, 0.2, 0.1, 0.1], [0.2, 0.3, 0.2, 0.15, 0.15]),
  shifted("two normals 0.1 apart", (random) => random.normal()),
  // 80 % and 90 % of the classes recognised; the share of the second moves from 0.3 to 0.4.
  countedGate(
    { name: "drift.label 0.1 of 600 and 600", tests: "both" },
    (random) => {
      const [before, now] = [binomial(random, 600, 0.3), binomial(random, 600, 0.4)];
      const right = { second: binomial(random, before, 0.8), first: binomial(random, 600 - before, 0.9) };
      const answered = binomial(random, now, 0.8) + binomial(random, 600 - now, 0.1);
      return [right.first, before - right.second, 600 - before - right.first, right.second, answered];
    },
    ([a = 0, b = 0, c = 0, d = 0, answered = 0]) => decideLabelShift({ confusion: [[a, b], [c, d]], answers: [600 - answered, answered] }, limit("<=", 0.1)),
  ),
];

function noisy(name: string, tests: Gate["tests"], losses: readonly number[]): Gate {
  const draw = (random: Random) =>
    losses.flatMap((loss) => {
      const lost = binomial(random, 400, loss);
      return [lost, binomial(random, 400 - lost, 0.01 / (1 - loss))];
    });
  return countedGate({ name: `robust.noise ${name}`, tests }, draw, (counts) =>
    decideScenarios({ attempted: 400, assessed: 400, scenarios: losses.map((_, index) => ({ name: `${index}`, n: 400, lost: counts[2 * index] ?? 0, gained: counts[2 * index + 1] ?? 0 })) }, limit("<=", 0.05)),
  );
}

const robustness: readonly Gate[] = [noisy("one change of two loses 0.05", "pass", [0.06, 0.02]), noisy("both changes lose 0.05", "fail", [0.06, 0.06])];

export function attempts(design: AttemptStatistics["design"], clusters: AttemptStatistics["clusters"]): AttemptStatistics {
  const attempted = clusters.reduce((sum, { n, count }) => sum + n * count, 0);
  return { kind: "attempts", design, complete: true, attempted, unassessed: 0, reasons: {}, clusters };
}

const promptsMax = 200;

const language: readonly Gate[] = [
  countedGate({ name: "llm attempts 0.05 of 200 prompts", tests: "both" }, (random) => [binomial(random, 200, 0.05)], ([events = 0]) =>
    decideAttempts(attempts("fixed", histogram([...Array.from({ length: events }, () => ({ events: 1, n: 1 })), ...Array.from({ length: 200 - events }, () => ({ events: 0, n: 1 }))])), limit("<=", 0.05)),
  ),
  // A prompt always succeeds or never does: ten tries say no more than one.
  countedGate({ name: "llm attempts, 60 prompts tried ten times, one in twenty always succeeds", tests: "both" }, (random) => [binomial(random, 60, 0.05)], ([always = 0]) =>
    decideAttempts(attempts("fixed", [{ events: 0, n: 10, count: 60 - always }, { events: 10, n: 10, count: always }].filter(({ count }) => count > 0)), limit("<=", 0.05)),
  ),
  {
    name: "llm attempts, 60 prompts tried ten times, half succeed in one of ten tries",
    tests: "both",
    draw: (random) => decideAttempts(attempts("fixed", histogram(Array.from({ length: 60 }, () => ({ events: random.uniform() < 0.5 ? binomial(random, 10, 0.1) : 0, n: 10 })))), limit("<=", 0.05)),
  },
  {
    name: `llm attempts in sequence, looked at after each of ${promptsMax} prompts`,
    tests: "both",
    draw: (random) => {
      let events = 0;
      for (let n = 1; n <= promptsMax; n += 1) {
        if (random.uniform() < 0.2) events += 1;
        const outcome = sequential(events, n);
        if (outcome.verdict !== "insufficient_evidence") return outcome;
      }
      return { verdict: "insufficient_evidence" };
    },
  },
];

const looked = new Map<number, ReturnType<typeof decideAttempts>>();

/** Every run looks at the same few counts. */
function sequential(events: number, n: number): ReturnType<typeof decideAttempts> {
  const key = n * (promptsMax + 1) + events;
  const known = looked.get(key);
  const clusters = [{ events: 0, n: 1, count: n - events }, { events: 1, n: 1, count: events }].filter(({ count }) => count > 0);
  const outcome = known ?? decideAttempts(attempts("sequential", clusters), limit("<=", 0.2));
  if (known === undefined) looked.set(key, outcome);
  return outcome;
}

export const otherGates: readonly Gate[] = [...data, ...drift, ...robustness, ...language];
