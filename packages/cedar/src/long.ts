import { failType, thrower } from "./errors.ts";

/** A 64-bit signed integer: a number within ±(2^53 − 1), a bigint beyond. One value has one form, so `===` compares longs. */
export type Long = number | bigint;

export const longMin = -(2n ** 63n);
export const longMax = 2n ** 63n - 1n;

const overflow = thrower("integer overflow");
const safeMax = BigInt(Number.MAX_SAFE_INTEGER);

export function isLong(value: unknown): value is Long {
  return typeof value === "number" || typeof value === "bigint";
}

/** The long of a bigint, or undefined outside 64 bits. */
export function longOf(value: bigint): Long | undefined {
  if (value < longMin || value > longMax) return undefined;
  return value >= -safeMax && value <= safeMax ? Number(value) : value;
}

function longOrOverflow(value: bigint): Long {
  return longOf(value) ?? overflow();
}

function asLong(value: unknown): Long {
  return isLong(value) ? value : failType("long");
}

export function add(left: unknown, right: unknown): Long {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return longOrOverflow(BigInt(asLong(left)) + BigInt(asLong(right)));
}

export function subtract(left: unknown, right: unknown): Long {
  if (typeof left === "number" && typeof right === "number") {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return longOrOverflow(BigInt(asLong(left)) - BigInt(asLong(right)));
}

export function multiply(left: unknown, right: unknown): Long {
  if (typeof left === "number" && typeof right === "number") {
    const product = left * right;
    if (Number.isSafeInteger(product)) return product === 0 ? 0 : product;
  }
  return longOrOverflow(BigInt(asLong(left)) * BigInt(asLong(right)));
}

export function negate(value: unknown): Long {
  return subtract(0, value);
}

/** Division that rounds towards zero, by a positive number. */
export function divide(value: Long, divisor: number): Long {
  // The quotient of two doubles can round up to the next integer; a multiple divides exactly.
  if (typeof value === "number") return (value - (value % divisor)) / divisor || 0;
  return longOrOverflow(value / BigInt(divisor));
}

/** The remainder in [0, divisor), by a positive number. */
export function modulo(value: Long, divisor: number): number {
  const remainder = typeof value === "number" ? value % divisor : Number(value % BigInt(divisor));
  return remainder < 0 ? remainder + divisor : remainder || 0;
}
