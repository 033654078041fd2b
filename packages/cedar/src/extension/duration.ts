import { EvaluationError, failType } from "../errors.ts";
import { divide, longOf, type Long } from "../long.ts";

/** Days to milliseconds in this order, each at most once. */
const form = /^-?(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/u;
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const malformed = new EvaluationError("error while evaluating `duration` extension function: not a duration such as `1d2h3m4s5ms`");
const tooLarge = new EvaluationError("error while evaluating `duration` extension function: overflows a duration");

/** A span of time: a 64-bit count of milliseconds, which may be negative. */
export class Duration {
  readonly milliseconds: Long;

  constructor(milliseconds: Long) {
    this.milliseconds = milliseconds;
  }

  canonical(): string {
    return `(duration ${this.milliseconds})`;
  }

  toString(): string {
    return `${this.milliseconds}ms`;
  }
}

/** More significant digits than 2^64 has; longer texts never reach BigInt, which takes quadratic time on them. */
const digitsMax = 20;

function count(digits: string | undefined): bigint {
  if (digits === undefined) return 0n;
  const significant = digits.replace(/^0+/u, "");
  if (significant.length > digitsMax) throw tooLarge;
  return BigInt(significant);
}

export function parseDuration(text: string): Duration {
  const match = form.exec(text);
  if (match === null || text === "" || text === "-") throw malformed;
  const [, days, hours, minutes, seconds, milliseconds] = match;
  const size = count(days) * BigInt(day) + count(hours) * BigInt(hour) + count(minutes) * BigInt(minute) + count(seconds) * BigInt(second) + count(milliseconds);
  const total = longOf(text.startsWith("-") ? -size : size);
  if (total === undefined) throw tooLarge;
  return new Duration(total);
}

function span(value: unknown): Long {
  return value instanceof Duration ? value.milliseconds : failType("duration");
}

export const toMilliseconds = (value: unknown): Long => span(value);
export const toSeconds = (value: unknown): Long => divide(span(value), second);
export const toMinutes = (value: unknown): Long => divide(span(value), minute);
export const toHours = (value: unknown): Long => divide(span(value), hour);
export const toDays = (value: unknown): Long => divide(span(value), day);
