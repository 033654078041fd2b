import { LicetError, PackSources, PublishPolicyDetail, spacePacksBytesMax, type PackSource } from "@licet/contract";
import { digestOf, parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Recorder } from "../ledger/recorder.ts";
import type { Bundle } from "./bundle-form.ts";
import type { Composed } from "./compose.ts";
import { publicationDraft, publishUnlessActive } from "./publish.ts";
import { activeDigest, lastPublication, publicationOfRequest, spacesWithPolicies, type Reader } from "./store.ts";

/** The organisation's baseline stands in this space and is part of every other one's bundle. */
export const baselineSpace = "main";

/** Composes the installation's packs with these and validates strictly; throws what is wrong with them. */
export type Compile = (packs: readonly PackSource[]) => Promise<Composed>;

export interface PublicationDeps {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly compile: Compile;
}

/** Packs that replace or join the space's own by name, and names of those that go. */
export interface GivenPacks {
  readonly packs: readonly PackSource[];
  readonly remove: readonly string[];
}

export interface Candidate extends Composed {
  /** The space's own packs, as they would be. */
  readonly own: readonly PackSource[];
  /** Digest of the bundle that was active when this one was composed. */
  readonly base: string;
}

export const nothingGiven: GivenPacks = { packs: [], remove: [] };

/** The packs that the space has published itself. */
export async function ownPacks(db: Reader, space: string): Promise<readonly PackSource[]> {
  const row = await lastPublication(db, space);
  return row === undefined ? [] : PackSources.parse(parseJson(row.packs));
}

/** The organisation's baseline as another space is bound by it; `main` holds it among its own. */
export async function baselineFor(db: Reader, space: string): Promise<readonly PackSource[]> {
  return space === baselineSpace ? [] : (await ownPacks(db, baselineSpace)).filter(isBaseline);
}

function isBaseline({ manifest }: PackSource): boolean {
  return manifest.kind === "baseline";
}

/**
 * Composes what publishing would publish. Nothing of a client's own work is believed: the server compiles the sources.
 * Throws `policy_not_published`, `policy_pack_place`, `not_found`, and what `compile` throws.
 */
export async function candidateOf({ read, compile }: Pick<PublicationDeps, "read" | "compile">, space: string, given: GivenPacks): Promise<Candidate> {
  const base = await activeDigest(read, space);
  if (base === undefined) throw new LicetError("policy_not_published");
  const own = merged(await ownPacks(read, space), given);
  const baseline = await baselineFor(read, space);
  refuseMisplaced(space, own, baseline);
  return { own, base, ...(await compile([...baseline, ...own])) };
}

