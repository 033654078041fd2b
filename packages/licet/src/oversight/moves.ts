import { LicetError, type ApprovingRole, type GateMove } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import { z } from "zod";
import { newId } from "../base/ids.ts";
import type { Draft, Recorder } from "../ledger/recorder.ts";
import { endOfPublication } from "../policy/publication.ts";
import { activeBundleDigest } from "../policy/publish.ts";
import type { Authors } from "./counts.ts";
import { countPeople, findPersonByEmail } from "../identity/store.ts";
import { findRelease, findSystem } from "../inventory/store.ts";
import type { Judged } from "./judge.ts";
import { everHeld, findHold, findRequest, type Reader, type StoredRequest } from "./store.ts";
import { waiverDraft } from "./waivers.ts";
import { weighApprovals } from "./weigh.ts";

/**
 * Gate moves besides promotions: lifting a hold, a waiver, registering a provider or a CI, granting a role, privacy settings, an erasure, policies. One approval by another
 * person carries them out; while nobody else ever could approve, the asker acts alone and the record says
 * `sole operator`. Somebody who ever could approve keeps that state closed: sending approvers away, or making them
 * administrators, opens nothing.
 */
export type OtherMove = Exclude<GateMove, "promote">;

export const moveRoles: Readonly<Record<OtherMove, readonly ApprovingRole[]>> = {
  "lift-hold": ["security-engineer", "risk-owner", "authorizing-official"],
  "register-provider": ["security-engineer", "risk-owner"],
  "register-ci": ["security-engineer", "risk-owner"],
  "grant-role": ["security-engineer", "risk-owner"],
  "set-privacy": ["risk-owner", "authorizing-official"],
  erase: ["risk-owner", "authorizing-official"],
  "publish-policy": ["risk-owner", "authorizing-official", "security-engineer"],
  "grant-access": ["risk-owner", "authorizing-official", "security-engineer"],
  "grant-waiver": ["risk-owner"],
};

export const soleOperator = "sole operator";

/** Why what was approved could not be carried out: its request is returned to who asked. */
export interface Returned {
  readonly returned: string;
}

/** Carries out what was approved. MUST be idempotent: after a crash it is called again for the same request. */
export type Effect = (request: StoredRequest, end: MoveEnd) => Promise<Returned | void>;
/** A granted access is its closed request, and nothing else has to happen. */
export type Effects = Readonly<Record<Exclude<OtherMove, "lift-hold" | "grant-access" | "grant-waiver">, Effect>>;

export interface Opening {
  readonly space: string;
  readonly move: GateMove;
  readonly system: string | null;
  readonly release: string | null;
  readonly stage: "experiment" | "pilot" | "production" | null;
  readonly environment: string | null;
  readonly detail: StoredRequest["detail"];
  readonly by: string;
}

export function openingDraft(opening: Opening, id: string): Draft {
  const { space, move, system, release, stage, environment, detail, by } = opening;
  return {
    kind: "request.opened",
    space,
    actor: by,
    ...(system !== null && { system }),
    subject: subjectOf(system),
    class: "governance",
    body: { request: id, move, system, release, stage, environment, detail, requestedBy: by },
  };
}

export function subjectOf(system: string | null): string {
  return system === null ? "space" : `system:${system}`;
}

export function isOtherMove(move: GateMove): move is OtherMove {
  return move !== "promote";
}

/** Nobody stands on both sides: neither who asks, nor whom the role is for or whose record is erased. */
function partiesOf(request: StoredRequest): ReadonlySet<string> {
  const beneficiary = request.move === "grant-role" ? request.detail["person"] : erasedPerson(request);
  return new Set([request.requestedBy, ...(typeof beneficiary === "string" ? [beneficiary] : [])]);
}

/**
 * What a CI produces counts above minimal tier, so whoever could gain by it does not let it in: neither who asks, nor the
 * system's technical owner, nor who pushed its latest release. A role or an account that one of them gave counts for nothing.
 */
async function ciParties(db: Reader, request: StoredRequest): Promise<Authors> {
  const { space, system, requestedBy } = request;
  const found = system === null ? undefined : await findSystem(db, space, system);
  const release = found === undefined ? undefined : await findRelease(db, space, found.name, found.latest_release);
  if (release === undefined) return { ids: new Set([requestedBy]), emails: new Set(), grantsCount: false };
  const technical = release.bundle.manifest.owners.technical.toLowerCase();
  const owner = await findPersonByEmail(db, space, technical);
  return { ids: new Set([requestedBy, release.pushed_by, ...(owner === undefined ? [] : [owner.id])]), emails: new Set([technical]), grantsCount: false };
}

const ErasesPerson = z.object({ target: z.object({ kind: z.literal("person"), person: z.string() }) });

function erasedPerson({ move, detail }: StoredRequest): string | undefined {
  return move === "erase" ? ErasesPerson.safeParse(detail).data?.target.person : undefined;
}

export async function judgeMove(db: Reader, request: StoredRequest & { readonly move: OtherMove }, now: number): Promise<Judged> {
  const { space, id, move, system, detail } = request;
  const factsDigest = digestOf({ request: id, move, system, detail });
  const policyDigest = await activeBundleDigest(db, space);
  const authors = move === "register-ci" ? await ciParties(db, request) : { ids: partiesOf(request), emails: new Set<string>(), grantsCount: true };
  const weighed = await weighApprovals(db, space, { request: id, now, factsDigest, policyDigest, authors });
  return { gate: null, factsDigest, policyDigest, authors, weighed, roles: moveRoles[move], requirement: `move.${move}` };
}

