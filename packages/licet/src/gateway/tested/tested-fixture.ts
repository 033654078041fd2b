import { runnerDefaults, type PackDetection, type RunnerBudget } from "@licet/contract";
import { startUpstream, type Upstream } from "../../../../../test/unit/support/upstream.ts";
import type { RunnerAsks, UnderTest } from "../../assurance/runner-asks.ts";
import { manualClock } from "../../base/clock.ts";
import { exampleBundle } from "../../inventory/example-manifest.ts";
import type { Draft } from "../../ledger/recorder.ts";
import type { PriceBook } from "../budgets/price-tables.ts";
import type { CedarCall, CedarDecision } from "../decide.ts";
import { detectionOf } from "../detect/rules.ts";
import type { GatewayLedger } from "../record.ts";
import { snapshotHolder, type HoldView, type ProviderView } from "../snapshot.ts";
import { underTest } from "./under-test.ts";

const permit = async (): Promise<CedarDecision> => ({ decision: "allow", reasons: [{ policy: "test.permit" }], errors: [] });

export interface TestedSpace {
  readonly holds?: readonly HoldView[];
  readonly provider?: Partial<ProviderView> | null;
  readonly sections?: readonly PackDetection[];
  readonly decide?: ((call: CedarCall) => Promise<CedarDecision>) | null;
  /** Nothing is published from when it was opened on: as after a lost database. */
  readonly stale?: boolean;
  readonly budget?: Partial<RunnerBudget>;
  readonly prices?: PriceBook;
}

export interface Opened extends UnderTest, RunnerAsks {
  /** Places a hold on everything. */
  readonly hold: () => void;
}

/** A release under test with a provider on a real socket; the ledger can be told to fail. */
export interface TestedWorld extends AsyncDisposable {
  readonly upstream: Upstream;
  readonly entered: Draft[];
  /** Called before an entry counts as durable. */
  onAppend: (draft: Draft) => Promise<void>;
  open(space?: TestedSpace): Promise<Opened>;
}

export async function testedWorld(): Promise<TestedWorld> {
  const clock = manualClock(Date.UTC(2026, 0, 5));
  const upstream = await startUpstream();
  const opened: UnderTest[] = [];
  const world: TestedWorld = {
    upstream,
    entered: [],
    onAppend: async () => undefined,
    async open({ holds = [], provider = {}, sections, decide = permit, stale = false, budget = {}, prices = () => undefined } = {}) {
      const snapshots = snapshotHolder(clock);
      const registered = { id: "simulator", baseUrl: upstream.baseUrl, region: "eu", vendor: "test", keyRef: "main/simulator", allow: ["loopback"] as const, ...provider };
      let version = 0;
      const publish = (placed: readonly HoldView[]): void =>
        snapshots.publish({
          version: (version += 1),
          credentials: [],
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the pipeline asks a bundle is a Cedar call
          spaces: [{ space: "main", holds: placed, providers: provider === null ? [] : [registered], detection: detectionOf(sections), ...(decide !== null && { policyBundle: { digest: `sha256:${"b".repeat(64)}`, decide: async (call) => decide(call as CedarCall) } }) }],
        });
      publish(holds);
      let gone = false;
      const ledger: GatewayLedger = {
        now: () => clock.now(),
        append: async (draft) => {
          await world.onAppend(draft);
          world.entered.push(draft);
          return { ...draft, id: "ent_test", v: 1, time: clock.now(), index: world.entered.length };
        },
      };
      const parts = { snapshots: { current: () => (gone ? undefined : snapshots.current()) }, clock, ledger, prices, tierOf: async () => "minimal", providerKey: async () => "sk-provider-key" };
      const tested = await underTest(parts)({ space: "main", system: "example", bundle: exampleBundle() });
      gone = stale;
      opened.push(tested);
      return { ...tested, ask: tested.questions({ ticket: "tkt_1", budget: { ...runnerDefaults.budget, ...budget } }), hold: () => publish([{ id: "h", scope: "all", reason: "stop" }]) };
    },
    async [Symbol.asyncDispose]() {
      for (const each of opened) await each.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
  return world;
}
