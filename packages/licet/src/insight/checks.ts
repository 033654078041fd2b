import { alphaMax, Producer, TrafficStage, type CheckAttempt, type CheckStanding, type ChecksView, type RecordedCheck, type RouteAnswer, type Tier } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { reservedForRelease, usesOf } from "../assurance/attempts/store.ts";
import { declaredDatasets } from "../assurance/declared-check.ts";
import { ticketStatus } from "../assurance/ticket.ts";
import { checkFacts } from "../ato/check-facts.ts";
import { producerCounts } from "../ato/check-sets.ts";
import { listDeployments } from "../ato/store.ts";
import { LicetError } from "../base/errors.ts";
import { peopleNames } from "../identity/store.ts";
import { findRelease, findSystem, listReleases, type StoredRelease } from "../inventory/store.ts";
import { z } from "zod";
import { askedLimits } from "./asked-limits.ts";
import { latestRelease, type InsightDeps } from "./board.ts";
import { declaredCheck, declaredChecks, recordedChecks } from "./recorded-check.ts";
import { attempts, resultHeads, resultsById, resultsOfCheck, type ResultHead } from "./store.ts";

type System = NonNullable<Awaited<ReturnType<typeof findSystem>>>;

async function systemNamed(deps: InsightDeps, space: string, name: string): Promise<System> {
  const system = await findSystem(deps.read, space, name);
  if (system === undefined) throw new LicetError("system_unknown", { message: `there is no system \`${name}\` in this space` });
  return system;
}

async function releaseShown(deps: InsightDeps, system: System, digest: string | undefined): Promise<StoredRelease> {
  if (digest === undefined) return latestRelease(deps, system);
  const release = await findRelease(deps.read, system.space, system.name, digest);
  if (release === undefined) throw new LicetError("release_unknown", { message: `release \`${digest}\` of \`${system.name}\` is not in the record` });
  return release;
}

const heights: readonly TrafficStage[] = ["experiment", "pilot", "production"];

/** The release that is deployed at the highest stage; of several, the one recorded last. */
async function deployedHighest(deps: InsightDeps, system: System): Promise<ChecksView["compared"]> {
  const active = (await listDeployments(deps.read, system.space, system.name)).filter((each) => each.active === 1);
  const ranked = active.map((each) => ({ ...each, stage: TrafficStage.parse(each.stage) })).sort((a, b) => heights.indexOf(b.stage) - heights.indexOf(a.stage) || b.recorded_at - a.recorded_at);
  const [highest] = ranked;
  if (highest === undefined) return null;
  const release = await findRelease(deps.read, system.space, system.name, highest.release);
  return { release: highest.release, number: release?.number ?? 0, stage: highest.stage, environment: highest.environment, recordedAt: highest.recorded_at };
}

/** The same choice as the gate's: newest from a producer that counts, else newest of any. Rows come newest first. */
function standingHead(heads: readonly ResultHead[], id: string, tier: Tier): ResultHead | undefined {
  const own = heads.filter((head) => head.check_id === id);
  return own.find((head) => producerCounts({ producer: Producer.parse(head.producer) }, tier)) ?? own[0];
}

interface Held {
  readonly heads: readonly ResultHead[];
  /** The result that stands, by check id. */
  readonly standing: ReadonlyMap<string, RecordedCheck>;
}

async function resultsHeld(deps: InsightDeps, space: string, of: { readonly system: string; readonly release: string; readonly tier: Tier }): Promise<Held> {
  const heads = await resultHeads(deps.read, space, of);
  const ids = [...new Set(heads.map((head) => head.check_id))].flatMap((id) => standingHead(heads, id, of.tier)?.id ?? []);
  const recorded = await recordedChecks(deps, space, await resultsById(deps.read, space, ids));
  return { heads, standing: new Map(recorded.map((each) => [each.recorded.checkId, each.recorded])) };
}

async function attemptViews(deps: InsightDeps, space: string, of: { readonly system: string; readonly release: string; readonly heads: readonly ResultHead[] }): Promise<CheckAttempt[]> {
  const names = await peopleNames(deps.read, space);
  const now = deps.now();
  const reserved = await reservedForRelease(deps.read, space, of);
  const rows = await attempts(deps.read, space, of);
  const drawn = await Promise.all(rows.map(({ id }) => deps.repeatOf(space, id)));
  return rows.map((row, at) => ({
    ticket: row.id,
    attempt: row.attempt,
    producer: Producer.parse(row.producer),
    status: ticketStatus({ status: row.status === "open" ? "open" : "returned", leaseUntil: row.lease_until }, now),
    checks: z.array(z.string()).parse(parseJson(row.checks)),
    reserved: reserved.filter(({ ticket }) => ticket === row.id).map(({ check, index, alpha, repeats }) => ({ check, index, alpha, repeats })),
    repeat: drawn[at] ?? null,
    returned: of.heads.filter((head) => head.ticket === row.id).map((head) => head.check_id),
    issuedTo: names.get(row.issued_to) ?? row.issued_to,
    issuedAt: row.issued_at,
    leaseUntil: row.lease_until,
    entry: row.entry,
  }));
}

