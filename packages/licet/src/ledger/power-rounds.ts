import type { CheckpointMemory } from "./checkpoint.ts";
import { complaints, fixedSigner, publishedComplaints, seeded } from "./log-fixture.ts";
import { type EvidenceLog, openLog } from "./log.ts";
import { type Fault, SimulatedDisk } from "./simulated-files.ts";

export const folder = "/data/log";

export function openOn(disk: SimulatedDisk, memories: readonly CheckpointMemory[] = []): Promise<EvidenceLog> {
  return openLog({
    folder,
    files: disk,
    signer: fixedSigner(),
    memories,
    publishEvery: 0,
    lock: () => ({ release: () => {} }),
    limits: { segmentBytes: 6000, aheadBytes: 1024, batchBytesMax: 2048 },
  });
}

export interface Witnessed {
  readonly acknowledged: Map<number, string>;
  readonly checkpoints: string[];
}

/** Appends in bursts and publishes in between, until done or until the disk gives out. */
async function work(log: EvidenceLog, seen: Witnessed, random: () => number): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    const appends = Array.from({ length: 1 + Math.floor(random() * 40) }, async () => {
      const text = `${random()}`.padEnd(20 + Math.floor(random() * 90), "y");
      const index = await log.append({ leaf: Buffer.from(text), payload: Buffer.alloc(Math.floor(random() * 60), 3) });
      seen.acknowledged.set(index, text);
    });
    const publishing = random() < 0.7 ? log.publish().then((note) => seen.checkpoints.push(note)) : Promise.resolve(0);
    const results = await Promise.allSettled([...appends, publishing]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }
}

export async function lost(log: EvidenceLog, seen: Witnessed): Promise<readonly string[]> {
  const found: string[] = [];
  const present: string[] = [];
  for await (const frame of log.scan(0)) present.push(Buffer.from(frame.leaf).toString());
  for (const [index, text] of seen.acknowledged) {
    if (present[index] !== text) found.push(`entry ${index} is not what was acknowledged`);
  }
  return [...found, ...(await complaints(log, seen.checkpoints))];
}

export interface PowerRounds {
  readonly seed: number;
  /** What ends each round, drawn anew each time. */
  readonly how: readonly ("power" | "kill")[];
  readonly kind: Fault["kind"];
  readonly count: number;
}

export interface PowerResult {
  readonly rounds: number;
  /** Rounds that the fault ended; the others were done before it. */
  readonly faults: number;
  readonly acknowledged: number;
  readonly checkpoints: number;
  /** In words, with the round; empty when the promise held. */
  readonly losses: readonly string[];
}

/** One fault at some operation in each round, on the same disk, so that damage would add up. */
export async function powerRounds(options: PowerRounds): Promise<PowerResult> {
  const random = seeded(options.seed);
  const seen: Witnessed = { acknowledged: new Map(), checkpoints: [] };
  const losses: string[] = [];
  const how = () => options.how[Math.floor(random() * options.how.length)] ?? "power";
  let disk = new SimulatedDisk(random);
  let faults = 0;
  for (let round = 1; round <= options.count && losses.length === 0; round += 1) {
    const note = (found: readonly string[]) => losses.push(...found.map((each) => `seed ${options.seed}, round ${round}: ${each}`));
    disk.failAt({ at: 1 + Math.floor(random() ** 2 * 150), kind: options.kind });
    try {
      const log = await openOn(disk);
      await work(log, seen, random);
      await log.close();
    } catch {
      faults += 1;
    }
    disk = disk.restart(how());
    note(await publishedComplaints(disk, folder));
    const again = await openOn(disk);
    note(await lost(again, seen));
    if (random() < 0.5) await again.close();
    disk = disk.restart(how());
    note(await publishedComplaints(disk, folder));
  }
  return { rounds: options.count, faults, acknowledged: seen.acknowledged.size, checkpoints: seen.checkpoints.length, losses };
}
