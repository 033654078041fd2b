import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { LicetError } from "@licet/contract";

/** Random access to bytes that an attacker chose. `read` gives fewer bytes than asked for only at the end. */
export interface Source {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

const none = new Uint8Array(0);

export function bytesSource(bytes: Uint8Array): Source {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(Math.max(0, offset), Math.max(0, offset + length)),
  };
}

/** The bytes from `start` up to `end` of another source, without copying them. */
export function sliceSource(source: Source, start: number, end: number): Source {
  const from = Math.min(Math.max(0, start), source.size);
  const size = Math.max(0, Math.min(end, source.size) - from);
  return {
    size,
    read: (offset, length) => (offset >= size ? none : source.read(from + offset, Math.min(length, size - offset))),
  };
}

/** A file read in pieces; `close` gives its handle back. */
export class FileSource implements Source {
  readonly size: number;
  readonly #handle: number;

  constructor(path: string) {
    try {
      this.#handle = openSync(path, "r");
      const status = fstatSync(this.#handle);
      if (!status.isFile()) throw new Error("not a regular file");
      this.size = status.size;
    } catch (cause) {
      throw new LicetError("artifact_unreadable", { message: `the artifact \`${path}\` cannot be read; give the path of a file`, cause });
    }
  }

  read(offset: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    if (wanted === 0) return none;
    const bytes = new Uint8Array(wanted);
    let got = 0;
    while (got < wanted) {
      const count = readSync(this.#handle, bytes, got, wanted - got, offset + got);
      if (count === 0) throw new LicetError("artifact_unreadable", { message: "the artifact became shorter while it was read; scan it again when nobody writes to it" });
      got += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#handle);
  }
}

/** What breaks a format, with the place; caught where the format is read and made a finding there. */
export class Damaged extends Error {
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(what);
    this.offset = offset;
  }
}

const windowBytes = 1 << 16;

/** Reads a source from front to back through a window; every read past the end is `Damaged`. */
export class ByteReader {
  at: number;
  readonly size: number;
  readonly #source: Source;
  #window: Uint8Array = none;
  #start = 0;

  constructor(source: Source, at = 0) {
    this.#source = source;
    this.size = source.size;
    this.at = at;
  }

  get left(): number {
    return this.size - this.at;
  }

  byte(): number {
    const index = this.at - this.#start;
    const value = index >= 0 ? this.#window[index] : undefined;
    if (value !== undefined) {
      this.at += 1;
      return value;
    }
    this.#fill();
    const [first] = this.#window;
    if (first === undefined) throw new Damaged("the data end too early", this.at);
    this.at += 1;
    return first;
  }

  take(length: number): Uint8Array {
    this.#demand(length);
    const index = this.at - this.#start;
    const inside = index >= 0 && index + length <= this.#window.length;
    if (!inside && length <= windowBytes) this.#fill();
    const bytes = inside ? this.#window.subarray(index, index + length) : length <= windowBytes ? this.#window.subarray(0, length) : this.#source.read(this.at, length);
    this.at += length;
    return bytes;
  }

  skip(length: number): void {
    this.#demand(length);
    this.at += length;
  }

  u16(): number {
    return this.byte() + this.byte() * 256;
  }

  u32(): number {
    return this.u16() + this.u16() * 65536;
  }

  /** An unsigned 64-bit count. What no file can hold comes back as Infinity, so that comparisons with sizes stay right. */
  u64(): number {
    const low = this.u32();
    const value = low + this.u32() * 4294967296;
    return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
  }

  /** The bytes up to the next line feed, without it. */
  line(lineBytesMax: number): Uint8Array {
    const start = this.at;
    const pieces: Uint8Array[] = [];
    while (this.at - start <= lineBytesMax) {
      const rest = this.take(Math.min(windowBytes, Math.max(1, this.left)));
      const end = rest.indexOf(10);
      if (end < 0) {
        pieces.push(Uint8Array.from(rest));
        continue;
      }
      this.at -= rest.length - end - 1;
      return pieces.length === 0 ? rest.subarray(0, end) : Buffer.concat([...pieces, rest.subarray(0, end)]);
    }
    throw new Damaged("a line is longer than any real one", start);
  }

  #demand(length: number): void {
    if (!(length >= 0) || length > this.left) throw new Damaged("a length leaves the data", this.at);
  }

  #fill(): void {
    this.#window = this.#source.read(this.at, windowBytes);
    this.#start = this.at;
  }
}
