import { LicetError } from "@licet/contract";
import type { EvidenceLog, Frame } from "../ledger/log.ts";
import { leafIn } from "../ledger/sealing.ts";
import type { SealedFrame } from "./backtest-threads.ts";

export interface ScanRange {
  readonly space: string;
  /** First moment that counts, in milliseconds. */
  readonly from: number;
  /** First moment that counts no more. */
  readonly to: number;
  /** The system's name in leaves; all systems without. */
  readonly system?: string | undefined;
}

/** Times in the log are almost in order: a command may stand behind others that began up to so long after it. */
const disorderMilliseconds = 600_000;

/** Indices between which all entries of the period lie, by halving. */
export async function periodIn(log: Pick<EvidenceLog, "read" | "size">, { from, to }: Pick<ScanRange, "from" | "to">): Promise<{ readonly first: number; readonly end: number }> {
  return { first: await indexAt(log, from - disorderMilliseconds), end: await indexAt(log, to + disorderMilliseconds) };
}

async function indexAt(log: Pick<EvidenceLog, "read" | "size">, time: number): Promise<number> {
  let [low, high] = [0, log.size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const frame = await log.read(middle);
    if (frame !== undefined && leafIn(frame).time < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Finds recorded decisions by their leaves' bytes: a leaf is canonical JSON whose names hold no quotation mark, so a
 * member's text stands in it only as that member. Whoever opens the payload reads the leaf in full and proves it.
 */
export function decisionsIn({ space, from, to, system }: ScanRange): (frame: Frame) => SealedFrame | undefined {
  const kinds = [Buffer.from('"kind":"gateway.decision"'), Buffer.from('"kind":"access.decision"')];
  const members = [`"space":${JSON.stringify(space)}`, ...(system === undefined ? [] : [`"system":${JSON.stringify(system)}`])].map((text) => Buffer.from(text));
  return (frame) => {
    const leaf = Buffer.from(frame.leaf.buffer, frame.leaf.byteOffset, frame.leaf.byteLength);
    if (!kinds.some((kind) => leaf.includes(kind)) || !members.every((member) => leaf.includes(member))) return undefined;
    const time = Number(/^\d+/u.exec(member(leaf, '"time":'))?.[0] ?? Number.NaN);
    const kid = /^[^"]+/u.exec(member(leaf, '"kid":"'))?.[0];
    if (Number.isNaN(time) || kid === undefined) throw new LicetError("log_damaged", { message: "an entry of the log does not parse" });
    return time >= from && time < to ? { ...frame, kid } : undefined;
  };
}

const memberBytesMax = 100;

function member(leaf: Buffer, name: string): string {
  const at = leaf.indexOf(name);
  return at < 0 ? "" : leaf.toString("latin1", at + name.length, at + name.length + memberBytesMax);
}
