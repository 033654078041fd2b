import { parentPort, workerData } from "node:worker_threads";
import { LicetError } from "@licet/contract";
import type { KeyEncryptionKey } from "../ledger/keyring.ts";
import type { Frame } from "../ledger/log.ts";
import { openPayload } from "./backtest-open.ts";
import { unpackFrames, type PackedFrames } from "./backtest-frames.ts";
import { replayer, type RecordedDecision } from "./backtest-replay.ts";
import { addReplayed, emptyTally, type Replayed, type Tally } from "./backtest-tally.ts";
import type { Bundle } from "./bundle-form.ts";
import { createDecider } from "./decide.ts";

/** A part of the log to decide again, with keys that this thread has not had yet. */
export interface BacktestJob {
  readonly id: number;
  readonly keys: readonly KeyEncryptionKey[];
  readonly frames: PackedFrames;
}

export interface BacktestJobDone {
  readonly id: number;
  readonly tally: Tally;
}

const { bundle }: { readonly bundle: Bundle } = workerData;
const replay = replayer(createDecider(bundle));
const keys = new Map<string, KeyEncryptionKey>();

function replayed(frame: Frame): Replayed {
  try {
    return replay(recorded(frame));
  } catch (error) {
    const erased = error instanceof LicetError && error.code === "payload_erased";
    return { kind: erased ? "erased" : "unreadable", system: null };
  }
}

function recorded(frame: Frame): RecordedDecision {
  // A key that did not come along was destroyed.
  const { system, time, body, asked } = openPayload((kid) => keys.get(kid), frame);
  const { id } = body;
  if (typeof id !== "string") throw new LicetError("payload_damaged");
  return { id, system: system ?? null, at: time, body, asked };
}

parentPort?.on("message", ({ id, keys: fresh, frames }: BacktestJob) => {
  for (const key of fresh) keys.set(key.kid, key);
  const tally = emptyTally();
  for (const frame of unpackFrames(frames)) addReplayed(tally, replayed(frame));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage({ id, tally } satisfies BacktestJobDone);
});
