import { allows, errorInfo, isErrorCode, LicetError, roles, TrafficStage, type RouteAnswer } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import { atoFor, findDeployment } from "../ato/store.ts";
import { atoState } from "../ato/view.ts";
import { findDecision } from "../gateway/store.ts";
import type { Caller } from "../http/handlers.ts";
import { holdersOf } from "../identity/store.ts";
import { findRelease } from "../inventory/store.ts";
import { holdsOn, openPromotion, openRequests } from "../oversight/store.ts";
import { bundleByDigest } from "../policy/publish.ts";
import { stepsOf, turnOf, type Place } from "./explain-steps.ts";
import type { Reader } from "./store.ts";
import { findingsIn, parsed, textOrNull } from "./traffic-row.ts";

export type Explanation = RouteAnswer<"explainDecision">;
type RequestView = RouteAnswer<"requestAccess">["request"];

export interface AccessMoves {
  readonly promote: (asked: { readonly space: string; readonly system: string; readonly release: string; readonly to: TrafficStage; readonly environment: string; readonly by: string }) => Promise<RequestView>;
  readonly liftHold: (asked: { readonly space: string; readonly hold: string; readonly reason: string; readonly by: string }) => Promise<RequestView>;
  /** One that is open already. */
  readonly show: (space: string, request: string) => Promise<RequestView>;
}

export interface ExplainParts {
  readonly read: Reader;
  readonly now: () => number;
  /** Address of a decision's page. */
  readonly decisionUrl: (space: string, decision: string) => string;
  readonly moves: AccessMoves;
}

type Loose = Readonly<Record<string, unknown>>;
type Decided = NonNullable<Awaited<ReturnType<typeof findDecision>>>;

/** A recorded decision with everything that explains it. */
interface Known {
  readonly space: string;
  readonly row: Decided;
  readonly detail: Loose;
  readonly code: string | null;
  readonly deployment: Awaited<ReturnType<typeof findDeployment>>;
  readonly hold: Awaited<ReturnType<typeof holdsOn>>[number] | undefined;
}

async function known(read: Reader, space: string, id: string): Promise<Known> {
  const row = await findDecision(read, space, id);
  if (row === undefined) throw new LicetError("not_found", { message: `there is no decision \`${id}\` in this space` });
  const outcome = parsed(row.outcome) ?? {};
  const [hold] = row.system === null ? [] : await holdsOn(read, space, row.system);
  return {
    space,
    row,
    detail: parsed(row.detail) ?? {},
    code: row.code ?? textOrNull(outcome, "code"),
    deployment: row.deployment === null ? undefined : await findDeployment(read, space, row.deployment),
    hold,
  };
}

/** Why, what to do and whose turn: from the record, the bundle that decided, and how things stand now. */
export async function explainDecision(parts: ExplainParts, asked: { readonly space: string; readonly decision: string }, caller: Caller): Promise<Explanation> {
  const { read } = parts;
  const of = await known(read, asked.space, asked.decision);
  const { row, code, deployment } = of;
  const checks = await checksOf(read, of);
  const turn = turnOfAll(code, checks);
  const move = await moveOf(parts, of);
  return {
    decision: row.id,
    at: row.decided_at,
    system: row.system,
    environment: deployment?.environment ?? null,
    verdict: row.decision === "allow" ? "allow" : "deny",
    code,
    ...texts(code),
    checks,
    turn,
    people: [...(await peopleOf(read, of, turn))],
    steps: code === null ? [] : [...stepsOf(code, placeOf(of, checks))],
    ...asking(move, caller),
    stillSo: await standsStill(parts, of),
    url: parts.decisionUrl(asked.space, row.id),
  };
}

function turnOfAll(code: string | null, checks: Explanation["checks"]): string {
  return code === null ? "" : (checks.find((check) => check.turn !== null)?.turn ?? turnOf(code));
}

function asking(move: Move | undefined, caller: Caller): Pick<Explanation, "request" | "mayRequest" | "open"> {
  return move === undefined ? { request: null, mayRequest: false, open: null } : { request: move.request, mayRequest: allows(caller.roles, move.permission), open: move.open };
}

function texts(code: string | null): Pick<Explanation, "what" | "why" | "fix"> {
  if (code === null) return { what: "the call was allowed", why: "its release, its authorization, the data in it and every policy permit it", fix: "" };
  if (!isErrorCode(code)) return { what: code, why: "", fix: "" };
  const { what, why, fix } = errorInfo(code);
  return { what, why, fix };
}

async function checksOf(read: Reader, { space, detail, code }: Known): Promise<Explanation["checks"]> {
  const reasons = Array.isArray(detail["reasons"]) ? detail["reasons"].filter(isRecord) : [];
  const digest = textOrNull(detail, "policyBundle");
  const bundle = digest === null ? undefined : await bundleByDigest(read, space, digest);
  if (code === null) return [];
  const policies = new Map(bundle?.policies.map((policy) => [policy.id, policy]));
  // A policy that permitted the call stands in its record too, and is none of what refused it.
  const against = reasons.filter((reason) => policies.get(textOrNull(reason, "policy") ?? "")?.effect !== "permit");
  return against.map((reason) => {
    const policy = textOrNull(reason, "policy") ?? "";
    const annotations = policies.get(policy)?.annotations ?? {};
    const own = policy.startsWith("gateway.") ? policy.slice("gateway.".length) : "";
    return {
      policy,
      title: annotations["title"] ?? (isErrorCode(own) ? `demanded by the gateway itself${own === code ? "" : `: ${errorInfo(own).why}`}` : null),
      requirement: annotations["requirement"] ?? textOrNull(reason, "requirement"),
      component: textOrNull(reason, "component"),
      remedy: textOrNull(reason, "remedy") ?? annotations["remedy"] ?? null,
      turn: annotations["turn"] ?? null,
    };
  });
}

