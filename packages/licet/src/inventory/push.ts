import type { PushPlan, ReleaseBundle, ReleasePushed, Tier } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Recorder } from "../ledger/recorder.ts";
import { checkedBundle } from "./bundle.ts";
import { planRelease } from "./plan.ts";
import { releaseOf } from "./release.ts";
import { findRelease, findSystem, type Reader } from "./store.ts";

export interface PushDeps {
  readonly recorder: Recorder;
  readonly read: Reader;
  /** The tier that the release would have, by what it declares and what is signed for the system so far. */
  readonly tierOf: (space: string, bundle: ReleaseBundle) => Promise<Tier>;
}

async function previousBundle(db: Reader, space: string, name: string): Promise<ReleaseBundle | null> {
  const system = await findSystem(db, space, name);
  if (system === undefined) return null;
  return (await findRelease(db, space, name, system.latest_release))?.bundle ?? null;
}

/** What a push would change; changes nothing. */
export async function planPush(deps: PushDeps, space: string, given: ReleaseBundle): Promise<PushPlan> {
  const bundle = checkedBundle(given);
  const system = bundle.manifest.name;
  const previous = await previousBundle(deps.read, space, system);
  const plan = planRelease(previous, bundle);
  return {
    system,
    release: releaseOf(bundle).digest,
    previous: previous === null ? null : releaseOf(previous).digest,
    outcome: plan.outcome,
    tier: await deps.tierOf(space, bundle),
    lines: [...plan.lines],
  };
}

/** Registers a release. The digest is computed here from the parts; a repeated push writes nothing. */
export async function push(deps: PushDeps, given: { readonly space: string; readonly bundle: ReleaseBundle; readonly pushedBy: string }): Promise<PushPlan> {
  const { space, pushedBy } = given;
  const plan = await planPush(deps, space, given.bundle);
  if (plan.outcome === "no-change") return plan;
  const bundle = checkedBundle(given.bundle);
  const release = releaseOf(bundle);
  await deps.recorder.commit(async (tx) => {
    const now = await previousBundle(tx, space, plan.system);
    if (planRelease(now, bundle).outcome === "no-change") return { nothing: undefined };
    const body: ReleasePushed = {
      system: plan.system,
      digest: release.digest,
      fileDigest: release.fileDigest,
      materiality: release.materiality,
      title: bundle.manifest.title,
      purpose: bundle.manifest.purpose,
      bundle,
      pushedBy,
    };
    return {
      entry: { kind: "release.pushed", space, actor: pushedBy, system: plan.system, subject: `system:${plan.system}`, class: "governance", body: plain(body) },
      value: undefined,
    };
  });
  return plan;
}

type Plain = Parameters<Recorder["append"]>[0]["body"];

/** Optional members that are `undefined` do not exist in JSON. */
function plain(body: ReleasePushed): Plain {
  return parseJson(JSON.stringify(body));
}
