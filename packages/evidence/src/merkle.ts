import { equalBytes, type Bytes } from "./bytes.ts";
import { sha256 } from "./sha256.ts";

/** Hash of an entry as a leaf: SHA-256(0x00 ‖ entry) (RFC 6962 section 2.1). */
export function leafHash(entry: Uint8Array): Bytes {
  const prefixed = new Uint8Array(entry.length + 1);
  prefixed.set(entry, 1);
  return sha256(prefixed);
}

/** Hash of two subtrees: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  const prefixed = new Uint8Array(1 + left.length + right.length);
  prefixed[0] = 1;
  prefixed.set(left, 1);
  prefixed.set(right, 1 + left.length);
  return sha256(prefixed);
}

/** Root of the tree without entries: SHA-256 of nothing. */
export function emptyRoot(): Bytes {
  return sha256(new Uint8Array(0));
}

/** Root of a tree from all its leaf hashes, in order. Takes time and memory linear in their number. */
export function merkleRoot(leafHashes: readonly Uint8Array[]): Uint8Array {
  if (leafHashes.length === 0) return emptyRoot();
  let level = leafHashes;
  while (level.length > 1) level = parents(level);
  return level[0] ?? emptyRoot();
}

/** An odd last node moves up unchanged, which yields the same root as RFC 6962's split at a power of two. */
function parents(level: readonly Uint8Array[]): readonly Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at];
    const right = level[at + 1];
    if (left !== undefined) above.push(right === undefined ? left : nodeHash(left, right));
  }
  return above;
}

export interface InclusionClaim {
  /** Position of the entry, from 0. */
  readonly index: number;
  /** Entries in the tree. */
  readonly size: number;
  readonly leafHash: Uint8Array;
  /** Sibling hashes from the leaf upwards, 32 bytes each. */
  readonly proof: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** True only if the proof leads from the leaf to the root (RFC 9162 section 2.1.3.2). Malformed proofs are false. */
export function verifyInclusion(claim: InclusionClaim): boolean {
  const { index, size, leafHash: leaf, proof, root } = claim;
  if (!isSize(index) || !isSize(size) || index >= size || !allHashes([leaf, root, ...proof])) return false;
  let position = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      [position, last] = upToOdd(position, last);
    } else {
      hash = nodeHash(hash, sibling);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 && equalBytes(hash, root);
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  /** As RFC 6962 section 2.1.2 orders it; empty if the sizes are equal or the old tree is empty. */
  readonly proof: readonly Uint8Array[];
}

/** True only if the new tree begins with the whole old tree (RFC 9162 section 2.1.4.2). Malformed proofs are false. */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim;
  if (!isSize(oldSize) || !isSize(newSize) || oldSize > newSize || !allHashes([oldRoot, newRoot, ...proof])) return false;
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot) && (oldSize > 0 || equalBytes(oldRoot, emptyRoot()));
  if (oldSize === 0) return proof.length === 0 && equalBytes(oldRoot, emptyRoot());
  return climbConsistency(claim);
}

function climbConsistency({ oldSize, newSize, oldRoot, newRoot, proof }: ConsistencyClaim): boolean {
  const path = isPowerOfTwo(oldSize) ? [oldRoot, ...proof] : proof;
  const [seed, ...rest] = path;
  if (seed === undefined) return false;
  let [position, last] = upToEven(oldSize - 1, newSize - 1);
  let oldHash = seed;
  let newHash = seed;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      oldHash = nodeHash(sibling, oldHash);
      newHash = nodeHash(sibling, newHash);
      [position, last] = upToOdd(position, last);
    } else {
      newHash = nodeHash(newHash, sibling);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 && equalBytes(oldHash, oldRoot) && equalBytes(newHash, newRoot);
}

function upToOdd(position: number, last: number): [number, number] {
  let [p, l] = [position, last];
  while (p % 2 === 0 && p !== 0) [p, l] = [half(p), half(l)];
  return [p, l];
}

function upToEven(position: number, last: number): [number, number] {
  let [p, l] = [position, last];
  while (p % 2 === 1) [p, l] = [half(p), half(l)];
  return [p, l];
}

/** Not `>> 1`, which is wrong from 2^31 on. */
function half(count: number): number {
  return Math.floor(count / 2);
}

function isPowerOfTwo(count: number): boolean {
  let rest = count;
  while (rest > 1 && rest % 2 === 0) rest /= 2;
  return rest === 1;
}

function isSize(count: number): boolean {
  return Number.isSafeInteger(count) && count >= 0;
}

/** A proof over 2^53 entries has at most 54 hashes, plus the claim's own two. */
const hashesMax = 64;

function allHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= hashesMax && hashes.every((hash) => hash instanceof Uint8Array && hash.length === 32);
}
