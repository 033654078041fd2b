/**
 * Durable appends of 1 KB entries against the disk's own limit: one write and one fdatasync at a time.
 * Rounds are interleaved, so that a busy machine slows both sides alike; only ratios are compared across machines.
 * With --batches: a leaf for each decision against one for a batch. With --quick: shorter, less steady.
 * The last line of the output is one JSON object.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../packages/licet/src/ledger/entry.ts";
import { openKeyring } from "../packages/licet/src/ledger/keyring.ts";
import { openKeys } from "../packages/licet/src/ledger/keys.ts";
import { openLog } from "../packages/licet/src/ledger/log.ts";
import { sealEntry } from "../packages/licet/src/ledger/sealing.ts";
import { compareBatches } from "./ledger-batches.ts";

const quick = process.argv.includes("--quick");
if (process.argv.includes("--batches")) {
  const compared = await compareBatches(quick ? { rounds: 5, sliceMilliseconds: 350, writers: 128 } : { rounds: 21, sliceMilliseconds: 1000, writers: 128 });
  for (const [name, figures] of Object.entries(compared.figures)) console.log(name.padEnd(16), JSON.stringify(figures));
  console.log(JSON.stringify({ bench: "ledger-batches", ratios: { batchVsLeaf: compared.batchVsLeaf }, figures: { ...compared.figures, node: process.version } }));
  process.exit(0);
}
const rounds = quick ? 9 : 25;
const sliceMilliseconds = quick ? 350 : 1000;
const writers = [1, 16, 128] as const;
const bodyBytes = 1024;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const at = (values: readonly number[], part: number) => values[Math.floor(values.length * part)] ?? Number.NaN;

interface Slice {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** What one writer can do that syncs each entry by itself. */
function raw(fd: number, data: Uint8Array): Slice {
  const latencies: number[] = [];
  const begin = performance.now();
  while (performance.now() - begin < sliceMilliseconds) {
    const one = performance.now();
    writeSync(fd, data);
    fdatasyncSync(fd);
    latencies.push(performance.now() - one);
  }
  return slice(latencies, performance.now() - begin);
}

async function concurrent(count: number, append: () => Promise<unknown>): Promise<Slice> {
  const latencies: number[] = [];
  const begin = performance.now();
  const writer = async () => {
    while (performance.now() - begin < sliceMilliseconds) {
      const one = performance.now();
      await append();
      latencies.push(performance.now() - one);
    }
  };
  await Promise.all(Array.from({ length: count }, writer));
  return slice(latencies, performance.now() - begin);
}

function slice(latencies: number[], milliseconds: number): Slice {
  latencies.sort((a, b) => a - b);
  return { perSecond: (latencies.length / milliseconds) * 1000, p50: at(latencies, 0.5), p99: at(latencies, 0.99) };
}

const folder = mkdtempSync(join(tmpdir(), "licet-bench-"));
const clock = { now: () => Date.now() };
const keys = await openKeys({ directory: join(folder, "keys"), fresh: true, now: clock.now() });
const keyring = await openKeyring({ directory: join(folder, "keys"), root: keys.root, clock });
const [plainLog, sealedLog] = await Promise.all(
  ["plain", "sealed"].map((name) => openLog({ folder: join(folder, name), signer: keys.log })),
);
if (!plainLog || !sealedLog) throw new Error("the logs did not open");
const data = randomBytes(bodyBytes);
const empty = Buffer.alloc(0);
const text = randomBytes(bodyBytes / 2 - 40).toString("hex");
let counter = 0;

function entry(): Entry {
  counter += 1;
  const id = `ent_${String(counter).padStart(26, "0")}`;
  const body = { decision: "allow", policies: ["p1", "p2"], text };
  return { id, v: 1, time: 1_760_000_000_000 + counter, kind: "gateway.decision", space: "main", actor: "dep_1", system: "bench", subject: "system:bench", class: "runtime", gateway: "gw-1", seq: counter, body };
}

const plain = () => plainLog.append({ leaf: data, payload: empty });
const sealed = async () => {
  const made = sealEntry(keyring, entry());
  return sealedLog.append((made instanceof Promise ? await made : made).frame);
};

const rawFile = openSync(join(folder, "raw"), "a");
const seen = new Map<string, Slice[]>();
const ratios = new Map<string, number[]>();
const keep = (name: string, ratio: number) => ratios.set(name, [...(ratios.get(name) ?? []), ratio]);
const note = (name: string, result: Slice) => seen.set(name, [...(seen.get(name) ?? []), result]);
await concurrent(16, sealed);
await concurrent(16, plain);
for (let round = 0; round < rounds; round += 1) {
  for (const count of writers) {
    const limit = raw(rawFile, data);
    note("raw", limit);
    for (const [suffix, append] of [["", plain], ["Encrypted", sealed]] as const) {
      const result = await concurrent(count, append);
      note(`${count}${suffix}`, result);
      const name = `appendsVsRawFsync${count}${suffix}`;
      keep(name, result.perSecond / limit.perSecond);
      keep(`p99VsRawMedian${count}${suffix}`, result.p99 / limit.p50);
    }
  }
}
await Promise.all([plainLog.close(), sealedLog.close()]);
await keyring.close();
closeSync(rawFile);
rmSync(folder, { recursive: true, force: true });

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
const figures: Record<string, { perSecond: number; p50Milliseconds: number; p99Milliseconds: number }> = {};
for (const [name, slices] of seen) {
  figures[name] = {
    perSecond: Math.round(median(slices.map(({ perSecond }) => perSecond))),
    p50Milliseconds: rounded(median(slices.map(({ p50 }) => p50)), 3),
    p99Milliseconds: rounded(median(slices.map(({ p99 }) => p99)), 3),
  };
  console.log(name.padEnd(16), JSON.stringify(figures[name]));
}
const medians = Object.fromEntries([...ratios].map(([name, values]) => [name, rounded(median(values), 2)]));
console.log(JSON.stringify({ bench: "ledger", ratios: medians, figures: { ...figures, bodyBytes, rounds, sliceMilliseconds, node: process.version } }));
