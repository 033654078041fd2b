import { equalBytes, fromUtf8 } from "../bytes.ts";
import { verifyCheckpoint, type Checkpoint } from "../checkpoint.ts";
import { decodeProof } from "../inclusion.ts";
import { merkleRoot, verifyConsistency } from "../merkle.ts";
import { checkpointPath, consistencyPath, parsePackConsistency, type PackManifest } from "../pack.ts";
import { refused, type Parsed } from "../parsed.ts";
import type { Trust } from "../trust.ts";
import { fail, pass, type Finding } from "./report.ts";
import { readListed, type PackSource } from "./source.ts";

/** The pack's checkpoint: signed by the log's key, of the size that the pack names. */
export async function readCheckpoint(source: PackSource, manifest: PackManifest, trust: Trust): Promise<Parsed<Checkpoint>> {
  const file = manifest.files.find(({ path }) => path === checkpointPath);
  if (file === undefined) return refused("checkpoint_missing", "the export holds no checkpoint");
  const bytes = await readListed(source, file);
  if (!bytes.ok) return bytes;
  const checkpoint = await verifySigned(bytes.value, trust);
  if (!checkpoint.ok) return checkpoint;
  return checkpoint.value.size === manifest.treeSize ? checkpoint : refused("checkpoint_tree_size", "the checkpoint is of another size than pack.json names");
}

async function verifySigned(bytes: Uint8Array, trust: Trust): Promise<Parsed<Checkpoint>> {
  const text = fromUtf8(bytes);
  return text.ok ? verifyCheckpoint(text.value, trust) : text;
}

export interface Continuation {
  readonly manifest: PackManifest;
  readonly trust: Trust;
  readonly checkpoint: Checkpoint;
  /** A signed checkpoint that the verifying person has kept. */
  readonly old: Uint8Array;
  /** Hashes of the entries proved, by index. */
  readonly leafHashes: ReadonlyMap<number, Uint8Array>;
}

/** The log only grew since a checkpoint that somebody kept. */
export async function checkConsistency(source: PackSource, { manifest, trust, checkpoint, old, leafHashes }: Continuation): Promise<Finding> {
  const kept = await verifySigned(old, trust);
  if (!kept.ok) return fail("consistency", kept.code, `the older checkpoint: ${kept.message}`);
  if (kept.value.size > checkpoint.size) return fail("consistency", "rollback", `the log had ${kept.value.size} entries before and has ${checkpoint.size} now: it was cut back, or this export is older`);
  const begun = rootOfFirst(kept.value.size, leafHashes);
  if (begun !== undefined) return told(equalBytes(begun, kept.value.root), kept.value.size, checkpoint.size);
  const proof = await readProof(source, manifest, { oldSize: kept.value.size, newSize: checkpoint.size });
  if (!proof.ok) return fail("consistency", proof.code, proof.message);
  const grew = verifyConsistency({ oldSize: kept.value.size, newSize: checkpoint.size, oldRoot: kept.value.root, newRoot: checkpoint.root, proof: proof.value });
  return told(grew, kept.value.size, checkpoint.size);
}

function told(grew: boolean, oldSize: number, newSize: number): Finding {
  return grew
    ? pass("consistency", `the log of ${newSize} entries continues the older one of ${oldSize}`)
    : fail("consistency", "fork", `the log does not continue the older one of ${oldSize} entries: its past was changed`);
}

/** An export that holds all of the older log's entries needs no proof: their root can be computed. */
function rootOfFirst(size: number, leafHashes: ReadonlyMap<number, Uint8Array>): Uint8Array | undefined {
  if (size > leafHashes.size) return undefined;
  const first: Uint8Array[] = [];
  for (let index = 0; index < size; index += 1) {
    const hash = leafHashes.get(index);
    if (hash === undefined) return undefined;
    first.push(hash);
  }
  return merkleRoot(first);
}

async function readProof(source: PackSource, manifest: PackManifest, sizes: { readonly oldSize: number; readonly newSize: number }): Promise<Parsed<readonly Uint8Array[]>> {
  if (sizes.oldSize === sizes.newSize || sizes.oldSize === 0) return { ok: true, value: [] };
  const file = manifest.files.find(({ path }) => path === consistencyPath(sizes.oldSize));
  if (file === undefined) return refused("consistency_missing", `the export holds no proof from ${sizes.oldSize} entries on: export again, naming the older checkpoint`);
  const bytes = await readListed(source, file);
  const claim = bytes.ok ? parsePackConsistency(bytes.value) : bytes;
  if (!claim.ok) return claim;
  const fits = claim.value.oldSize === sizes.oldSize && claim.value.newSize === sizes.newSize;
  return fits ? decodeProof(claim.value.proof) : refused("consistency_sizes", "the proof is about other sizes than the two checkpoints");
}
