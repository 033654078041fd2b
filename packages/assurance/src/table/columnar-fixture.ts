import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { tableToIPC, type Table as ArrowTable } from "apache-arrow";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import type { LicetError } from "@licet/contract";
import { readAnyTable } from "./any-table.ts";
import type { TableBounds } from "./csv.ts";
import type { Table } from "./table.ts";

export function parquetOf(columnData: ColumnSource[], options: Pick<Written, "codec" | "rowGroupSize" | "pageSize" | "schema"> = {}): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parquetWriteBuffer({ columnData, compressors, ...options }));
}

type Written = Parameters<typeof parquetWriteBuffer>[0];

const compressors: NonNullable<Written["compressors"]> = {
  GZIP: (input) => gzipSync(input),
  BROTLI: (input) => brotliCompressSync(input),
  ZSTD: (input) => zstdCompressSync(input),
  LZ4_RAW: packedLz4,
  // As Hadoop writes it: both lengths, the highest byte first, before the block.
  LZ4: (input) => {
    const block = packedLz4(input);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32BE(input.length);
    lengths.writeUInt32BE(block.length, 4);
    return Buffer.concat([lengths, block]);
  },
  LZO: (input) => input,
};

/** One block of the LZ4 format, plainly made: the last place of the same four bytes is what a match refers to. */
export function packedLz4(input: Uint8Array): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const out: number[] = [];
  const known = new Map<number, number>();
  const more = (left: number) => {
    for (let rest = left; rest >= 0; rest -= 255) out.push(Math.min(rest, 255));
  };
  let from = 0;
  const sequence = (to: number, match: { readonly offset: number; readonly length: number } | undefined) => {
    const literals = to - from;
    out.push(Math.min(literals, 15) * 16 + (match === undefined ? 0 : Math.min(match.length - 4, 15)));
    if (literals >= 15) more(literals - 15);
    out.push(...input.subarray(from, to));
    if (match === undefined) return;
    out.push(match.offset % 256, Math.floor(match.offset / 256));
    if (match.length - 4 >= 15) more(match.length - 4 - 15);
  };
  for (let at = 0; at + 12 < input.length; at += 1) {
    const four = view.getUint32(at);
    const before = known.get(four);
    known.set(four, at);
    if (before === undefined || at - before > 65_535) continue;
    let length = 4;
    while (at + length < input.length - 5 && input[before + length] === input[at + length]) length += 1;
    sequence(at, { offset: at - before, length });
    at += length - 1;
    from = at + 1;
  }
  sequence(input.length, undefined);
  return Uint8Array.from(out);
}

export function arrowOf(table: ArrowTable, form: "file" | "stream" = "file"): Uint8Array<ArrayBuffer> {
  return new Uint8Array(tableToIPC(table, form));
}

export const cellsOf = (table: Table) => Object.fromEntries(table.columns.map((name) => [name, table.cells(name)]));

/** The code under which bytes are refused, or the table. */
export async function outcome(bytes: Uint8Array, bounds?: TableBounds): Promise<Table | string> {
  return readAnyTable(bytes, bounds).catch((error: LicetError) => error.code);
}
