import { gateNow } from "../ato/gate-now.ts";
import { promotionRequest } from "../ato/gate.ts";
import type { SnapshotSource } from "../gateway/snapshot.ts";
import { callQuestion } from "../pdp/call-question.ts";
import { backtests, type Backtests } from "../policy/backtest.ts";
import { builtinBundle, composePacks } from "../policy/bundle.ts";
import { inTurn, type PublicationDeps } from "../policy/publication.ts";
import type { ExplainDeps } from "../policy/explain-route.ts";
import { bundleOf } from "../policy/publish.ts";
import { standing, type Standing } from "../policy/standing.ts";
import type { RecordKeeping } from "./record-keeping.ts";

/** Policy management over an opened record. */
export interface Policies {
  readonly publication: PublicationDeps;
  readonly standing: Standing;
  readonly backtests: Backtests;
  readonly gateQuestion: ExplainDeps["gateQuestion"];
  readonly callQuestion: ExplainDeps["callQuestion"];
}

interface PoliciesOptions {
  readonly records: RecordKeeping;
  /** What the gateway of this process decides on; without it nothing is known of calls. */
  readonly snapshots?: SnapshotSource | undefined;
  readonly onFailure: (error: unknown) => void;
}

export function openPolicies({ records, snapshots = { current: () => undefined }, onFailure }: PoliciesOptions): Policies {
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
    gateQuestion: async (space, { system, to, environment }) => {
      const { answer, facts } = await gateNow({ read, recorder }, space, { system, to, ...(environment !== undefined && { environment }) });
      const remedies = new Map(answer.requirements.map(({ id, remedy }) => [id, remedy]));
      return { request: promotionRequest(facts, await bundleOf(read, space)), remedies, digest: answer.policyDigest };
    },
    callQuestion: callQuestion({ snapshots, now: () => recorder.now() }),
  };
}
