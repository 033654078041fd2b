import { viewExpr, type ExprJson } from "@licet/cedar";
import { keyOf, longOf, type Facts } from "./lint-facts.ts";

export interface Range {
  readonly low: bigint;
  readonly high: bigint;
}

const long: Range = { low: -(2n ** 63n), high: 2n ** 63n - 1n };

export function isLongRange({ low, high }: Range): boolean {
  return low >= long.low && high <= long.high;
}

/** Between which values the expression lies, as far as literals and the comparisons before it tell. */
export function rangeOf(expr: ExprJson, facts: Facts): Range {
  const literal = longOf(expr);
  if (literal !== undefined) return { low: literal, high: literal };
  const key = keyOf(expr);
  const computed = within(computedRange(expr, facts) ?? long);
  return { low: most(computed.low, facts.low.get(key)), high: least(computed.high, facts.high.get(key)) };
}

/** Before Cedar checks it for overflow; undefined where nothing is computed. */
export function computedRange(expr: ExprJson, facts: Facts): Range | undefined {
  const view = viewExpr(expr);
  if (view.kind === "if") return union(rangeOf(view.yes, facts), rangeOf(view.no, facts));
  if (view.kind === "unary" && view.op === "neg") return negated(rangeOf(view.arg, facts));
  if (view.kind !== "binary") return undefined;
  const { op, left, right } = view;
  if (op === "+") return sum(rangeOf(left, facts), rangeOf(right, facts));
  if (op === "-") return sum(rangeOf(left, facts), negated(rangeOf(right, facts)));
  return op === "*" ? product(rangeOf(left, facts), rangeOf(right, facts)) : undefined;
}

function sum(a: Range, b: Range): Range {
  return { low: a.low + b.low, high: a.high + b.high };
}

function negated({ low, high }: Range): Range {
  return { low: -high, high: -low };
}

function product(a: Range, b: Range): Range {
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
  return { low: corners.reduce((x, y) => (y < x ? y : x)), high: corners.reduce((x, y) => (y > x ? y : x)) };
}

function union(a: Range, b: Range): Range {
  return { low: a.low < b.low ? a.low : b.low, high: a.high > b.high ? a.high : b.high };
}

/** What overflowed has errored, so what comes out lies inside. */
function within(range: Range): Range {
  return { low: most(range.low, long.low), high: least(range.high, long.high) };
}

function most(a: bigint, b: bigint | undefined): bigint {
  return b !== undefined && b > a ? b : a;
}

function least(a: bigint, b: bigint | undefined): bigint {
  return b !== undefined && b < a ? b : a;
}
