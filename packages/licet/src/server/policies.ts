import { gateNow } from "../ato/gate-now.ts";
import { gateRequest } from "../ato/gate-request.ts";
import { backtests, type Backtests } from "../policy/backtest.ts";
import { builtinBundle, composePacks } from "../policy/bundle.ts";
import { inTurn, type PublicationDeps } from "../policy/publication.ts";
import type { ExplainDeps } from "../policy/explain-route.ts";
import { standing, type Standing } from "../policy/standing.ts";
import type { RecordKeeping } from "./record-keeping.ts";

/** Policy management over an opened record. */
export interface Policies {
  readonly publication: PublicationDeps;
  readonly standing: Standing;
  readonly backtests: Backtests;
  readonly gateQuestion: ExplainDeps["gateQuestion"];
}

export function openPolicies({ records, onFailure }: { readonly records: RecordKeeping; readonly onFailure: (error: unknown) => void }): Policies {
  const { recorder, database, log, keyring, clock } = records;
  const { read } = database;
  const ownOnly = { bundle: builtinBundle(), warnings: [] };
  const compileInTurn = inTurn((packs) => composePacks({ packs }));
  const publication: PublicationDeps = { read, recorder, compile: async (packs) => (packs.length === 0 ? ownOnly : compileInTurn(packs)) };
  const standings = standing({ ...publication, onFailure });
  const replays = backtests({ ...publication, database, log, keyring, clock, onFailure });
  return {
    publication,
    standing: standings,
    backtests: replays,
    gateQuestion: async (space, { system, to, environment }) => gateRequest((await gateNow({ read, recorder }, space, { system, to, ...(environment !== undefined && { environment }) })).facts, "promote"),
  };
}
