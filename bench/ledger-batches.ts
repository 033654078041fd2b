/**
 * Leaf for each decision, or one leaf for a batch of them: the same sealed decisions, the same journal, one after the
 * other in turns. A batch is what waits when the one before is durable; its leaf is the Merkle root over the decisions'
 * own leaves, which travel in the payload, and a decision's proof is its path in the batch and the batch's in the log.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inclusionProof as portableProof, leafHash as portableLeafHash, merkleRoot } from "@licet/evidence";
import type { Entry } from "../packages/licet/src/ledger/entry.ts";
import { openKeyring, type Keyring } from "../packages/licet/src/ledger/keyring.ts";
import { openKeys } from "../packages/licet/src/ledger/keys.ts";
import { type EvidenceLog, openLog } from "../packages/licet/src/ledger/log.ts";
import { sealEntry } from "../packages/licet/src/ledger/sealing.ts";
import { leafHash, nodeHash } from "../packages/licet/src/ledger/tree.ts";

const batchMax = 256;
const clock = { now: () => Date.now() };
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export interface BatchOptions {
  readonly rounds: number;
  readonly sliceMilliseconds: number;
  readonly writers: number;
}

interface Side {
  readonly name: string;
  readonly log: EvidenceLog;
  readonly folder: string;
  append(): Promise<void>;
  /** Leaf and proof of one decision, in bytes, and how many milliseconds it took to make. */
  prove(): Promise<{ readonly bytes: number; readonly milliseconds: number }>;
  decisions(): number;
}

let counter = 0;

function decision(): Entry {
  counter += 1;
  const id = `ent_${String(counter).padStart(26, "0")}`;
  const body = { decision: "allow", model: "chat", policies: ["p1"], promptDigest: `sha256:${"a".repeat(64)}`, snapshot: 7 };
  return { id, v: 1, time: 1_760_000_000_000 + counter, kind: "gateway.decision", space: "main", actor: "dep_1", system: "bench", subject: "system:bench", class: "runtime", gateway: "gw-1", seq: counter, body };
}

function single(log: EvidenceLog, folder: string, keyring: Keyring): Side {
  return {
    name: "leaf",
    log,
    folder,
    append: async () => {
      const { frame } = await sealEntry(keyring, decision());
      await log.append(frame);
    },
    prove: async () => {
      const size = publishedSize(log);
      const index = Math.floor(Math.random() * size);
      const begin = performance.now();
      const frame = await log.read(index);
      const proof = await log.inclusionProof(index, size);
      return { bytes: (frame?.leaf.length ?? 0) + proof.length * 32, milliseconds: performance.now() - begin };
    },
    decisions: () => log.size,
  };
}

/** Group commit a second time, above the journal's. */
function batched(log: EvidenceLog, folder: string, keyring: Keyring): Side {
  let waiting: { readonly leaf: Uint8Array; readonly payload: Uint8Array; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  const sizes: number[] = [];
  let writing = false;
  const flush = async () => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax);
      const leaf = Buffer.from(JSON.stringify({ count: batch.length, id: `bat_${sizes.length}`, kind: "decision.batch", root: rootOf(batch.map(({ leaf }) => leaf)).toString("hex"), v: 1 }));
      try {
        await log.append({ leaf, payload: Buffer.concat(batch.flatMap(({ leaf, payload }) => [length(leaf), leaf, length(payload), payload])) });
        sizes.push(batch.length);
        for (const { done } of batch) done();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    writing = false;
  };
  return {
    name: "batch",
    log,
    folder,
    append: async () => {
      const { frame } = await sealEntry(keyring, decision());
      const durable = new Promise<void>((done, failed) => waiting.push({ ...frame, done, failed }));
      if (!writing) {
        writing = true;
        setImmediate(() => void flush());
      }
      await durable;
    },
    prove: async () => {
      const size = publishedSize(log);
      const index = Math.floor(Math.random() * size);
      const begin = performance.now();
      const frame = await log.read(index);
      const leaves = leavesIn(Buffer.from(frame?.payload ?? []));
      const at = Math.floor(Math.random() * leaves.length);
      const hashes = leaves.map((leaf) => new Uint8Array(leafHash(leaf)));
      const inner = await portableProof({ index: at, size: leaves.length, read: ({ height, index: node }) => Promise.resolve(merkleRoot(hashes.slice(node * 2 ** height, (node + 1) * 2 ** height))) });
      const outer = await log.inclusionProof(index, size);
      return { bytes: (leaves[at]?.length ?? 0) + (frame?.leaf.length ?? 0) + (inner.length + outer.length) * 32, milliseconds: performance.now() - begin };
    },
    decisions: () => sizes.reduce((sum, size) => sum + size, 0),
  };
}

