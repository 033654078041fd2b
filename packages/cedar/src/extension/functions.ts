import { failType, thrower } from "../errors.ts";
import type { Value } from "../values.ts";
import { durationSince, offset, parseDatetime, toDate, toTime } from "./datetime.ts";
import { decimalLess, decimalLessOrEqual, parseDecimal } from "./decimal.ts";
import { parseDuration, toDays, toHours, toMilliseconds, toMinutes, toSeconds } from "./duration.ts";
import { isInRange, isIpv4, isIpv6, isLoopback, isMulticast, parseIp } from "./ipaddr.ts";

export type ExtensionFunction =
  | { readonly arity: 1; readonly call: (value: Value) => Value }
  | { readonly arity: 2; readonly call: (left: Value, right: Value) => Value };

function constructor(parse: (text: string) => Value): ExtensionFunction {
  return { arity: 1, call: (value) => (typeof value === "string" ? parse(value) : failType("string")) };
}

function unary(call: (value: Value) => Value): ExtensionFunction {
  return { arity: 1, call };
}

function binary(call: (left: Value, right: Value) => Value): ExtensionFunction {
  return { arity: 2, call };
}

/** Belongs to Cedar's partial evaluation; in a decision it has no value. */
const unknown = thrower("the expression contains an unknown");

/** Every function of Cedar's extensions by name; a method's first argument is its receiver. */
export const extensionFunctions: ReadonlyMap<string, ExtensionFunction> = new Map([
  ["decimal", constructor(parseDecimal)],
  ["lessThan", binary(decimalLess)],
  ["lessThanOrEqual", binary(decimalLessOrEqual)],
  ["greaterThan", binary((left, right) => !decimalLessOrEqual(left, right))],
  ["greaterThanOrEqual", binary((left, right) => !decimalLess(left, right))],
  ["ip", constructor(parseIp)],
  ["isIpv4", unary(isIpv4)],
  ["isIpv6", unary(isIpv6)],
  ["isLoopback", unary(isLoopback)],
  ["isMulticast", unary(isMulticast)],
  ["isInRange", binary(isInRange)],
  ["datetime", constructor(parseDatetime)],
  ["duration", constructor(parseDuration)],
  ["offset", binary(offset)],
  ["durationSince", binary(durationSince)],
  ["toDate", unary(toDate)],
  ["toTime", unary(toTime)],
  ["toMilliseconds", unary(toMilliseconds)],
  ["toSeconds", unary(toSeconds)],
  ["toMinutes", unary(toMinutes)],
  ["toHours", unary(toHours)],
  ["toDays", unary(toDays)],
  ["unknown", unary(unknown)],
]);

/** Calls a function by name; evaluation errors for a wrong number of arguments and for whatever the function refuses. */
export function callExtension(fn: ExtensionFunction, args: readonly Value[]): Value {
  const [first, second] = args;
  if (first === undefined || args.length !== fn.arity) return wrongArity();
  if (fn.arity === 1) return fn.call(first);
  return second === undefined ? wrongArity() : fn.call(first, second);
}

export const wrongArity = thrower("wrong number of arguments provided to extension function");
