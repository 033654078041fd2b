import { outcomeKind, parseLeaf } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { checkpointSize } from "../controls/audit-pack.ts";
import { decisionIn, type NumberedRecord } from "../controls/decision-batch.ts";
import type { LogTree, StatementDeps } from "../controls/statement-handlers.ts";
import type { ProvedLeaf } from "../controls/statements.ts";
import type { EvidenceLog } from "../ledger/log.ts";
import type { Recorder } from "../ledger/recorder.ts";

interface Parts {
  readonly log: EvidenceLog;
  readonly recorder: Recorder;
}

type Shard = EvidenceLog["shards"][number];

async function newestNote(log: EvidenceLog, shard: Shard): Promise<string | undefined> {
  return shard.frozen ? shard.checkpoint() : log.publish();
}

async function proved({ log }: Parts, index: number): Promise<ProvedLeaf> {
  const place = log.locate(index);
  const leaf = (await log.read(index))?.leaf;
  if (place === undefined || leaf === undefined) throw new LicetError("not_found");
  const { shard, index: local } = place;
  const checkpoint = await newestNote(log, shard);
  const size = checkpoint === undefined ? 0 : checkpointSize(checkpoint);
  // A frozen shard's last entries may never have been covered: the next shard's first entry cites their root instead.
  if (checkpoint === undefined || local >= size) throw new LicetError("statement_absent", { message: `no signed checkpoint of \`${shard.origin}\` covers entry ${index}`, at: { shard: shard.name } });
  return { origin: shard.origin, leaf, index: local, proof: await shard.inclusionProof(local, size), checkpoint };
}

async function tree({ log }: Parts, origin: string | undefined): Promise<LogTree | undefined> {
  const shard = origin === undefined ? log.shards.at(-1) : log.shards.find((each) => each.origin === origin);
  if (shard === undefined) return undefined;
  const checkpoint = await newestNote(log, shard);
  return { origin: shard.origin, checkpoint, size: checkpoint === undefined ? 0 : checkpointSize(checkpoint), consistencyProof: (oldSize, newSize) => shard.consistencyProof(oldSize, newSize) };
}

/** Leaves are searched as bytes first: parsing every one of a long log would take minutes. */
async function* numbered({ log, recorder }: Parts, { space, gateway, start }: { readonly space: string; readonly gateway: string; readonly start: number }): AsyncGenerator<NumberedRecord> {
  const mark = Buffer.from(`"gateway":${JSON.stringify(gateway)}`);
  let index = start - 1;
  for await (const frame of log.scan(start)) {
    index += 1;
    if (!Buffer.from(frame.leaf.buffer, frame.leaf.byteOffset, frame.leaf.length).includes(mark)) continue;
    const leaf = parseLeaf(frame.leaf);
    if (!leaf.ok || leaf.value.gateway !== gateway || leaf.value.space !== space || leaf.value.seq === undefined) continue;
    const { kind, seq } = leaf.value;
    yield { index, seq, kind, leaf: frame.leaf, decision: kind === outcomeKind ? null : await decisionAt(recorder, space, index) };
  }
}

async function decisionAt(recorder: Recorder, space: string, index: number): Promise<NumberedRecord["decision"]> {
  try {
    return decisionIn((await recorder.readAt(space, index))?.body);
  } catch (error) {
    if (error instanceof LicetError && error.code === "payload_erased") return null;
    throw error;
  }
}

/** The log as statements and proofs are made from it. */
export function statementSource(parts: Parts): Pick<StatementDeps, "origin" | "leafAt" | "proved" | "tree" | "numbered"> {
  return {
    origin: parts.log.origin,
    leafAt: async (index) => (await parts.log.read(index))?.leaf,
    proved: (index) => proved(parts, index),
    tree: (origin) => tree(parts, origin),
    numbered: (space, gateway, start) => numbered(parts, { space, gateway, start }),
  };
}
