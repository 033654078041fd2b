import { InvalidArgumentError } from "commander";

/** Parses an option's value; what is no whole number in the range is wrong use, before anything has started. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/u.test(text) || value < min || value > max) throw new InvalidArgumentError(`not a whole number from ${min} to ${max}`);
    return value;
  };
}
