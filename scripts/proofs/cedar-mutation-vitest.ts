/**
 * As much of vitest as the unit tests of @licet/cedar use, for running them inside the mutation runner's process:
 * there a test costs its own time and nothing else. What it lacks throws, so that no test passes by mistake.
 */
import { isDeepStrictEqual } from "node:util";

export interface UnitTest {
  readonly name: string;
  readonly run: () => unknown;
}

type Body = (...given: readonly unknown[]) => unknown;

const found: UnitTest[] = [];
let within = "";

/** The tests that modules loaded until now have declared; each is handed out once. */
export function takeTests(): readonly UnitTest[] {
  return found.splice(0);
}

function declare(name: string, body: Body): void {
  found.push({ name: `${within}${name}`, run: () => body() });
}

function each(table: readonly unknown[]) {
  return (name: string, body: Body): void => {
    for (const [index, row] of table.entries()) {
      const given: readonly unknown[] = Array.isArray(row) ? row : [row];
      declare(`${name} [${index}]`, () => body(...given));
    }
  };
}

const skipped = (): void => {};
export const test = Object.assign(declare, { each, skipIf: (skip: boolean) => (skip ? skipped : declare) });

export function describe(name: string, body: () => void): void {
  const before = within;
  within = `${before}${name} > `;
  body();
  within = before;
}

interface Matcher {
  readonly matches: (actual: unknown) => boolean;
}

function isMatcher(value: unknown): value is Matcher {
  return value instanceof Pattern;
}

class Pattern implements Matcher {
  readonly matches: (actual: unknown) => boolean;

  constructor(matches: (actual: unknown) => boolean) {
    this.matches = matches;
  }
}

function same(actual: unknown, expected: unknown): boolean {
  if (isMatcher(expected)) return expected.matches(actual);
  if (Array.isArray(actual) && Array.isArray(expected)) return actual.length === expected.length && expected.every((each, index) => same(actual[index], each));
  if (!isPlain(actual) || !isPlain(expected)) return isDeepStrictEqual(actual, expected);
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...names].every((name) => same(actual[name], expected[name]));
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function throws(actual: unknown, expected: unknown): boolean {
  try {
    (actual as () => unknown)();
  } catch (error) {
    return isExpectedError(error, expected);
  }
  return false;
}

function isExpectedError(error: unknown, expected: unknown): boolean {
  const message = error instanceof Error ? error.message : String(error);
  if (expected === undefined) return true;
  if (typeof expected === "string") return message.includes(expected);
  if (expected instanceof RegExp) return expected.test(message);
  if (typeof expected === "function") return error instanceof expected;
  return isMatcher(expected) ? expected.matches(error) : same(message, expected instanceof Error ? expected.message : expected);
}

type Check = (actual: unknown, expected: unknown) => boolean;

const lengthOf = (actual: unknown) => (actual as { readonly length: number }).length;
const includes: Check = (actual, expected) => (typeof actual === "string" ? actual.includes(expected as string) : (actual as readonly unknown[]).includes(expected));

const checks: Readonly<Record<string, Check>> = {
  toBe: Object.is,
  toEqual: same,
  toStrictEqual: same,
  toMatchObject: (actual, expected) => contains(actual, expected),
  toBeUndefined: (actual) => actual === undefined,
  toBeDefined: (actual) => actual !== undefined,
  toBeInstanceOf: (actual, expected) => actual instanceof (expected as new () => unknown),
  toContain: includes,
  toHaveLength: (actual, expected) => lengthOf(actual) === expected,
  toMatch: (actual, expected) => (expected instanceof RegExp ? expected.test(actual as string) : (actual as string).includes(expected as string)),
  toThrow: throws,
  toThrowError: throws,
  toBeGreaterThan: (actual, expected) => (actual as number) > (expected as number),
  toBeGreaterThanOrEqual: (actual, expected) => (actual as number) >= (expected as number),
  toBeLessThan: (actual, expected) => (actual as number) < (expected as number),
  toBeLessThanOrEqual: (actual, expected) => (actual as number) <= (expected as number),
};

function contains(actual: unknown, expected: unknown): boolean {
  if (!isPlain(expected)) return same(actual, expected);
  return typeof actual === "object" && actual !== null && Object.entries(expected).every(([name, value]) => contains((actual as Readonly<Record<string, unknown>>)[name], value));
}

function assertions(actual: unknown, wanted: boolean): object {
  const checked = Object.entries(checks).map(([name, check]) => [
    name,
    (expected?: unknown) => {
      // What a mutant throws inside of a check counts as a difference as well.
      if (check(actual, expected) !== wanted) throw new Error(`${wanted ? "" : "not "}${name} does not hold`);
    },
  ]);
  return Object.fromEntries(checked);
}

function expectation(actual: unknown): object {
  return Object.assign(assertions(actual, true), { not: assertions(actual, false) });
}

export const expect = Object.assign(expectation, {
  objectContaining: (expected: unknown) => new Pattern((actual) => contains(actual, expected)),
  stringMatching: (expected: string | RegExp) => new Pattern((actual) => typeof actual === "string" && new RegExp(expected, "u").test(actual)),
  stringContaining: (expected: string) => new Pattern((actual) => typeof actual === "string" && actual.includes(expected)),
  any: (expected: new () => unknown) => new Pattern((actual) => actual instanceof expected || typeof actual === expected.name.toLowerCase()),
});
