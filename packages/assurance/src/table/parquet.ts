import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { type ColumnMetaData, type Compressors, type DecodedArray, type FileMetaData, parquetMetadata, parquetRead, type ParquetParsers, type RowGroup, type SchemaElement } from "hyparquet";
import { compressors as packaged } from "hyparquet-compressors";
import { boundedRows, type ColumnarBounds, type ColumnarFile, DamagedFile, Expansion } from "./columnar-file.ts";
import { cellWriter, type CellWriter, type WriteCell } from "./parquet-cells.ts";
import { ColumnSink, type StoredColumn } from "./stored-column.ts";

const rowGroupsMax = 100_000;
/** Length of the footer and the mark at the end. */
const tailBytes = 8;

/**
 * A Parquet file as typed columns, one column of one row group at a time. What its footer says is compared with what
 * its pages hold: a file that promises more rows than it has would otherwise be one with missing cells. To be run in a
 * thread of its own, because the library believes lengths that it reads. Throws `DamagedFile` and `LargeFile`, and
 * whatever the library does.
 *
 * Source of the format: Apache Parquet, parquet.thrift and LogicalTypes.md.
 */
export async function readParquet(bytes: Uint8Array<ArrayBuffer>, bounds: ColumnarBounds): Promise<ColumnarFile> {
  if (bytes[3] === 0x45) throw new DamagedFile("it is encrypted: decrypt it first");
  const metadata = parquetMetadata(bytes, { geoparquet: false, parsers: rawParsers });
  const rows = rowsOf(metadata, bounds);
  const top = topColumns(metadata.schema);
  boundedRows(rows, top.length, bounds);
  const file = { byteLength: bytes.byteLength, slice: (start: number, end?: number) => bytes.slice(start, end).buffer };
  const reading = { file, metadata: withoutMeaning(metadata), expansion: new Expansion(bounds.expandedBytesMax) };
  const columns: (readonly [string, StoredColumn])[] = [];
  for (const { element, nested } of top) {
    const writer: CellWriter = nested === undefined ? cellWriter(element, bounds.fieldCharsMax) : { kind: "refused", why: `holds nested values (${nested})` };
    columns.push([element.name, writer.kind === "refused" ? writer : await readColumn(element.name, writer.write, reading)]);
  }
  return { rows, columns };
}

/** Statistics of the footer are not read, and moments come as the numbers that they are. */
const rawParsers: Partial<ParquetParsers> = {
  timestampFromNanoseconds: (nanoseconds) => nanoseconds,
  timestampFromMicroseconds: () => 0,
  timestampFromMilliseconds: () => 0,
  dateFromDays: () => 0,
  stringFromBytes: () => "",
};

function rowsOf({ num_rows: declared, row_groups: groups }: FileMetaData, { rowsMax }: ColumnarBounds): number {
  if (groups.length > rowGroupsMax) throw new DamagedFile(`it has more than ${rowGroupsMax} row groups`);
  let rows = 0;
  for (const group of groups) {
    const count = Number(group.num_rows);
    if (!Number.isSafeInteger(count) || count < 0) throw new DamagedFile("a row group has an impossible number of rows");
    rows += count;
    if (rows > rowsMax) return rows;
  }
  if (rows !== Number(declared)) throw new DamagedFile("its row groups have another number of rows than its footer says");
  return rows;
}

interface TopColumn {
  readonly element: SchemaElement;
  /** What it holds, where that is no single value. */
  readonly nested: string | undefined;
}

/** The columns that the root has. The tree is written depth first, each node with its number of children. */
function topColumns(schema: readonly SchemaElement[]): readonly TopColumn[] {
  const columns: TopColumn[] = [];
  for (let at = 1; at < schema.length; ) {
    const element = schema[at];
    if (element === undefined) break;
    columns.push({ element, nested: nestedWord(element) });
    // Over this node and everything below it.
    for (let open = 1; open > 0; at += 1) {
      const node = schema[at];
      if (node === undefined) throw new DamagedFile("its schema is cut off");
      open += (node.num_children ?? 0) - 1;
    }
  }
  if (columns.length !== (schema[0]?.num_children ?? 0)) throw new DamagedFile("its schema says another number of columns than it has");
  return columns;
}

function nestedWord({ num_children: children = 0, repetition_type: repetition, converted_type: converted, logical_type: logical }: SchemaElement): string | undefined {
  const meaning = logical?.type ?? converted;
  if (repetition === "REPEATED" || meaning === "LIST") return "lists";
  if (children === 0) return undefined;
  return meaning?.startsWith("MAP") === true ? "maps" : "structs";
}