function placeOf({ row, detail, deployment, hold }: Known, checks: Explanation["checks"]): Place {
  return {
    system: row.system ?? "SYSTEM",
    ...(deployment === undefined ? { stage: "STAGE", environment: "ENVIRONMENT" } : { stage: deployment.stage, environment: deployment.environment }),
    model: row.model,
    provider: textOrNull(detail, "provider"),
    component: checks.find((check) => check.component !== null)?.component ?? null,
    findings: findingsIn(detail, parsed(row.outcome) ?? {}),
    hold: hold?.id ?? null,
    remedy: checks.find((check) => check.remedy !== null)?.remedy ?? null,
  };
}

/** Roles are held by people of the space; owners are named in the release that was called. */
async function peopleOf(read: Reader, { space, row }: Known, turn: string): Promise<ReadonlySet<string>> {
  const names = turn.split(",").map((name) => name.trim()).filter((name) => name !== "");
  const release = row.system === null || row.release === null ? undefined : await findRelease(read, space, row.system, row.release);
  const owners = release?.bundle.manifest.owners;
  const owned: Readonly<Record<string, string | undefined>> = { "technical-owner": owners?.technical, "business-owner": owners?.business, "risk-owner": owners?.risk };
  const people = new Set<string>();
  for (const name of names) {
    const owner = owned[name];
    if (owner !== undefined) people.add(owner);
    const role = roles.find((each) => each === name);
    if (role !== undefined) for (const { email } of await holdersOf(read, space, role)) people.add(email);
  }
  return people;
}

interface Move {
  readonly request: NonNullable<Explanation["request"]>;
  readonly permission: "promotion.request" | "hold.lift";
  readonly open: string | null;
}

const byPromotion: ReadonlySet<string> = new Set(["ato_missing", "ato_expired", "ato_revoked"]);

/** The existing approval that lifts the refusal, where one does. Nothing is approved past a boundary: that is a new release. */
async function moveOf({ read }: ExplainParts, { space, code, deployment, hold }: Known): Promise<Move | undefined> {
  if (code === "held") return hold && lifting(read, space, hold);
  return code !== null && byPromotion.has(code) && deployment !== undefined ? promoting(read, space, deployment) : undefined;
}

async function lifting(read: Reader, space: string, hold: NonNullable<Known["hold"]>): Promise<Move> {
  const open = (await openRequests(read, space)).find(({ move, detail }) => move === "lift-hold" && detail["hold"] === hold.id);
  return { request: { kind: "lift-hold", title: `lift the hold on ${hold.system ?? "everything"}`, hold: hold.id }, permission: "hold.lift", open: open?.id ?? null };
}

async function promoting(read: Reader, space: string, { system, environment, release, ...deployment }: NonNullable<Known["deployment"]>): Promise<Move | undefined> {
  const stage = TrafficStage.safeParse(deployment.stage).data;
  if (stage === undefined) return undefined;
  const open = await openPromotion(read, space, { system, release, stage, environment });
  return { request: { kind: "promote", title: `promote ${system} to ${stage} in ${environment}`, to: stage, environment }, permission: "promotion.request", open: open?.id ?? null };
}

/** Only for what the record itself shows; whether data or a prompt would pass now, only another call shows. */
async function standsStill({ read, now }: ExplainParts, { space, code, hold, deployment }: Known): Promise<boolean | null> {
  if (code === "held") return hold !== undefined;
  if (code?.startsWith("ato_") !== true || deployment === undefined) return null;
  const ato = await atoFor(read, space, deployment);
  const state = ato === undefined ? "missing" : atoState(ato, { now: now(), held: hold !== undefined });
  return state !== "granted" && state !== "conditional";
}

/** Opens the approval, or answers the one that is open. Throws `nothing_to_request`, `permission_denied`. */
export async function requestAccess(parts: ExplainParts, asked: { readonly space: string; readonly decision: string; readonly reason: string }, caller: Caller): Promise<{ readonly done: boolean; readonly request: RequestView }> {
  const of = await known(parts.read, asked.space, asked.decision);
  const move = await moveOf(parts, of);
  if (move === undefined) throw new LicetError("nothing_to_request");
  if (!allows(caller.roles, move.permission)) throw new LicetError("permission_denied", { message: `this needs the permission \`${move.permission}\`` });
  const request = move.open === null ? await opened(parts, of, { ...asked, move, by: caller.personId }) : await parts.moves.show(asked.space, move.open);
  return { done: request.status === "granted", request };
}

async function opened({ moves }: ExplainParts, { space, deployment }: Known, { move, reason, by }: { readonly move: Move; readonly reason: string; readonly by: string }): Promise<RequestView> {
  const { request } = move;
  if (request.kind === "lift-hold") return moves.liftHold({ space, hold: request.hold, reason, by });
  if (deployment === undefined) throw new LicetError("nothing_to_request");
  return moves.promote({ space, system: deployment.system, release: deployment.release, to: TrafficStage.parse(request.to), environment: request.environment, by });
}
