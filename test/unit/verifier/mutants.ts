import type { Files } from "./story.ts";

/** Numbers from 0 to 1, exclusive. */
export type Random = () => number;

/** One changed set of files. */
export interface FileMutant {
  readonly kind: string;
  readonly path: string;
  readonly files: Files;
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);

/** Each gives other bytes, or the same ones by chance. */
const changes: Readonly<Record<string, (bytes: Uint8Array, random: Random) => Uint8Array>> = {
  changed: (bytes, random) => {
    const copy = Uint8Array.from(bytes);
    const at = below(random, copy.length);
    copy[at] = (copy[at] ?? 0) ^ (1 + below(random, 255));
    return copy;
  },
  cut: (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  lengthened: (bytes, random) => Uint8Array.from([...bytes, ...Array.from({ length: 1 + below(random, 8) }, () => below(random, 256))]),
  swapped: (bytes, random) => {
    const copy = Uint8Array.from(bytes);
    const [one, other] = [below(random, copy.length), below(random, copy.length)];
    [copy[one], copy[other]] = [copy[other] ?? 0, copy[one] ?? 0];
    return copy;
  },
  repeated: (bytes, random) => {
    const [from, to] = [below(random, bytes.length), below(random, bytes.length)].toSorted((a, b) => a - b);
    return Uint8Array.from([...bytes.subarray(0, to), ...bytes.subarray(from)]);
  },
};

const same = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;

/** One change in one file, or of the set of files; undefined when chance changed nothing. Of an export, a log, or a single file in a map. */
export function mutantOf(files: Files, random: Random): FileMutant | undefined {
  const entries = [...files];
  const [path, bytes] = entries[below(random, entries.length)] ?? ["", new Uint8Array()];
  const pick = below(random, Object.keys(changes).length + 2);
  const [kind, change] = Object.entries(changes)[pick] ?? [];
  if (kind !== undefined && change !== undefined) {
    const changed = change(bytes, random);
    return same(changed, bytes) ? undefined : { kind, path, files: new Map([...files, [path, changed]]) };
  }
  if (pick === Object.keys(changes).length) return { kind: "removed", path, files: new Map(entries.filter(([name]) => name !== path)) };
  const [, other] = entries[below(random, entries.length)] ?? ["", bytes];
  return same(other, bytes) ? undefined : { kind: "replaced", path, files: new Map([...files, [path, other]]) };
}

/** `count` mutants of the files, the same ones for the same numbers. */
export function* mutantsOf(files: Files, count: number, random: Random): Generator<FileMutant> {
  for (let made = 0; made < count; ) {
    const mutant = mutantOf(files, random);
    if (mutant === undefined) continue;
    made += 1;
    yield mutant;
  }
}