/** Values are asked for as they lie there: what they mean is said in `parquet-cells.ts`, where every digit is kept. */
function withoutMeaning(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((described) => {
    const { converted_type: _, logical_type: __, ...element } = described;
    return element;
  });
  return { ...metadata, schema };
}

interface Reading {
  readonly file: { readonly byteLength: number; slice(start: number, end?: number): ArrayBuffer };
  readonly metadata: FileMetaData;
  readonly expansion: Expansion;
}

async function readColumn(name: string, write: WriteCell, reading: Reading): Promise<StoredColumn> {
  const sink = new ColumnSink();
  for (const group of reading.metadata.row_groups) {
    const codec = strangeCodec(checkedChunk(name, group, reading.file.byteLength));
    if (codec !== undefined) return { kind: "refused", why: `is compressed with ${codec}: write it with ${Object.keys(unpackers).join(", ")} or uncompressed` };
    const rows = Number(group.num_rows);
    const before = sink.length;
    const parts = rows === 0 ? [] : await readChunk(name, group, reading);
    for (const part of parts) {
      const why = writePart(part, write, sink);
      if (why !== undefined) return { kind: "refused", why };
    }
    if (sink.length - before !== rows) throw new DamagedFile(`column \`${name}\` has ${sink.length - before} cells in a group of ${rows} rows`);
  }
  return sink.end();
}

async function readChunk(name: string, group: RowGroup, { file, metadata, expansion }: Reading): Promise<readonly DecodedArray[]> {
  const compressors = boundedCompressors(checkedChunk(name, group, file.byteLength), expansion);
  const parts: { readonly from: number; readonly data: DecodedArray }[] = [];
  await parquetRead({
    file,
    metadata: { ...metadata, num_rows: group.num_rows, row_groups: [group] },
    columns: [name],
    compressors,
    parsers: rawParsers,
    utf8: false,
    onChunk: ({ columnData, rowStart }) => {
      parts.push({ from: rowStart, data: columnData });
    },
  });
  return parts.toSorted((a, b) => a.from - b.from).map(({ data }) => data);
}

function checkedChunk(name: string, { columns, num_rows: rows }: RowGroup, fileBytes: number): ColumnMetaData {
  const [chunk, another] = columns.filter(({ meta_data: data }) => data?.path_in_schema.length === 1 && data.path_in_schema[0] === name);
  if (chunk?.meta_data === undefined || another !== undefined) throw new DamagedFile(`a row group does not hold column \`${name}\` once`);
  if (chunk.file_path !== undefined) throw new DamagedFile("it keeps columns in other files");
  const data = chunk.meta_data;
  const from = Number(data.dictionary_page_offset || data.data_page_offset);
  const bytes = Number(data.total_compressed_size);
  if (!(from >= 4) || !(bytes >= 0) || from + bytes > fileBytes - tailBytes) throw new DamagedFile(`column \`${name}\` lies outside the file`);
  if (data.num_values !== rows) throw new DamagedFile(`column \`${name}\` has another number of cells than its group has rows`);
  return data;
}

/** A codec that nothing here unpacks. */
function strangeCodec({ codec }: ColumnMetaData): string | undefined {
  // The library gives nothing for a number that stands for no codec.
  const name: string | undefined = codec;
  return name === "UNCOMPRESSED" || (name !== undefined && Object.hasOwn(unpackers, name)) ? undefined : (name ?? "a codec without a name");
}

/** Every page says how much it unpacks to: that much is counted first, and not a byte more is made. */
function boundedCompressors({ codec }: ColumnMetaData, expansion: Expansion): Compressors {
  const unpack = unpackers[codec];
  if (unpack === undefined) return {};
  return {
    [codec]: (input: Uint8Array, outputBytes: number) => {
      expansion.take(outputBytes);
      return outputBytes === 0 ? new Uint8Array(0) : unpack(input, outputBytes);
    },
  };
}

const unpackers: Compressors = {
  GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength }),
  BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength }),
  ZSTD: (input, maxOutputLength) => zstdDecompressSync(input, { maxOutputLength }),
  ...(packaged.SNAPPY !== undefined && { SNAPPY: packaged.SNAPPY }),
  ...(packaged.LZ4 !== undefined && { LZ4: packaged.LZ4 }),
  ...(packaged.LZ4_RAW !== undefined && { LZ4_RAW: packaged.LZ4_RAW }),
};

function writePart(part: DecodedArray, write: WriteCell, sink: ColumnSink): string | undefined {
  for (let row = 0; row < part.length; row += 1) {
    const value: unknown = part[row];
    // Null is a missing cell; undefined is a place in the file that nothing was read from.
    if (value === undefined) return "holds fewer values than it says";
    if (value === null) sink.addMissing();
    else {
      const why = write(value, sink);
      if (why !== undefined) return why;
    }
  }
  return undefined;
}
