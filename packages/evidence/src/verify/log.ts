import { equalBytes, fromUtf8 } from "../bytes.ts";
import { verifyCheckpoint, type LogTrust, type VerifiedCheckpoint } from "../checkpoint.ts";
import { checkpointPath } from "../pack.ts";
import type { Parsed } from "../parsed.ts";
import { consistencyProof, tileReader, type ReadNode } from "../proof.ts";
import { verifyConsistency } from "../merkle.ts";
import { parseTrust, type Trust } from "../trust.ts";
import { readHashes, rootIs, walkLog, type Walked } from "./log-walk.ts";
import { shardPrefix, type LogShard } from "../shard.ts";
import { readKept } from "./kept.ts";
import { readShards, trustOfShard } from "./log-shards.ts";
import { below, type LogSource } from "./log-source.ts";
import type { LeafHead } from "./leaf-scan.ts";
import { Numbering } from "./numbering.ts";
import { count, fail, Failures, notChecked, pass, type Finding, type Report } from "./report.ts";
import { checkWitnesses } from "./witnesses.ts";

export interface LogVerification {
  readonly source: LogSource;
  /** Text of the trust file. */
  readonly trust: string;
  /** A signed checkpoint kept from before, of any of the log's shards. */
  readonly old?: Uint8Array;
  /** Entries below this number may be pruned (C2SP tlog-tiles), whatever the log itself declares; without it, what it declares. */
  readonly minimumIndex?: number;
}

/** C2SP asks for room for 16 post-quantum signatures of 5 kB. */
export const checkpointBytesMax = 1 << 20;
/** Milliseconds. A call that began earlier may be logged later, but no call takes so long. */
const timeBackMax = 60 * 60 * 1000;

/**
 * Verifies a whole log from its published files: signatures, every entry, every hash of every tile, numbering, times.
 * What it finds are lines; nothing that a log serves makes it throw, only a source that cannot be reached.
 */
export async function verifyLog(asked: LogVerification): Promise<Report> {
  const trust = parseTrust(asked.trust);
  if (!trust.ok) return { verified: false, fingerprint: null, findings: [fail("trust", trust.code, trust.message)] };
  const fingerprint = pass("trust", `trust file ${trust.value.fingerprint}: compare this fingerprint with one from another channel`);
  const findings = [fingerprint, ...(await judge(asked, trust.value))];
  return { verified: findings.every(({ status }) => status !== "fail"), fingerprint: trust.value.fingerprint, findings };
}

/** The smallest entry that the log says it serves, in a file of its own beside the C2SP ones. */
const minimumIndexPath = "minimum-index";

async function declaredMinimum(source: LogSource): Promise<number> {
  const bytes = await source.read(minimumIndexPath, 32);
  const text = bytes === undefined ? "" : textOf(bytes);
  return /^(?:0|[1-9]\d{0,14})\n$/.test(text) ? Number(text) : 0;
}

async function judge({ source, old: oldBytes, minimumIndex: allowed }: LogVerification, trust: Trust): Promise<readonly Finding[]> {
  const shards = await readShards(source, trust);
  if (!shards.ok) return [fail("shard", shards.code, shards.message)];
  const minimumIndex = allowed ?? (await declaredMinimum(source));
  const findings: Finding[] = [];
  const old = oldBytes === undefined ? undefined : await readKept(oldBytes, trust);
  if (old?.ok === false) return [fail("consistency", old.code, `the older checkpoint: ${old.message}`)];
  if (old !== undefined && !shards.value.some(({ origin }) => origin === old.value.origin)) {
    findings.push(fail("consistency", "rollback", `the older checkpoint is of \`${old.value.origin}\`, which the log no longer has`));
  }
  const numbering = new Numbering();
  let pruned = 0;
  for (const [at, shard] of shards.value.entries()) {
    const several = shards.value.length > 1;
    const judged = await judgeShard({ source: below(source, shardPrefix(at, shard)), at, shard, trust, minimumIndex, numbering, old: old?.value, open: pruned > 0 });
    pruned += judged.pruned;
    findings.push(...judged.findings.map((finding) => (several ? { ...finding, sentence: `\`${shard.origin}\`: ${finding.sentence}` } : finding)));
  }
  return [...findings, ...numbering.findings()];
}

