import { Digest, LicetError, PublishPolicyDetail, type PackSource, type PolicyCheck, type RequestView, type RouteAnswer } from "@licet/contract";
import { digestOf, parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Handlers } from "../http/handlers.ts";
import type { Backtests } from "./backtest.ts";
import { builtinSource } from "./builtin.ts";
import { explained, type ExplainDeps } from "./explain-route.ts";
import { candidateOf, ownPacks, withBaseline, type GivenPacks } from "./publication.ts";
import { refuseForeign } from "./publication-access.ts";
import { bundleChanges, changesMax } from "./publication-changes.ts";
import { findingsOf, packViews, policyViews, publicationRows, warningViews } from "./publication-view.ts";
import { openedPublication, type PublicationDetail } from "./publication-request.ts";
import { bundleByDigest, bundleOf } from "./publish.ts";
import type { Standing } from "./standing.ts";
import { activeBundle, activeDigest, emailsOf, findPublication, lastPublication, listMismatches, listPublications, openPublicationRequests, publicationOfBundle, publicationRequest, type Reader } from "./store.ts";

export interface PolicyMoves {
  open(opening: { readonly space: string; readonly move: "publish-policy"; readonly system: null; readonly detail: PublicationDetail; readonly by: string }): Promise<{ readonly done: boolean; readonly request: RequestView }>;
}

export interface PolicyRoutes extends ExplainDeps {
  readonly standing: Pick<Standing, "problem">;
  readonly moves: PolicyMoves;
  readonly backtests: Backtests;
}

type Names = "showPolicies" | "listPolicies" | "showPack" | "listPublications" | "listMismatches" | "showPublication" | "showBundle" | "checkPolicies" | "checkRequestedPolicies" | "publishPolicies" | "explainPolicy" | "startBacktest" | "listBacktests" | "showBacktest" | "cancelBacktest";

export function policyRoutes(deps: PolicyRoutes): Pick<Handlers, Names> {
  const { read, moves, backtests } = deps;
  return {
    showPolicies: ({ params }) => standingView(deps, params.space),
    listPolicies: async ({ params, query }) => {
      const all = policyViews(await bundleOf(read, params.space), query.pack);
      const from = query.cursor === undefined ? 0 : all.findIndex(({ id }) => id === query.cursor) + 1;
      const items = all.slice(from, from + query.limit);
      return { items, next: from + query.limit < all.length ? (items.at(-1)?.id ?? null) : null };
    },
    showPack: ({ params }) => packDetail(read, params.space, params.pack),
    listPublications: async ({ params, query }) => {
      const rows = await listPublications(read, params.space, { before: query.cursor, limit: query.limit + 1 });
      const active = (await lastPublication(read, params.space))?.id;
      const items = await publicationRows(read, params.space, { rows: rows.slice(0, query.limit), active });
      return { items, next: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null };
    },
    listMismatches: ({ params, query }) => mismatches(read, params.space, { before: query.cursor, limit: query.limit }),
    showPublication: ({ params }) => publicationDetail(read, params.space, params.publication),
    showBundle: ({ params }) => bundleView(read, params.space, params.digest),
    checkPolicies: ({ params, body }) => checked(deps, params.space, body),
    checkRequestedPolicies: async ({ params }) => checked(deps, params.space, await requestedPacks(read, params.space, params.request)),
    publishPolicies: async ({ params, body }, caller) => {
      const { space } = params;
      const { comment, base, ...given } = body;
      await refuseForeign(read, space, { given, publisher: caller });
      if (base !== undefined && base !== (await activeDigest(read, space))) throw new LicetError("policy_base_changed");
      const detail = openedPublication({ given, comment, active: await bundleOf(read, space), candidate: await publishable(deps, space, given) });
      return moves.open({ space, move: "publish-policy", system: null, detail, by: caller.personId });
    },
    explainPolicy: ({ params, body }, caller) => explained(deps, params.space, { asked: body, roles: caller.roles }),
    startBacktest: ({ params, body }, caller) => backtests.start(params.space, { asked: body, by: caller.personId }),
    listBacktests: ({ params, query }) => backtests.list(params.space, { before: query.cursor, limit: query.limit }),
    showBacktest: ({ params }) => backtests.show(params.space, params.backtest),
    cancelBacktest: ({ params }) => backtests.cancel(params.space, params.backtest),
  };
}

async function standingView({ read, standing }: PolicyRoutes, space: string): Promise<RouteAnswer<"showPolicies">> {
  const bundle = await bundleOf(read, space);
  const row = await lastPublication(read, space);
  if (row === undefined) throw new LicetError("policy_not_published");
  const names = await emailsOf(read, space, [row.published_by]);
  const own = new Set((await ownPacks(read, space)).map(({ name }) => name));
  return {
    digest: Digest.parse(row.digest),
    publishedBy: names.get(row.published_by) ?? row.published_by,
    publishedAt: row.published_at,
    entry: row.entry,
    publication: row.id,
    schema: bundle.schema,
    packs: [...packViews(bundle, own)],
    problem: standing.problem(space) ?? null,
    openRequests: [...(await openPublicationRequests(read, space))],
  };
}

