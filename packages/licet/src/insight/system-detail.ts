import { Envelope, Producer, TrafficStage, type RouteAnswer, type SystemDetail } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import { z } from "zod";
import { resultsOfRelease } from "../assurance/store.ts";
import { LicetError } from "../base/errors.ts";
import { componentDetail, releaseOf } from "../inventory/release.ts";
import { findSystem, listReleases } from "../inventory/store.ts";
import { atoStateAt, latestRelease, systemRow, type InsightDeps } from "./board.ts";
import { approvalsOf, atosOf, credentialsOf, deploymentsOf, emailsOf, holdsOn, timeline } from "./store.ts";

type Names = ReadonlyMap<string, string>;

function named(names: Names, id: string): string {
  return names.get(id) ?? id;
}

function atoViews(rows: Awaited<ReturnType<typeof atosOf>>, now: number): SystemDetail["atos"] {
  return rows.map((row) => ({
    id: row.id,
    system: row.system,
    release: row.release,
    stage: TrafficStage.parse(row.stage),
    environment: row.environment,
    state: atoStateAt(row, now),
    notBefore: row.not_before,
    notAfter: row.not_after,
    grantedAt: row.granted_at,
    stateSince: row.state_since,
    stateReason: row.state_reason,
    request: row.request,
    entry: row.entry,
    statement: Envelope.parse(JSON.parse(row.statement)),
  }));
}

async function deploymentViews(deps: InsightDeps, space: string, system: { readonly name: string; readonly names: Names }): Promise<SystemDetail["deployments"]> {
  const rows = await deploymentsOf(deps.read, space, system.name);
  const credentials = await credentialsOf(deps.read, space, rows.map((row) => row.id));
  const numbers = new Map((await listReleases(deps.read, space, system.name)).map((row) => [row.digest, row.number]));
  return rows.map((row) => ({
    id: row.id,
    environment: row.environment,
    stage: TrafficStage.parse(row.stage),
    release: row.release,
    releaseNumber: numbers.get(row.release) ?? 0,
    active: row.active === 1,
    recordedBy: named(system.names, row.recorded_by),
    recordedAt: row.recorded_at,
    attested: z.array(z.string()).parse(JSON.parse(row.attested)),
    credentials: credentials
      .filter((credential) => credential.deployment === row.id)
      .map((credential) => ({ id: credential.id, hint: credential.hint, issuedAt: credential.issued_at, expiresAt: credential.expires_at, revokedAt: credential.revoked_at })),
  }));
}

async function checkRows(deps: InsightDeps, space: string, subject: { readonly system: string; readonly release: string; readonly names: Names }): Promise<SystemDetail["checks"]> {
  const rows = await resultsOfRelease(deps.read, space, subject);
  return rows.map((row) => {
    const result: unknown = JSON.parse(row.result);
    return {
      id: row.id,
      release: row.release,
      checkId: row.check_id,
      verdict: row.verdict,
      producer: Producer.parse(row.producer),
      producedBy: named(subject.names, row.produced_by),
      at: row.produced_at,
      entry: row.entry,
      result: isRecord(result) ? { ...result } : {},
    };
  });
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
  const names = await emailsOf(deps.read, space);
  const row = await systemRow(deps, system);
  const releases = await listReleases(deps.read, space, name);
  const manifest: unknown = JSON.parse(JSON.stringify(release.bundle.manifest));
  return {
    system: row,
    purpose: system.purpose,
    manifest: isRecord(manifest) ? { ...manifest } : {},
    components: releaseOf(release.bundle).components.map((component) => ({ kind: component.kind, name: component.name, digest: component.digest, detail: componentDetail(component) })),
    assessment: await deps.assess(space, release.bundle),
    gate: row.next === null ? null : await deps.gate(space, name, row.next),
    releases: releases.map((each) => ({ digest: each.digest, number: each.number, fileDigest: each.file_digest, pushedBy: named(names, each.pushed_by), pushedAt: each.pushed_at, entry: each.entry })),
    checks: await checkRows(deps, space, { system: name, release: release.digest, names }),
    approvals: await approvalRows(deps, space, { name, names }),
    atos: atoViews(await atosOf(deps.read, space, name), deps.now()),
    deployments: await deploymentViews(deps, space, { name, names }),
    holds: (await holdsOn(deps.read, space, name)).map((hold) => ({ id: hold.id, scope: hold.scope, reason: hold.reason, placedBy: named(names, hold.placed_by), placedAt: hold.placed_at })),
  };
}

const kindTitles: Readonly<Record<string, string>> = {
  "release.pushed": "release pushed",
  "answer.given": "risk question answered",
  "ticket.issued": "checks begun",
  "check.recorded": "check result recorded",
  "request.opened": "promotion asked for",
  "request.closed": "request closed",
  "approval.given": "request answered",
  "ato.granted": "authorization to operate granted",
  "ato.revoked": "authorization to operate revoked",
  "ato.suspended": "authorization to operate suspended",
  "deployment.recorded": "deployment recorded, credential issued",
  "credential.revoked": "credential revoked",
  "hold.placed": "hold placed: traffic stopped",
  "hold.lifted": "hold lifted",
  "audit.exported": "audit pack exported",
};

export async function systemTimeline(deps: InsightDeps, space: string, page: { readonly system: string; readonly before?: number | undefined; readonly limit: number }): Promise<RouteAnswer<"showTimeline">> {
  const rows = await timeline(deps.read, space, { ...page, limit: page.limit + 1 });
  const shown = rows.slice(0, page.limit);
  const names = await emailsOf(deps.read, space);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => ({ entry: row.id, index: row.log_index, kind: row.kind, title: kindTitles[row.kind] ?? row.kind, actor: named(names, row.actor), at: row.time })),
    next: rows.length > page.limit && last !== undefined ? String(last.log_index) : null,
  };
}