function length(bytes: Uint8Array): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(bytes.length);
  return prefix;
}

function leavesIn(payload: Buffer): readonly Buffer[] {
  const leaves: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const leafEnd = at + 4 + payload.readUInt32LE(at);
    leaves.push(payload.subarray(at + 4, leafEnd));
    at = leafEnd + 4 + payload.readUInt32LE(leafEnd);
  }
  return leaves;
}

/** RFC 6962, as the log's own tree. */
function rootOf(leaves: readonly Uint8Array[]): Buffer {
  let row = leaves.map((leaf) => leafHash(leaf));
  while (row.length > 1) row = Array.from({ length: Math.ceil(row.length / 2) }, (_, n) => (row[2 * n + 1] ? nodeHash(row[2 * n] ?? Buffer.alloc(0), row[2 * n + 1] ?? Buffer.alloc(0)) : (row[2 * n] ?? Buffer.alloc(0))));
  return row[0] ?? Buffer.from(portableLeafHash(new Uint8Array(0)));
}

function publishedSize(log: EvidenceLog): number {
  return Number(log.checkpoint()?.split("\n")[1] ?? 0);
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0);
}

async function slice(side: Side, { writers, sliceMilliseconds }: BatchOptions): Promise<number> {
  const before = side.decisions();
  const begin = performance.now();
  const writer = async () => {
    while (performance.now() - begin < sliceMilliseconds) await side.append();
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return ((side.decisions() - before) / (performance.now() - begin)) * 1000;
}

/** Figures of both, and the ratio of their throughputs in paired slices. */
export async function compareBatches(options: BatchOptions) {
  const folder = mkdtempSync(join(tmpdir(), "licet-batches-"));
  try {
    const keys = await openKeys({ directory: join(folder, "keys"), fresh: true, now: clock.now() });
    const keyring = await openKeyring({ directory: join(folder, "keys"), root: keys.root, clock });
    const opened = (name: string) => openLog({ folder: join(folder, name), signer: keys.log, limits: { aheadBytes: 0 } });
    const sides = [single(await opened("leaf"), join(folder, "leaf"), keyring), batched(await opened("batch"), join(folder, "batch"), keyring)];
    const rates = new Map<string, number[]>(sides.map(({ name }) => [name, []]));
    // Warms up.
    for (const side of sides) await slice(side, options);
    for (let round = 0; round < options.rounds; round += 1) {
      for (const side of sides) rates.get(side.name)?.push(await slice(side, options));
    }
    const figures: Record<string, Record<string, number>> = {};
    for (const side of sides) {
      await side.log.publish();
      const proofs = [];
      for (let n = 0; n < 500; n += 1) proofs.push(await side.prove());
      await side.log.close();
      figures[side.name] = {
        perSecond: Math.round(median(rates.get(side.name) ?? [])),
        decisions: side.decisions(),
        leaves: side.log.size,
        bytesPerDecision: Math.round(bytesIn(side.folder) / side.decisions()),
        proofBytes: Math.round(median(proofs.map(({ bytes }) => bytes))),
        proofP50Milliseconds: Number(median(proofs.map(({ milliseconds }) => milliseconds)).toFixed(3)),
      };
    }
    await keyring.close();
    const pairs = (rates.get("batch") ?? []).map((rate, n) => rate / (rates.get("leaf")?.[n] ?? Number.NaN));
    return { batchVsLeaf: Number(median(pairs).toFixed(2)), figures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
