import { parentPort, workerData } from "node:worker_threads";
import { replayer, type RecordedDecision } from "./backtest-replay.ts";
import { addReplayed, emptyTally, type Replayed, type Tally } from "./backtest-tally.ts";
import type { Bundle } from "./bundle-form.ts";
import { createDecider } from "./decide.ts";

/** Recorded decisions to make again. */
export interface BacktestJob {
  readonly id: number;
  readonly decisions: readonly RecordedDecision[];
}

export interface BacktestJobDone {
  readonly id: number;
  readonly tally: Tally;
}

const { bundle }: { readonly bundle: Bundle } = workerData;
const replay = replayer(createDecider(bundle));

function replayed(decision: RecordedDecision): Replayed {
  try {
    return replay(decision);
  } catch {
    return { kind: "unreadable", system: decision.system };
  }
}

parentPort?.on("message", ({ id, decisions }: BacktestJob) => {
  const tally = emptyTally();
  for (const decision of decisions) addReplayed(tally, replayed(decision));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage({ id, tally } satisfies BacktestJobDone);
});
