import { componentsOf, declaredLimit, definitionOf } from "@licet/assurance";
import { CheckFigures, CheckResult, Envelope, Producer, type AssuranceCheck, type CheckBasis, type DeclaredCheck, type RecordedCheck, type Tier } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { awaitedRepeats } from "../assurance/attempts/awaited.ts";
import { disputedAmong, repeatsAmong } from "../assurance/attempts/store.ts";
import { predicateOf } from "../assurance/entries.ts";
import { provenanceOf } from "../assurance/view.ts";
import { producerCounts } from "../ato/check-sets.ts";
import { peopleNames } from "../identity/store.ts";
import { findRelease, listReleases, type StoredRelease } from "../inventory/store.ts";
import type { InsightDeps } from "./board.ts";
import type { ResultOfAttempt } from "./store.ts";

export function declaredCheck(check: AssuranceCheck): DeclaredCheck {
  return { id: check.id, check: check.check, label: check.label ?? null, advisory: check.advisory === true, components: [...componentsOf(check)], limit: { ...declaredLimit(check) } };
}

export function declaredChecks({ bundle }: StoredRelease): readonly AssuranceCheck[] {
  return bundle.manifest.assurance?.checks ?? [];
}

const rates = { selection: "selection rate", tpr: "true positive rate", fpr: "false positive rate" } as const;

/** How many cases of the kind that `requiredN` speaks of there are; of differences, which earlier versions recorded, for each kind of rate. */
export function casesOf(basis: CheckBasis): RecordedCheck["cases"] {
  switch (basis.kind) {
    case "rate":
    case "census":
      return [{ of: "", n: basis.n }];
    case "columns":
      return basis.columns.slice(0, 1).map(({ n }) => ({ of: "", n }));
    case "auc":
      return [{ of: "", n: basis.positives + basis.negatives }];
    case "differences":
      return basis.families.map(({ rate, groups }) => ({ of: basis.families.length === 1 ? "" : rates[rate], n: groups.reduce((sum, { n }) => sum + n, 0) }));
    // Only the engine knows what the figures of such a check count.
    case "statistics":
      return [...(definitionOf(basis.of)?.cases?.(basis) ?? [])];
    case "none":
    default:
      return [];
  }
}

export interface Recorded {
  readonly recorded: RecordedCheck;
  readonly result: CheckResult;
}

/** Turns rows into what routes show; releases are assessed once each, for their tier. */
export async function recordedChecks(deps: InsightDeps, space: string, rows: readonly ResultOfAttempt[]): Promise<readonly Recorded[]> {
  const names = await peopleNames(deps.read, space);
  const [first] = rows;
  const releases = first === undefined ? [] : await listReleases(deps.read, space, first.system);
  const tiers = new Map<string, Tier>();
  for (const { system, release } of rows) {
    if (tiers.has(release)) continue;
    const stored = await findRelease(deps.read, space, system, release);
    // Without its release nobody knows the tier, and the strictest counts.
    tiers.set(release, stored === undefined ? "critical" : (await deps.assess(space, stored.bundle)).tier);
  }
  const repeats = await repeatsAmong(deps.read, space, rows.map(({ id }) => id));
  const disputed = await disputedAmong(deps.read, space, rows.map(({ id }) => id));
  const awaited = await awaitedAmong(deps, space, { rows, tiers });
  return rows.map((row) => {
    const result = CheckResult.parse(parseJson(row.result));
    const producer = Producer.parse(row.producer);
    const provenance = provenanceOf(row);
    return {
      result,
      recorded: {
        id: row.id,
        checkId: row.check_id,
        release: row.release,
        releaseNumber: releases.find(({ digest }) => digest === row.release)?.number ?? 0,
        ticket: row.ticket,
        attempt: result.attempt.index,
        producer,
        producedBy: provenance?.repository ?? names.get(row.produced_by) ?? row.produced_by,
        provenance,
        counts: producerCounts({ producer }, tiers.get(row.release) ?? "critical") && !disputed.has(row.id) && !awaited.has(row.id),
        carriedFrom: predicateOf(Envelope.parse(parseJson(row.statement))).carriedFrom ?? null,
        repeats: repeats.filter((each) => each.reported === row.id || each.repeat === row.id).map(({ drawn, agrees, differences, at, entry }) => ({ drawn, agrees, differences: [...differences], at, entry })),
        at: row.produced_at,
        entry: row.entry,
        cases: casesOf(result.basis),
        figures: CheckFigures.parse(result),
      },
    };
  });
}

/** Results of which the server still owes a repetition, each at the tier of its release. */
async function awaitedAmong(deps: InsightDeps, space: string, { rows, tiers }: { readonly rows: readonly ResultOfAttempt[]; readonly tiers: ReadonlyMap<string, Tier> }): Promise<ReadonlySet<string>> {
  const awaited = new Set<string>();
  for (const [release, tier] of tiers) {
    const own = rows.filter((row) => row.release === release);
    for (const id of (await awaitedRepeats(deps.read, space, { rows: own, tier, now: deps.now() })).keys()) awaited.add(id);
  }
  return awaited;
}
