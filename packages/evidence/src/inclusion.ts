import { fromBase64, utf8 } from "./bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { parseLeaf, type Leaf } from "./leaf.ts";
import { leafHash, verifyInclusion } from "./merkle.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { parseTrust, verifyTrustedCheckpoint } from "./trust.ts";

/** An audit path has one hash per level of the tree. */
export const proofHashesMax = 64;

export interface EntryInclusion {
  /** The entry as logged: canonical JSON. */
  readonly leaf: string;
  readonly index: number;
  /** Base64 of 32-byte hashes, leaf upwards. */
  readonly proof: readonly string[];
  /** The signed note. */
  readonly checkpoint: string;
  /** Text of the trust file. */
  readonly trust: string;
}

/**
 * Proves, in a browser or Node, that an entry stands in the log at its index: signature of the checkpoint, form of
 * the leaf, audit path. Does not prove that the log shows the same tree to everybody: that takes a witness.
 */
export async function verifyEntryInclusion(entry: EntryInclusion): Promise<Parsed<{ readonly leaf: Leaf; readonly checkpoint: Checkpoint }>> {
  const trust = parseTrust(entry.trust);
  if (!trust.ok) return trust;
  const checkpoint = await verifyTrustedCheckpoint(entry.checkpoint, trust.value);
  if (!checkpoint.ok) return checkpoint;
  const leaf = checkInclusion({ ...entry, checkpoint: checkpoint.value });
  return leaf.ok ? parsed({ leaf: leaf.value, checkpoint: checkpoint.value }) : leaf;
}

/** Proves an entry against a checkpoint that is already trusted. */
export function checkInclusion(entry: Pick<EntryInclusion, "leaf" | "index" | "proof"> & { readonly checkpoint: Checkpoint }): Parsed<Leaf> {
  const { index, checkpoint } = entry;
  const bytes = utf8(entry.leaf);
  const leaf = parseLeaf(bytes);
  if (!leaf.ok) return leaf;
  const proof = decodeProof(entry.proof);
  if (!proof.ok) return proof;
  const included = verifyInclusion({ index, size: checkpoint.size, root: checkpoint.root, leafHash: leafHash(bytes), proof: proof.value });
  return included ? leaf : refused("not_included", `entry ${index} is not in the log of ${checkpoint.size} entries`);
}

/** Hashes as JSON carries them: base64, at most 64. */
export function decodeProof(hashes: readonly string[]): Parsed<readonly Uint8Array[]> {
  if (hashes.length > proofHashesMax) return refused("proof_malformed", `a proof has at most ${proofHashesMax} hashes`);
  const proof: Uint8Array[] = [];
  for (const text of hashes) {
    const hash = fromBase64(text);
    if (!hash.ok || hash.value.length !== 32) return refused("proof_malformed", "a proof is a list of base64 sha-256 hashes");
    proof.push(hash.value);
  }
  return parsed(proof);
}
