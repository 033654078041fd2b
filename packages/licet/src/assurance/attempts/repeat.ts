import { createHash } from "node:crypto";
import { componentsOf, knownBefore } from "@licet/assurance";
import { CheckResult, type AssuranceCheck, type Comparison, type ReleaseBundle, type RepeatView, type Tier } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { LicetError } from "../../base/errors.ts";
import { newId } from "../../base/ids.ts";
import { findRelease } from "../../inventory/store.ts";
import { declaredFiles } from "../declared-check.ts";
import type { HeldFiles } from "../held-files.ts";
import { findTicket, resultsOfTicket, type Reader, type ResultRow, type Ticket } from "../store.ts";
import { ticketStatus, type AssuranceDeps } from "../ticket.ts";
import { compareResults } from "./compare.ts";
import { drawnRepeatOf, lastInLog, serverAgreesWith } from "./store.ts";

export type TierOf = (space: string, bundle: ReleaseBundle) => Promise<Tier>;

export interface RepeatDeps extends AssuranceDeps {
  readonly files: HeldFiles;
  readonly tierOf: TierOf;
  /** Has the server's own runner make one check as the ticket reserved it. */
  readonly again: (order: { readonly ticket: Ticket; readonly check: AssuranceCheck; readonly release: ReleaseBundle }) => Promise<CheckResult>;
}

const tiersRepeated: readonly Tier[] = ["high", "critical"];

export function isRepeated(tier: Tier): boolean {
  return tiersRepeated.includes(tier);
}

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
  /** When everything was in that there is. */
  readonly since: number;
  /** What is still owed then is disputed. */
  readonly until: number;
}

/** Whether the files alone give the figures, so that the server's runner can come to them too. */
export function runsOnServer(check: AssuranceCheck, bundle: ReleaseBundle): boolean {
  const files = declaredFiles(bundle);
  return knownBefore(check) && componentsOf(check).every((name) => files.has(name));
}

export interface Drawing {
  readonly tierOf: TierOf;
  readonly now: () => number;
}

/**
 * What is drawn from a ticket. Undefined where nothing is: the ticket is still out, its system is not of a high tier, its producer
 * is the server's runner or does not count there, or nothing of it follows from files alone. Of a ticket whose lease ended before
 * everything was back, it is drawn from what is.
 */
export async function drawnFor({ tierOf, now }: Drawing, db: Reader, at: { readonly space: string; readonly ticket: string }): Promise<Drawn | undefined> {
  const ticket = await findTicket(db, at.space, at.ticket);
  if (ticket?.producer !== "ci" || ticketStatus(ticket, now()) === "open") return undefined;
  const release = (await findRelease(db, at.space, ticket.system, ticket.release))?.bundle;
  if (release === undefined || !isRepeated(await tierOf(at.space, release))) return undefined;
  const declared = new Map((release.manifest.assurance?.checks ?? []).map((check) => [check.id, check]));
  const own = (await resultsOfTicket(db, at.space, ticket.id)).filter((row) => ticket.checks.includes(row.check_id));
  const from = await lastInLog(db, at.space, own.map(({ entry }) => entry));
  const candidates = own.flatMap((row) => {
    const check = declared.get(row.check_id);
    return check !== undefined && row.verdict !== "errored" && runsOnServer(check, release) ? [{ row, check }] : [];
  });
  const drawn = from === undefined ? undefined : drawnOf(from, candidates);
  if (drawn === undefined || from === undefined) return undefined;
  const since = Math.max(...own.map((row) => row.produced_at));
  return { ticket, release, from, among: candidates.map(({ row }) => row.id), ...drawn, since, until: since + ticket.repeatWithinMs };
}

/** Whether somebody has answered for the drawn check: its repetition, or a whole run of the server that came to the same. */
export async function answered(db: Reader, { ticket, row }: Drawn): Promise<boolean> {
  return ((await drawnRepeatOf(db, ticket.space, ticket.id)) ?? (await serverAgreesWith(db, ticket.space, row.id))) !== undefined;
}

export type Viewing = Pick<RepeatDeps, "tierOf" | "files" | "read" | "recorder">;

function drawing({ tierOf, recorder }: Pick<RepeatDeps, "tierOf" | "recorder">): Drawing {
  return { tierOf, now: () => recorder.now() };
}