function textOf(bytes: Uint8Array): string {
  const text = fromUtf8(bytes);
  return text.ok ? text.value : "";
}

async function verifySigned(bytes: Uint8Array, trust: LogTrust): Promise<Parsed<VerifiedCheckpoint>> {
  const text = fromUtf8(bytes);
  return text.ok ? verifyCheckpoint(text.value, trust) : text;
}

interface ShardToJudge {
  readonly source: LogSource;
  readonly at: number;
  readonly shard: LogShard;
  readonly trust: Trust;
  readonly minimumIndex: number;
  readonly numbering: Numbering;
  readonly old: VerifiedCheckpoint | undefined;
  /** Entries of an earlier shard were pruned. */
  readonly open: boolean;
}

interface Judged {
  readonly findings: readonly Finding[];
  readonly pruned: number;
}

async function judgeShard(of: ShardToJudge): Promise<Judged> {
  const { shard, trust, source } = of;
  const signers = trustOfShard(trust, shard.origin);
  if (signers === undefined) return alone(fail("checkpoint", "checkpoint_origin", `\`${shard.origin}\` is no shard of the log \`${trust.origin}\``));
  const bytes = await source.read(checkpointPath, checkpointBytesMax);
  if (bytes === undefined) return alone(fail("checkpoint", "checkpoint_missing", "there is no readable checkpoint: is this a log?"));
  const checkpoint = await verifySigned(bytes, signers);
  if (!checkpoint.ok) return alone(fail("checkpoint", checkpoint.code, checkpoint.message));
  const { size } = checkpoint.value;
  if (shard.size !== null && size > shard.size) return alone(fail("checkpoint", "shard_size", `the checkpoint is over ${size} entries, and the shard is said to have ended with ${shard.size}`));
  // What was frozen is cited under the next shard's checkpoint, and that one is witnessed.
  const witnessed = shard.size === null ? [await checkWitnesses(textOf(bytes), trust)] : [];
  const walked = await walkShard(of, checkpoint.value);
  const unsigned = shard.size !== null && size < shard.size ? [notChecked("checkpoint", "unsigned_end", `${count(shard.size - size, "entry", "entries")} after the last signed one are vouched for by the next shard's first entry, which an export shows`)] : [];
  return { pruned: walked.pruned, findings: [...signedSentence(checkpoint.value), ...walked.findings, ...unsigned, ...witnessed] };
}

function alone(finding: Finding): Judged {
  return { findings: [finding], pruned: 0 };
}

/** A signature that this platform cannot check is said to be unchecked, never a pass. */
export function signedSentence({ origin, size, mldsa }: VerifiedCheckpoint): readonly Finding[] {
  const how = mldsa === "verified" ? " with Ed25519 and ML-DSA-44" : "";
  const signed = pass("checkpoint", `the log \`${origin}\` signed its state of ${count(size, "entry", "entries")}${how}`);
  return mldsa === "unsupported" ? [signed, notChecked("checkpoint", "mldsa_unsupported", "its ML-DSA-44 signature was not checked, because this platform cannot: use Node 24.15 or later")] : [signed];
}

