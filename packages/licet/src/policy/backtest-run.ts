import type { BacktestProgress } from "@licet/contract";
import { countErased, firstIn, partsIn, type Part, type Scanned, type ScanRange } from "./backtest-scan.ts";
import { addReplayed, emptyTally, mergeTally, type Tally } from "./backtest-tally.ts";
import type { BacktestThreads } from "./backtest-threads.ts";

export interface BacktestRun extends Scanned {
  readonly threads: BacktestThreads;
  readonly range: ScanRange;
  /** Where an earlier run of the same backtest came to; its tally is gone on with. */
  readonly resume?: { readonly cursor: number; readonly tally: Tally } | undefined;
  /** Milliseconds, for the rate only. */
  readonly elapsed: () => number;
  /** Told about once a second and at the end. Answers whether to go on. */
  readonly onProgress: (state: RunState) => Promise<boolean>;
  readonly signal: AbortSignal;
}

export interface RunState {
  /** Every entry before this one is in the tally. */
  readonly cursor: number;
  readonly tally: Tally;
  readonly progress: BacktestProgress;
}

const reportMilliseconds = 1000;

/** Every entry of the log has its rows by now. Undefined when it was told to stop. Parts are added up in the order of the log, so that the report does not depend on threads. */
export async function runBacktest(run: BacktestRun): Promise<Tally | undefined> {
  const { range, signal } = run;
  const first = await firstIn(run, range);
  const end = run.log.size;
  const from = Math.max(first, run.resume?.cursor ?? 0);
  const sums = new Sums(run, { first, from, end });
  if (run.resume === undefined) sums.addErased(await countErased(run, range, { first, end }));
  for await (const part of partsIn(run, range, { from, end })) {
    signal.throwIfAborted();
    if (!(await sums.add(part))) return undefined;
  }
  return (await sums.finish()) ? sums.tally : undefined;
}

interface Bounds {
  readonly first: number;
  readonly from: number;
  readonly end: number;
}

class Sums {
  readonly tally: Tally;
  readonly #run: BacktestRun;
  readonly #bounds: Bounds;
  readonly #underWay: { readonly end: number; readonly tally: Promise<Tally> }[] = [];
  /** Decisions that an earlier run had counted. */
  readonly #resumed: number;
  #cursor: number;
  #reported = 0;

  constructor(run: BacktestRun, bounds: Bounds) {
    this.#resumed = run.resume?.tally.counts.decisions ?? 0;
    this.#run = run;
    this.#bounds = bounds;
    this.#cursor = bounds.from;
    this.tally = run.resume?.tally ?? emptyTally();
  }

  addErased(count: number): void {
    for (let left = count; left > 0; left--) addReplayed(this.tally, { kind: "erased", system: null });
  }

  /** False when somebody told it to stop. */
  async add({ decisions, end }: Part): Promise<boolean> {
    const tally = this.#run.threads.run(decisions);
    // Looked at in its turn; until then a failure is nobody's unhandled one.
    tally.catch(() => undefined);
    this.#underWay.push({ end, tally });
    while (this.#underWay.length >= this.#run.threads.partsMax) await this.#take();
    return this.#run.elapsed() - this.#reported < reportMilliseconds || this.#report();
  }

  async finish(): Promise<boolean> {
    while (this.#underWay.length > 0) await this.#take();
    return this.#report();
  }

  async #take(): Promise<void> {
    const next = this.#underWay.shift();
    if (next === undefined) return;
    mergeTally(this.tally, await next.tally);
    this.#cursor = next.end;
  }

  #report(): Promise<boolean> {
    const elapsed = this.#run.elapsed();
    this.#reported = elapsed;
    const { first, from, end } = this.#bounds;
    const speed = elapsed === 0 ? 0 : (this.#cursor - from) / elapsed;
    const remainingSeconds = speed === 0 ? null : Math.ceil((end - this.#cursor) / speed / 1000);
    const { decisions } = this.tally.counts;
    const progress = { done: this.#cursor - first, total: end - first, decisions, perSecond: elapsed === 0 ? 0 : Math.round(((decisions - this.#resumed) / elapsed) * 1000), remainingSeconds };
    return this.#run.onProgress({ cursor: this.#cursor, tally: this.tally, progress });
  }
}
