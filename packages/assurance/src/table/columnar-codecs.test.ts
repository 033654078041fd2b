import { DateMillisecond, Decimal, Dictionary, Field, Float64, Int32, List, Struct, Table as ArrowTable, TimeMillisecond, TimestampMillisecond, TimestampNanosecond, TimestampSecond, Utf8, vectorFromArray } from "apache-arrow";
import { describe, expect, test } from "vitest";
import { checkResult } from "../../../../test/unit/support/run-check.ts";
import { readAnyTable } from "./any-table.ts";
import { numericColumn } from "./cast.ts";
import { arrowOf, cellsOf, outcome, packedLz4, parquetOf } from "./columnar-fixture.ts";
import { tableBounds } from "./csv.ts";
import { unpackLz4Frame } from "./lz4-frame.ts";

const rows = 3000;
/** Values that repeat, values that do not, missing ones, and texts of more than one byte a character. */
const values = {
  few: Array.from({ length: rows }, (_, row) => ["red", "green", "blau-é😀", null][row % 4] ?? null),
  many: Array.from({ length: rows }, (_, row) => `row ${row} ${(row * 2_654_435_761) % 4_294_967_296}`),
  real: Array.from({ length: rows }, (_, row) => (row % 11 === 0 ? null : Math.sin(row) * 1e6)),
  whole: Array.from({ length: rows }, (_, row) => row % 97),
};
const expected = {
  few: values.few.map((value) => value ?? ""),
  many: values.many,
  real: values.real.map((value) => (value === null ? "" : String(value))),
  whole: values.whole.map(String),
};
const written = (codec: "UNCOMPRESSED" | "SNAPPY" | "GZIP" | "BROTLI" | "ZSTD" | "LZ4_RAW" | "LZ4") =>
  parquetOf([{ name: "few", data: values.few, type: "STRING" }, { name: "many", data: values.many, type: "STRING" }, { name: "real", data: values.real, type: "DOUBLE" }, { name: "whole", data: values.whole, type: "INT32" }], { codec, rowGroupSize: 1000, pageSize: 4096 });

