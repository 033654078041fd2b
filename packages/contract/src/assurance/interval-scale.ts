import type { CheckResult } from "../assurance.ts";

/** Places of one result's figures on a line from 0 to 1. */
export interface IntervalScale {
  /** What the ends of the line stand for. */
  readonly from: number;
  readonly to: number;
  readonly lower: number;
  readonly upper: number;
  readonly estimate: number;
  readonly limit: number;
}

/** How far the line goes on beyond what it shows. */
const margin = 0.15;

/** The ends of a line that holds these values; from 0 where all are shares or counts near it. */
export function lineFor(values: readonly number[]): { readonly from: number; readonly to: number } {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const spread = most - least || Math.abs(most) || 1;
  const from = least >= 0 && least - spread < 0 ? 0 : least - margin * spread;
  // A share does not go beyond 1, and a line that did would mislead.
  const to = most <= 1 && most + margin * spread > 1 ? 1 : most + margin * spread;
  return { from, to };
}

/** Where a value lies between the ends, 0 to 1. */
export function placeOn({ from, to }: { readonly from: number; readonly to: number }, value: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from || 1)));
}

/** A line that holds interval, estimate and limit. Undefined without figures. */
export function intervalScale({ estimate, interval, limit }: Pick<CheckResult, "estimate" | "interval" | "limit">): IntervalScale | undefined {
  if (estimate === null) return undefined;
  const lower = interval?.lower ?? estimate;
  const upper = interval?.upper ?? estimate;
  const line = lineFor([lower, upper, estimate, limit.value]);
  return { ...line, lower: placeOn(line, lower), upper: placeOn(line, upper), estimate: placeOn(line, estimate), limit: placeOn(line, limit.value) };
}
