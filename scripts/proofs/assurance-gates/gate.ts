import type { Limit, Outcome } from "../../../packages/assurance/src/verdict/outcome.ts";
import type { Random } from "../../../packages/assurance/src/stats/random.ts";

/** A world in which the truth lies exactly on the limit, and one draw from it with the verdict that it gets. */
export interface Gate {
  readonly name: string;
  /** Which verdicts the world is about. In a conjunction the worst world for passing is not the worst for failing. */
  readonly tests: "pass" | "fail" | "both";
  /** One run in so many, for gates that resample; 1 unless given. */
  readonly every?: number;
  /** `name` is different in every run. */
  draw(random: Random, name: string): Outcome;
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
