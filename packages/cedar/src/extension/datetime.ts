import { EvaluationError, failType } from "../errors.ts";
import { add, modulo, subtract, type Long } from "../long.ts";
import { Duration } from "./duration.ts";

const form =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2})))?$/u;
const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const dayMilliseconds = 86_400_000;
const minuteMilliseconds = 60_000;

const malformed = new EvaluationError("error while evaluating `datetime` extension function: not a date `2026-01-31` or a time `2026-01-31T12:00:00.000Z`");
const outOfRange = new EvaluationError("error while evaluating `datetime` extension function: no such date or time");

/** A moment: a 64-bit count of milliseconds since 1970-01-01T00:00:00Z. */
export class Datetime {
  readonly milliseconds: Long;

  constructor(milliseconds: Long) {
    this.milliseconds = milliseconds;
  }

  canonical(): string {
    return `(datetime ${this.milliseconds})`;
  }
}

function daysIn(year: number, month: number): number {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && leap ? 29 : (daysOfMonth[month - 1] ?? 0);
}

function dateMilliseconds(year: number, month: number, day: number): number {
  if (day < 1 || day > daysIn(year, month)) throw outOfRange;
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; setUTCFullYear does not.
  return new Date(0).setUTCFullYear(year, month - 1, day);
}

function clockMinutes(hours: number, minutes: number): number {
  if (hours > 23 || minutes > 59) throw outOfRange;
  return hours * 60 + minutes;
}

export function parseDatetime(text: string): Datetime {
  const match = form.exec(text);
  if (match === null) throw malformed;
  const part = (index: number) => Number(match[index] ?? 0);
  const date = dateMilliseconds(part(1), part(2), part(3));
  const clock = clockMinutes(part(4), part(5)) * minuteMilliseconds;
  const seconds = part(6);
  if (seconds > 59) throw outOfRange;
  const offset = clockMinutes(part(9), part(10)) * minuteMilliseconds;
  return new Datetime(date + clock + seconds * 1_000 + part(7) - (match[8] === "-" ? -offset : offset));
}

function moment(value: unknown): Long {
  return value instanceof Datetime ? value.milliseconds : failType("datetime");
}

export function offset(value: unknown, by: unknown): Datetime {
  const start = moment(value);
  return by instanceof Duration ? new Datetime(add(start, by.milliseconds)) : failType("duration");
}

export function durationSince(value: unknown, other: unknown): Duration {
  const end = moment(value);
  return new Duration(subtract(end, moment(other)));
}

/** Midnight, UTC, of the moment's day. */
export function toDate(value: unknown): Datetime {
  const at = moment(value);
  return new Datetime(subtract(at, modulo(at, dayMilliseconds)));
}

/** The span since midnight, UTC, of the moment's day. */
export function toTime(value: unknown): Duration {
  return new Duration(modulo(moment(value), dayMilliseconds));
}
