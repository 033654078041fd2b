import { EvaluationError, failType } from "./errors.ts";
import { like } from "./expression-like.ts";
import type { OperatorName } from "./format-view.ts";
import type { ExprJson, PatternElem } from "./json.ts";
import { add, multiply, negate, subtract } from "./long.ts";
import { valuePart, type Part } from "./residual-part.ts";
import { equal, less, lessOrEqual, SetValue, type Value } from "./values.ts";

type Operation = (left: Value, right: Value) => Value;

function asSet(value: Value): SetValue {
  return value instanceof SetValue ? value : failType("set");
}

/** Operators of two values that depend on nothing else; `in`, tags and logic need the scene. */
const operations: ReadonlyMap<OperatorName, Operation> = new Map<OperatorName, Operation>([
  ["==", equal],
  ["!=", (left, right) => !equal(left, right)],
  ["<", less],
  ["<=", lessOrEqual],
  [">", (left, right) => !lessOrEqual(left, right)],
  [">=", (left, right) => !less(left, right)],
  ["+", add],
  ["-", subtract],
  ["*", multiply],
  ["contains", (left, right) => asSet(left).has(right)],
  ["containsAll", (left, right) => asSet(left).containsAll(asSet(right))],
  ["containsAny", (left, right) => asSet(left).containsAny(asSet(right))],
]);

export function operationOf(op: OperatorName): Operation | undefined {
  return operations.get(op);
}

export const isEmpty = (value: Value): boolean => asSet(value).size === 0;
export { negate };

export function matches(value: Value, pattern: readonly PatternElem[]): boolean {
  const texts = [""];
  for (const element of pattern) {
    if (element === "Wildcard") texts.push("");
    else texts.push(`${texts.pop() ?? ""}${element.Literal}`);
  }
  return like(texts)(value);
}

/** The value that `make` yields, or that the expression always fails. */
export function computed(expr: ExprJson, make: () => Value): Part {
  try {
    return valuePart(make(), expr);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return { kind: "failing", message: error.message, expr };
  }
}