export interface MoveEnd {
  readonly outcome: string;
  readonly approvals: readonly string[];
}

async function ready(db: Reader, request: StoredRequest & { readonly move: OtherMove }, now: number): Promise<MoveEnd | undefined> {
  // A publication makes its own approvals stale: when a crash stood before the closing, the publication itself says what it ended on.
  const published = request.move === "publish-policy" ? await endOfPublication(db, request.space, request.id) : undefined;
  if (published !== undefined) return published;
  const judged = await judgeMove(db, request, now);
  const roles: readonly string[] = moveRoles[request.move];
  const approval = judged.weighed.find((each) => each.counts && roles.includes(each.row.role));
  if (approval !== undefined) return { outcome: `approved by another person as ${approval.row.role}${approval.early ? ", marked: the role is young, or was given by who asks" : ""}`, approvals: [approval.row.id] };
  // A program that asks is nobody's sole operator: only a person answers it.
  return request.move !== "grant-access" && (await isAlone(db, request)) ? { outcome: soleOperator, approvals: [] } : undefined;
}

async function isAlone(db: Reader, request: StoredRequest & { readonly move: OtherMove }): Promise<boolean> {
  // Others may be there who hold no approving role yet: then one of them gets it, and the request waits.
  if (request.move === "register-ci" && (await countPeople(db, request.space)) > 1) return false;
  const held = await everHeld(db, request.space, moveRoles[request.move]);
  // Whom a role would disarm is a second person, not a party: administrators approve nothing.
  const disarms = (request.move === "grant-role" && request.detail["role"] === "administrator") || erasedPerson(request) !== undefined;
  const parties = disarms ? new Set([request.requestedBy]) : partiesOf(request);
  return held.every((person) => parties.has(person));
}

export interface MoveOptions {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly effects: Effects;
}

/** Opens the request and carries it out where nobody has to be waited for. Answers the request's id. */
export async function openMove(options: MoveOptions, opening: Omit<Opening, "release" | "stage" | "environment"> & { readonly move: OtherMove }): Promise<string> {
  const { value: id } = await options.recorder.commit(async (_tx, time) => {
    const request = newId("req", time);
    return { entry: openingDraft({ ...opening, release: null, stage: null, environment: null }, request), value: request };
  });
  await settleMove(options, opening.space, id);
  return id;
}

/** Carries out an approved move and closes its request. Safe to call at any time and again. */
export async function settleMove(options: MoveOptions, space: string, id: string): Promise<void> {
  const request = await findRequest(options.read, space, id);
  if (request?.status !== "open") return;
  const { move } = request;
  if (move === "promote") throw new LicetError("internal", { message: "a promotion is settled by its gate" });
  if (move === "lift-hold") return settleLift(options, request);
  if (move === "grant-waiver") return settleWaiver(options, request);
  const end = await ready(options.read, { ...request, move }, options.recorder.now());
  if (end === undefined) return undefined;
  const refused = move === "grant-access" ? undefined : await options.effects[move](request, end);
  await options.recorder.commit(async (tx) => {
    const now = await findRequest(tx, space, id);
    if (now?.status !== "open") return { nothing: undefined };
    return { entry: refused === undefined ? closing(request, end) : closing(request, { outcome: refused.returned, approvals: [] }, "returned"), value: undefined };
  });
  return undefined;
}

function closing(request: StoredRequest, end: MoveEnd, status: "granted" | "returned" = "granted"): Draft {
  const { space, id, system } = request;
  return { kind: "request.closed", space, actor: "server", ...(system !== null && { system }), subject: subjectOf(system), class: "governance", body: { request: id, status, outcome: end.outcome, approvals: end.approvals } };
}

/** Lifting, closing and spending are one entry: there is nothing between them to crash in. */
async function settleLift(options: MoveOptions, { space, id }: StoredRequest): Promise<void> {
  await options.recorder.commit(async (tx, time) => {
    const request = await findRequest(tx, space, id);
    if (request?.status !== "open" || request.move !== "lift-hold") return { nothing: undefined };
    const { system, detail, requestedBy } = request;
    const hold = typeof detail["hold"] === "string" ? await findHold(tx, space, detail["hold"]) : undefined;
    if (hold === undefined || hold.lifted_at !== null) return { entry: closing(request, { outcome: "the hold is not in force", approvals: [] }, "returned"), value: undefined };
    const end = await ready(tx, { ...request, move: "lift-hold" }, time);
    if (end === undefined) return { nothing: undefined };
    const body = { hold: hold.id, request: id, liftedBy: requestedBy, outcome: end.outcome, approvals: end.approvals };
    return { entry: { kind: "hold.lifted", space, actor: requestedBy, ...(system !== null && { system }), subject: subjectOf(system), class: "governance", body }, value: undefined };
  });
}

/** Granting, closing and spending are one entry, as with a lifted hold. */
async function settleWaiver(options: MoveOptions, { space, id }: StoredRequest): Promise<void> {
  await options.recorder.commit(async (tx, now) => {
    const found = await findRequest(tx, space, id);
    if (found?.status !== "open" || found.move !== "grant-waiver") return { nothing: undefined };
    const request = { ...found, move: found.move };
    const end = await ready(tx, request, now);
    if (end === undefined) return { nothing: undefined };
    const draft = await waiverDraft(tx, { request, judged: await judgeMove(tx, request, now), ...end, now });
    return { entry: "returned" in draft ? closing(request, { outcome: draft.returned, approvals: [] }, "returned") : draft, value: undefined };
  });
}
