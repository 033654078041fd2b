import type { Table } from "../table/table.ts";

/** A row (from 0) and the earliest row that it nearly repeats. */
export interface NearDuplicate {
  readonly row: number;
  readonly like: number;
  /** Jaccard similarity of their sets of three-word (short texts: three-letter) shingles. */
  readonly similarity: number;
}

const bands = 24;
const rowsPerBand = 4;
const signatureSize = bands * rowsPerBand;
const shinglesMax = 20_000;
/** Candidates compared for one row; a bucket of thousands of equal signatures is one group already. */
const candidatesMax = 50;

/**
 * Rows whose text is nearly that of an earlier row. Signatures of 96 minimal hashes in 24 bands of 4 find pairs of
 * similarity .8 with probability above .9999 and of .5 in 79 %; every candidate is then compared exactly.
 * Source: Broder 1997; Indyk & Motwani 1998.
 */
export function nearDuplicates(table: Table, { columns, similarityMin }: { columns: readonly string[]; similarityMin: number }): readonly NearDuplicate[] {
  const cells = columns.map((column) => table.cells(column));
  const seeds = Uint32Array.from({ length: signatureSize }, (_, index) => Math.imul(index + 1, 0x9e3779b1) >>> 0);
  const buckets = Array.from({ length: bands }, () => new Map<string, number[]>());
  const shingles: Uint32Array[] = [];
  const found: NearDuplicate[] = [];
  for (let row = 0; row < table.rows; row += 1) {
    const own = shinglesOf(cells.map((column) => column[row] ?? "").join(" "));
    shingles.push(own);
    if (own.length === 0) continue;
    const signature = minHash(own, seeds);
    const like = bestCandidate({ own, signature, buckets, shingles });
    if (like !== undefined && like.similarity >= similarityMin) found.push({ row, ...like });
    else remember(row, signature, buckets);
  }
  return found;
}

interface Lookup {
  readonly own: Uint32Array;
  readonly signature: Uint32Array;
  readonly buckets: readonly ReadonlyMap<string, readonly number[]>[];
  readonly shingles: readonly Uint32Array[];
}

function bestCandidate({ own, signature, buckets, shingles }: Lookup): { like: number; similarity: number } | undefined {
  const rows = new Set(buckets.flatMap((bucket, band) => (bucket.get(bandKey(signature, band)) ?? []).slice(0, candidatesMax)));
  let best: { like: number; similarity: number } | undefined;
  for (const like of rows) {
    const similarity = jaccard(own, shingles[like] ?? new Uint32Array());
    if (best === undefined || similarity > best.similarity) best = { like, similarity };
  }
  return best;
}

function remember(row: number, signature: Uint32Array, buckets: readonly Map<string, number[]>[]): void {
  for (const [band, bucket] of buckets.entries()) {
    const key = bandKey(signature, band);
    const known = bucket.get(key);
    if (known === undefined) bucket.set(key, [row]);
    else if (known.length < candidatesMax) known.push(row);
  }
}

function bandKey(signature: Uint32Array, band: number): string {
  return signature.subarray(band * rowsPerBand, (band + 1) * rowsPerBand).join(":");
}

/** Sorted hashes of runs of three words, or of three letters where there are fewer than eight words. */
function shinglesOf(text: string): Uint32Array {
  const folded = text.normalize("NFKC").toLowerCase();
  const words = folded.match(/[\p{L}\p{N}]+/gu) ?? [];
  const units = words.length >= 8 ? words : Array.from(words.join(" "));
  const hashes = new Set<number>();
  for (let at = 0; at < Math.max(1, units.length - 2) && hashes.size < shinglesMax && units.length > 0; at += 1) hashes.add(hashOf(units.slice(at, at + 3).join("\u0001")));
  return Uint32Array.from(hashes).sort();
}

/** FNV-1a with a final mix. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return mix(hash);
}

function mix(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x7feb352d);
  h ^= h >>> 15;
  h = Math.imul(h, 0x846ca68b);
  return (h ^ (h >>> 16)) >>> 0;
}

function minHash(shingles: Uint32Array, seeds: Uint32Array): Uint32Array {
  const signature = new Uint32Array(seeds.length).fill(0xffffffff);
  for (const shingle of shingles) {
    for (let index = 0; index < seeds.length; index += 1) {
      const hash = mix(shingle ^ (seeds[index] ?? 0));
      if (hash < (signature[index] ?? 0)) signature[index] = hash;
    }
  }
  return signature;
}

function jaccard(a: Uint32Array, b: Uint32Array): number {
  let [i, j, common] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? 0, b[j] ?? 0];
    if (x === y) common += 1;
    if (x <= y) i += 1;
    if (y <= x) j += 1;
  }
  const all = a.length + b.length - common;
  return all === 0 ? 0 : common / all;
}
