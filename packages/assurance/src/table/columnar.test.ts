import { Bool, DateDay, Decimal, Dictionary, Float64, Int32, Int64, Table as ArrowTable, TimestampMicrosecond, Utf8, vectorFromArray } from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { TableSink, readAnyTable } from "./any-table.ts";
import { numericColumn } from "./cast.ts";
import { arrowOf, cellsOf, outcome, parquetOf } from "./columnar-fixture.ts";
import { tableBounds } from "./csv.ts";
import { dayText, decimalText, momentText, timeOfDayText } from "./exact-text.ts";
import { tableForm } from "./table-form.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const parquetCells = {
  x: ["1.5", "", "-2", "4e+300"],
  n: ["1", "2", "3", "4"],
  big: ["1", "9007199254740993", "", "-9007199254740993"],
  s: ["a", "", "", "é😀"],
  b: ["true", "false", "", "true"],
  t: ["2024-02-29T10:00:00.25Z", "", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59Z"],
};

const parquet = (codec: "SNAPPY" | "UNCOMPRESSED" = "SNAPPY") =>
  parquetOf(
    [
      { name: "x", data: [1.5, null, -2, 4e300], type: "DOUBLE" },
      { name: "n", data: [1, 2, 3, 4], type: "INT32", nullable: false },
      { name: "big", data: [1n, 9007199254740993n, null, -9007199254740993n], type: "INT64" },
      { name: "s", data: ["a", "", null, "é😀"], type: "STRING" },
      { name: "b", data: [true, false, null, true], type: "BOOLEAN" },
      { name: "t", data: [new Date("2024-02-29T10:00:00.250Z"), null, new Date(0), new Date("1969-12-31T23:59:59Z")], type: "TIMESTAMP" },
    ],
    { rowGroupSize: 2, codec },
  );

const arrow = (form: "file" | "stream") =>
  arrowOf(
    new ArrowTable({
      x: vectorFromArray([1.5, null, -2], new Float64()),
      big: vectorFromArray([9007199254740993n, null, 1n], new Int64()),
      s: vectorFromArray(["a", null, "é😀"], new Utf8()),
      d: vectorFromArray(["u", "v", "u"], new Dictionary(new Utf8(), new Int32())),
      b: vectorFromArray([true, null, false], new Bool()),
      m: vectorFromArray([Uint32Array.of(1250, 0, 0, 0), null, Uint32Array.of(4294967295, 4294967295, 4294967295, 4294967295)], new Decimal(2, 10, 128)),
      t: vectorFromArray([0, null, 1709200800250], new TimestampMicrosecond("UTC")),
      day: vectorFromArray([new Date("2024-02-29"), null, new Date(0)], new DateDay()),
    }),
    form,
  );

describe("a columnar file", () => {
  test("of Parquet gives the cells that its values spell, over row groups, with every digit", async () => {
    const table = await readAnyTable(parquet());
    expect(cellsOf(table)).toEqual(parquetCells);
    expect([...numericColumn(table, "big")]).toEqual([1, 9007199254740992, Number.NaN, -9007199254740992]);
    expect([...numericColumn(table, "x")]).toEqual([1.5, Number.NaN, -2, 4e300]);
  });

  test.each(["file", "stream"] as const)("of Arrow, as %s, gives the cells that its values spell, with every digit", async (form) => {
    expect(cellsOf(await readAnyTable(arrow(form)))).toEqual({
      x: ["1.5", "", "-2"],
      big: ["9007199254740993", "", "1"],
      s: ["a", "", "é😀"],
      d: ["u", "v", "u"],
      b: ["true", "", "false"],
      m: ["12.50", "", "-0.01"],
      t: ["1970-01-01T00:00:00Z", "", "2024-02-29T10:00:00.25Z"],
      day: ["2024-02-29", "", "1970-01-01"],
    });
  });

  test("is known by its first bytes however it comes in pieces, and a header of CSV is never taken for one", async () => {
    const sink = new TableSink();
    for (const byte of parquet("UNCOMPRESSED")) sink.push(Uint8Array.of(byte));
    expect((await sink.end()).rows).toBe(4);
    expect(["PAR1,b\n1,2\n", "PARE\n1\n", "ARROW1\n2\n", "", "a\n"].map((text) => tableForm(bytes(text)))).toEqual(Array.from({ length: 5 }, () => "csv"));
    const small = new TableSink();
    for (const byte of bytes("PAR1\n7\n")) small.push(Uint8Array.of(byte));
    expect((await small.end()).cells("PAR1")).toEqual(["7"]);
  });
});

/** The record without what is true of the file and of the clock alone. */
function figures(result: Awaited<ReturnType<typeof checkResult>>): string {
  return JSON.stringify({ ...result, subject: { ...result.subject, digest: "" }, inputs: result.inputs.map((input) => ({ ...input, digest: "" })), cost: null });
}

