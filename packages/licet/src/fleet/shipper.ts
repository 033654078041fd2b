import { leafHash } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { Keyring } from "../ledger/keyring.ts";
import type { EvidenceLog, ShardView } from "../ledger/log.ts";
import type { Entry, Recorder } from "../ledger/recorder.ts";
import { openEntry } from "../ledger/sealing.ts";
import type { ControlLine } from "./control-line.ts";
import { RecordsAnswer, recordsPerBatchMax } from "./wire.ts";

export interface ShipperOptions {
  readonly log: EvidenceLog;
  readonly keyring: Keyring;
  readonly recorder: Pick<Recorder, "onCommitted">;
  readonly line: ControlLine;
  /** Of the control plane's space: entries of the gateway's own are not sent. */
  readonly space: string;
  readonly onFailure: (error: unknown) => void;
}

export interface Shipper {
  /** The control plane says how much it has of each shard; sending begins with the first call. */
  resume(taken: Readonly<Record<string, number>>): void;
  stop(): Promise<void>;
}

const shippedKinds: readonly string[] = ["gateway.decision", "gateway.outcome", "gateway.content", "access.decision"];
/** A batch ends beyond this; one entry may be larger. */
const batchBytesMax = 1024 * 1024;
/** Base64 and the envelope come on top, and stay below what the other side reads. */
const entryBytesMax = 6 * 1024 * 1024;
/** So that entries of one moment go together. */
const gatherMs = 50;
const retryMs = 1000;
const lastWordsMs = 5000;

interface Item {
  readonly index: number;
  readonly leaf: string;
  readonly entry: Omit<Entry, "id" | "kid" | "index"> | null;
}

/**
 * Sends what this gateway recorded to its control plane, after it is durable here: pages and reports show it there. It
 * goes by the number that the control plane says, so that nothing is lost by a cut, a crash or a restore of either side.
 */
export function startShipper(options: ShipperOptions): Shipper {
  const taken = new Map<string, number>();
  let known = false;
  let stopped = false;
  let told = "";
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    for (const shard of options.log.shards) {
      for (;;) {
        const from = taken.get(shard.origin) ?? 0;
        if (from >= shard.size || stopped) break;
        const items = await batch(options, shard, from);
        const { next } = await options.line.ask("records", { log: shard.origin, entries: items }, RecordsAnswer);
        if (next === from) throw new LicetError("unreachable", { message: "the control plane took nothing" });
        taken.set(shard.origin, next);
      }
    }
  };
  const schedule = (milliseconds: number): void => {
    if (stopped || !known || running !== undefined || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      running = work().then(
        () => {
          told = "";
        },
        (error: unknown) => fail(error),
      );
      void running.finally(() => {
        running = undefined;
        const behind = options.log.shards.some((shard) => (taken.get(shard.origin) ?? 0) < shard.size);
        if (behind) schedule(told === "" ? gatherMs : retryMs);
      });
    }, milliseconds);
  };
  const fail = (error: unknown): void => {
    const text = error instanceof Error ? error.message : "unknown";
    if (text !== told) options.onFailure(error);
    told = text;
  };
  const forget = options.recorder.onCommitted(() => schedule(gatherMs));
  return {
    resume: (given) => {
      taken.clear();
      for (const [origin, next] of Object.entries(given)) taken.set(origin, next);
      known = true;
      schedule(0);
    },
    stop: async () => {
      forget();
      clearTimeout(timer);
      await running;
      // A gateway that is taken away for good leaves nothing behind if its control plane answers in time.
      if (known) await Promise.race([work().catch(fail), after(lastWordsMs)]);
      stopped = true;
    },
  };
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}

async function batch({ log, keyring, space, onFailure }: ShipperOptions, shard: ShardView, from: number): Promise<readonly Item[]> {
  const items: Item[] = [];
  let bytes = 0;
  const start = shard.base + from;
  let index = from;
  for await (const frame of log.scan(start, Math.min(start + recordsPerBatchMax, shard.base + shard.size))) {
    const entry = shippable(() => openEntry(keyring, frame), space);
    const size = Buffer.byteLength(JSON.stringify(entry));
    if (items.length > 0 && bytes + size > batchBytesMax) break;
    const tooLarge = size > entryBytesMax;
    if (tooLarge) onFailure(new LicetError("body_too_large", { message: `entry ${index} of \`${shard.origin}\` is too large to be sent, and stays in this gateway's log alone` }));
    items.push({ index, leaf: `sha256:${Buffer.from(leafHash(frame.leaf)).toString("hex")}`, entry: tooLarge ? null : entry });
    bytes += tooLarge ? 0 : size;
    index += 1;
  }
  return items;
}

function shippable(open: () => Entry, space: string): Item["entry"] {
  try {
    const { id: _, kid: _kid, index: _index, ...entry } = open();
    return shippedKinds.includes(entry.kind) && entry.space === space ? entry : null;
  } catch (error) {
    if (error instanceof LicetError && error.code === "payload_erased") return null;
    throw error;
  }
}
