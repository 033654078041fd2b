import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readCsv } from "./usage-csv.ts";

const codeOf = (text: string): unknown => {
  try {
    return readCsv(text);
  } catch (error) {
    return error;
  }
};

describe("a csv file", () => {
  test("gives back every cell that was quoted into it, whatever it holds", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", " ", ",", '"', "\n", "\r\n", "é", "1") }).map((text) => text.trim());
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 6 }), fc.constantFrom("\n", "\r\n"), fc.boolean(), (rows, newline, ended) => {
        const quoted = rows.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(","));
        const read = readCsv(["a,b", ...quoted].join(newline) + (ended ? newline : ""));
        expect(read.map(({ cells }) => [cells.get("a"), cells.get("b")])).toEqual(rows);
      }),
    );
  });

  test("names the line of each row, also after a cell of several lines", () => {
    expect(readCsv('a,b\n"x\ny",1\n\nz,2\n').map(({ line }) => line)).toEqual([2, 5]);
    expect(readCsv("\u{FEFF}a,b\nx,1").map(({ cells }) => cells.get("a"))).toEqual(["x"]);
  });

  test.each([
    ["", /^line 1: the file is empty/u],
    ["a,a\n1,2\n", /^line 1: a column stands twice/u],
    ["a,b\n1,2\n3\n", /^line 3: the row has 1 cells, and the header 2/u],
    ['a,b\n"x,2\n', /^line 2: a quote is not closed/u],
    ['a,b\n"x"y,2\n', /^line 2: a quote is not closed/u],
  ])("%j is refused with its line", (text, message) => {
    expect(codeOf(text)).toMatchObject({ code: "usage_malformed", message: expect.stringMatching(message) });
  });
});
