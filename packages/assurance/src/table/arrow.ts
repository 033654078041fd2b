import { zstdDecompressSync } from "node:zlib";
import { CompressionType, compressionRegistry, RecordBatchReader } from "apache-arrow";
import { arrowWriter, type ArrowWriter } from "./arrow-cells.ts";
import { boundedRows, type ColumnarBounds, type ColumnarFile, DamagedFile, Expansion } from "./columnar-file.ts";
import { unpackLz4Frame } from "./lz4-frame.ts";
import { ColumnSink } from "./stored-column.ts";

interface Column {
  readonly name: string;
  readonly writer: ArrowWriter;
  readonly sink: ColumnSink;
  refused: string | undefined;
}

/**
 * An Arrow IPC file or stream as typed columns, one record batch after the other. Lengths are compared with the buffers
 * that they are about. To be run in a thread of its own, as `readParquet`.
 *
 * Source of the format: Apache Arrow, Columnar Format 1.5, IPC.
 */
export async function readArrow(bytes: Uint8Array<ArrayBuffer>, bounds: ColumnarBounds): Promise<ColumnarFile> {
  unpackWithin(new Expansion(bounds.expandedBytesMax));
  const reader = RecordBatchReader.from(bytes).open();
  const { fields } = reader.schema;
  boundedRows(0, fields.length, bounds);
  const columns = fields.map(({ name, type }): Column => ({ name, writer: arrowWriter(type, bounds.fieldCharsMax), sink: new ColumnSink(), refused: undefined }));
  let rows = 0;
  for (const batch of reader) {
    const inBatch = batch.numRows;
    if (!Number.isSafeInteger(inBatch) || inBatch < 0) throw new DamagedFile("a record batch has an impossible number of rows");
    rows += inBatch;
    boundedRows(rows, fields.length, bounds);
    for (const [index, column] of columns.entries()) {
      const data = batch.data.children[index];
      if (data === undefined || data.length !== inBatch) throw new DamagedFile(`column \`${column.name}\` has another number of cells than its record batch has rows`);
      column.refused ??= column.writer.kind === "refused" ? column.writer.why : column.writer.write(data, column.sink);
    }
  }
  return { rows, columns: columns.map(({ name, sink, refused }) => [name, refused === undefined ? sink.end() : { kind: "refused", why: refused }]) };
}

const lengthBytes = 8;

/** The library hands a buffer over without the length that stands before it in the file; that length is what is counted and made. */
function unpackWithin(expansion: Expansion): void {
  const bounded = (unpack: (input: Uint8Array, bytes: number) => Uint8Array) => (input: Uint8Array) => {
    const before = new DataView(input.buffer, input.byteOffset - lengthBytes, lengthBytes);
    const bytes = Number(before.getBigInt64(0, true));
    expansion.take(bytes);
    const output = bytes === 0 ? new Uint8Array(0) : unpack(input, bytes);
    if (output.length !== bytes) throw new DamagedFile("a buffer unpacks to another length than it says");
    return output;
  };
  compressionRegistry.set(CompressionType.ZSTD, { decode: bounded((input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength })) });
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: bounded(unpackLz4Frame) });
}
