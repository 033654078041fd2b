import type { OpenUnderTest, UnderTest } from "../../assurance/runner-asks.ts";
import { systemClock, type Clock } from "../../base/clock.ts";
import type { OutboundLimits } from "../../base/outbound.ts";
import type { PriceBook } from "../budgets/price-tables.ts";
import { ExternalLines } from "../detect/external.ts";
import { registered } from "../judge.ts";
import { protocolOf, providerLines } from "../provider.ts";
import type { GatewayLedger } from "../record.ts";
import type { Snapshot, SnapshotSource } from "../snapshot.ts";
import { fresh, Questions } from "./question.ts";
import { replayCall } from "./replay-call.ts";
import { testedRelease, testedSnapshot, type Tested } from "./tested-release.ts";

export interface UnderTestParts {
  readonly snapshots: SnapshotSource;
  /** Where each question is entered before it leaves. */
  readonly ledger: GatewayLedger;
  readonly prices: PriceBook;
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  /** Of a release, by what is answered about its system. */
  readonly tierOf: (space: string, bundle: Parameters<OpenUnderTest>[0]["bundle"]) => Promise<string>;
  readonly clock?: Clock;
}

const limits: Partial<OutboundLimits> = { totalMs: 120_000, answerBytesMax: 4 * 1024 * 1024 };

/** Lets a run ask the providers that are registered in the space of its release, and replay calls through this gateway's own rules. */
export function underTest(parts: UnderTestParts): OpenUnderTest {
  const { clock = systemClock } = parts;
  return async (release) => {
    const tested = testedRelease(release, await parts.tierOf(release.space, release.bundle), clock.now());
    const lines = providerLines(limits);
    const external = new ExternalLines();
    return {
      models: modelsOf(fresh(parts.snapshots), tested),
      notes: notesOf(fresh(parts.snapshots), tested),
      questions: (run) => new Questions({ ...parts, clock, tested, lines }, run).ask,
      replay: (model, body, answer) => replayCall({ clock, tested, external, model, body, answer, snapshot: testedSnapshot(fresh(parts.snapshots), tested, clock.now()) }),
      close: async () => void (await Promise.all([lines.close(), external.close()])),
    };
  };
}

function modelsOf(snapshot: Snapshot, { credential }: Tested): UnderTest["models"] {
  return new Map(
    credential.deployment.models.flatMap((model) => {
      const provider = registered({ snapshot, credential, now: 0 }, model);
      const protocol = provider === undefined ? undefined : protocolOf(provider);
      return protocol === "openai" || protocol === "anthropic" ? [[model.name, { dialect: protocol, model: model.model }] as const] : [];
    }),
  );
}

function notesOf(snapshot: Snapshot, { credential }: Tested): readonly string[] {
  const bundle = snapshot.spaces.get(credential.space)?.policyBundle;
  return [bundle === undefined ? "no policies are published in the space: nothing is allowed" : `decided by the policies and detectors of ${bundle.digest}`];
}