async function packDetail(read: Reader, space: string, name: string): Promise<RouteAnswer<"showPack">> {
  const bundle = await bundleOf(read, space);
  const own = await ownPacks(read, space);
  const pack = packViews(bundle, new Set(own.map((each) => each.name))).find((each) => each.name === name);
  if (pack === undefined) throw new LicetError("not_found", { message: `there is no pack \`${name}\` in the active bundle` });
  const source = own.find((each) => each.name === name) ?? (pack.kind === "builtin" ? installedSource(name, pack.digest) : undefined);
  return { pack, policies: [...policyViews(bundle, name)], scenarios: (source?.scenarios ?? []).map(({ path, text }) => ({ path, text })), schema: source?.schema ?? null };
}

/** The files of an installation that made the active bundle; those of a later one are other tests. */
function installedSource(name: string, digest: string): PackSource | undefined {
  const source = builtinSource().builtin.find((each) => each.name === name);
  return source !== undefined && digestOf(source) === digest ? source : undefined;
}

const Said = z.json();

async function mismatches(read: Reader, space: string, { before, limit }: { readonly before: string | undefined; readonly limit: number }): Promise<RouteAnswer<"listMismatches">> {
  const rows = await listMismatches(read, space, { before, limit: limit + 1 });
  const active = await activeDigest(read, space);
  const items = rows.slice(0, limit).map(({ id, bundle, request, ours, reference, found_at, entry }) => ({ id, bundle: Digest.parse(bundle), active: bundle === active, request, ours: Said.parse(parseJson(ours)), reference: Said.parse(parseJson(reference)), foundAt: found_at, entry }));
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}

async function publicationDetail(read: Reader, space: string, id: string): Promise<RouteAnswer<"showPublication">> {
  const row = await findPublication(read, space, id);
  if (row === undefined) throw new LicetError("not_found", { message: `there is no publication \`${id}\` in this space` });
  const active = (await lastPublication(read, space))?.id;
  const [publication] = await publicationRows(read, space, { rows: [row], active });
  const bundle = await bundleByDigest(read, space, row.digest);
  const before = row.previous === null ? undefined : await bundleByDigest(read, space, row.previous);
  if (publication === undefined || bundle === undefined) throw new LicetError("internal", { message: "a publication has no bundle" });
  const changes = bundleChanges(before ?? { schema: bundle.schema, policies: [] }, bundle);
  return { publication, ...bounded(changes) };
}

function bounded(changes: PolicyCheck["changes"] | readonly PolicyCheck["changes"][number][]): Pick<PolicyCheck, "changes" | "changesLeft"> {
  return { changes: changes.slice(0, changesMax), changesLeft: Math.max(0, changes.length - changesMax) };
}

async function bundleView(read: Reader, space: string, asked: string): Promise<RouteAnswer<"showBundle">> {
  const digest = asked === "active" ? (await activeBundle(read, space))?.digest : asked;
  const bundle = digest === undefined ? undefined : await bundleByDigest(read, space, digest);
  if (digest === undefined || bundle === undefined) throw new LicetError("not_found", { message: `the bundle \`${asked}\` was never published in this space` });
  const row = await publicationOfBundle(read, space, digest);
  const { digest: _, ...content } = bundle;
  return { digest: Digest.parse(digest), bundle: parseJson(JSON.stringify(content)), packs: row === undefined ? [] : parseJson(row.packs) };
}

/** What publishing would find and change. What is wrong with the packs is the answer, not a failure. */
async function checked(deps: PolicyRoutes, space: string, given: GivenPacks): Promise<PolicyCheck> {
  const active = await bundleOf(deps.read, space);
  try {
    const { bundle, own, warnings } = await publishable(deps, space, given);
    const changes = bundleChanges(active, bundle);
    return { ok: true, digest: Digest.parse(bundle.digest), findings: [...warningViews(warnings)], packs: [...packViews(bundle, new Set(own.map(({ name }) => name)))], ...bounded(changes) };
  } catch (error) {
    if (!(error instanceof LicetError) || error.code === "internal") throw error;
    return { ok: false, digest: null, findings: [...findingsOf(error)], packs: [], changes: [], changesLeft: 0 };
  }
}

/** Composed for the space, and in `main` for every other that the baseline binds. */
async function publishable(deps: PolicyRoutes, space: string, given: GivenPacks) {
  const candidate = await candidateOf(deps, space, given);
  if (candidate.bundle.digest === candidate.base) throw new LicetError("policy_unchanged");
  await withBaseline(deps, space, candidate.own);
  return candidate;
}

async function requestedPacks(read: Reader, space: string, id: string): Promise<GivenPacks> {
  const row = await publicationRequest(read, space, id);
  if (row === undefined) throw new LicetError("not_found", { message: `there is no request \`${id}\` for a publication in this space` });
  const { packs, remove } = PublishPolicyDetail.parse(parseJson(row.detail));
  return { packs, remove };
}