async function comparedResults(deps: InsightDeps, system: System, { compared, shown }: { readonly compared: ChecksView["compared"]; readonly shown: string }): Promise<Held["standing"]> {
  if (compared === null || compared.release === shown) return new Map();
  const release = await findRelease(deps.read, system.space, system.name, compared.release);
  if (release === undefined) return new Map();
  const { tier } = await deps.assess(system.space, release.bundle);
  return (await resultsHeld(deps, system.space, { system: system.name, release: compared.release, tier })).standing;
}

/** Everything about the checks of one release, the newest unless another is asked for. */
export async function checksView(deps: InsightDeps, space: string, asked: { readonly system: string; readonly release?: string | undefined }): Promise<ChecksView> {
  const system = await systemNamed(deps, space, asked.system);
  const release = await releaseShown(deps, system, asked.release);
  const { tier } = await deps.assess(space, release.bundle);
  const subject = { system: system.name, release: release.digest, tier };
  const declared = declaredChecks(release);
  const ids = declared.map(({ id }) => id);
  const { checks: facts } = await checkFacts(deps.read, space, { ...subject, ids, declared, now: deps.now() });
  const { heads, standing } = await resultsHeld(deps, space, subject);
  const compared = await deployedHighest(deps, system);
  const other = await comparedResults(deps, system, { compared, shown: release.digest });
  const limitAsked = await askedLimits(deps, space, { name: system.name, stage: system.stage, tier });
  const verdictOf = new Map<string, CheckStanding["standing"]>(facts.map((fact) => [fact.id, fact.verdict]));
  return {
    system: system.name,
    title: system.title,
    tier,
    release: { digest: release.digest, number: release.number, pushedAt: release.pushed_at },
    releases: (await listReleases(deps.read, space, system.name)).map((each) => ({ digest: each.digest, number: each.number, pushedAt: each.pushed_at })),
    compared,
    checks: declared.map((check) => ({
      declared: declaredCheck(check),
      standing: verdictOf.get(check.id) ?? "missing",
      result: standing.get(check.id) ?? null,
      results: heads.filter((head) => head.check_id === check.id).length,
      compared: other.get(check.id) ?? null,
      asked: limitAsked(check),
    })),
    dropped: [...other.values()].filter(({ checkId }) => !ids.includes(checkId)),
    attempts: await attemptViews(deps, space, { ...subject, heads }),
    alpha: release.bundle.manifest.assurance?.alpha ?? alphaMax,
    reuse: [...(await usesOf(deps.read, space, { system: system.name, datasets: declaredDatasets(release.bundle) }))],
    runner: deps.runner(),
  };
}

/** Cursors are ids of results. Throws `invalid_request` for one that no page gave. */
function resultCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined || /^chk_[0-9a-z]{26}$/u.test(cursor)) return cursor;
  throw new LicetError("invalid_request", { message: "the cursor is not one that this server gave" });
}

export async function checkHistory(deps: InsightDeps, space: string, page: { readonly system: string; readonly check: string; readonly cursor?: string | undefined; readonly limit: number }): Promise<RouteAnswer<"listCheckResults">> {
  const system = await systemNamed(deps, space, page.system);
  const declared = declaredChecks(await latestRelease(deps, system)).find(({ id }) => id === page.check);
  const rows = await resultsOfCheck(deps.read, space, { ...page, before: resultCursor(page.cursor), limit: page.limit + 1 });
  if (declared === undefined && rows.length === 0 && page.cursor === undefined) throw new LicetError("not_found", { message: `no release of \`${page.system}\` has a check \`${page.check}\` with a result, and the newest does not declare one` });
  const shown = rows.slice(0, page.limit);
  return {
    declared: declared === undefined ? null : declaredCheck(declared),
    title: system.title,
    items: (await recordedChecks(deps, space, shown)).map(({ recorded }) => recorded),
    next: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null,
  };
}

export async function checkResult(deps: InsightDeps, space: string, asked: { readonly system: string; readonly check: string; readonly result: string }): Promise<RouteAnswer<"showCheckResult">> {
  const rows = (await resultsById(deps.read, space, [asked.result])).filter((row) => row.system === asked.system && row.check_id === asked.check);
  const [found] = await recordedChecks(deps, space, rows);
  if (found === undefined) throw new LicetError("not_found", { message: `there is no result \`${asked.result}\` of the check \`${asked.check}\`` });
  return found;
}