async function walkShard(of: ShardToJudge, checkpoint: VerifiedCheckpoint): Promise<Judged> {
  const { source, shard, numbering } = of;
  const old = of.old?.origin === shard.origin ? of.old : undefined;
  const [entryFailures, tileFailures] = [new Failures(), new Failures()];
  const minimumIndex = Math.max(0, of.minimumIndex - shard.base);
  const heads = new Heads(of, entryFailures);
  const onLeaf = (index: number, head: LeafHead): void => {
    heads.take(index, head);
    numbering.take(index, head, of.open || minimumIndex > 0);
  };
  const rootsAt = old === undefined ? [] : [old.size];
  const walked = await walkLog({ source, size: checkpoint.size, base: shard.base, minimumIndex, rootsAt, onLeaf, entryFailures, tileFailures });
  if (!rootIs(walked.root, checkpoint.root)) tileFailures.add(fail("tiles", "root_differs", `the entries do not give the root that the checkpoint over ${checkpoint.size} signs`));
  const read = checkpoint.size - walked.pruned;
  return {
    pruned: walked.pruned,
    findings: [
      ...(walked.pruned === 0 ? [] : [notChecked("entries", "pruned", `entries ${shard.base} to ${shard.base + walked.pruned - 1} are pruned and were not read; their hashes were`)]),
      ...entryFailures.findings(pass("entries", `${count(read, "entry", "entries")} read: each is a canonical leaf, and times run forward`)),
      ...tileFailures.findings(pass("tiles", "every hash of every level was computed again, up to the signed root")),
      ...(old === undefined ? [] : [await checkGrowth(source, { old, checkpoint, walked })]),
    ],
  };
}

/** Times, and the kind of a further shard's first entry. */
class Heads {
  readonly #shard: LogShard;
  readonly #further: boolean;
  readonly #failures: Failures;
  #newest = 0;

  constructor({ shard, at }: ShardToJudge, failures: Failures) {
    this.#shard = shard;
    this.#further = at > 0;
    this.#failures = failures;
  }

  take(index: number, { kind, time }: LeafHead): void {
    if (this.#further && index === this.#shard.base && kind !== restoredKind) {
      this.#failures.add(fail("entries", "restored_missing", `entry ${index} begins a further shard and is not \`${restoredKind}\``));
    }
    if (time < this.#newest - timeBackMax) this.#failures.add(fail("entries", "time_backwards", `entry ${index} is dated ${new Date(time).toISOString()}, over an hour before an earlier entry`));
    if (time > this.#newest) this.#newest = time;
  }
}

/** Kind of the first entry of a further shard: it cites the tree that was restored. */
export const restoredKind = "log.restored";

interface Growth {
  readonly old: VerifiedCheckpoint;
  readonly checkpoint: VerifiedCheckpoint;
  readonly walked: Walked;
}

/** The log only grew since a checkpoint that somebody kept. */
async function checkGrowth(source: LogSource, { old, checkpoint, walked }: Growth): Promise<Finding> {
  if (old.size > checkpoint.size) return fail("consistency", "rollback", `the log had ${old.size} entries before and has ${checkpoint.size} now: it was cut back`);
  const begun = walked.roots.get(old.size);
  const grew = begun === undefined ? await provenByTiles(source, old, checkpoint) : equalBytes(begun, old.root);
  if (grew === undefined) return fail("consistency", "consistency_unavailable", `the tiles that show how the log of ${old.size} entries grew are missing`);
  return grew
    ? pass("consistency", `the log of ${checkpoint.size} entries continues the older one of ${old.size}`)
    : fail("consistency", "fork", `the log does not continue the older one of ${old.size} entries: its past was changed`);
}

/** True if the served tiles prove that the newer checkpoint continues the older, false if they do not, undefined without tiles. */
export async function provenByTiles(source: LogSource, old: Pick<VerifiedCheckpoint, "size" | "root">, checkpoint: Pick<VerifiedCheckpoint, "size" | "root">): Promise<boolean | undefined> {
  const sizes = { oldSize: old.size, newSize: checkpoint.size };
  try {
    const proof = await consistencyProof({ ...sizes, read: nodesOf(source, checkpoint.size) });
    return verifyConsistency({ ...sizes, oldRoot: old.root, newRoot: checkpoint.root, proof });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Hashes of subtrees out of the served tiles. Throws a RangeError where they are missing or of a wrong length. */
export function nodesOf(source: LogSource, size: number): ReadNode {
  return tileReader(size, async (tile) => {
    const bytes = await readHashes(source, tile);
    if (bytes === undefined) throw new RangeError("a tile is missing");
    return bytes;
  });
}
