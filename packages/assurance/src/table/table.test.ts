import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failure } from "../../../../test/unit/support/failure.ts";
import { castBoolean, castDate, castInteger, castNumber, median, numericColumn } from "./cast.ts";
import { tableBounds } from "./csv.ts";
import { readTable, TableBuilder, type Table } from "./table.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (text: string) => readTable(bytes(text));
const rowsOf = (table: Table) => Array.from({ length: table.rows }, (_, row) => table.columns.map((name) => table.cells(name)[row]));

describe("reading CSV", () => {
  test("every table that can be written as RFC 4180 is read back exactly, however it is cut into chunks", () => {
    const cell = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "é", "😀", " ", "0") });
    const shape = fc.integer({ min: 1, max: 5 }).chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }));
    fc.assert(
      fc.property(shape, fc.constantFrom("\n", "\r\n"), fc.boolean(), fc.integer({ min: 1, max: 7 }), (rows, newline, bom, size) => {
        const quoted = rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(","));
        const header = (rows[0] ?? []).map((_, index) => `c${index}`).join(",");
        const raw = bytes((bom ? "\uFEFF" : "") + [header, ...quoted].join(newline));
        const builder = new TableBuilder();
        for (let start = 0; start < raw.length; start += size) builder.push(raw.subarray(start, start + size));
        expect(rowsOf(builder.end())).toEqual(rows);
      }),
    );
  });

  test("leading zeros stay, a final line break adds no row, blank lines at the end are nothing", () => {
    const table = read("code,n\n007,1\r\n08,2\n\n");
    expect([table.rows, table.cells("code")]).toEqual([2, ["007", "08"]]);
  });

  test("a header without rows is a table without rows", () => {
    expect(read("a,b\n").rows).toBe(0);
  });

  test("an empty line of a one-column table is an empty cell", () => {
    expect(read("a\n1\n\n2\n").cells("a")).toEqual(["1", "", "2"]);
  });

  test.each([
    ["", { line: 1 }],
    ["a,a\n", { line: 1, column: 2 }],
    ["a,\n", { line: 1, column: 2 }],
    ["a,b\n1\n", { line: 2, found: 1, expected: 2 }],
    ["a,b\n1,2,3\n", { line: 2, found: 3, expected: 2 }],
    ["a,b\n1,2\n\n3,4\n", { line: 3, found: 0, expected: 2 }],
    ['a,b\n1,"x\n', { line: 2, column: 3 }],
    ['a,b\n1,x"y\n', { line: 2, column: 4 }],
    ['a,b\n😀x"y,3\n', { line: 2, column: 3 }],
    ['a,b\n"😀"x,3\n', { line: 2, column: 4 }],
    ['a,b\n"1"2,3\n', { line: 2, column: 4 }],
    ["a,b\n1\r2,3\n", { line: 2, column: 3 }],
    ["a\nx\0y\n", { line: 2, column: 2 }],
  ])("%j is refused with its place", (text, at) => {
    const refused = failure(() => read(text));
    expect(refused).toMatchObject({ code: "table_malformed", at });
  });

  test("bytes that are not UTF-8 are refused", () => {
    expect(failure(() => readTable(new Uint8Array([0x61, 0x0a, 0xff, 0x0a]))).code).toBe("table_malformed");
    expect(failure(() => readTable(new Uint8Array([0x61, 0x0a, 0xe2, 0x82]))).code).toBe("table_malformed");
  });

  test("every bound stops the reader", () => {
    const bounded = (text: string, bound: object) => failure(() => readTable(bytes(text), { ...tableBounds, ...bound })).code;
    expect(bounded("a\n12345\n", { bytesMax: 5 })).toBe("table_too_large");
    expect(bounded("a\n1\n2\n", { rowsMax: 1 })).toBe("table_too_large");
    expect(bounded("a,b,c\n", { columnsMax: 2 })).toBe("table_too_large");
    expect(bounded('a\n"12345"\n', { fieldCharsMax: 4 })).toBe("table_too_large");
  });
});

describe("casting", () => {
  test("only decimal notation is a number", () => {
    expect(["1", "-1.5", ".5", "1e3", "+2.", "1e-9"].map(castNumber)).toEqual([1, -1.5, 0.5, 1000, 2, 1e-9]);
    const refused = ["", " 1", "1 ", "0x10", "Infinity", "NaN", "1e9999", "1,5", "1_000", "٣"];
    expect(refused.map(castNumber)).toEqual(refused.map(() => undefined));
    expect([castInteger("35.0"), castInteger("35.5"), castBoolean("True"), castBoolean("yes")]).toEqual([35, undefined, true, undefined]);
  });

  test("a date must exist in the calendar", () => {
    expect(castDate("2024-02-29")).toBe(Date.UTC(2024, 1, 29));
    expect(castDate("2024-02-29T10:00:00Z")).toBe(Date.UTC(2024, 1, 29, 10));
    expect(castDate("2024-02-29T10:00")).toBe(Date.UTC(2024, 1, 29, 10));
    expect(["2023-02-29", "29.02.2024", "2024-13-01", "2024-01-01T25:00:00Z", ""].map(castDate)).toEqual(Array.from({ length: 5 }, () => undefined));
  });

  test("text in a numeric column names its row, and a missing column its name", () => {
    const table = read("a,b\n1,x\n,2\n");
    expect([...numericColumn(table, "a")]).toEqual([1, Number.NaN]);
    expect(failure(() => numericColumn(table, "b"))).toMatchObject({ code: "table_value_invalid", at: { row: 1, column: "b" } });
    expect(failure(() => numericColumn(table, "c"))).toMatchObject({ code: "table_column_missing", at: { column: "c" } });
  });

  test("the median ignores missing values and is the mean of the middle two", () => {
    expect(median(Float64Array.of(3, Number.NaN, 1, 2, 10))).toBe(2.5);
    expect(median(Float64Array.of(5, 1, 9))).toBe(5);
    expect(median(Float64Array.of(Number.NaN))).toBeUndefined();
  });
});