describe("the same rows", () => {
  const rows = Array.from({ length: 300 }, (_, row) => ({ amount: row % 17 === 0 ? null : Math.sin(row) * 100, colour: row % 3 === 0 ? "red" : "blue", code: `00${row % 5}`, n: row % 7 }));
  const column = <K extends keyof (typeof rows)[number]>(name: K, from: number) => rows.slice(from, from + 250).map((row) => row[name]);
  const written = {
    csv: (from: number) => bytes(["amount,colour,code,n", ...rows.slice(from, from + 250).map(({ amount, colour, code, n }) => `${amount ?? ""},${colour},${code},${n}`)].join("\n")),
    parquet: (from: number) => parquetOf([{ name: "amount", data: column("amount", from), type: "DOUBLE" }, { name: "colour", data: column("colour", from), type: "STRING" }, { name: "code", data: column("code", from), type: "STRING" }, { name: "n", data: column("n", from), type: "INT32" }]),
    arrow: (from: number) => arrowOf(new ArrowTable({ amount: vectorFromArray(column("amount", from), new Float64()), colour: vectorFromArray(column("colour", from), new Utf8()), code: vectorFromArray(column("code", from), new Dictionary(new Utf8(), new Int32())), n: vectorFromArray(column("n", from), new Int32()) })),
  };

  test.each([
    { check: "data.missing", max: 0.2 },
    { check: "data.schema", columns: { amount: { type: "number" }, code: { type: "string", required: true }, n: { type: "integer", min: 0, max: 6 } } },
    { check: "drift.numeric", reference: "before" },
    { check: "drift.categorical", reference: "before" },
    { check: "drift.missing", reference: "before" },
  ])("give the same record from CSV, Parquet and Arrow: $check", async (check) => {
    const record = (form: keyof typeof written) => checkResult({ dataset: "now", ...check }, { now: written[form](0), ...("reference" in check && { before: written[form](50) }) });
    const fromCsv = await record("csv");
    expect(fromCsv.verdict).not.toBe("errored");
    expect(figures(await record("parquet"))).toBe(figures(fromCsv));
    expect(figures(await record("arrow"))).toBe(figures(fromCsv));
  });
});

describe("a hostile columnar file", () => {
  const bounds = { ...tableBounds, memoryMbMax: 128, readMsMax: 15_000 };
  const put = (whole: Uint8Array<ArrayBuffer>, at: number, ...values: readonly number[]) => {
    const changed = whole.slice();
    changed.set(values, at < 0 ? changed.length + at : at);
    return changed;
  };
  const plain = parquet("UNCOMPRESSED");
  const file = arrow("file");

  test.each([
    ["a cut Parquet file", plain.slice(0, plain.length - 9)],
    ["a Parquet file without pages", put(plain.slice(plain.length - 600), 0, 0x50, 0x41, 0x52, 0x31, 0x15)],
    ["a footer that says it is longer than the file", put(plain, -8, 0xff, 0xff, 0xff, 0x7f)],
    ["a footer of nothing", put(plain, -8, 0, 0, 0, 0)],
    ["an encrypted file", put(plain, 0, 0x50, 0x41, 0x52, 0x45, 0x00)],
    ["pages of zeros", plain.map((byte, at) => (at > 4 && at < 60 ? 0 : byte))],
    ["pages that say the most", plain.map((byte, at) => (at > 4 && at < 60 ? 0xff : byte))],
    ["a cut Arrow file", file.slice(0, file.length - 40)],
    ["an Arrow file of zeros", file.map((byte, at) => (at > 8 ? 0 : byte))],
    ["a cut Arrow stream", arrow("stream").slice(0, 900)],
  ])("is refused with a code: %s", async (_, hostile) => {
    expect(await outcome(new Uint8Array(hostile), bounds)).toMatch(/^table_(?:malformed|too_large)$/u);
  });

  test("stops at every bound", async () => {
    const bounded = async (bound: object) => outcome(parquet(), { ...bounds, ...bound });
    expect(await Promise.all([{ bytesMax: 100 }, { rowsMax: 3 }, { columnsMax: 5 }, { cellsMax: 20 }, { expandedBytesMax: 10 }, { readMsMax: 1 }].map(bounded))).toEqual(Array.from({ length: 6 }, () => "table_too_large"));
  });

  test("makes its check errored, and never a pass", async () => {
    expect(await checkResult({ check: "data.missing", dataset: "now", max: 1 }, { now: plain.slice(0, plain.length - 9) })).toMatchObject({ verdict: "errored", reason: "table_malformed" });
  });
});

test("columns without cells are refused when they are read, and no sooner", async () => {
  const table = await readAnyTable(parquetOf([{ name: "flat", data: [1, 2], type: "INT32" }, { name: "raw", data: [Uint8Array.of(0xff), Uint8Array.of(0xfe)], type: "BYTE_ARRAY" }]));
  expect(table.cells("flat")).toEqual(["1", "2"]);
  expect(() => table.cells("raw")).toThrow(expect.objectContaining({ code: "table_column_unsupported" }));
});

test("moments, days and decimals are written with all their digits and no others", () => {
  fc.assert(
    fc.property(fc.date({ min: new Date("0000-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }), (date) => {
      expect(Date.parse(momentText(BigInt(date.getTime()), 1000n, true) ?? "")).toBe(date.getTime());
      expect(momentText(BigInt(date.getTime()) * 1_000_000n, 1_000_000_000n, true)).toBe(momentText(BigInt(date.getTime()), 1000n, true));
    }),
  );
  expect([momentText(-1n, 1_000_000_000n, false), momentText(10n ** 30n, 1n, true), dayText(-1), dayText(4_000_000), timeOfDayText(86_400n, 1n), timeOfDayText(1n, 1000n)]).toEqual(["1969-12-31T23:59:59.999999999", undefined, "1969-12-31", undefined, undefined, "00:00:00.001"]);
  expect([decimalText(-5n, 2), decimalText(1250n, 2), decimalText(7n, 0), decimalText(7n, -2)]).toEqual(["-0.05", "12.50", "7", "700"]);
});
