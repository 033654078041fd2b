import { pendingMax, type RouteAnswer, type RouteRequest } from "@licet/contract";
import type { Recorder } from "../ledger/recorder.ts";
import { newestDecision, trafficAfter, trafficBefore, trafficEnded, type Reader } from "./store.ts";
import { trafficRow } from "./traffic-row.ts";

export interface TrafficFeedOptions {
  readonly read: Reader;
  readonly recorder: Pick<Recorder, "onCommitted">;
}

type Asked = RouteRequest<"listTraffic">["query"];
type Page = RouteAnswer<"listTraffic">;

export interface TrafficFeed {
  page(space: string, asked: Asked): Promise<Page>;
  /** Answers whoever waits, so that a server can stop. */
  endWaits(): void;
}

/** Requests that wait at once; further ones are answered at once and ask again. */
const waitersMax = 200;
/** Runtime entries have their rows a tenth of a second after the log took them. */
const rowsAfterMs = 150;
/** A wake that was missed, as by an entry of another process, costs so much. */
const lookAgainMs = 2000;

const kinds: ReadonlySet<string> = new Set(["gateway.decision", "gateway.outcome", "access.decision"]);

function idsIn(pending = ""): readonly string[] {
  return pending
    .split(",")
    .filter((id) => id !== "")
    .slice(0, pendingMax);
}

/** The live view: pages back from the newest decision, or forward from a place in the log, waiting for what comes. */
export function trafficFeed({ read, recorder }: TrafficFeedOptions): TrafficFeed {
  const waiting = new Set<() => void>();
  let over = false;

  async function look(space: string, asked: Asked): Promise<Page> {
    const { after, before, limit, system, decision, code } = asked;
    const filter = { system, decision, code };
    // Read first: a row that comes in between is then seen by the next look, and none is skipped.
    const newest = await newestDecision(read);
    const ended = await trafficEnded(read, space, idsIn(asked.pending));
    const page = { ended: ended.map(trafficRow) };
    if (after === undefined) {
      const rows = await trafficBefore(read, space, { ...filter, before, limit: limit + 1 });
      const shown = rows.slice(0, limit);
      const older = rows.length > limit ? (shown.at(-1)?.log_index ?? null) : null;
      return { ...page, items: shown.map(trafficRow), newest: Math.max(newest, shown[0]?.log_index ?? -1), older };
    }
    const rows = await trafficAfter(read, space, { ...filter, after, limit });
    const last = rows.at(-1)?.log_index ?? -1;
    // A full page may have left rows behind.
    return { ...page, items: rows.map(trafficRow), newest: Math.max(after, last, rows.length < limit ? newest : -1), older: null };
  }

  /** Until something was recorded in the space and has its rows, or the time is over. */
  function change(space: string, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      let rows: NodeJS.Timeout | undefined;
      const done = (): void => {
        forget();
        clearTimeout(rows);
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      };
      const forget = recorder.onCommitted((entry) => {
        if (entry.space === space && kinds.has(entry.kind)) rows ??= setTimeout(done, rowsAfterMs);
      });
      const timer = setTimeout(done, milliseconds);
      waiting.add(done);
    });
  }

  return {
    async page(space, asked) {
      const until = performance.now() + asked.wait * 1000;
      for (;;) {
        const page = await look(space, asked);
        const left = until - performance.now();
        const said = page.items.length > 0 || page.ended.length > 0;
        if (asked.after === undefined || said || left <= 0 || over || waiting.size >= waitersMax) return page;
        await change(space, Math.min(left, lookAgainMs));
      }
    },
    endWaits() {
      over = true;
      for (const done of waiting) done();
    },
  };
}
