import { equalBytes } from "../bytes.ts";
import type { VerifiedCheckpoint } from "../checkpoint.ts";
import { decodeProof } from "../inclusion.ts";
import { merkleRoot, verifyConsistency } from "../merkle.ts";
import { consistencyPath, parsePackConsistency, type PackManifest } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { hashBytes } from "../tiles.ts";
import type { Trust } from "../trust.ts";
import { readKept } from "./kept.ts";
import type { PackTiles } from "./pack-tiles.ts";
import { fail, pass, type Finding } from "./report.ts";
import { readListed, type PackSource } from "./source.ts";
import type { Tree } from "./trees.ts";

export interface Growth {
  readonly manifest: PackManifest;
  readonly trust: Trust;
  readonly trees: readonly Tree[];
  readonly tiles: readonly PackTiles[];
  /** A signed checkpoint that the verifying person has kept. */
  readonly old: Uint8Array;
  /** Hashes of the entries proved, by index in the whole log. */
  readonly leafHashes: ReadonlyMap<number, Uint8Array>;
}

/** The log only grew since a checkpoint that somebody kept. */
export async function checkGrowth(source: PackSource, growth: Growth): Promise<Finding> {
  const kept = await readKept(growth.old, growth.trust);
  if (!kept.ok) return fail("consistency", kept.code, `the older checkpoint: ${kept.message}`);
  const tree = growth.trees.find(({ shard }) => shard.origin === kept.value.origin);
  if (tree === undefined) return fail("consistency", "rollback", `the older checkpoint is of \`${kept.value.origin}\`, which the export does not know: the log was restored to before it, or this export is older`);
  const { size } = kept.value;
  if (size > tree.size) return fail("consistency", "rollback", `the log had ${size} entries before and has ${tree.size} now: it was cut back, or this export is older`);
  const grew = await growthOf(source, { ...growth, tree, kept: kept.value });
  if (!grew.ok) return fail("consistency", grew.code, grew.message);
  return grew.value
    ? pass("consistency", `the log of ${tree.size} entries continues the older one of ${size}`)
    : fail("consistency", "fork", `the log does not continue the older one of ${size} entries: its past was changed`);
}

interface Continued extends Growth {
  readonly tree: Tree;
  readonly kept: VerifiedCheckpoint;
}

async function growthOf(source: PackSource, growth: Continued): Promise<Parsed<boolean>> {
  const { tree, kept, tiles } = growth;
  const hashes = tiles.find(({ origin }) => origin === tree.shard.origin)?.leafHashes;
  const begun = rootOfFirst(kept.size, growth) ?? (hashes === undefined ? undefined : rootOfTiles(kept.size, hashes));
  if (begun !== undefined) return parsed(equalBytes(begun, kept.root));
  if (kept.size === tree.size) return parsed(equalBytes(tree.root, kept.root));
  const sizes = { oldSize: kept.size, newSize: tree.size };
  const proof = await readProof(source, growth, sizes);
  return proof.ok ? parsed(verifyConsistency({ ...sizes, oldRoot: kept.root, newRoot: tree.root, proof: proof.value })) : proof;
}

/** An export that holds all of the older log's entries needs no proof: their root can be computed. */
function rootOfFirst(size: number, { leafHashes, tree }: Continued): Uint8Array | undefined {
  if (size > leafHashes.size) return undefined;
  const first: Uint8Array[] = [];
  for (let index = 0; index < size; index += 1) {
    const hash = leafHashes.get(tree.shard.base + index);
    if (hash === undefined) return undefined;
    first.push(hash);
  }
  return merkleRoot(first);
}

function rootOfTiles(size: number, hashes: Uint8Array): Uint8Array {
  return merkleRoot(Array.from({ length: size }, (_, at) => hashes.subarray(at * hashBytes, (at + 1) * hashBytes)));
}

async function readProof(source: PackSource, { manifest, tree }: Continued, sizes: { readonly oldSize: number; readonly newSize: number }): Promise<Parsed<readonly Uint8Array[]>> {
  if (sizes.oldSize === 0) return parsed([]);
  const file = manifest.files.find(({ path }) => path === `${tree.prefix}${consistencyPath(sizes.oldSize)}`);
  if (file === undefined) return refused("consistency_missing", `the export holds neither the tiles nor the proof from ${sizes.oldSize} entries on: verify the log itself, by its address or folder, with the same --old`);
  const bytes = await readListed(source, file);
  const claim = bytes.ok ? parsePackConsistency(bytes.value) : bytes;
  if (!claim.ok) return claim;
  const fits = claim.value.oldSize === sizes.oldSize && claim.value.newSize === sizes.newSize;
  return fits ? decodeProof(claim.value.proof) : refused("consistency_sizes", "the proof is about other sizes than the two checkpoints");
}
