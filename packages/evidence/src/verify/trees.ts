import { equalBytes, fromBase64, fromUtf8 } from "../bytes.ts";
import { isRecord } from "../canonical.ts";
import { verifyCheckpoint, type VerifiedCheckpoint } from "../checkpoint.ts";
import { decodeProof } from "../inclusion.ts";
import { verifyConsistency } from "../merkle.ts";
import { checkpointPath, entryPath, packShardPrefix, parsePackEntry, type PackFile, type PackManifest, type PackShard } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { fits, isCount, isText, isTime, listOf, type Shape } from "../shape.ts";
import type { Trust } from "../trust.ts";
import { openShown, proveIn, type OpenedEntry } from "./entry.ts";
import { restoredKind, signedSentence } from "./log.ts";
import { trustOfShard } from "./log-shards.ts";
import { count, fail, notChecked, pass, type Finding } from "./report.ts";
import { readListed, type PackSource } from "./source.ts";

/** What entries of a shard are proved against. */
export interface Tree {
  readonly shard: PackShard;
  readonly prefix: string;
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** The signed one of the shard; of a frozen shard it may cover less, or be missing. */
  readonly checkpoint: VerifiedCheckpoint | undefined;
  /** The signed note. */
  readonly note: string | undefined;
}

export interface Trees {
  /** In order, as far as they could be proved from the newest one on. */
  readonly trees: readonly Tree[];
  readonly findings: readonly Finding[];
}

interface Pack {
  readonly source: PackSource;
  readonly manifest: PackManifest;
  readonly trust: Trust;
}

/** The pack's trees: the newest by its checkpoint, each older one by what the first entry of the next one cites. */
export async function readTrees(pack: Pack): Promise<Parsed<Trees>> {
  const { shards } = pack.manifest;
  const newest = await readNewest(pack);
  if (!newest.ok) return newest;
  const trees: Tree[] = [newest.value];
  const findings: Finding[] = [];
  for (let at = shards.length - 2; at >= 0; at -= 1) {
    const [shard, next] = [shards[at], trees[0]];
    if (shard === undefined || next === undefined) break;
    const older = await readOlder(pack, { shard, at, next });
    if (!older.ok) return older;
    trees.unshift(older.value.tree);
    findings.unshift(...older.value.findings);
  }
  const { checkpoint } = newest.value;
  return parsed({ trees, findings: [...findings, ...(checkpoint === undefined ? [] : signedSentence(checkpoint))] });
}

async function readNewest(pack: Pack): Promise<Parsed<Tree>> {
  const at = pack.manifest.shards.length - 1;
  const shard = pack.manifest.shards[at];
  if (shard === undefined) return refused("checkpoint_missing", "the export is of no log");
  const signed = await readSigned(pack, shard, at);
  if (!signed.ok) return signed;
  if (signed.value === undefined) return refused("checkpoint_missing", "the export holds no checkpoint");
  const { checkpoint, note } = signed.value;
  if (checkpoint.size !== shard.treeSize) return refused("checkpoint_tree_size", "the checkpoint is of another size than pack.json names");
  return parsed({ shard, prefix: packShardPrefix(at, shard), size: checkpoint.size, root: checkpoint.root, checkpoint, note });
}

interface Signed {
  readonly checkpoint: VerifiedCheckpoint;
  readonly note: string;
}

/** The checkpoint file of a shard, signed under its origin; undefined if the pack lists none. */
async function readSigned({ source, manifest, trust }: Pack, shard: PackShard, at: number): Promise<Parsed<Signed | undefined>> {
  const file = fileAt(manifest, `${packShardPrefix(at, shard)}${checkpointPath}`);
  if (file === undefined) return parsed(undefined);
  const bytes = await readListed(source, file);
  const note = bytes.ok ? fromUtf8(bytes.value) : bytes;
  if (!note.ok) return note;
  const signers = trustOfShard(trust, shard.origin);
  if (signers === undefined) return refused("checkpoint_origin", `\`${shard.origin}\` is no shard of the log \`${trust.origin}\``);
  const checkpoint = await verifyCheckpoint(note.value, signers);
  return checkpoint.ok ? parsed({ checkpoint: checkpoint.value, note: note.value }) : checkpoint;
}

function fileAt(manifest: PackManifest, path: string): PackFile | undefined {
  return manifest.files.find((file) => file.path === path);
}

interface Older {
  readonly shard: PackShard;
  readonly at: number;
  /** The shard that continues it, proved already. */
  readonly next: Tree;
}

interface Restored {
  readonly previous: { readonly origin: string; readonly size: number; readonly root: string; readonly checkpoint: string | null; readonly consistency: readonly string[] };
  readonly restoredAt: number;
  readonly restoredBy: string;
  readonly discarded: number | null;
}

const previousShape: Shape = { origin: isText, size: isCount, root: isText, checkpoint: (value) => value === null || isText(value), consistency: listOf(isText, 64) };
const restoredShape: Shape = {
  previous: (value) => fits(value, previousShape),
  restoredAt: isTime,
  restoredBy: isText,
  discarded: (value) => value === null || isCount(value),
};

