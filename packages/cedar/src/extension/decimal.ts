import { EvaluationError, failType } from "../errors.ts";
import { longOf, type Long } from "../long.ts";

const scale = 10_000n;
const digitsAfterPointMax = 4;
/** As many as 2^63 has; longer texts never reach BigInt, which takes quadratic time on them. */
const wholeDigitsMax = 19;
const form = /^(-?)0*([0-9]+)\.([0-9]+)$/u;

const malformed = new EvaluationError("error while evaluating `decimal` extension function: not a decimal literal such as `1.5`");
const tooManyDigits = new EvaluationError("error while evaluating `decimal` extension function: too many digits after the decimal point");
const tooLarge = new EvaluationError("error while evaluating `decimal` extension function: overflows a decimal");

/** A decimal number with four digits after the point: a 64-bit count of ten-thousandths. */
export class Decimal {
  readonly tenThousandths: Long;

  constructor(tenThousandths: Long) {
    this.tenThousandths = tenThousandths;
  }

  canonical(): string {
    return `(decimal ${this.tenThousandths})`;
  }

  /** The shortest literal that reads back as this value, with at least one digit after the point. */
  toString(): string {
    const value = BigInt(this.tenThousandths);
    const digits = (value < 0n ? -value : value).toString().padStart(digitsAfterPointMax + 1, "0");
    const fraction = digits.slice(-digitsAfterPointMax).replace(/0{1,3}$/u, "");
    return `${value < 0n ? "-" : ""}${digits.slice(0, -digitsAfterPointMax)}.${fraction}`;
  }
}

export function parseDecimal(text: string): Decimal {
  const match = form.exec(text);
  if (match === null) throw malformed;
  const [, sign, whole = "", fraction = ""] = match;
  if (fraction.length > digitsAfterPointMax) throw tooManyDigits;
  if (whole.length > wholeDigitsMax) throw tooLarge;
  const size = BigInt(whole) * scale + BigInt(fraction.padEnd(digitsAfterPointMax, "0"));
  const value = longOf(sign === "-" ? -size : size);
  if (value === undefined) throw tooLarge;
  return new Decimal(value);
}

function amount(value: unknown): Long {
  return value instanceof Decimal ? value.tenThousandths : failType("decimal");
}

export function decimalLess(left: unknown, right: unknown): boolean {
  const bound = amount(left);
  return bound < amount(right);
}

export function decimalLessOrEqual(left: unknown, right: unknown): boolean {
  const bound = amount(left);
  return bound <= amount(right);
}
