import type { ShareAsking } from "../gateway/budgets/share-terms.ts";
import { tickMs, type ShareHolder } from "../gateway/budgets/holder.ts";
import type { ControlLine } from "./control-line.ts";
import { SharesAnswer } from "./wire.ts";

export interface ShareLineOptions {
  readonly holder: ShareHolder;
  readonly line: Pick<ControlLine, "ask">;
  /** The name under which this run's decisions stand in the log. */
  readonly run: string;
  /** The newest shard of the log, and how long it was when this run began. */
  readonly log: string;
  readonly size: number;
  readonly onFailure: (error: unknown) => void;
}

export interface ShareLine {
  /** A call waits for more. */
  wake(): void;
  /** When no call is in flight any more: gives everything back. */
  stop(): Promise<void>;
}

/** Calls of one moment are asked for together. */
const gatherMs = 2;
const retryMsMax = 1000;

/** Asks the control plane for shares before they are used up, and gives back what is not needed. One request at a time. */
export function startShareLine({ holder, line, run, log, size, onFailure }: ShareLineOptions): ShareLine {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let urgent = false;
  let stopped = false;
  let greeted = false;
  let failures = 0;
  let told = "";

  const exchange = async (asking: ShareAsking): Promise<void> => {
    try {
      const { number, holds, wants } = asking;
      const { granted } = await line.ask("shares", { run, log, size, number, holds, wants }, SharesAnswer);
      greeted = true;
      failures = 0;
      told = "";
      holder.answered(number, granted);
    } catch (error) {
      failures += 1;
      holder.failed(asking.number);
      const text = error instanceof Error ? error.message : "unknown";
      if (text !== told) onFailure(error);
      told = text;
    }
  };
  const turn = (): void => {
    timer = undefined;
    urgent = false;
    const asking = ask();
    running = asking === undefined ? undefined : exchange(asking).finally(() => {
      running = undefined;
      next();
    });
    if (running === undefined) next();
  };
  const ask = (): ShareAsking | undefined => {
    try {
      // The first request is made in any case: it says that earlier runs have ended.
      return holder.request(!greeted);
    } catch (error) {
      onFailure(error);
      return undefined;
    }
  };
  const next = (): void => {
    if (stopped || timer !== undefined || running !== undefined) return;
    const pause = failures > 0 ? Math.min(retryMsMax, tickMs * failures) : tickMs;
    timer = setTimeout(turn, urgent && failures === 0 ? gatherMs : pause);
    timer.unref();
  };
  next();
  return {
    wake: () => {
      if (urgent || stopped) return;
      urgent = true;
      if (failures > 0) return;
      clearTimeout(timer);
      timer = undefined;
      next();
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
      if (greeted && failures === 0) await exchange(holder.release());
    },
  };
}
