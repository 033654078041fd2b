import { decideRate } from "../verdict/decide-rate.ts";
import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";
import type { ClassSubject } from "./attribute.ts";
import { nearestSurrogate, softmaxSurrogate, type Surrogate } from "./surrogate.ts";

export interface ExtractionStatistics extends Evidence {
  /** Rows that were sent to the model to learn from. */
  readonly queries: number;
  readonly surrogate: "softmax" | "nearest";
  /** Held-out rows on which the surrogate answers like the model. */
  readonly events: number;
  readonly n: number;
  /** Held-out rows that have the model's commonest answer to the queries: what a copy without any query gets. */
  readonly commonest: number;
  readonly notes: readonly string[];
}

/**
 * `privacy.extraction`: a surrogate learns from the model's answers to `queries`, and is compared with the model on rows
 * that it has not seen. Two surrogates are tried; the one that agrees more on a quarter of the queries is used.
 * Source: Tramèr et al. 2016; fidelity as in Jagielski et al. 2020.
 */
export function measureExtraction(subject: ClassSubject, rows: { readonly queries: readonly Float32Array[]; readonly holdout: readonly Float32Array[] }): ExtractionStatistics {
  return extractionFrom(rows, { queries: answersOf(subject, rows.queries), holdout: answersOf(subject, rows.holdout) });
}

interface Parts<T> {
  readonly queries: readonly T[];
  readonly holdout: readonly T[];
}

/** The same from answers that are there: one class for each row, -1 where there is none. */
export function extractionFrom(rows: Parts<Float32Array>, { queries: answered, holdout: truth }: Parts<number>): ExtractionStatistics {
  const known = rows.queries.flatMap((row, index) => ((answered[index] ?? -1) < 0 ? [] : [{ row, answer: answered[index] ?? 0 }]));
  const cut = Math.floor((known.length * 3) / 4);
  const [fitted, chosen] = [known.slice(0, cut), known.slice(cut)];
  const kinds = [["softmax", softmaxSurrogate], ["nearest", nearestSurrogate]] as const;
  const agreements = kinds.map(([, fit]) => agreement(fit(fitted), chosen.map(({ row }) => row), chosen.map(({ answer }) => answer)));
  const [name, fit] = (agreements[1] ?? 0) > (agreements[0] ?? 0) ? kinds[1] : kinds[0];
  const valid = truth.filter((answer) => answer >= 0);
  const inputs = rows.holdout.filter((_, index) => (truth[index] ?? -1) >= 0);
  const events = known.length === 0 ? 0 : agreement(fit(known), inputs, valid);
  const common = commonestOf(known.map(({ answer }) => answer));
  const commonest = valid.filter((answer) => answer === common).length;
  return {
    attempted: rows.holdout.length,
    assessed: valid.length,
    degenerate: valid.length > 0 && valid.every((answer) => answer === valid[0]) ? "constant_predictions" : null,
    queries: rows.queries.length,
    surrogate: name,
    events,
    n: known.length === 0 ? 0 : valid.length,
    commonest,
    notes: [`after ${rows.queries.length} queries a ${name} surrogate gives the model's answer on ${events} of ${valid.length} unseen rows; the commonest answer alone on ${commonest}`],
  };
}

/** The share of unseen rows on which the copy agrees, against a limit with op `<=`, by Clopper-Pearson. */
export function decideExtraction(statistics: ExtractionStatistics, limit: Limit): Outcome {
  const bad = unusable(limit) ?? (limit.op === "<=" ? undefined : silent("inconsistent_import"));
  const { events, n } = statistics;
  const refused = bad ?? contradicted(isRate(events, n) && n <= statistics.assessed);
  if (refused !== undefined) return refused;
  return settle(decideRate({ events, n }, limit), statistics);
}

/** Class of the largest score; -1 where a score is no number. */
function answersOf(subject: ClassSubject, rows: readonly Float32Array[]): readonly number[] {
  return rows.length === 0 ? [] : answeredClasses(subject(rows), rows.length);
}

export function answeredClasses({ scores, classes }: ReturnType<ClassSubject>, rows: number): readonly number[] {
  return Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let index = 0; index < classes; index += 1) {
      const score = scores[row * classes + index] ?? Number.NaN;
      if (!Number.isFinite(score)) return -1;
      if (score > (scores[row * classes + best] ?? Infinity)) best = index;
    }
    return classes === 1 ? Number((scores[row] ?? 0) >= 0.5) : best;
  });
}

function agreement(surrogate: Surrogate, rows: readonly Float32Array[], answers: readonly number[]): number {
  return rows.reduce((count, row, index) => count + (surrogate(row) === answers[index] ? 1 : 0), 0);
}

function commonestOf(answers: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  return [...counts].toSorted(([a, m], [b, n]) => n - m || a - b)[0]?.[0] ?? -1;
}
