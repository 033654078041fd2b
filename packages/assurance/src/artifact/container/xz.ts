import { type ByteReader, Damaged } from "../source.ts";
import { LzmaState } from "./lzma.ts";
import type { Window } from "./window.ts";

const lzma2 = 0x21;
const checkBytes: readonly number[] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** Decodes all streams that follow each other. Source: The .xz File Format 1.2.0. */
export function unxz(reader: ByteReader, out: Window): void {
  while (reader.left >= 12) {
    const start = reader.at;
    const head = reader.take(12);
    if (head[0] !== 0xfd || head[1] !== 0x37) {
      reader.at = start;
      return;
    }
    const check = checkBytes[(head[7] ?? 0) & 15] ?? 0;
    for (let size = reader.byte(); size !== 0; size = reader.byte()) block(reader, out, { size, check });
    index(reader);
    reader.skip(12);
  }
}

function variable(reader: ByteReader): number {
  let value = 0;
  for (let shift = 0; shift < 9; shift += 1) {
    const byte = reader.byte();
    value += (byte & 127) * 2 ** (7 * shift);
    if (byte < 128) return value;
  }
  throw new Damaged("a number has more than nine bytes", reader.at);
}

function block(reader: ByteReader, out: Window, { size, check }: { readonly size: number; readonly check: number }): void {
  const start = reader.at - 1;
  const flags = reader.byte();
  if ((flags & 0x40) !== 0) variable(reader);
  if ((flags & 0x80) !== 0) variable(reader);
  const filters = (flags & 3) + 1;
  const filter = variable(reader);
  if (filters !== 1 || filter !== lzma2) throw new Damaged("a filter of executables is used, which is not undone here", start);
  reader.at = start + (size + 1) * 4;
  const data = reader.at;
  chunks(reader, out);
  reader.skip((4 - ((reader.at - data) % 4)) % 4);
  reader.skip(check);
}

function index(reader: ByteReader): void {
  const start = reader.at - 1;
  const records = variable(reader);
  if (records * 2 > reader.left) throw new Damaged("the index leaves the data", start);
  for (let record = 0; record < records * 2; record += 1) variable(reader);
  reader.skip((4 - ((reader.at - start) % 4)) % 4 + 4);
}

/** LZMA2: chunks that are stored or compressed, each telling what it starts anew. */
function chunks(reader: ByteReader, out: Window): void {
  let state: LzmaState | undefined;
  let properties = 0;
  let from = out.size;
  for (let control = reader.byte(); control !== 0; control = reader.byte()) {
    if (control === 1 || control >= 0xe0) from = out.size;
    if (control < 3) {
      const bytes = reader.take(big16(reader) + 1);
      for (const byte of bytes) out.put(byte);
      continue;
    }
    if (control < 0x80) throw new Damaged("a chunk is of an unknown kind", reader.at);
    const size = (control & 31) * 65_536 + big16(reader) + 1;
    const packed = big16(reader) + 1;
    if (control >= 0xc0) properties = reader.byte();
    if (control >= 0xa0) state = new LzmaState(properties);
    if (state === undefined) throw new Damaged("a chunk continues nothing", reader.at);
    const start = reader.at;
    state.decode(reader, out, { sizeMax: out.size + size, from });
    reader.at = start + packed;
  }
}

function big16(reader: ByteReader): number {
  return reader.byte() * 256 + reader.byte();
}
