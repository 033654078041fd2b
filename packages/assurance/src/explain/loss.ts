import { decidedClass } from "../onnx/rivals.ts";
import type { Scores } from "../subject/probe.ts";

/** `brier`: (p1 - y)^2 of two classes, the sum over classes of more. `error`: the decided class is not the true one. */
export type LossName = "squared-error" | "brier" | "error" | "log-loss";

/** Loss of row `row` of the scores, whose truth is `target`: a number for regressions, an index of a class otherwise. */
export function lossOf(name: LossName, scores: Scores, row: number, target: number): number {
  const { columns } = scores;
  const start = row * columns;
  const at = (column: number) => scores.scores[start + column] ?? Number.NaN;
  switch (name) {
    case "squared-error":
      return (at(0) - target) ** 2;
    case "brier":
      return brier(at, columns, target);
    case "error":
      return Number.isNaN(at(columns - 1)) ? Number.NaN : Number(decidedClass(scores.scores, { start, columns }) !== target);
    case "log-loss":
      return -Math.log(Math.max(1e-15, columns === 1 ? (target === 1 ? at(0) : 1 - at(0)) : at(target)));
    default:
      return name satisfies never;
  }
}

function brier(at: (column: number) => number, columns: number, target: number): number {
  if (columns <= 2) return (at(columns - 1) - target) ** 2;
  let sum = 0;
  for (let column = 0; column < columns; column += 1) sum += (at(column) - (column === target ? 1 : 0)) ** 2;
  return sum;
}
