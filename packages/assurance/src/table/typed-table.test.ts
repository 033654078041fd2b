import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failure } from "../../../../test/unit/support/failure.ts";
import { castNumber, isMissing } from "./cast.ts";
import { encodeDictionary } from "./dictionary.ts";
import { readTable } from "./table.ts";
import { tableBounds } from "./csv.ts";
import { TypedTableBuilder, type TypedTableOptions } from "./typed-table.ts";

const read = (text: string, options: TypedTableOptions = {}, pieceBytes = 7) => {
  const builder = new TypedTableBuilder(options);
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length; at += pieceBytes) builder.push(bytes.subarray(at, at + pieceBytes));
  return builder.end();
};

describe("typed columns", () => {
  test("they hold what the table of texts holds, however the file is cut", () => {
    const number = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map(String), fc.constantFrom("", "NaN", "007", "1e3"));
    const text = fc.constantFrom("", "a", "b,c", "d\ne", 'f"g', "é😀");
    fc.assert(
      fc.property(fc.array(fc.tuple(number, text), { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 9 }), (rows, piece) => {
        const csv = ["x,c", ...rows.map(([x, c]) => `${x},"${c.replaceAll('"', '""')}"`)].join("\n");
        const plain = readTable(new TextEncoder().encode(csv));
        const typed = read(csv, { kinds: { x: "number", c: "category" } }, piece);
        expect([...typed.number("x")]).toEqual(plain.cells("x").map((cell) => (isMissing(cell) ? Number.NaN : castNumber(cell))));
        expect(typed.category("c")).toEqual(encodeDictionary(plain.cells("c")));
        expect(typed.rows).toBe(rows.length);
      }),
    );
  });

  test("kinds are found from the first cells, and a later text in a number column is refused with its place", () => {
    const typed = read("x,c,s\n1,a,9\n,b,9\n", { kinds: { s: "skip" } });
    expect([...typed.kinds]).toEqual([["x", "number"], ["c", "category"]]);
    expect(failure(() => typed.number("c"))).toMatchObject({ code: "table_column_missing" });
    expect(failure(() => typed.category("s"))).toMatchObject({ code: "table_column_missing" });
    const late = `x\n${"1\n".repeat(1500)}oops\n`;
    expect(failure(() => read(late))).toMatchObject({ code: "table_value_invalid", at: { row: 1501, column: "x" } });
  });

  test("damaged files and files beyond a bound are refused as by the table of texts", () => {
    expect(failure(() => read("a,b\n1\n")).code).toBe("table_malformed");
    expect(failure(() => read("a,b\n1,2\n\n3,4\n")).code).toBe("table_malformed");
    expect(failure(() => read("")).code).toBe("table_malformed");
    expect(failure(() => read("a\n1\n2\n", { bounds: { ...tableBounds, rowsMax: 1 } })).code).toBe("table_too_large");
    expect(read("a\n1\n\n2\n").number("a")).toEqual(Float64Array.of(1, Number.NaN, 2));
  });

  test("two hundred thousand rows grow past every first size", () => {
    const typed = read(`x,c\n${Array.from({ length: 200_000 }, (_, row) => `${row},k${row % 3}\n`).join("")}`, {}, 65_536);
    expect(typed.number("x")[199_999]).toBe(199_999);
    expect(typed.category("c").codes[199_999]).toBe(2);
  });
});