describe("a Parquet file", () => {
  test.each(["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4_RAW", "LZ4"] as const)("packed with %s holds what it was given, over pages and row groups", async (codec) => {
    expect(cellsOf(await readAnyTable(written(codec)))).toEqual(expected);
  });

  test.each(["GZIP", "BROTLI", "ZSTD", "LZ4_RAW", "LZ4", "SNAPPY"] as const)("packed with %s and damaged is refused, or is not damaged where it counts", async (codec) => {
    const whole = written(codec);
    for (const at of [40, 200, 1500, Math.floor(whole.length / 2)]) {
      const broken = whole.slice();
      broken[at] = (broken[at] ?? 0) ^ 0xff;
      broken[at + 1] = (broken[at + 1] ?? 0) ^ 0x55;
      const read = await outcome(broken, { ...tableBounds, memoryMbMax: 256, readMsMax: 20_000 });
      // Parquet has no checksum of its own here; what was read has as many cells as rows all the same.
      expect(["table_malformed", "table_too_large", rows]).toContain(typeof read === "string" ? read : read.rows);
    }
  });

  test("with a column in a codec that is not read has the others, and names column and codec", async () => {
    const mixed = parquetOf([{ name: "old", data: values.whole, type: "INT32", codec: "LZO" }, { name: "whole", data: values.whole, type: "INT32" }], { codec: "ZSTD" });
    const table = await readAnyTable(mixed);
    expect(table.cells("whole")).toEqual(expected.whole);
    expect(() => table.cells("old")).toThrow(expect.objectContaining({ code: "table_column_unsupported", message: expect.stringMatching(/`old`.*LZO.*GZIP/u) }));
    expect(() => numericColumn(table, "old")).toThrow(expect.objectContaining({ code: "table_column_unsupported" }));
    expect(await checkResult({ check: "data.missing", dataset: "now", max: 1 }, { now: mixed })).toMatchObject({ verdict: "errored", reason: "table_column_unsupported", error: { message: expect.stringContaining("LZO") } });
  });

  test("with nested columns has the flat ones, and says of each other what it holds", async () => {
    const schema = [
      { name: "root", num_children: 4 },
      { name: "flat", type: "INT32", repetition_type: "REQUIRED" },
      { name: "tags", repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      { name: "element", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "place", repetition_type: "OPTIONAL", num_children: 2 },
      { name: "city", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "zip", type: "INT32", repetition_type: "OPTIONAL" },
      { name: "after", type: "DOUBLE", repetition_type: "OPTIONAL" },
    ] as const;
    const table = await readAnyTable(
      parquetOf([{ name: "flat", data: [1, 2, 3] }, { name: "tags", data: [["a", "b"], [], null] }, { name: "place", data: [{ city: "x", zip: 1 }, null, { city: null, zip: 3 }] }, { name: "after", data: [0.5, null, 1.5] }], { schema: schema.map((element) => ({ ...element })) }),
    );
    expect([table.rows, table.columns, table.cells("flat"), table.cells("after")]).toEqual([3, ["flat", "tags", "place", "after"], ["1", "2", "3"], ["0.5", "", "1.5"]]);
    expect(() => table.cells("tags")).toThrow(expect.objectContaining({ code: "table_column_unsupported", message: expect.stringMatching(/`tags`.*lists/u) }));
    expect(() => table.cells("place")).toThrow(expect.objectContaining({ code: "table_column_unsupported", message: expect.stringMatching(/`place`.*structs/u) }));
  });

  test("gives moments, days, times and decimals of every unit as they stand in it", async () => {
    const element = (name: string, type: string, logical: object, more: object = {}) => ({ name, type, repetition_type: "OPTIONAL", logical_type: logical, ...more });
    const utc = (unit: string, isAdjustedToUTC = true) => ({ type: "TIMESTAMP", isAdjustedToUTC, unit });
    const schema = [
      { name: "root", num_children: 8 },
      element("millis", "INT64", utc("MILLIS")), element("micros", "INT64", utc("MICROS")), element("nanos", "INT64", utc("NANOS")), element("local", "INT64", utc("MICROS", false)),
      element("day", "INT32", { type: "DATE" }), element("time", "INT64", { type: "TIME", isAdjustedToUTC: false, unit: "MICROS" }),
      element("money", "INT64", { type: "DECIMAL", precision: 18, scale: 4 }), element("large", "FIXED_LEN_BYTE_ARRAY", { type: "DECIMAL", precision: 38, scale: 2 }, { type_length: 16 }),
    ];
    const data = { millis: [1n, -1n, null], micros: [1n, -1n, null], nanos: [1n, -1n, null], local: [1_709_200_800_000_000n, 0n, null], day: [19_782, -1, null], time: [1n, 86_399_999_999n, null], money: [12_345n, -1n, null], large: [Uint8Array.of(...Array.from({ length: 15 }, () => 0), 5), new Uint8Array(16).fill(0xff), null] };
    const file = parquetOf(Object.entries(data).map(([name, cells]) => ({ name, data: cells })), { schema: raw(schema) });
    expect(cellsOf(await readAnyTable(file))).toEqual({
      millis: ["1970-01-01T00:00:00.001Z", "1969-12-31T23:59:59.999Z", ""],
      micros: ["1970-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z", ""],
      nanos: ["1970-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59.999999999Z", ""],
      local: ["2024-02-29T10:00:00", "1970-01-01T00:00:00", ""],
      day: ["2024-02-29", "1969-12-31", ""],
      time: ["00:00:00.000001", "23:59:59.999999", ""],
      money: ["1.2345", "-0.0001", ""],
      large: ["0.05", "-0.01", ""],
    });
  });
});

type Schema = NonNullable<NonNullable<Parameters<typeof parquetOf>[1]>["schema"]>;

/** What the writer's type says of a schema is narrower than what is stated here, one element a column. */
function raw(schema: readonly object[]): Schema {
  const isSchema = (value: unknown): value is Schema => Array.isArray(value);
  if (!isSchema(schema)) throw new Error("no schema");
  return schema;
}

describe("an Arrow file", () => {
  test("gives moments of every unit and zone, days, times, decimals and codes as they stand in it", async () => {
    const table = new ArrowTable({
      seconds: vectorFromArray([0, null], new TimestampSecond("UTC")),
      zoned: vectorFromArray([1_709_200_800_250, null], new TimestampMillisecond("Europe/Zurich")),
      local: vectorFromArray([1_709_200_800_250, null], new TimestampMillisecond()),
      nanos: vectorFromArray([1, null], new TimestampNanosecond("UTC")),
      day: vectorFromArray([new Date("2024-02-29"), null], new DateMillisecond()),
      time: vectorFromArray([36_000_500, null], new TimeMillisecond()),
      money: vectorFromArray([Uint32Array.of(5, 0, 0, 0), null], new Decimal(3, 38, 128)),
      coded: vectorFromArray(["x", null], new Dictionary(new Utf8(), new Int32())),
    });
    for (const form of ["file", "stream"] as const) {
      expect(cellsOf(await readAnyTable(arrowOf(table, form)))).toEqual({
        seconds: ["1970-01-01T00:00:00Z", ""],
        // The zone says how to show a moment, and not which one it is.
        zoned: ["2024-02-29T10:00:00.25Z", ""],
        local: ["2024-02-29T10:00:00.25", ""],
        nanos: ["1970-01-01T00:00:00.001Z", ""],
        day: ["2024-02-29", ""],
        time: ["10:00:00.5", ""],
        money: ["0.005", ""],
        coded: ["x", ""],
      });
    }
  });

  test("with nested columns has the flat ones, and says of each other what it holds", async () => {
    const list = vectorFromArray([[1, 2], null, []], new List(new Field("item", new Float64())));
    const struct = vectorFromArray([{ a: 1 }, null, { a: 3 }], new Struct([new Field("a", new Float64())]));
    const table = await readAnyTable(arrowOf(new ArrowTable({ flat: vectorFromArray([1, 2, 3], new Float64()), list, struct, after: vectorFromArray(["x", null, "z"], new Utf8()) })));
    expect([table.cells("flat"), table.cells("after")]).toEqual([["1", "2", "3"], ["x", "", "z"]]);
    for (const name of ["list", "struct"]) expect(() => table.cells(name)).toThrow(expect.objectContaining({ code: "table_column_unsupported", message: expect.stringContaining(name) }));
  });

  test("unpacks LZ4 frames of copied, packed and linked blocks, and no byte more than it says", () => {
    const plain = Buffer.from("abcabcabcabcabcabc-0123456789-abcabcabcabc-0123456789".repeat(20));
    const block = packedLz4(plain);
    expect(block.length).toBeLessThan(plain.length / 4);
    const frame = (...blocks: readonly { readonly bytes: Uint8Array; readonly copied?: boolean }[]) => {
      const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0]);
      const parts = blocks.flatMap(({ bytes, copied = false }) => {
        const size = Buffer.alloc(4);
        size.writeUInt32LE((bytes.length + (copied ? 0x8000_0000 : 0)) % 2 ** 32);
        return [size, bytes];
      });
      return Buffer.concat([head, ...parts, Buffer.alloc(4)]);
    };
    expect(Buffer.from(unpackLz4Frame(frame({ bytes: block }), plain.length)).equals(plain)).toBe(true);
    expect(Buffer.from(unpackLz4Frame(frame({ bytes: plain, copied: true }, { bytes: block }), 2 * plain.length)).equals(Buffer.concat([plain, plain]))).toBe(true);
    for (const bytes of [plain.length - 1, plain.length + 1]) expect(() => unpackLz4Frame(frame({ bytes: block }), bytes)).toThrow("a buffer unpacks to");
    expect(() => unpackLz4Frame(frame({ bytes: block }).subarray(0, 40), plain.length)).toThrow("cut off");
  });
});
