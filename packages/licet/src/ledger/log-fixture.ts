import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { join } from "node:path";
import {
  entriesPath,
  parseCheckpoint,
  parseEntryBundle,
  parseNote,
  parseVkey,
  tilePath,
  tileWidthAt,
  verifyCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from "@licet/evidence";
import type { LogSigner } from "./checkpoint.ts";
import type { Files } from "./files.ts";
import type { EvidenceLog } from "./log.ts";
import { rootAt } from "./proof.ts";
import { leafHash } from "./tree.ts";

/** A signer with a key that tests may know. */
export function fixedSigner(origin = "licet.example/test", seed = 0x11): LogSigner {
  const prefix = Buffer.from("302e020100300506032b657004220420", "hex");
  const key = createPrivateKey({ key: Buffer.concat([prefix, Buffer.alloc(32, seed)]), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { origin, publicKey, sign: (message) => sign(null, message, key) };
}

/** Pseudo-random numbers that a failing test can repeat (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** What a holder of earlier checkpoints would check; returns what does not hold, in words. */
export async function complaints(log: EvidenceLog, earlier: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  const note = await log.publish();
  const vkey = parseVkey(log.vkey);
  if (!vkey.ok) return ["the vkey does not parse"];
  const current = await verifyCheckpoint(note, { origin: log.origin, vkeys: [vkey.value] });
  if (!current.ok) return [current.message];
  const { size, root } = current.value;
  for (const old of earlier) {
    const parsedNote = parseNote(old);
    const claim = parsedNote.ok ? parseCheckpoint(parsedNote.value.text) : parsedNote;
    if (!claim.ok || claim.value.size > size) {
      found.push(`a checkpoint over more than ${size} was signed`);
      continue;
    }
    const proof = await log.consistencyProof(claim.value.size, size);
    const holds = verifyConsistency({ oldSize: claim.value.size, newSize: size, oldRoot: claim.value.root, newRoot: root, proof });
    if (!holds) found.push(`inconsistent with the checkpoint over ${claim.value.size}`);
  }
  for (const index of new Set([0, size >> 1, size - 1])) {
    const frame = index >= 0 ? await log.read(index) : undefined;
    if (!frame) continue;
    const proof = await log.inclusionProof(index, size);
    if (!verifyInclusion({ index, size, leafHash: leafHash(frame.leaf), proof, root })) found.push(`entry ${index} is not in the tree`);
  }
  return found;
}

/** What a reader of the published files alone would find wrong, without journal and without server. */
export async function publishedComplaints(files: Files, folder: string): Promise<readonly string[]> {
  const note = await files.readWhole(join(folder, "checkpoint"));
  if (!note) return [];
  const parsedNote = parseNote(Buffer.from(note).toString());
  const checkpoint = parsedNote.ok ? parseCheckpoint(parsedNote.value.text) : parsedNote;
  if (!checkpoint.ok) return [checkpoint.message];
  const { size, root } = checkpoint.value;
  const found: string[] = [];
  const read = async (level: number | "entries", index: number) => {
    const width = tileWidthAt({ level, index, size });
    const tile = (await files.readWhole(join(folder, tilePath({ level, index, width })))) ?? (await files.readWhole(join(folder, tilePath({ level, index, width: 256 }))));
    if (!tile) found.push(`${tilePath({ level, index, width })} is missing`);
    return tile ?? Buffer.alloc(256 * 32);
  };
  const computed = await rootAt((level, index) => read(level, index), size);
  if (!computed.equals(root)) found.push(`the tiles do not give the root over ${size}`);
  for (let index = 0; index * 256 < size; index += 1) {
    const width = tileWidthAt({ level: 0, index, size });
    const bundle = parseEntryBundle(await read("entries", index), width);
    const hashes = Buffer.from(await read(0, index)).subarray(0, width * 32);
    const agree = bundle.ok && Buffer.concat(bundle.value.map((leaf) => leafHash(leaf))).equals(hashes);
    if (!agree) found.push(`${entriesPath(index, width)} is not what its tile says`);
  }
  return found;
}
