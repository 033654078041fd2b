import { isRecord } from "./canonical.ts";

export type Test = (value: unknown) => boolean;
export type Shape = Readonly<Record<string, Test>>;

/** True if the value is a record whose members all pass, with none beside them. */
export function fits(value: unknown, shape: Shape): boolean {
  return isRecord(value) && Object.keys(value).every((name) => Object.hasOwn(shape, name)) && covers(value, shape);
}

/** True if the value is a record whose members pass as far as the shape names them. */
export function covers(value: unknown, shape: Shape): boolean {
  return isRecord(value) && Object.entries(shape).every(([name, test]) => test(Object.hasOwn(value, name) ? value[name] : undefined));
}

export function optional(test: Test): Test {
  return (value) => value === undefined || test(value);
}

export function listOf(test: Test, lengthMax: number): Test {
  return (value) => Array.isArray(value) && value.length <= lengthMax && value.every(test);
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** ECMAScript dates end 8.64e15 ms after the epoch. */
const timeMax = 8_640_000_000_000_000;

/** Milliseconds since the Unix epoch that a date can show. */
export function isTime(value: unknown): value is number {
  return isCount(value) && value <= timeMax;
}
