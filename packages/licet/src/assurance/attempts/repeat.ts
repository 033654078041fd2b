import { createHash } from "node:crypto";
import { componentsOf, knownBefore } from "@licet/assurance";
import { CheckResult, type AssuranceCheck, type ReleaseBundle, type RepeatView, type Tier } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { newId } from "../../base/ids.ts";
import { findRelease } from "../../inventory/store.ts";
import { declaredFiles } from "../declared-check.ts";
import type { HeldFiles } from "../held-files.ts";
import { findTicket, resultsOfTicket, type Reader, type ResultRow, type Ticket } from "../store.ts";
import type { AssuranceDeps } from "../ticket.ts";
import { compareResults } from "./compare.ts";
import { drawnRepeatOf, lastInLog } from "./store.ts";

export interface RepeatDeps extends AssuranceDeps {
  readonly files: HeldFiles;
  readonly tierOf: (space: string, bundle: ReleaseBundle) => Promise<Tier>;
  /** Has the server's own runner make one check as the ticket reserved it. */
  readonly again: (order: { readonly ticket: Ticket; readonly check: AssuranceCheck; readonly release: ReleaseBundle }) => Promise<CheckResult>;
}

const tiersRepeated: readonly Tier[] = ["high", "critical"];

/**
 * Which of several results is made again: the first six bytes of SHA-256 of the entry's id, modulo their number, in the order of their
 * check ids. The id holds 80 random bits that the server makes when the last result is in; whoever has the log draws the same.
 */
export function drawnOf<T>(from: string, among: readonly T[]): T | undefined {
  const number = createHash("sha256").update(`licet-repeat/v1\n${from}`).digest().readUIntBE(0, 6);
  return among[number % among.length];
}

export interface Drawn {
  readonly ticket: Ticket;
  readonly release: ReleaseBundle;
  readonly from: string;
  readonly among: readonly string[];
  readonly row: ResultRow;
  readonly check: AssuranceCheck;
}

/** Whether the files alone give the figures, so that the server's runner can come to them too. */
export function runsOnServer(check: AssuranceCheck, bundle: ReleaseBundle): boolean {
  const files = declaredFiles(bundle);
  return knownBefore(check) && componentsOf(check).every((name) => files.has(name));
}

/**
 * What is owed for a ticket. Undefined where nothing is: the ticket is not back, its system is not of a high tier, its producer
 * is the server's runner or does not count there, or nothing of it follows from files alone.
 */
export async function drawnFor(deps: Pick<RepeatDeps, "tierOf">, db: Reader, at: { readonly space: string; readonly ticket: string }): Promise<Drawn | undefined> {
  const ticket = await findTicket(db, at.space, at.ticket);
  if (ticket?.status !== "returned" || ticket.producer !== "ci") return undefined;
  const release = (await findRelease(db, at.space, ticket.system, ticket.release))?.bundle;
  if (release === undefined || !tiersRepeated.includes(await deps.tierOf(at.space, release))) return undefined;
  const declared = new Map((release.manifest.assurance?.checks ?? []).map((check) => [check.id, check]));
  const own = (await resultsOfTicket(db, at.space, ticket.id)).filter((row) => ticket.checks.includes(row.check_id));
  const from = await lastInLog(db, at.space, own.map(({ entry }) => entry));
  const candidates = own.flatMap((row) => {
    const check = declared.get(row.check_id);
    return check !== undefined && row.verdict !== "errored" && runsOnServer(check, release) ? [{ row, check }] : [];
  });
  const drawn = from === undefined ? undefined : drawnOf(from, candidates);
  return drawn === undefined || from === undefined ? undefined : { ticket, release, from, among: candidates.map(({ row }) => row.id), ...drawn };
}

export async function repeatView(deps: Pick<RepeatDeps, "tierOf" | "files" | "read">, space: string, id: string): Promise<RepeatView | null> {
  const drawn = await drawnFor(deps, deps.read, { space, ticket: id });
  if (drawn === undefined) return null;
  const done = await drawnRepeatOf(deps.read, space, id);
  const common = { check: drawn.check.id, reported: drawn.row.id };
  if (done === undefined) return { ...common, state: "owed", lacking: await lackingFor(deps.files, drawn), differences: [], entry: null };
  return { ...common, state: done.agrees ? "agrees" : "disagrees", lacking: [], differences: [...done.differences], entry: done.entry };
}

export function repeatOwed(deps: Pick<RepeatDeps, "tierOf" | "files" | "read">): (space: string, ticket: string) => Promise<boolean> {
  return async (space, ticket) => (await repeatView(deps, space, ticket))?.state === "owed";
}

async function lackingFor(files: HeldFiles, { check, release }: Drawn): Promise<RepeatView["lacking"]> {
  const declared = declaredFiles(release);
  const needed = [...new Set(componentsOf(check))].flatMap((name) => ({ name, digest: declared.get(name) ?? "" }));
  const there = await Promise.all(needed.map(async ({ digest }) => (await files.path(digest)) !== undefined));
  return needed.filter((_, index) => there[index] !== true);
}

/** Makes the drawn check again, once, where its files are held. What comes out is entered, whether it agrees or not. */
export async function repeatDrawn(deps: RepeatDeps, space: string, id: string): Promise<RepeatView | null> {
  const owed = await repeatView(deps, space, id);
  const drawn = owed?.state === "owed" && owed.lacking.length === 0 ? await drawnFor(deps, deps.read, { space, ticket: id }) : undefined;
  if (drawn === undefined) return owed;
  const { ticket, row, check, release, from, among } = drawn;
  const again = await deps.again({ ticket, check, release });
  const comparison = compareResults(CheckResult.parse(parseJson(row.result)), again);
  await deps.recorder.commit(async (tx, time) => {
    if ((await drawnRepeatOf(tx, space, id)) !== undefined) return { nothing: undefined };
    const body = { id: newId("rep", time), ticket: id, system: ticket.system, release: ticket.release, check: check.id, reported: row.id, drawn: { from, among: [...among] }, comparison: { agrees: comparison.agrees, differences: [...comparison.differences] } };
    return { entry: { kind: "check.repeated", space, actor: "server", system: ticket.system, subject: `system:${ticket.system}`, class: "governance", body }, value: undefined };
  });
  return repeatView(deps, space, id);
}
