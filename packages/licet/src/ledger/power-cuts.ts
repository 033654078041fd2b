import type { EvidenceLog } from "./log.ts";
import { publishedComplaints, seeded } from "./log-fixture.ts";
import { folder, lost, openOn, type Witnessed } from "./power-rounds.ts";
import { type Fault, type OperationKind, SimulatedDisk } from "./simulated-files.ts";

/** Small and large enough to fill a tile, to finish segments and to replace partial tiles. */
const bursts: readonly { readonly appends: number; readonly publish: "during" | "after" | "not" }[] = [
  { appends: 3, publish: "after" },
  { appends: 40, publish: "during" },
  { appends: 25, publish: "not" },
  { appends: 190, publish: "during" },
  { appends: 8, publish: "after" },
];

/** Always the same operations in the same order, up to the fault. */
async function work(log: EvidenceLog, seen: Witnessed, random: () => number): Promise<void> {
  const publish = () => log.publish().then((note) => seen.checkpoints.push(note));
  for (const burst of bursts) {
    const appends = Array.from({ length: burst.appends }, async () => {
      const text = `${random()}`.padEnd(20 + Math.floor(random() * 30), "y");
      const index = await log.append({ leaf: Buffer.from(text), payload: Buffer.alloc(Math.floor(random() * 20), 3) });
      seen.acknowledged.set(index, text);
    });
    const results = await Promise.allSettled([...appends, burst.publish === "during" ? publish() : 0]);
    const failed = results.find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
    if (burst.publish === "after") await publish();
  }
}

export interface CutPlan {
  readonly seed: number;
  readonly kind: Fault["kind"];
  readonly how: "power" | "kill";
  /** Every so many operations; 1 for all. */
  readonly every: number;
  /** The workload on a new disk, or the start after a power cut in the middle of it and the workload once more. */
  readonly from: "new" | "torn";
}

export interface CutResult {
  /** Operations of the workload: each is a place for a fault. */
  readonly operations: number;
  readonly cuts: number;
  readonly hit: ReadonlySet<OperationKind>;
  readonly acknowledged: number;
  readonly checkpoints: number;
  readonly losses: readonly string[];
}

interface Scene {
  readonly disk: SimulatedDisk;
  readonly seen: Witnessed;
}

/** The same disk with the same history, as often as it is needed. */
async function scene(seed: number, tornAt: number | undefined): Promise<Scene> {
  const random = seeded(seed);
  const seen: Witnessed = { acknowledged: new Map(), checkpoints: [] };
  const disk = new SimulatedDisk(random);
  if (tornAt === undefined) return { disk, seen };
  disk.failAt({ at: tornAt, kind: "cut" });
  await openOn(disk).then((log) => work(log, seen, random)).catch(() => 0);
  return { disk: disk.restart("power"), seen };
}

/** A place for the first cut that leaves half a batch at the journal's end: the start has to cut it off. */
async function tearing(seed: number): Promise<number> {
  for (let at = tornAtMin; at < tornAtMin + 200; at += 1) {
    const { disk } = await scene(seed, at);
    await openOn(disk);
    if (disk.performed.has("truncate")) return at;
  }
  throw new Error("no power cut tears the journal's end");
}

const tornAtMin = 60;

async function session({ disk, seen }: Scene, seed: number): Promise<boolean> {
  try {
    const log = await openOn(disk);
    await work(log, seen, seeded(seed + 1));
    await log.close();
    return true;
  } catch {
    return false;
  }
}

/** One fault at each operation of one workload, in order; after each the disk is started again and looked at whole. */
export async function powerCuts(plan: CutPlan): Promise<CutResult> {
  const tornAt = plan.from === "torn" ? await tearing(plan.seed) : undefined;
  const whole = await scene(plan.seed, tornAt);
  whole.disk.failAt({ at: Number.POSITIVE_INFINITY, kind: plan.kind });
  if (!(await session(whole, plan.seed))) throw new Error("the workload fails without a fault");
  const { operations } = whole.disk;
  const hit = new Set<OperationKind>();
  const losses: string[] = [];
  let [cuts, acknowledged, checkpoints] = [0, 0, 0];
  for (let at = 1; at <= operations && losses.length === 0; at += plan.every) {
    const here = await scene(plan.seed, tornAt);
    here.disk.failAt({ at, kind: plan.kind });
    const finished = await session(here, plan.seed);
    if (here.disk.hit) hit.add(here.disk.hit);
    // Room may run out where none is needed any more; any other fault ends the work.
    if (!finished) cuts += 1;
    losses.push(...(await after(here, { ...plan, at })).map((loss) => `${plan.kind}, ${plan.how}, from ${plan.from}, seed ${plan.seed}, operation ${at} (${here.disk.hit}): ${loss}`));
    acknowledged += here.seen.acknowledged.size;
    checkpoints += here.seen.checkpoints.length;
  }
  return { operations, cuts, hit, acknowledged, checkpoints, losses };
}

/** Two starts: what the first one mends has to be durable as well. */
async function after({ disk, seen }: Scene, { how, at }: CutPlan & { readonly at: number }): Promise<readonly string[]> {
  const first = disk.restart(how);
  const found = [...(await publishedComplaints(first, folder))];
  const log = await openOn(first);
  found.push(...(await lost(log, seen)));
  // A further entry would sync what the start has to make durable by itself.
  if (at % 2 === 0) await log.append({ leaf: Buffer.from("after"), payload: Buffer.alloc(0) });
  seen.checkpoints.push(await log.publish());
  const second = first.restart("power");
  found.push(...(await publishedComplaints(second, folder)));
  const again = await openOn(second);
  found.push(...(await lost(again, seen)));
  await again.close();
  return found;
}
