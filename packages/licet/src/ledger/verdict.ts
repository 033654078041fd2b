/** Something that is not as it should be, at a byte of a file. */
export interface Flaw {
  readonly offset: number;
  /** What was expected there. */
  readonly what: string;
  /** What cannot be brought back with the sources at hand. */
  readonly lost?: string;
}

/** What is wrong with one file, and what it should hold. */
export interface FileVerdict {
  /** Below the shard's folder. */
  readonly path: string;
  readonly flaws: readonly Flaw[];
  /** The file as it should be, as far as that is proven; absent when nothing of it can be improved. */
  readonly repaired?: Buffer;
  /** With `repaired` written, nothing of this file is wrong any more. */
  readonly complete: boolean;
}

/** The first byte in which two contents differ. */
export function firstDifference(actual: Uint8Array, expected: Uint8Array): Flaw | undefined {
  const shared = Math.min(actual.length, expected.length);
  let offset = 0;
  while (offset < shared && actual[offset] === expected[offset]) offset += 1;
  if (offset === shared && actual.length === expected.length) return undefined;
  if (offset === shared) return { offset, what: `${expected.length} bytes are expected, there are ${actual.length}` };
  return { offset, what: `0x${hex(expected[offset])} is expected, there is 0x${hex(actual[offset])}` };
}

function hex(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, "0");
}