function merged(own: readonly PackSource[], { packs, remove }: GivenPacks): readonly PackSource[] {
  const missing = remove.find((name) => !own.some((pack) => pack.name === name));
  if (missing !== undefined) throw new LicetError("not_found", { message: `the space has no pack \`${missing}\` of its own` });
  const names = new Set([...remove, ...packs.map(({ name }) => name)]);
  if (names.size < remove.length + packs.length) throw new LicetError("policy_pack_place", { message: "a pack is named twice" });
  return [...own.filter(({ name }) => !names.has(name)), ...packs].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function refuseMisplaced(space: string, own: readonly PackSource[], baseline: readonly PackSource[]): void {
  for (const { name, manifest } of own) {
    if (manifest.kind === "builtin") throw new LicetError("policy_pack_place", { message: `the pack \`${name}\` says that it is builtin` });
    if (manifest.kind === "baseline" && space !== baselineSpace) throw new LicetError("policy_pack_place", { message: `the pack \`${name}\` says that it is the organisation's baseline, outside of \`${baselineSpace}\`` });
    if (baseline.some((other) => other.name === name)) throw new LicetError("policy_pack_place", { message: `the organisation's baseline has a pack \`${name}\` already; give yours another name` });
  }
  const bytes = own.reduce((sum, pack) => sum + Buffer.byteLength(JSON.stringify(pack)), 0);
  if (bytes > spacePacksBytesMax) throw new LicetError("body_too_large", { message: `the space's packs would have ${bytes} bytes; ${spacePacksBytesMax} are allowed` });
}

export interface ApprovedPublication {
  readonly id: string;
  readonly space: string;
  readonly detail: unknown;
  readonly requestedBy: string;
}

export interface MoveEnd {
  readonly outcome: string;
  readonly approvals: readonly string[];
}

/**
 * What an approved request does. It is composed again from what is active now: approvals given while another bundle was
 * active do not count, so what is published follows from what was approved. A repeated call finds the publication done.
 */
export async function carryOutPublication(deps: PublicationDeps, request: ApprovedPublication, end: MoveEnd): Promise<{ readonly returned: string } | undefined> {
  const { id, space, requestedBy } = request;
  if ((await publicationOfRequest(deps.read, space, id)) !== undefined) return undefined;
  const detail = PublishPolicyDetail.parse(request.detail);
  const proposal = await composeOrSay(deps, space, detail);
  if ("returned" in proposal) return proposal;
  const { candidate, others } = proposal;
  if (candidate.bundle.digest === candidate.base) return { returned: "the bundle would be the one that is active" };
  await deps.recorder.commit(async (tx) => {
    if ((await publicationOfRequest(tx, space, id)) !== undefined) return { nothing: undefined };
    if ((await activeDigest(tx, space)) !== candidate.base) throw new LicetError("policy_base_changed");
    const move = { request: id, outcome: end.outcome, approvals: end.approvals };
    return { entry: publicationDraft({ space, bundle: candidate.bundle, packs: candidate.own, occasion: "request", comment: detail.comment, by: requestedBy, move }), value: undefined };
  });
  for (const { space: other, ...composition } of others) {
    await publishUnlessActive(deps.recorder, { space: other, ...composition, occasion: "baseline", comment: `the baseline of ${baselineSpace} changed`, by: "server" });
  }
  return undefined;
}

const Ids = z.array(z.string());

/** What the publication that a request led to says that it ended on; undefined while there is none. */
export async function endOfPublication(db: Reader, space: string, request: string): Promise<MoveEnd | undefined> {
  const row = await publicationOfRequest(db, space, request);
  return row === undefined ? undefined : { outcome: row.outcome, approvals: Ids.parse(parseJson(row.approvals)) };
}

interface Composition {
  readonly space: string;
  readonly bundle: Bundle;
  readonly packs: readonly PackSource[];
}

type Proposal = { readonly candidate: Candidate; readonly others: readonly Composition[] } | { readonly returned: string };

async function composeOrSay(deps: PublicationDeps, space: string, given: GivenPacks): Promise<Proposal> {
  try {
    const candidate = await candidateOf(deps, space, given);
    return { candidate, others: await withBaseline(deps, space, candidate.own) };
  } catch (error) {
    if (error instanceof LicetError && error.code !== "internal") return { returned: `it cannot be published as it stands: ${error.message}` };
    throw error;
  }
}

/**
 * Every other space's bundle with the baseline that `main` would have; empty when it stays as it is. A baseline that
 * some space's packs do not go together with is refused as a whole: nowhere may it hold only in part.
 */
export async function withBaseline({ read, compile }: Pick<PublicationDeps, "read" | "compile">, space: string, own: readonly PackSource[]): Promise<readonly Composition[]> {
  if (space !== baselineSpace) return [];
  const baseline = own.filter(isBaseline);
  if (JSON.stringify((await ownPacks(read, space)).filter(isBaseline)) === JSON.stringify(baseline)) return [];
  const compositions: Composition[] = [];
  for (const other of (await spacesWithPolicies(read)).filter((each) => each !== space)) {
    const packs = await ownPacks(read, other);
    compositions.push({ space: other, packs, bundle: await named(other, () => composedWith(compile, { space: other, baseline, packs })) });
  }
  return compositions;
}

async function composedWith(compile: Compile, { space, baseline, packs }: { readonly space: string; readonly baseline: readonly PackSource[]; readonly packs: readonly PackSource[] }): Promise<Bundle> {
  refuseMisplaced(space, packs, baseline);
  return (await compile([...baseline, ...packs])).bundle;
}

async function named<T>(space: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LicetError)) throw error;
    throw new LicetError(error.code, { message: `with the packs of the space \`${space}\`: ${error.message}` });
  }
}

const composedMax = 8;

/**
 * One compilation at a time: each takes a thread and some seconds, and whoever waits is served in turn. The last few are
 * kept, because what is checked is asked for next, and then approved: same sources, same bundle.
 */
export function inTurn(compile: Compile): Compile {
  let last: Promise<unknown> = Promise.resolve();
  const known = new Map<string, Composed>();
  const composed = async (packs: readonly PackSource[]): Promise<Composed> => {
    const sources = digestOf(packs);
    const ready = known.get(sources) ?? (await compile(packs));
    known.delete(sources);
    known.set(sources, ready);
    const oldest = known.keys().next();
    if (known.size > composedMax && oldest.done !== true) known.delete(oldest.value);
    return ready;
  };
  return (packs) => {
    const next = last.then(() => composed(packs));
    last = next.catch(() => undefined);
    return next;
  };
}
