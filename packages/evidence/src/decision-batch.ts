import { equalBytes, fromHex, toHex } from "./bytes.ts";
import { parseLeaf, type Leaf } from "./leaf.ts";
import { leafHash, merkleRoot } from "./merkle.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { isDigest, type Digest } from "./sha256.ts";
import { fits, isCount, isText, isTime, type Shape } from "./shape.ts";
import { predicateType, type Statement } from "./statement.ts";

export const decisionBatchPredicateType = predicateType("decision-batch");

/** Leaves that one statement may be about: they are hashed in memory. */
export const batchCountMax = 1_000_000;

/** What a decision-batch statement says: every numbered record of a gateway run from one number to another. */
export interface DecisionBatch {
  /** Of the log. */
  readonly origin: string;
  readonly space: string;
  readonly gateway: string;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** `unknown`: their content had been erased before the statement was made. */
  readonly decisions: { readonly allow: number; readonly deny: number; readonly unknown: number };
  readonly outcomes: number;
  /** RFC 6962 Merkle tree hash over the leaves in the order of their numbers. */
  readonly root: Digest;
  /** Smallest and largest place of a record in the log. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

const shape: Shape = {
  origin: isText,
  space: isText,
  gateway: isText,
  from: (value) => isCount(value) && value > 0,
  to: isCount,
  count: (value) => isCount(value) && value <= batchCountMax,
  decisions: (value) => fits(value, { allow: isCount, deny: isCount, unknown: isCount }),
  outcomes: isCount,
  root: isDigest,
  firstIndex: isCount,
  lastIndex: isCount,
  at: isTime,
};

function isBatch(value: unknown): value is DecisionBatch {
  return fits(value, shape);
}

/** Reads a decision batch whose numbers agree with each other and whose subject is its root. */
export function readDecisionBatch({ predicateType: type, predicate, subject }: Statement): Parsed<DecisionBatch> {
  if (type !== decisionBatchPredicateType || !isBatch(predicate)) return refused("batch_malformed", "this is not a statement over a gateway's decisions");
  const { from, to, count, decisions, outcomes, root, firstIndex, lastIndex } = predicate;
  const adds = to - from + 1 === count && decisions.allow + decisions.deny + decisions.unknown + outcomes === count && firstIndex <= lastIndex;
  if (!adds) return refused("batch_count", "the statement's numbers do not add up");
  return subject.length === 1 && `sha256:${subject[0]?.digest.sha256 ?? ""}` === root ? parsed(predicate) : refused("batch_subject", "the statement is not about the root that it names");
}

/** The root that a batch names, from the leaves' hashes in the order of their numbers. */
export function decisionBatchRoot(leafHashes: readonly Uint8Array[]): Digest {
  return `sha256:${toHex(merkleRoot(leafHashes))}`;
}

/** Kind of the entry that records how an allowed call ended; every other numbered record is a decision. */
export const outcomeKind = "gateway.outcome";

/**
 * Proves that these leaves, in the order of their numbers, are the whole batch: none is missing, added or changed.
 * Allow and deny stand in the payloads, which leaves do not show.
 */
export function verifyDecisionBatch(batch: DecisionBatch, leaves: readonly Uint8Array[]): Parsed<readonly Leaf[]> {
  if (leaves.length !== batch.count) return refused("batch_incomplete", `the statement is over ${batch.count} records, and there are ${leaves.length}`);
  const read: Leaf[] = [];
  for (const [at, bytes] of leaves.entries()) {
    const leaf = parseLeaf(bytes);
    if (!leaf.ok) return leaf;
    const { gateway, seq, space } = leaf.value;
    if (gateway !== batch.gateway || space !== batch.space || seq !== batch.from + at) return refused("batch_order", `number ${batch.from + at} of \`${batch.gateway}\` is missing or out of order`);
    read.push(leaf.value);
  }
  const outcomes = read.filter(({ kind }) => kind === outcomeKind).length;
  if (outcomes !== batch.outcomes) return refused("batch_outcomes", `the statement counts ${batch.outcomes} outcomes, and there are ${outcomes}`);
  const root = fromHex(batch.root.slice("sha256:".length));
  const same = root.ok && equalBytes(root.value, merkleRoot(leaves.map(leafHash)));
  return same ? parsed(read) : refused("batch_root", "the records are not those that the statement was signed over");
}
