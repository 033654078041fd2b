import type { RouteAnswer, SystemDetail } from "@licet/contract";
import { isRecord, parseJson } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { componentDetail, releaseOf } from "../inventory/release.ts";
import { findSystem, listReleases } from "../inventory/store.ts";
import { deploymentViews } from "../ato/deployments.ts";
import { listAtos, listDeployments } from "../ato/store.ts";
import { atoView } from "../ato/view.ts";
import { peopleNames } from "../identity/store.ts";
import { holdsOn } from "../oversight/store.ts";
import { latestRelease, systemRow, type InsightDeps } from "./board.ts";
import { approvalsOf, timeline } from "./store.ts";

type Names = ReadonlyMap<string, string>;

function named(names: Names, id: string): string {
  return names.get(id) ?? id;
}

async function approvalRows(deps: InsightDeps, space: string, system: { readonly name: string; readonly names: Names }): Promise<SystemDetail["approvals"]> {
  const rows = await approvalsOf(deps.read, space, system.name);
  return rows.map((row) => ({
    id: row.id,
    request: row.request,
    role: row.role,
    person: named(system.names, row.person),
    answer: row.answer,
    comment: row.comment,
    method: row.method,
    at: row.given_at,
    spent: row.spent_by !== null,
  }));
}

export async function systemDetail(deps: InsightDeps, space: string, name: string): Promise<SystemDetail> {
  const system = await findSystem(deps.read, space, name);
  if (system === undefined) throw new LicetError("system_unknown", { message: `there is no system \`${name}\` in this space` });
  const release = await latestRelease(deps, system);
  const names = await peopleNames(deps.read, space);
  const row = await systemRow(deps, system);
  const releases = await listReleases(deps.read, space, name);
  const holds = await holdsOn(deps.read, space, name);
  const manifest: unknown = parseJson(JSON.stringify(release.bundle.manifest));
  return {
    system: row,
    purpose: system.purpose,
    manifest: isRecord(manifest) ? { ...manifest } : {},
    components: releaseOf(release.bundle).components.map((component) => ({ kind: component.kind, name: component.name, digest: component.digest, detail: componentDetail(component) })),
    assessment: await deps.assess(space, release.bundle),
    gate: row.next === null ? null : await deps.gate(space, name, row.next),
    releases: releases.map((each) => ({ digest: each.digest, number: each.number, fileDigest: each.file_digest, pushedBy: named(names, each.pushed_by), pushedAt: each.pushed_at, entry: each.entry })),
    approvals: await approvalRows(deps, space, { name, names }),
    atos: (await listAtos(deps.read, space, name)).map((ato) => atoView(ato, { now: deps.now(), held: holds.length > 0 })),
    deployments: await deploymentViews(deps.read, space, await listDeployments(deps.read, space, name)),
    holds: holds.map((hold) => ({ id: hold.id, scope: hold.scope, reason: hold.reason, placedBy: named(names, hold.placed_by), placedAt: hold.placed_at })),
  };
}

const kindTitles: Readonly<Record<string, string>> = {
  "release.pushed": "release pushed",
  "answer.given": "risk question answered",
  "ticket.issued": "checks begun",
  "ci.registered": "CI registered: its runs count",
  "ci.removed": "CI registration removed",
  "ci.exchanged": "CI token exchanged for one counted run",
  "ci.refused": "CI token refused: used before",
  "check.recorded": "check result recorded",
  "check.repeated": "reported check made again by the server",
  "request.opened": "request opened",
  "request.closed": "request closed",
  "approval.given": "request answered",
  "ato.granted": "authorization to operate granted",
  "ato.state-changed": "authorization to operate revoked, suspended or restored",
  "deployment.recorded": "deployment recorded, credential issued",
  "credential.revoked": "credential revoked",
  "hold.placed": "hold placed: traffic stopped",
  "hold.lifted": "hold lifted",
  "waiver.granted": "observe waiver granted",
  "waiver.ended": "observe waiver ended",
  "audit.exported": "audit pack exported",
};

export async function systemTimeline(deps: InsightDeps, space: string, page: { readonly system: string; readonly before?: number | undefined; readonly limit: number }): Promise<RouteAnswer<"showTimeline">> {
  const rows = await timeline(deps.read, space, { ...page, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  const names = await peopleNames(deps.read, space);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => ({ entry: row.id, index: row.log_index, kind: row.kind, title: kindTitles[row.kind] ?? row.kind, actor: named(names, row.actor), at: row.time })),
    next: rows.length > page.limit && last !== undefined ? String(last.log_index) : null,
  };
}
