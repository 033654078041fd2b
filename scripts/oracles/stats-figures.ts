import type { Tally } from "./tally.ts";

export type Figures = Readonly<Record<string, unknown>>;

/** Figures that the reference itself found by a root or a quantile. */
export const quantileTolerance = 1e-6;

/** A number given in a case; NaN where the case does not hold one, so that everything computed from it differs. */
export function number(row: Figures, key: string): number {
  return asNumber(row[key]);
}

export function numbers(row: Figures, key: string): readonly number[] {
  const values = row[key];
  return Array.isArray(values) ? values.map(asNumber) : [];
}

export function asNumber(value: unknown): number {
  if (typeof value === "number") return value;
  if (value === "Infinity") return Infinity;
  return value === "-Infinity" ? -Infinity : Number.NaN;
}

export function isFigures(value: unknown): value is Figures {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

interface Compared {
  readonly row: Figures;
  /** Keys that are inputs, not figures. */
  readonly given: readonly string[];
  readonly found: Figures;
  /** Relative, 1e-9 unless given. */
  readonly tolerance?: (key: string) => number;
  /** Absolute difference that is also good. */
  readonly absolute?: (key: string) => number;
}

/** Compares every figure of a case. One that the engine does not compute counts as a mismatch. */
export function compareFigures(tally: Tally, name: string, { row, given, found, tolerance, absolute }: Compared): void {
  for (const [key, expected] of Object.entries(row)) {
    if (given.includes(key)) continue;
    if (!Object.hasOwn(found, key)) tally.same(`${name} ${key}`, "not computed", expected);
    else compareOne(tally, `${name} ${key}`, { actual: found[key], expected, relative: tolerance?.(key) ?? 1e-9, absolute: absolute?.(key) ?? 0 });
  }
}

interface One {
  readonly actual: unknown;
  readonly expected: unknown;
  readonly relative: number;
  readonly absolute: number;
}

export function compareOne(tally: Tally, name: string, one: One): void {
  const { actual, expected } = one;
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    for (const [index, value] of expected.entries()) compareOne(tally, `${name} [${index}]`, { ...one, actual: actual[index], expected: value });
    return;
  }
  if (isFigures(expected) && isFigures(actual)) {
    for (const [key, value] of Object.entries(expected)) compareOne(tally, `${name} ${key}`, { ...one, actual: actual[key], expected: value });
    return;
  }
  if (isNumeric(expected) && typeof actual === "number") compareNumber(tally, name, { ...one, actual, wanted: asNumber(expected) });
  else tally.same(name, actual, expected);
}

function compareNumber(tally: Tally, name: string, { actual, wanted, relative, absolute }: { readonly actual: number; readonly wanted: number; readonly relative: number; readonly absolute: number }): void {
  if (Math.abs(wanted) === Infinity) {
    tally.same(name, String(actual), String(wanted));
    return;
  }
  const close = actual === wanted || Math.abs(actual - wanted) <= absolute;
  tally.near(name, close ? wanted : actual, Number.isNaN(wanted) ? undefined : wanted, relative);
}

/** `undefined`, `NaN` and null stand for what has no value. */
function isNumeric(value: unknown): boolean {
  return typeof value === "number" || value === null || (typeof value === "string" && ["undefined", "NaN", "Infinity", "-Infinity"].includes(value));
}

interface Sections {
  readonly sections: Readonly<Record<string, (tally: Tally, name: string, row: Figures) => void>>;
  /** Keys that say where the figures come from. */
  readonly skip: readonly string[];
}

/** Runs over every list of cases in a file. A section, or a case, of an unknown shape is a mismatch and ends nothing. */
export function each(tally: Tally, file: unknown, { sections, skip }: Sections): void {
  for (const [section, rows] of Object.entries(isFigures(file) ? file : { file })) {
    if (skip.includes(section)) continue;
    const compare = Object.entries(sections).find(([name]) => name === section)?.[1];
    if (compare === undefined || !Array.isArray(rows)) {
      tally.same(section, "not compared", rows);
      continue;
    }
    for (const [index, row] of rows.entries()) guarded(tally, `${section}[${index}]`, () => compare(tally, section, isFigures(row) ? row : {}));
  }
}

/** What a case throws is a mismatch of that case. */
export function guarded(tally: Tally, name: string, compare: () => void): void {
  try {
    compare();
  } catch (error) {
    tally.same(name, error instanceof Error ? error.message : String(error), "a comparison");
  }
}
