import { ByteReader, Damaged, type Source } from "../source.ts";

/** Addresses and lengths of one file; what a superblock says. Source: HDF5 File Format Specification 3.0, section II. */
export interface Hdf5File {
  readonly source: Source;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly end: number;
  /** Object header of the root group. */
  readonly root: number;
  readonly headerBytes: number;
}

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

export function isHdf5(head: Uint8Array): boolean {
  return signature.every((byte, index) => head[index] === byte);
}

export function number(reader: ByteReader, bytes: number): number {
  if (bytes === 8) return reader.u64();
  if (bytes === 4) {
    const value = reader.u32();
    return value === 0xffffffff ? Number.POSITIVE_INFINITY : value;
  }
  if (bytes === 2) {
    const value = reader.u16();
    return value === 0xffff ? Number.POSITIVE_INFINITY : value;
  }
  throw new Damaged("an address has an unknown width", reader.at);
}

export function openHdf5(source: Source): Hdf5File {
  const reader = new ByteReader(source, 8);
  const version = reader.byte();
  if (version > 3) throw new Damaged(`superblock version ${version} is unknown`, 8);
  return version < 2 ? oldSuperblock(source, reader, version) : newSuperblock(source, reader);
}

function oldSuperblock(source: Source, reader: ByteReader, version: number): Hdf5File {
  reader.skip(4);
  const [offsetBytes, lengthBytes] = [reader.byte(), reader.byte()];
  reader.skip(version === 1 ? 13 : 9);
  const base = number(reader, offsetBytes);
  number(reader, offsetBytes);
  const end = number(reader, offsetBytes);
  number(reader, offsetBytes);
  if (base !== 0) throw new Damaged("the file has a base address", 24);
  number(reader, offsetBytes);
  const root = number(reader, offsetBytes);
  reader.skip(24);
  return { source, offsetBytes, lengthBytes, end, root, headerBytes: reader.at };
}

function newSuperblock(source: Source, reader: ByteReader): Hdf5File {
  const [offsetBytes, lengthBytes] = [reader.byte(), reader.byte()];
  reader.skip(1);
  const base = number(reader, offsetBytes);
  number(reader, offsetBytes);
  const end = number(reader, offsetBytes);
  const root = number(reader, offsetBytes);
  reader.skip(4);
  if (base !== 0) throw new Damaged("the file has a base address", 12);
  return { source, offsetBytes, lengthBytes, end, root, headerBytes: reader.at };
}

/** One message of an object header, by the place of its body. */
export interface Message {
  readonly type: number;
  readonly start: number;
  readonly end: number;
  readonly shared: boolean;
}

const chunksMax = 1000;

/** All messages of an object, continuations included, with the ranges that they lie in. */
export function messagesOf(file: Hdf5File, address: number, claim: (start: number, end: number) => void): readonly Message[] {
  const head = new ByteReader(file.source, address);
  const first = head.byte();
  return first === 1 ? oldMessages(file, { address, claim }) : newMessages(file, { address, claim });
}

interface HeaderAt {
  readonly address: number;
  readonly claim: (start: number, end: number) => void;
}

function oldMessages(file: Hdf5File, { address, claim }: HeaderAt): readonly Message[] {
  const head = new ByteReader(file.source, address + 8);
  const size = head.u32();
  const chunks = [{ start: address + 16, end: address + 16 + size }];
  const messages: Message[] = [];
  claim(address, address + 16);
  for (let index = 0; index < chunks.length; index += 1) {
    const chunk = chunkAt(file, chunks, index);
    claim(chunk.start, chunk.end);
    const reader = new ByteReader(file.source, chunk.start);
    while (reader.at + 8 <= chunk.end) {
      const [type, bytes] = [reader.u16(), reader.u16()];
      const flags = reader.byte();
      reader.skip(3);
      const message: Message = { type, start: reader.at, end: reader.at + bytes, shared: (flags & 2) !== 0 };
      if (message.end > chunk.end) throw new Damaged("a message leaves its header", chunk.start);
      reader.skip(bytes);
      if (type === 0x10) chunks.push(continuation(file, message));
      else messages.push(message);
    }
  }
  return messages;
}

function continuation(file: Hdf5File, message: Message): { start: number; end: number } {
  const reader = new ByteReader(file.source, message.start);
  const start = number(reader, file.offsetBytes);
  return { start, end: start + number(reader, file.lengthBytes) };
}

function newMessage(reader: ByteReader, flags: number): Message {
  const type = reader.byte();
  const bytes = reader.u16();
  const shared = (reader.byte() & 2) !== 0;
  if ((flags & 4) !== 0) reader.skip(2);
  return { type, start: reader.at, end: reader.at + bytes, shared };
}

function newMessages(file: Hdf5File, { address, claim }: HeaderAt): readonly Message[] {
  const head = new ByteReader(file.source, address);
  if (head.u32() !== 0x5244484f || head.byte() !== 2) throw new Damaged("an object header has an unknown version", address);
  const flags = head.byte();
  head.skip(((flags & 0x20) === 0 ? 0 : 16) + ((flags & 0x10) === 0 ? 0 : 4));
  const size = [1, 2, 4, 8][flags & 3] ?? 1;
  const length = size === 1 ? head.byte() : number(head, size);
  const chunks = [{ start: head.at, end: head.at + length }];
  const messages: Message[] = [];
  claim(address, head.at + length + 4);
  for (let index = 0; index < chunks.length; index += 1) {
    for (const message of newChunk(file, chunkAt(file, chunks, index), flags)) {
      if (message.type !== 0x10) {
        messages.push(message);
        continue;
      }
      const next = continuation(file, message);
      claim(next.start, next.end);
      chunks.push({ start: next.start + 4, end: next.end - 4 });
    }
  }
  return messages;
}

interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** A chunk that was read before would be read without end. */
function chunkAt(file: Hdf5File, chunks: readonly Chunk[], index: number): Chunk {
  const chunk = chunks[index] ?? { start: 0, end: 0 };
  const again = chunks.slice(0, index).some(({ start }) => start === chunk.start);
  if (chunk.end > file.source.size || index > chunksMax || again) throw new Damaged("an object header leaves the file or returns to itself", chunk.start);
  return chunk;
}

function* newChunk(file: Hdf5File, chunk: Chunk, flags: number): Generator<Message> {
  const reader = new ByteReader(file.source, chunk.start);
  while (reader.at + 4 <= chunk.end) {
    const message = newMessage(reader, flags);
    if (message.end > chunk.end) throw new Damaged("a message leaves its header", chunk.start);
    reader.at = message.end;
    yield message;
  }
}
