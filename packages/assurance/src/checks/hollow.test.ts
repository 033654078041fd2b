import { expect, test } from "vitest";
import { hollowness, isOneClass } from "./hollow.ts";

const digest = `sha256:${"0".repeat(64)}`;
const input = (role: "test" | "reference" | "train" | "prompts", rows: number) => ({ role, id: role, digest, rows });
const found = { figures: { a: [1, 2] }, counts: { attempted: 100, assessed: 100, unassessed: 0 }, inputs: [input("test", 100)], oneClass: false };

test("figures of enough rows with more than one answer are left to the check's own rule", () => {
  expect(hollowness(found)).toBeUndefined();
  expect(hollowness({ ...found, figures: { a: null, b: "x", c: true } })).toBeUndefined();
  expect(hollowness({ ...found, inputs: [input("test", 2), input("prompts", 1)] })).toBeUndefined();
});

test("a number that is none, however deep, is no figure, and the reason says why there is none", () => {
  for (const value of [Number.NaN, Infinity, -Infinity]) expect(hollowness({ ...found, figures: { list: [{ deep: value }] } })).toMatchObject({ reason: "no_figure", always: true });
  expect(hollowness({ ...found, figures: Number.NaN, counts: { attempted: 100, assessed: 90, unassessed: 10 } })).toMatchObject({ reason: "unassessed_budget", always: true });
  expect(hollowness({ ...found, figures: Number.NaN, counts: { attempted: 1, assessed: 1, unassessed: 0 } })).toMatchObject({ reason: "too_few", always: true });
});

test("one row on any side, and one true answer for all rows, can only take a pass away", () => {
  for (const role of ["test", "reference", "train"] as const) expect(hollowness({ ...found, inputs: [input("test", 100), input(role, 1)] })).toMatchObject({ reason: "too_few", always: false });
  expect(hollowness({ ...found, oneClass: true })).toMatchObject({ reason: "degenerate", always: false });
});

test("one class is one class whatever is missing beside it; without any answer there is none", () => {
  expect([isOneClass([1, 1, -1, Number.NaN]), isOneClass([0, 0]), isOneClass([0, 1]), isOneClass([-1, Number.NaN]), isOneClass([])]).toEqual([true, true, false, false, false]);
});
