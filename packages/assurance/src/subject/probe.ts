import type { ClassScores } from "../onnx/model.ts";

/** Rows of features, row by row, as they are sent to what is tested. */
export interface Rows {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Scores of every row for every class, row by row. A row that could not be scored holds NaN. */
export interface Scores {
  readonly rows: number;
  readonly columns: number;
  readonly scores: Float32Array | Float64Array;
}

/**
 * A computation that asks for scores while it runs: it yields rows and gets their scores back. So one algorithm
 * works on a model in this process, in a child process and behind an endpoint, and many can share their batches.
 */
export type Probe<T> = Generator<Rows, T, Scores>;

/** Runs a probe against a function that answers at once. */
export function answered<T>(probe: Probe<T>, score: (rows: Rows) => Scores): T {
  let step = probe.next();
  while (step.done !== true) step = probe.next(score(step.value));
  return step.value;
}

/** Runs a probe against something that answers later. */
export async function answeredLater<T>(probe: Probe<T>, score: (rows: Rows) => Promise<Scores>): Promise<T> {
  let step = probe.next();
  while (step.done !== true) step = probe.next(await score(step.value));
  return step.value;
}

interface Running<T> {
  readonly probe: Probe<T>;
  readonly index: number;
  asks: Rows;
}

/** Runs probes side by side: each round sends all their rows as one. Results in the order of the probes. */
export function* together<T>(probes: readonly Probe<T>[]): Probe<readonly T[]> {
  const results = new Map<number, T>();
  let running: Running<T>[] = [];
  for (const [index, probe] of probes.entries()) {
    const step = probe.next();
    if (step.done === true) results.set(index, step.value);
    else running.push({ probe, index, asks: step.value });
  }
  while (running.length > 0) {
    const scores = yield joinedRows(running.map(({ asks }) => asks));
    let start = 0;
    const next: Running<T>[] = [];
    for (const each of running) {
      const part = scores.scores.subarray(start * scores.columns, (start + each.asks.rows) * scores.columns);
      start += each.asks.rows;
      const step = each.probe.next({ rows: each.asks.rows, columns: scores.columns, scores: part });
      if (step.done === true) results.set(each.index, step.value);
      else next.push({ ...each, asks: step.value });
    }
    running = next;
  }
  return probes.flatMap((_, index) => {
    const result = results.get(index);
    return result === undefined ? [] : [result];
  });
}

function joinedRows(parts: readonly Rows[]): Rows {
  const columns = parts[0]?.columns ?? 0;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const data = new Float32Array(rows * columns);
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  return { rows, columns, data };
}

export function rowsOf(columns: number, data: Float32Array): Rows {
  return { rows: columns === 0 ? 0 : data.length / columns, columns, data };
}

/** Scores of a model in this process. */
export function scoresOf(model: { score(features: Float32Array, rows: number): ClassScores }): (rows: Rows) => Scores {
  return ({ rows, data }) => {
    const { classes, scores } = model.score(data, rows);
    return { rows, columns: classes.length, scores };
  };
}