export async function repeatView(deps: Viewing, space: string, id: string): Promise<RepeatView | null> {
  const drawn = await drawnFor(drawing(deps), deps.read, { space, ticket: id });
  if (drawn === undefined) return null;
  const done = (await drawnRepeatOf(deps.read, space, id)) ?? (await serverAgreesWith(deps.read, space, drawn.row.id));
  const common = { check: drawn.check.id, reported: drawn.row.id, since: drawn.since, until: drawn.until, failed: null };
  if (done === undefined) return { ...common, state: "owed", lacking: [...(await lackingFor(deps.files, drawn))], differences: [], entry: null };
  const state = done.voided !== undefined ? "void" : done.agrees ? "agrees" : "disagrees";
  return { ...common, state, lacking: [], differences: [...done.differences], entry: done.entry };
}

export function repeatOwed(deps: Viewing): (space: string, ticket: string) => Promise<boolean> {
  return async (space, ticket) => (await repeatView(deps, space, ticket))?.state === "owed";
}

async function lackingFor(files: HeldFiles, { check, release }: Drawn): Promise<RepeatView["lacking"]> {
  const declared = declaredFiles(release);
  const needed = [...new Set(componentsOf(check))].flatMap((name) => ({ name, digest: declared.get(name) ?? "" }));
  const there = await Promise.all(needed.map(async ({ digest }) => (await files.path(digest)) !== undefined));
  return needed.filter((_, index) => there[index] !== true);
}

async function owedBy(deps: Viewing, space: string, id: string): Promise<Drawn | undefined> {
  const drawn = await drawnFor(drawing(deps), deps.read, { space, ticket: id });
  return drawn === undefined || (await answered(deps.read, drawn)) ? undefined : drawn;
}

/**
 * Makes the drawn check again, once, where its files are held. What comes out is entered, whether it agrees or not. Throws
 * `runner_failed` where nothing comes out; then it stays owed.
 */
export async function repeatDrawn(deps: RepeatDeps, space: string, id: string): Promise<RepeatView | null> {
  const drawn = await owedBy(deps, space, id);
  if (drawn === undefined || (await lackingFor(deps.files, drawn)).length > 0) return repeatView(deps, space, id);
  const { ticket, row, check, release } = drawn;
  const reported = CheckResult.parse(parseJson(row.result));
  const again = await deps.again({ ticket, check, release });
  // A runner that could not look has found nothing else, and does not answer for what was reported.
  if (again.basis.kind === "none" && reported.basis.kind !== "none") throw new LicetError("runner_failed", { message: `the server's runner came to no figures for \`${check.id}\`: ${again.error?.message ?? again.notes[0] ?? again.reason ?? "no reason was given"}` });
  await entered(deps, drawn, { comparison: compareResults(reported, again) });
  return repeatView(deps, space, id);
}

/** Of a drawn check that was not made again within its time: from now on its run is disputed. Answers whether it was so. */
export async function voidOverdue(deps: Viewing, space: string, id: string): Promise<boolean> {
  const drawn = await owedBy(deps, space, id);
  if (drawn === undefined || deps.recorder.now() < drawn.until) return false;
  const lacking = await lackingFor(deps.files, drawn);
  const because = lacking.length === 0 ? "the server's runner did not come to an end with it" : `the server lacks ${lacking.map(({ name }) => `\`${name}\``).join(", ")}`;
  const voided = `not made again by ${new Date(drawn.until).toISOString()}: ${because}`.slice(0, reasonCharactersMax);
  await entered(deps, drawn, { comparison: { agrees: false, differences: [voided] }, voided });
  return true;
}

const reasonCharactersMax = 500;

async function entered(deps: Pick<AssuranceDeps, "recorder">, drawn: Drawn, { comparison, voided }: { readonly comparison: Comparison; readonly voided?: string }): Promise<void> {
  const { ticket, row, check, from, among } = drawn;
  const { space, system } = ticket;
  await deps.recorder.commit(async (tx, time) => {
    if (await answered(tx, drawn)) return { nothing: undefined };
    const body = {
      id: newId("rep", time),
      ticket: ticket.id,
      system,
      release: ticket.release,
      check: check.id,
      reported: row.id,
      drawn: { from, among: [...among] },
      comparison: { agrees: comparison.agrees, differences: [...comparison.differences] },
      ...(voided !== undefined && { voided }),
    };
    return { entry: { kind: "check.repeated", space, actor: "server", system, subject: `system:${system}`, class: "governance", body }, value: undefined };
  });
}
