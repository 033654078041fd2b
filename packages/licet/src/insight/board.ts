import { Stage, TrafficStage, type GateAnswer, type ReleaseBundle, type RepeatView, type RunnerView, type RouteAnswer, type SystemRow } from "@licet/contract";
import { findRelease, listReleases, listSystems, type StoredRelease } from "../inventory/store.ts";
import { listAtos, type AtoRow } from "../ato/store.ts";
import { atoState, type Circumstance } from "../ato/view.ts";
import { holdsOn } from "../oversight/store.ts";
import type { Reader } from "./store.ts";

export type AssessmentView = RouteAnswer<"giveAnswer">;

export interface InsightDeps {
  readonly read: Reader;
  readonly now: () => number;
  readonly assess: (space: string, bundle: ReleaseBundle) => Promise<AssessmentView>;
  readonly gate: (space: string, system: string, to: TrafficStage) => Promise<GateAnswer>;
  /** The check of a ticket that the server's runner makes again. */
  readonly repeatOf: (space: string, ticket: string) => Promise<RepeatView | null>;
  readonly runner: () => RunnerView;
}

type SystemRecord = Awaited<ReturnType<typeof listSystems>>[number];

const nextStage: Readonly<Record<Stage, TrafficStage | null>> = {
  proposed: "experiment",
  experiment: "pilot",
  pilot: "production",
  production: null,
  retired: null,
};

function blockerOf(gate: GateAnswer): SystemRow["blocker"] {
  const unmet = gate.requirements.filter((item) => item.state === "unmet" || item.state === "stale");
  const [first] = unmet;
  if (first === undefined) return null;
  return { requirement: first.id, title: first.title, remedy: first.remedy, turn: first.turn, people: first.people, since: first.since, more: unmet.length - 1 };
}

/** The authorization that people mean: the one in force, else one that a hold or a person suspends, else the newest. */
function standingAto(rows: readonly AtoRow[], circumstance: Circumstance): AtoRow | undefined {
  const inState = (states: readonly string[]): AtoRow | undefined => rows.find((row) => states.includes(atoState(row, circumstance)));
  return inState(["granted", "conditional"]) ?? inState(["suspended"]) ?? rows[0];
}

/** A newly pushed release begins where the authorised one stands: it needs its own authorization for that stage first. */
function nextFor(system: SystemRecord, standing: AtoRow | undefined): TrafficStage | null {
  if (standing !== undefined && standing.release !== system.latest_release) return TrafficStage.parse(standing.stage);
  return nextStage[Stage.parse(system.stage)];
}

export async function latestRelease(deps: InsightDeps, system: SystemRecord): Promise<StoredRelease> {
  const release = await findRelease(deps.read, system.space, system.name, system.latest_release);
  if (release === undefined) throw new Error(`release ${system.latest_release} has no row`);
  return release;
}

export async function systemRow(deps: InsightDeps, system: SystemRecord): Promise<SystemRow> {
  const { space, name } = system;
  const release = await latestRelease(deps, system);
  const stage = Stage.parse(system.stage);
  const [assessment, atos, holds, releases] = await Promise.all([
    deps.assess(space, release.bundle),
    listAtos(deps.read, space, name),
    holdsOn(deps.read, space, name),
    listReleases(deps.read, space, name),
  ]);
  const circumstance = { now: deps.now(), held: holds.length > 0 };
  const standing = standingAto(atos, circumstance);
  const next = nextFor(system, standing);
  const gate = next === null ? null : await deps.gate(space, name, next);
  return {
    name,
    title: system.title,
    stage,
    stageSince: system.stage_since,
    tier: assessment.tier,
    prohibited: assessment.prohibited.length > 0,
    held: holds.length > 0,
    release: system.latest_release,
    releaseNumber: release.number,
    owners: release.bundle.manifest.owners,
    next,
    blocker: gate === null ? null : blockerOf(gate),
    ato:
      standing === undefined
        ? null
        : {
            id: standing.id,
            state: atoState(standing, circumstance),
            stage: TrafficStage.parse(standing.stage),
            environment: standing.environment,
            notAfter: standing.not_after,
            release: standing.release,
            releaseNumber: releases.find((each) => each.digest === standing.release)?.number ?? 0,
          },
    updatedAt: system.updated_at,
  };
}

export async function board(deps: InsightDeps, space: string, page: { readonly after?: string | undefined; readonly limit: number }): Promise<RouteAnswer<"listSystems">> {
  const systems = await listSystems(deps.read, space, { after: page.after, limit: page.limit + 1 });
  const shown = systems.slice(0, page.limit);
  const items: SystemRow[] = [];
  for (const system of shown) items.push(await systemRow(deps, system));
  return { items, next: systems.length > page.limit ? (shown.at(-1)?.name ?? null) : null };
}