function isRestored(value: unknown): value is Restored {
  return isRecord(value) && fits(value, restoredShape);
}

async function readOlder(pack: Pack, { shard, at, next }: Older): Promise<Parsed<{ readonly tree: Tree; readonly findings: readonly Finding[] }>> {
  const restored = await readRestored(pack, next);
  if (!restored.ok) return restored;
  const { previous } = restored.value;
  const root = fromBase64(previous.root);
  if (previous.origin !== shard.origin || previous.size !== shard.treeSize || !root.ok || root.value.length !== 32) {
    return refused("restored_other", `entry ${next.shard.base} continues another tree than the shard \`${shard.origin}\` of ${shard.treeSize} entries`);
  }
  const signed = await readSigned(pack, shard, at);
  if (!signed.ok) return signed;
  const tree = { shard, prefix: packShardPrefix(at, shard), size: previous.size, root: root.value, checkpoint: signed.value?.checkpoint, note: signed.value?.note };
  const begun = checkBegun(tree, previous);
  return begun.ok ? parsed({ tree, findings: restoredFindings(tree, restored.value, next) }) : begun;
}

/** The entry `log.restored` at the beginning of a further shard. */
async function readRestored({ source, manifest }: Pack, next: Tree): Promise<Parsed<Restored>> {
  const index = next.shard.base;
  const missing = refused("restored_missing", `entry ${index}, which begins the shard \`${next.shard.origin}\`, is not in the export as \`${restoredKind}\``);
  const file = fileAt(manifest, entryPath(index));
  if (file === undefined) return missing;
  const entry = await openEntryFile(source, file, next);
  if (!entry.ok) return entry;
  const { leaf, plaintext } = entry.value;
  return leaf.kind === restoredKind && isRestored(plaintext.body) ? parsed(plaintext.body) : missing;
}

async function openEntryFile(source: PackSource, file: PackFile, tree: Tree): Promise<Parsed<OpenedEntry>> {
  const bytes = await readListed(source, file);
  const entry = bytes.ok ? parsePackEntry(bytes.value) : bytes;
  if (!entry.ok) return entry;
  const proved = proveIn(tree, entry.value);
  return proved.ok ? openShown(proved.value) : proved;
}

/** What was signed of the older shard is the beginning of the tree that was restored. */
function checkBegun({ checkpoint, note, size, root, shard }: Tree, previous: Restored["previous"]): Parsed<true> {
  if (checkpoint === undefined) {
    return previous.checkpoint === null ? parsed(true) : refused("checkpoint_missing", `the export holds no checkpoint of the shard \`${shard.origin}\``);
  }
  const fork = refused("fork", `the tree that was restored does not begin with the one of ${checkpoint.size} entries that \`${shard.origin}\` signed`);
  if (checkpoint.size > size) return refused("rollback", `\`${shard.origin}\` signed ${checkpoint.size} entries, and only ${size} were restored`);
  if (checkpoint.size === size) return equalBytes(checkpoint.root, root) ? parsed(true) : fork;
  if (note !== previous.checkpoint) return refused("restored_checkpoint", `the checkpoint of \`${shard.origin}\` is not the one that the next shard's first entry names`);
  const proof = decodeProof(previous.consistency);
  const begins = proof.ok && verifyConsistency({ oldSize: checkpoint.size, newSize: size, oldRoot: checkpoint.root, newRoot: root, proof: proof.value });
  return begins ? parsed(true) : fork;
}

function restoredFindings({ shard, size, checkpoint }: Tree, { restoredAt, restoredBy, discarded }: Restored, next: Tree): readonly Finding[] {
  const lost = discarded === null ? "how many entries were lost is not known" : discarded === 0 ? "no signed entry was lost" : `${count(discarded, "signed entry was", "signed entries were")} lost`;
  const when = `${new Date(restoredAt).toISOString()} by \`${restoredBy}\``;
  const continued = pass("shard", `\`${next.shard.origin}\` continues the ${count(size, "entry", "entries")} of \`${shard.origin}\`: restored from a backup at ${when}; ${lost}`);
  const unsigned = size - (checkpoint?.size ?? 0);
  if (discarded !== null && discarded > 0) return [continued, notChecked("shard", "discarded", `what the ${count(discarded, "lost entry", "lost entries")} of \`${shard.origin}\` said cannot be known from this export`)];
  return unsigned === 0 ? [continued] : [continued, notChecked("shard", "unsigned_end", `the last ${count(unsigned, "entry", "entries")} of \`${shard.origin}\` never stood under its own signature, only under the next shard's`)];
}

/** The tree that holds an entry of the whole log, and the entry's place there. */
export function placeOf(trees: readonly Tree[], index: number): { readonly tree: Tree; readonly index: number } | undefined {
  const tree = trees.findLast(({ shard }) => shard.base <= index);
  return tree === undefined || index - tree.shard.base >= tree.size ? undefined : { tree, index: index - tree.shard.base };
}

export function treesFailure(code: string, message: string): Finding {
  const check = code.startsWith("restored") || code === "fork" || code === "rollback" ? "shard" : "checkpoint";
  return fail(check, code, message);
}
