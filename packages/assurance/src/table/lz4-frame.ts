import { DamagedFile } from "./columnar-file.ts";

const magic = 0x184d2204;
const uncompressedBit = 0x8000_0000;

/**
 * Unpacks one LZ4 frame into exactly `bytes` bytes. Blocks may refer to what earlier blocks made. Checksums are skipped:
 * the file's own digest says more. Throws `DamagedFile`.
 *
 * Source: LZ4 Frame Format Description 1.6.2 and LZ4 Block Format Description.
 */
export function unpackLz4Frame(input: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const need = (end: number): void => {
    if (end > input.length) throw cut();
  };
  need(7);
  if (view.getUint32(0, true) !== magic) throw new DamagedFile("a buffer is no LZ4 frame");
  const flags = input[4] ?? 0;
  const has = (bit: number): boolean => (flags & bit) !== 0;
  // Flags, block size and header checksum, with content size and dictionary where the flags say so.
  let at = 4 + 2 + (has(0b1000) ? 8 : 0) + (has(0b1) ? 4 : 0) + 1;
  const output = new Uint8Array(bytes);
  let made = 0;
  for (;;) {
    need(at + 4);
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) break;
    const length = size % uncompressedBit;
    need(at + length);
    const block = input.subarray(at, at + length);
    made = size >= uncompressedBit ? copied(block, output, made) : unpackBlock(block, output, made);
    at += length + (has(0b1_0000) ? 4 : 0);
  }
  if (made !== bytes) throw new DamagedFile("a buffer unpacks to another length than it says");
  return output;
}

function cut(): DamagedFile {
  return new DamagedFile("a compressed buffer is cut off");
}

function copied(block: Uint8Array, output: Uint8Array, made: number): number {
  if (made + block.length > output.length) throw new DamagedFile("a buffer unpacks to more than it says");
  output.set(block, made);
  return made + block.length;
}

const matchBytesMin = 4;

function unpackBlock(block: Uint8Array, output: Uint8Array, start: number): number {
  let made = start;
  let at = 0;
  const byte = (): number => {
    const found = block[at];
    if (found === undefined) throw cut();
    at += 1;
    return found;
  };
  const longer = (first: number): number => {
    let length = first;
    if (first === 15) for (let more = 255; more === 255; length += more) more = byte();
    return length;
  };
  while (at < block.length) {
    const token = byte();
    const literals = longer(token >> 4);
    if (at + literals > block.length) throw cut();
    made = copied(block.subarray(at, at + literals), output, made);
    at += literals;
    // The last sequence is literals alone.
    if (at === block.length) break;
    const offset = byte() + 256 * byte();
    const end = made + longer(token & 15) + matchBytesMin;
    if (offset === 0 || offset > made || end > output.length) throw new DamagedFile("a compressed buffer refers to what is not there");
    // Byte by byte: a match may overlap what it makes.
    for (; made < end; made += 1) output[made] = output[made - offset] ?? 0;
  }
  return made;
}
