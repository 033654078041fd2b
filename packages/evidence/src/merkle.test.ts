import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { concat, fromHex, toHex, utf8 } from "./bytes.ts";
import { emptyRoot, leafHash, merkleRoot, nodeHash, verifyConsistency, verifyInclusion } from "./merkle.ts";
import { consistencyProof, inclusionProof, rangeHash, tileReader, type ReadNode } from "./proof.ts";
import { tileWidth, tileWidthAt } from "./tiles.ts";

function hex(text: string): Uint8Array {
  const bytes = fromHex(text);
  if (!bytes.ok) throw new Error(bytes.message);
  return bytes.value;
}

/** Test data of RFC 6962's reference implementation (certificate-transparency, merkle tree tests). */
const vectorLeaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map(hex);
const vectorRoots = [
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/** RFC 6962 section 2.1 as it is written, to compare with. */
function recursiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) return emptyRoot();
  if (leaves.length === 1) return only;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(recursiveRoot(leaves.slice(0, split)), recursiveRoot(leaves.slice(split)));
}

function tree(size: number): readonly Uint8Array[] {
  return Array.from({ length: size }, (_, at) => leafHash(utf8(`entry ${at}`)));
}

/** A reader that goes through real tiles. */
function reader(leaves: readonly Uint8Array[], size: number): ReadNode {
  return tileReader(size, ({ level, index, width }) => {
    const span = tileWidth ** Number(level);
    const hashes = Array.from({ length: width }, (_, at) => recursiveRoot(leaves.slice((index * tileWidth + at) * span, (index * tileWidth + at + 1) * span)));
    return Promise.resolve(concat(...hashes));
  });
}

describe("roots", () => {
  test("roots are those of the RFC 6962 test data", () => {
    expect(toHex(emptyRoot())).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const hashes = vectorLeaves.map(leafHash);
    vectorRoots.forEach((root, at) => {
      expect(toHex(merkleRoot(hashes.slice(0, at + 1)))).toBe(root);
    });
  });

  test("the root by levels is the root by RFC 6962's recursion", () => {
    for (let size = 0; size < 70; size += 1) expect(toHex(merkleRoot(tree(size)))).toBe(toHex(recursiveRoot(tree(size))));
  });
});

