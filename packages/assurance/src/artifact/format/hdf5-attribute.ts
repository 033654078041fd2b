import { ByteReader, Damaged } from "../source.ts";
import { type Hdf5File, type Message, number } from "./hdf5-file.ts";

export interface TextAttribute {
  readonly name: string;
  readonly texts: readonly string[];
}

const elementsMax = 100_000;
const textBytesMax = 64 << 20;
const utf8 = new TextDecoder("utf-8");

/** An attribute with its texts; no texts when it holds numbers. Source: HDF5 File Format Specification 3.0, IV.A.2.m. */
export function readAttribute(file: Hdf5File, message: Message): TextAttribute {
  const reader = new ByteReader(file.source, message.start);
  const version = reader.byte();
  if (version < 1 || version > 3) throw new Damaged(`attribute version ${version} is unknown`, message.start);
  const flags = reader.byte();
  const [nameBytes, typeBytes, spaceBytes] = [reader.u16(), reader.u16(), reader.u16()];
  if (version === 3) reader.skip(1);
  const padded = (bytes: number): number => (version === 1 ? Math.ceil(bytes / 8) * 8 : bytes);
  const name = utf8.decode(reader.take(nameBytes)).replace(/\0.*$/su, "");
  reader.skip(padded(nameBytes) - nameBytes);
  const typeAt = reader.at;
  const spaceAt = typeAt + padded(typeBytes);
  if ((flags & 3) !== 0) return { name, texts: [] };
  const type = typeOf(file, typeAt);
  const count = elementsOf(file, spaceAt);
  const dataAt = spaceAt + padded(spaceBytes);
  if (type === undefined) return { name, texts: [] };
  if (count > elementsMax || type.bytes * count > textBytesMax) throw new Damaged(`attribute \`${name}\` is larger than any real one`, message.start);
  const texts = Array.from({ length: count }, (_, index) => textAt(file, dataAt + index * type.bytes, type));
  return { name, texts };
}

interface TextType {
  readonly kind: "fixed" | "variable";
  readonly bytes: number;
}

/** Class 3 is a text of fixed length; class 9 with type 1 is one of variable length. */
function typeOf(file: Hdf5File, at: number): TextType | undefined {
  const reader = new ByteReader(file.source, at);
  const kind = reader.byte() & 15;
  const bits = reader.byte();
  reader.skip(2);
  const bytes = reader.u32();
  if (kind === 3) return { kind: "fixed", bytes };
  return kind === 9 && (bits & 15) === 1 ? { kind: "variable", bytes } : undefined;
}

function elementsOf(file: Hdf5File, at: number): number {
  const reader = new ByteReader(file.source, at);
  const version = reader.byte();
  const rank = reader.byte();
  reader.skip(version === 1 ? 6 : 2);
  let count = 1;
  for (let side = 0; side < rank; side += 1) count *= number(reader, file.lengthBytes);
  return count;
}

function textAt(file: Hdf5File, at: number, type: TextType): string {
  const reader = new ByteReader(file.source, at);
  if (type.kind === "fixed") return utf8.decode(reader.take(type.bytes)).replace(/\0.*$/su, "");
  const length = reader.u32();
  const collection = number(reader, file.offsetBytes);
  const index = reader.u32();
  return length === 0 ? "" : heapText(file, { collection, index, length });
}

/** An object of a global heap collection. */
function heapText(file: Hdf5File, { collection, index, length }: { readonly collection: number; readonly index: number; readonly length: number }): string {
  const reader = new ByteReader(file.source, collection);
  if (reader.u32() !== 0x4c4f4347) throw new Damaged("a heap of texts is missing", collection);
  reader.skip(4);
  const end = collection + number(reader, file.lengthBytes);
  while (reader.at + 16 <= end) {
    const number = reader.u16();
    reader.skip(6);
    const size = reader.u64();
    if (number === 0) break;
    if (number === index) return utf8.decode(reader.take(Math.min(length, size)));
    reader.skip(Math.ceil(size / 8) * 8);
  }
  throw new Damaged("a text is missing in its heap", collection);
}
