import { expect, test } from "vitest";
import { indexCursor } from "./index-cursor.ts";

test("a cursor is the index that a page gave, and anything else is refused", () => {
  expect(indexCursor(undefined)).toBeUndefined();
  expect([indexCursor("0"), indexCursor("42")]).toEqual([0, 42]);
  for (const other of ["", " ", "-1", "1e3", "0x10", "1.5", "NaN", "9".repeat(16), "１"]) {
    expect(() => indexCursor(other)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  }
});
