import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failure } from "../../../../test/unit/support/failure.ts";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { columnKinds } from "../checks/column-kinds.ts";
import { castNumber, isMissing, missingCells, numericColumn } from "./cast.ts";
import { CsvColumnSink } from "./csv-column.ts";
import { cellText, parseCell } from "./number-text.ts";
import { tableOf } from "./table-of.ts";
import { readTable } from "./table.ts";

const kept = (cells: readonly string[]) => {
  const sink = new CsvColumnSink();
  for (const cell of cells) sink.add(cell);
  return sink.end();
};

const plain = ["0", "-0", "-0.00", "5", "-12.50", "0.1", "1.0", "999999999999999", "-0.00000000000001", "123456789.012345"];
const long = ["1e+05", "1234567890123456", "0.1234567890123456", "0.30000000000000004", "1e-05", "1.5e-07", "1e+20", "1.7976931348623157e+308", "5e-324", "-2.5e+300", "100000000000000000000"];
const others = ["007", "00", "-00.5", "+5", ".5", "5.", "-", "-.", "1..2", "1e5", "1E-05", " 1", "1 ", "0x10", "Infinity", "1e+999", "9007199254740993", "1_000", "٣", `0.${"1".repeat(120)}`, "a", "é😀", "true"];
const missing = ["", "NaN", "nan"];

describe("how a number is written", () => {
  const found = (cell: string) => {
    const into = { value: 0, form: 0 };
    return parseCell(cell, into) ? into : undefined;
  };

  test.each([...plain, ...long, ...missing])("%j comes back as it stood, with the number that a check casts it to", (cell) => {
    const { value, form } = found(cell) ?? { value: 0, form: -1 };
    expect(cellText(value, form)).toBe(cell);
    expect(value).toEqual(isMissing(cell) ? Number.NaN : castNumber(cell));
  });

  test.each(others)("%j stays text", (cell) => {
    expect(found(cell)).toBeUndefined();
  });

  test("every text that is taken for a number is that number and comes back", () => {
    const digits = fc.string({ unit: fc.constantFrom("0", "1", "2", "5", "9"), minLength: 1, maxLength: 18 });
    const written = fc.tuple(fc.constantFrom("", "-", "+"), digits, fc.option(digits), fc.constantFrom("", "", "e5", "e-05", "e+20")).map(([sign, whole, rest, power]) => `${sign}${whole}${rest === null ? "" : `.${rest}`}${power}`);
    const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map(String);
    const rounded = fc.tuple(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.nat(6)).map(([value, decimals]) => value.toFixed(decimals));
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(written, numbers, rounded), (cell) => {
        const into = found(cell);
        if (into === undefined) return;
        taken += 1;
        expect(cellText(into.value, into.form)).toBe(cell);
        expect(into.value).toBe(castNumber(cell));
      }),
      { numRuns: 3000, examples: plain.map((cell) => [cell]) },
    );
    expect(taken).toBeGreaterThanOrEqual(plain.length);
  });

  test("rounded to the digits of its column, every number of a program is taken", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e8, max: 1e8, noNaN: true }), fc.nat(6), (value, decimals) => {
        expect(found(value.toFixed(decimals))).toBeDefined();
      }),
    );
  });
});

describe("a column of a CSV file", () => {
  const cell = fc.constantFrom(...plain, ...long, ...missing, ...others);

  test("gives back every cell, whatever it is kept as, and where it has numbers they are those of the cells", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...plain, ...missing), cell), { maxLength: 30 }), fc.array(fc.constantFrom(...plain, ...missing), { maxLength: 30 }), (mixed, numbers) => {
        for (const cells of [mixed, numbers]) {
          const column = kept(cells);
          expect(column.cells()).toEqual(cells);
          expect([undefined, cells.map((each) => (isMissing(each) ? Number.NaN : castNumber(each)))]).toContainEqual(column.numbers() && [...(column.numbers() ?? [])]);
        }
        expect(kept(numbers).numbers()).toBeDefined();
      }),
    );
  });

  test("that turns to text late, and then to texts that never repeat, keeps what it had", () => {
    const cells = [...Array.from({ length: 3000 }, (_, row) => (row % 7 === 0 ? "" : (row / 8).toFixed(row % 3))), ...Array.from({ length: 70_000 }, (_, row) => `u-${row}-é`), "007", ""];
    const column = kept(cells);
    expect(column.cells()).toEqual(cells);
    expect(column.numbers()).toBeUndefined();
  });

  test("of many rows with few texts, and of numbers written in several ways, comes back", () => {
    const codes = Array.from({ length: 5000 }, (_, row) => ["00", "01", "NaN", ""][row % 4] ?? "");
    const ways = Array.from({ length: 5000 }, (_, row) => ["1", "1.0", "1e-05", "0.1234567890123456", "nan"][row % 5] ?? "");
    expect([kept(codes).cells(), kept(ways).cells()]).toEqual([codes, ways]);
    expect([kept(codes).numbers(), kept(ways).numbers()?.length]).toEqual([undefined, 5000]);
  });
});

describe("a table of typed columns says the same as one of texts", () => {
  test("to everything that reads it", () => {
    const cell = fc.constantFrom(...plain, ...long, ...missing, "007", "x", "x", "y");
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, fc.constantFrom(...plain, ...missing), fc.constantFrom(...missing)), { maxLength: 12 }), (rows) => {
        const columns = ["mixed", "numbers", "nothing"];
        const texts = tableOf(columns, columns.map((_, index) => rows.map((row) => row[index] ?? "")));
        const typed = readTable(Buffer.from(["mixed,numbers,nothing", ...rows.map((row) => row.join(","))].join("\n")));
        const said = (table: typeof texts) => ({ rows: table.rows, kinds: columnKinds(table), cells: columns.map((name) => table.cells(name)), missing: columns.map((name) => missingCells(table, name)), numbers: [...numericColumn(table, "numbers")], mixed: outcome(() => [...numericColumn(table, "mixed")]) });
        expect(said(typed)).toEqual(said(texts));
        expect(failure(() => typed.cells("none"))).toMatchObject({ code: "table_column_missing", at: { column: "none", columns } });
      }),
    );
  });

  test("an array of numbers belongs to whoever asked for it", () => {
    const table = readTable(Buffer.from("x\n1\n2\n"));
    numericColumn(table, "x").fill(9);
    expect([...numericColumn(table, "x")]).toEqual([1, 2]);
  });

  test("a sentinel that is a text is found in a column of numbers too", async () => {
    const missingOf = async (sentinels: readonly unknown[]) => (await checkResult({ check: "data.missing", dataset: "now", max: 0.9, sentinels }, { now: `x\n${"-999\n5\n".repeat(20)}` })).counts.events;
    expect([await missingOf(["-999"]), await missingOf([-999]), await missingOf(["x"])]).toEqual([20, 20, 0]);
  });
});

function outcome(act: () => readonly number[]): unknown {
  try {
    return act();
  } catch (error) {
    return String(error);
  }
}
