import { isRecord, parseJson } from "@licet/evidence";
import type { OpenUnderTest, RunnerAnswer, UnderTest } from "../../assurance/runner-asks.ts";
import { systemClock, type Clock } from "../../base/clock.ts";
import { LicetError } from "../../base/errors.ts";
import { fetchOutbound, type OutboundLimits } from "../../base/outbound.ts";
import { ExternalLines } from "../detect/external.ts";
import { providerRefusal, registered } from "../judge.ts";
import { keyHeaders, protocolOf, providerLines, type ProviderLines } from "../provider.ts";
import type { Refusal } from "../refusal.ts";
import type { ModelView, ProviderView, Snapshot, SnapshotSource } from "../snapshot.ts";
import { holdOn, vendorRefusal } from "../standing.ts";
import { replayCall } from "./replay-call.ts";
import { testedRelease, testedSnapshot, type Tested } from "./tested-release.ts";

export interface UnderTestParts {
  readonly snapshots: SnapshotSource;
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  /** Of a release, by what is answered about its system. */
  readonly tierOf: (space: string, bundle: Parameters<OpenUnderTest>[0]["bundle"]) => Promise<string>;
  readonly clock?: Clock;
}

const limits: Partial<OutboundLimits> = { totalMs: 120_000, answerBytesMax: 4 * 1024 * 1024 };
const paths = { openai: "/chat/completions", anthropic: "/messages" } as const;
const anthropicVersion = "2023-06-01";

/** Lets a run ask the providers that are registered in the space of its release, and replay calls through this gateway's own rules. */
export function underTest(parts: UnderTestParts): OpenUnderTest {
  const { clock = systemClock } = parts;
  return async (release) => {
    const tested = testedRelease(release, await parts.tierOf(release.space, release.bundle), clock.now());
    const lines = providerLines(limits);
    const external = new ExternalLines();
    const asking = { ...parts, clock, tested, lines };
    return {
      models: modelsOf(fresh(parts.snapshots), tested),
      notes: notesOf(fresh(parts.snapshots), tested),
      ask: (model, body) => asked(asking, model, body),
      replay: (model, body, answer) => replayCall({ clock, tested, external, model, body, answer, snapshot: testedSnapshot(fresh(parts.snapshots), tested, clock.now()) }),
      close: async () => void (await Promise.all([lines.close(), external.close()])),
    };
  };
}

/** Without a standing that is fresh nothing is sent: a hold could have been missed. */
function fresh(snapshots: SnapshotSource): Snapshot {
  const snapshot = snapshots.current();
  if (snapshot === undefined) throw new LicetError("snapshot_stale");
  return snapshot;
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

interface Asking {
  readonly snapshots: SnapshotSource;
  readonly providerKey: UnderTestParts["providerKey"];
  readonly clock: Clock;
  readonly tested: Tested;
  readonly lines: ProviderLines;
}

/** INVARIANT: only to the registered address of a provider that no hold suspends, inside the declared regions, with its own key. */
async function asked({ snapshots, providerKey, clock, tested, lines }: Asking, name: string, body: string): Promise<RunnerAnswer> {
  const { credential } = tested;
  const standing = { snapshot: fresh(snapshots), credential, now: clock.now() };
  const model = credential.deployment.models.find((each) => each.name === name);
  const provider = registered(standing, model);
  if (model === undefined || provider === undefined) throw new LicetError("provider_unknown");
  const hold = holdOn(standing);
  if (hold !== undefined) throw new LicetError("held", { message: `a hold stops this system: ${hold.reason}` });
  refuse(vendorRefusal(standing, provider.vendor) ?? providerRefusal(credential.deployment, provider));
  const { space } = credential;
  try {
    const outbound = await lines.open(space, provider);
    const { status, headers, body: bytes } = await fetchOutbound(outbound, request({ provider, model, key: await providerKey(space, provider.id), body }));
    const retryAfter = headers["retry-after"];
    return { status, contentType: String(headers["content-type"] ?? ""), body: Buffer.from(bytes).toString("utf8"), ...(typeof retryAfter === "string" && { retryAfter }) };
  } catch (error) {
    lines.forget(space, provider);
    throw error;
  }
}

function refuse(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new LicetError(refusal.code, { message: refusal.message });
}

interface Question {
  readonly provider: ProviderView;
  readonly model: ModelView;
  readonly key: string;
  readonly body: string;
}

function request({ provider, model, key, body }: Question): Parameters<typeof fetchOutbound>[1] {
  const protocol = protocolOf(provider) === "anthropic" ? "anthropic" : "openai";
  const value = parseJson(body);
  const query = provider.apiVersion === undefined ? "" : `?api-version=${encodeURIComponent(provider.apiVersion)}`;
  return {
    method: "POST",
    path: `${paths[protocol]}${query}`,
    headers: { ...(protocol === "anthropic" && { "anthropic-version": anthropicVersion }), ...keyHeaders(key, provider), "content-type": "application/json", accept: "application/json", "accept-encoding": "identity" },
    body: JSON.stringify({ ...(isRecord(value) ? value : {}), model: model.model, stream: false }),
  };
}
