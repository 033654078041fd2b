import { LicetError } from "@licet/contract";
import { rowsNeeded } from "../performance/mean-figure.ts";
import { requireEqual } from "../performance/scored.ts";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";
import { pairedDifference, pairedDifferenceMethod } from "../stats/paired-difference.ts";
import { compared, type Limit, type Outcome, silent } from "../verdict/outcome.ts";

const valuesMax = 1000;

/** Scores of a model for rows: `scores[row * classes + class]`. */
export type ClassSubject = (rows: readonly Float32Array[]) => { readonly scores: ArrayLike<number>; readonly classes: number };

export interface AttributeStatistics extends Evidence {
  readonly n: number;
  /** Rows on which only the attack, or only the guess without the model, is right. */
  readonly onlyAttack: number;
  readonly onlyBase: number;
  readonly bothRight: number;
  readonly notes: readonly string[];
}

export interface AttributeTarget {
  /** Index of the sensitive feature and the values that it can have. */
  readonly feature: number;
  readonly values: readonly number[];
  /** Index of each row's true class, which the attacker knows. */
  readonly truth: Uint32Array;
}

/**
 * `privacy.attribute`: for every row the attacker knows all but one feature and the true class, asks the model with each
 * value of that feature, and takes the one with the largest product of prior and probability of the true class. Compared
 * on the same rows with taking the commonest value, which needs no model. The prior is that of the other rows.
 * Source: Fredrikson et al. 2014, in the black-box form of Mehnaz et al. 2022.
 */
export function measureAttribute(subject: ClassSubject, rows: readonly Float32Array[], target: AttributeTarget): AttributeStatistics {
  const asking = attributeGuesses(rows, target);
  let step = asking.next();
  while (step.done !== true) step = asking.next(subject(step.value));
  return step.value;
}

/** The same for something that answers later: yields rows and gets their scores back. */
export function* attributeGuesses(rows: readonly Float32Array[], target: AttributeTarget): Generator<readonly Float32Array[], AttributeStatistics, ReturnType<ClassSubject>> {
  const { feature, truth } = target;
  const values = target.values.map(Math.fround);
  requireEqual({ rows, truth });
  if (values.length < 2 || values.length > valuesMax) throw new LicetError("table_value_invalid", { message: `the sensitive feature must have 2 to ${valuesMax} values` });
  const actual = rows.map((row) => values.indexOf(row[feature] ?? Number.NaN));
  const counts = values.map((_, index) => actual.filter((value) => value === index).length);
  const answers: ReturnType<ClassSubject>[] = [];
  for (const value of values) answers.push(yield rows.map((row) => row.with(feature, value)));
  return tallied({ actual, counts, answers, truth });
}

interface Guessed {
  /** Place of each row's value, -1 where it has none of them. */
  readonly actual: readonly number[];
  /** Rows with each value. */
  readonly counts: readonly number[];
  /** Scores of all rows with each value. */
  readonly answers: readonly ReturnType<ClassSubject>[];
  readonly truth: Uint32Array;
}

function tallied({ actual, counts, answers, truth }: Guessed): AttributeStatistics {
  const tally = { n: 0, attack: 0, base: 0, both: 0 };
  for (const [row, value] of actual.entries()) {
    if (value < 0) continue;
    const prior = counts.map((count, index) => count - (index === value ? 1 : 0));
    const chances = answers.map(({ scores, classes }, index) => (prior[index] ?? 0) * (scores[row * classes + (truth[row] ?? 0)] ?? Number.NaN));
    if (!chances.every((chance) => Number.isFinite(chance))) continue;
    const [attack, base] = [largest(chances) === value, largest(counts) === value];
    tally.n += 1;
    if (attack) tally.attack += 1;
    if (base) tally.base += 1;
    if (attack && base) tally.both += 1;
  }
  return {
    attempted: actual.length,
    assessed: tally.n,
    degenerate: counts.filter((count) => count > 0).length < 2 && tally.n > 0 ? "one_class" : null,
    n: tally.n,
    onlyAttack: tally.attack - tally.both,
    onlyBase: tally.base - tally.both,
    bothRight: tally.both,
    notes: [`the attack is right on ${tally.attack} of ${tally.n} rows, the commonest value on ${tally.base}`],
  };
}

/** How much more often the attack is right than the guess without the model, against a limit with op `<=`, by the wider of Tango's paired score interval and MOVER. */
export function decideAttribute(statistics: AttributeStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  const { onlyAttack, onlyBase, bothRight, n } = statistics;
  const refused = bad ?? contradicted(isRate(onlyAttack, n) && isRate(onlyBase, n) && isRate(onlyAttack + onlyBase + bothRight, n) && n === statistics.assessed);
  if (refused !== undefined) return refused;
  if (n === 0) return settle(silent("too_few"), statistics);
  const estimate = (onlyAttack - onlyBase) / n;
  const bounds = pairedDifference({ onlyFirst: onlyAttack, onlySecond: onlyBase, n }, limit.alpha);
  const sd = Math.sqrt(Math.max(0, (onlyAttack + onlyBase + 1) / n - estimate ** 2));
  return settle(compared({ method: pairedDifferenceMethod, estimate, bounds, limit }, () => rowsNeeded(sd, estimate - limit.value, limit.alpha)), statistics);
}

function largest(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > (values[best] ?? Infinity) ? index : best), 0);
}
