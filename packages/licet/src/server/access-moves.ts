import { openRequest } from "../ato/lifecycle.ts";
import { decisionUrl } from "../gateway/observe/decision-link.ts";
import type { ExplainParts } from "../insight/explain.ts";
import { askToLift } from "../oversight/holds.ts";
import type { Oversight } from "../oversight/oversight.ts";
import { needRequest, requestView } from "../oversight/view.ts";
import type { RecordKeeping } from "./record-keeping.ts";

export interface AccessMovesOptions {
  readonly records: Pick<RecordKeeping, "recorder" | "database">;
  readonly oversight: Oversight;
  /** Origin of the console. */
  readonly baseUrl: string;
}

/** What "request access" on a refused call opens: the moves that people open elsewhere too. */
export function accessMoves({ records, oversight, baseUrl }: AccessMovesOptions): Pick<ExplainParts, "decisionUrl" | "moves"> {
  const { recorder, database } = records;
  const { read } = database;
  const show = async (space: string, request: string) => requestView({ read, judge: oversight.judge, now: recorder.now() }, await needRequest(read, space, request));
  return {
    decisionUrl: (space, decision) => decisionUrl(baseUrl, decision, space),
    moves: {
      show,
      promote: async ({ space, ...asked }) => {
        const id = await openRequest(recorder, { space, ...asked });
        await oversight.settle(space, id);
        return show(space, id);
      },
      liftHold: async (asked) => show(asked.space, await askToLift(oversight.moves, asked)),
    },
  };
}