describe("inclusion", () => {
  test("the proof of entry 0 in the RFC 6962 tree of 8 is the published one", async () => {
    const proof = await inclusionProof({ index: 0, size: 8, read: reader(vectorLeaves.map(leafHash), 8) });
    expect(proof.map(toHex)).toEqual([
      "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ]);
  });

  test("every entry of every small tree proves itself, and nothing else", async () => {
    const leaves = tree(20);
    for (let size = 1; size <= 20; size += 1) {
      const root = merkleRoot(leaves.slice(0, size));
      for (let index = 0; index < size; index += 1) {
        const proof = await inclusionProof({ index, size, read: reader(leaves, size) });
        for (let claimed = 0; claimed < size; claimed += 1) {
          const leaf = leaves[index] ?? emptyRoot();
          expect(verifyInclusion({ index: claimed, size, leafHash: leaf, proof, root })).toBe(claimed === index);
        }
      }
    }
  });

  test("a proof from tiles holds across tile borders, and any change to it is rejected", async () => {
    const leaves = tree(700);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), fc.nat(), fc.nat(), fc.nat(), async (size, pick, where, bit) => {
        const index = pick % size;
        const root = merkleRoot(leaves.slice(0, size));
        const leaf = leaves[index] ?? emptyRoot();
        const proof = await inclusionProof({ index, size, read: reader(leaves, size) });
        const claim = { index, size, leafHash: leaf, proof, root };
        expect(verifyInclusion(claim)).toBe(true);
        expect(verifyInclusion({ ...claim, proof: [...proof, root] })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: [root, ...proof] })).toBe(false);
        expect(verifyInclusion({ ...claim, root: flip(root, bit) })).toBe(false);
        expect(verifyInclusion({ ...claim, leafHash: flip(leaf, bit) })).toBe(false);
        if (proof.length === 0) return;
        const at = where % proof.length;
        expect(verifyInclusion({ ...claim, proof: proof.slice(0, -1) })).toBe(false);
        expect(verifyInclusion({ ...claim, proof: proof.map((hash, place) => (place === at ? flip(hash, bit) : hash)) })).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("claims that are no claims are false: sizes, indexes, hash lengths, endless proofs", () => {
    const [leaf = emptyRoot()] = tree(1);
    const claim = { index: 0, size: 1, leafHash: leaf, proof: [], root: leaf };
    expect(verifyInclusion(claim)).toBe(true);
    for (const bad of [{ index: -1 }, { index: 1 }, { index: 0.5 }, { index: NaN }, { size: 0 }, { size: -1 }, { size: Infinity }, { size: 2 ** 53 }]) {
      expect(verifyInclusion({ ...claim, ...bad })).toBe(false);
    }
    expect(verifyInclusion({ ...claim, proof: [leaf], root: nodeHash(leaf, leaf) })).toBe(false);
    expect(verifyInclusion({ ...claim, leafHash: leaf.subarray(1), root: leaf.subarray(1) })).toBe(false);
    expect(verifyInclusion({ ...claim, size: 2 ** 52, proof: Array.from({ length: 1000 }, () => leaf) })).toBe(false);
  });

  test("indexes beyond 32 bits are counted right", () => {
    const size = 2 ** 40 + 1;
    const leaf = leafHash(utf8("last"));
    const left = leafHash(utf8("left"));
    expect(verifyInclusion({ index: size - 1, size, leafHash: leaf, proof: [left], root: nodeHash(left, leaf) })).toBe(true);
    expect(verifyInclusion({ index: 0, size, leafHash: leaf, proof: [left], root: nodeHash(left, leaf) })).toBe(false);
  });
});

describe("consistency", () => {
  test("the RFC 6962 proof from 6 to 8 is the published one", async () => {
    const proof = await consistencyProof({ oldSize: 6, newSize: 8, read: reader(vectorLeaves.map(leafHash), 8) });
    expect(proof.map(toHex)).toEqual([
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]);
  });

  test("every two sizes of a small tree are consistent, and with no other root or size", async () => {
    const leaves = tree(18);
    for (let newSize = 0; newSize <= 18; newSize += 1) {
      for (let oldSize = 0; oldSize <= newSize; oldSize += 1) {
        const proof = await consistencyProof({ oldSize, newSize, read: reader(leaves, newSize) });
        const claim = { oldSize, newSize, oldRoot: merkleRoot(leaves.slice(0, oldSize)), newRoot: merkleRoot(leaves.slice(0, newSize)), proof };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, oldRoot: flip(claim.oldRoot, 3) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: [...proof, claim.newRoot] })).toBe(false);
        expect(verifyConsistency({ ...claim, newRoot: flip(claim.newRoot, 3) })).toBe(oldSize === 0 && newSize > 0);
      }
    }
  });

  test("a changed past is rejected, whichever entry was changed, and so is a changed proof", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 600 }), fc.nat(), fc.nat(), fc.nat(), async (newSize, a, b, bit) => {
        const oldSize = 1 + (a % (newSize - 1));
        const leaves = tree(newSize);
        const forged = leaves.map((leaf, at) => (at === b % oldSize ? flip(leaf, bit) : leaf));
        const proof = await consistencyProof({ oldSize, newSize, read: reader(leaves, newSize) });
        const claim = { oldSize, newSize, oldRoot: merkleRoot(leaves.slice(0, oldSize)), newRoot: merkleRoot(leaves), proof };
        expect(verifyConsistency(claim)).toBe(true);
        expect(verifyConsistency({ ...claim, newRoot: merkleRoot(forged), proof: await consistencyProof({ oldSize, newSize, read: reader(forged, newSize) }) })).toBe(false);
        const at = b % proof.length;
        expect(verifyConsistency({ ...claim, proof: proof.map((hash, place) => (place === at ? flip(hash, bit) : hash)) })).toBe(false);
        expect(verifyConsistency({ ...claim, proof: proof.toSpliced(at, 1) })).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test("a shrunk log, an empty proof between different sizes, and claims that are no claims are false", () => {
    const leaves = tree(4);
    const [oldRoot, newRoot] = [merkleRoot(leaves.slice(0, 2)), merkleRoot(leaves)];
    expect(verifyConsistency({ oldSize: 4, newSize: 2, oldRoot: newRoot, newRoot: oldRoot, proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 2, newSize: 4, oldRoot, newRoot, proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 2, newSize: 4, oldRoot, newRoot: oldRoot, proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: -1, newSize: 4, oldRoot, newRoot, proof: [] })).toBe(false);
    expect(verifyConsistency({ oldSize: 0, newSize: 4, oldRoot, newRoot, proof: [] })).toBe(false);
  });
});

test("the hash of the whole range is the root, and a wrong tile length is an error", async () => {
  const leaves = tree(300);
  expect(toHex(await rangeHash({ start: 0, end: 300 }, reader(leaves, 300)))).toBe(toHex(merkleRoot(leaves)));
  await expect(inclusionProof({ index: 3, size: 5, read: tileReader(5, () => Promise.resolve(new Uint8Array(7))) })).rejects.toThrow(RangeError);
  expect(tileWidthAt({ level: 1, index: 0, size: 300 })).toBe(1);
});

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit % 8));
  return copy;
}
