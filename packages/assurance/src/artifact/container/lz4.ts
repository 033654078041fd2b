import { type ByteReader, Damaged } from "../source.ts";
import type { Window } from "./window.ts";

const frameMark = 0x184d2204;
const stored = 0x80000000;

/** Decodes frames that follow each other. Source: LZ4 Frame Format 1.6.4 and LZ4 Block Format. */
export function unlz4(reader: ByteReader, out: Window): void {
  while (reader.left >= 7) {
    const start = reader.at;
    if (reader.u32() !== frameMark) {
      reader.at = start;
      return;
    }
    const flags = reader.byte();
    reader.skip(1);
    if ((flags & 8) !== 0) reader.skip(8);
    if ((flags & 1) !== 0) throw new Damaged("the data need a dictionary that is kept elsewhere", start);
    reader.skip(1);
    for (let size = reader.u32(); size !== 0; size = reader.u32()) {
      const bytes = size % stored;
      const end = reader.at + bytes;
      if (size >= stored) literals(reader, bytes, out);
      else block(reader, end, out);
      if ((flags & 16) !== 0) reader.skip(4);
    }
    if ((flags & 4) !== 0) reader.skip(4);
  }
}

function block(reader: ByteReader, end: number, out: Window): void {
  while (reader.at < end) {
    const token = reader.byte();
    literals(reader, extended(reader, token >> 4), out);
    if (reader.at >= end) return;
    const distance = reader.u16();
    if (!out.repeat(distance, extended(reader, token & 15) + 4)) throw new Damaged("a copy reaches before the data", reader.at);
  }
}

function literals(reader: ByteReader, count: number, out: Window): void {
  for (const byte of reader.take(count)) out.put(byte);
}

function extended(reader: ByteReader, nibble: number): number {
  if (nibble < 15) return nibble;
  let length = nibble;
  for (let byte = 255; byte === 255; length += byte) byte = reader.byte();
  return length;
}
