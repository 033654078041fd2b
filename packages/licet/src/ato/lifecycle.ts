import { LicetError, type GateAnswer } from "@licet/contract";
import type { Envelope, Statement } from "@licet/evidence";
import { newId } from "../base/ids.ts";
import type { Draft, Recorder, Work } from "../ledger/recorder.ts";
import type { Judged } from "../oversight/judge.ts";
import { openingDraft } from "../oversight/moves.ts";
import type { Promotions } from "../oversight/oversight.ts";
import { emailsOf, findRequest, openPromotion, type StoredRequest } from "../oversight/store.ts";
import { daysMax } from "./declared-facts.ts";
import { gatherFacts, type Gathered, type Question } from "./facts.ts";
import { decideGate, type GateWatch } from "./gate.ts";
import { countedApprovals } from "./gate-request.ts";
import { atoStatement, type Grant } from "./statement.ts";
import { findAto, type Reader } from "./store.ts";

/**
 * How a promotion lives.
 *
 *     open ── gate allows ──> granted (an ATO exists)      open ── return ──> returned      open ── refuse ──> refused
 *
 * A request is opened in one entry and granted in another. Between them anything may happen, a crash too: `settle`
 * asks the gate again each time and grants when it allows, so it is run at the request, after every entry that can
 * meet a requirement, and at start. Facts, decision and grant stand in one transaction: what is granted is what held.
 *
 * How an ATO lives: granted; suspended and back; revoked, which is final. `expired` is not an event: it is what a
 * clock past `notAfter` makes of any ATO that is not revoked. A newer ATO for the same place supersedes (revokes) the
 * older. One grant spends its approvals: the next needs new ones.
 */
export interface AtoOptions {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly signStatement: (statement: Statement) => Envelope;
  readonly watch?: ((space: string) => GateWatch) | undefined;
}

const dayMilliseconds = 86_400_000;

export interface Promotion {
  readonly space: string;
  readonly system: string;
  readonly release?: string | undefined;
  readonly to: "experiment" | "pilot" | "production";
  readonly environment: string;
  readonly days?: number | undefined;
  readonly by: string;
}

/** Opens a request for a promotion, or finds the open one for the same move. Answers its id. */
export async function openRequest(recorder: Recorder, promotion: Promotion): Promise<string> {
  const { space, system, to, environment, days, by } = promotion;
  const { value } = await recorder.commit<string>(async (tx, time) => {
    const { facts } = await gatherFacts(tx, space, { system, release: promotion.release, to, environment }, time);
    const before = await openPromotion(tx, space, { system, release: facts.release, stage: to, environment });
    if (before !== undefined) return { nothing: before.id };
    const id = newId("req", time);
    const detail = days === undefined ? {} : { days };
    return { entry: openingDraft({ space, move: "promote", system, release: facts.release, stage: to, environment, detail, by }, id), value: id };
  });
  return value;
}

function questionOf(request: StoredRequest): Question {
  const { system, release, stage, environment } = request;
  if (system === null || release === null || stage === null || environment === null) throw new LicetError("internal", { message: `the promotion \`${request.id}\` names no move` });
  return { system, release, to: stage, environment, request };
}

/** The part that oversight asks for promotions. */
export function promotions(options: AtoOptions): Promotions {
  return {
    judge: async (db, request, now): Promise<Judged> => {
      const gathered = await gatherFacts(db, request.space, questionOf(request), now);
      const gate = decideGate(gathered.facts, gathered.bundle);
      return { gate, factsDigest: gate.factsDigest, policyDigest: gate.policyDigest, authors: gathered.authors, weighed: gathered.weighed, ...awaited(gate) };
    },
    settle: (space, id) => settlePromotion(options, space, id),
  };
}

const allRoles = ["risk-owner", "authorizing-official", "assessor", "security-engineer"] as const;

/** The roles that an unmet approval waits for; with none unmet the request waits for something else than people. */
function awaited(gate: GateAnswer): Pick<Judged, "roles" | "requirement"> {
  const requirement = gate.requirements.find((each) => /^approval\.(?:production|limited|high|critical)$/u.test(each.id));
  const turn = requirement?.state === "met" ? [] : (requirement?.turn.split(", ") ?? []);
  return { roles: allRoles.filter((role) => turn.includes(role)), requirement: requirement?.id ?? "gate" };
}

/** Grants when the gate allows, else leaves the request as it is. */
export async function settlePromotion(options: AtoOptions, space: string, id: string): Promise<void> {
  await options.recorder.commit(async (tx, time): Promise<Work<undefined>> => {
    const request = await findRequest(tx, space, id);
    if (request?.status !== "open" || request.move !== "promote") return { nothing: undefined };
    const gathered = await gatherFacts(tx, space, questionOf(request), time);
    const answer = decideGate(gathered.facts, gathered.bundle, options.watch?.(space));
    if (answer.decision !== "allow") return { nothing: undefined };
    const requestedBy = (await emailsOf(tx, space, [request.requestedBy])).get(request.requestedBy) ?? request.requestedBy;
    return { entry: grantDraft(options, { request, gathered, answer, requestedBy, time }), value: undefined };
  });
}

interface Granting {
  readonly request: StoredRequest;
  readonly gathered: Gathered;
  readonly answer: GateAnswer;
  readonly requestedBy: string;
  readonly time: number;
}

function grantDraft(options: AtoOptions, { request, gathered, answer, requestedBy, time }: Granting): Draft {
  const { facts, weighed } = gathered;
  const spent = new Set(countedApprovals(facts).map((each) => each.id));
  const grant: Grant = {
    id: newId("ato", time),
    request,
    requestedBy,
    gathered,
    answer,
    approvals: weighed.filter((each) => spent.has(each.row.id)),
    notBefore: time,
    notAfter: time + days(request, gathered) * dayMilliseconds,
  };
  const statement = options.signStatement(atoStatement(grant));
  return {
    kind: "ato.granted",
    space: request.space,
    actor: "server",
    system: facts.system,
    subject: `system:${facts.system}`,
    class: "governance",
    body: {
      ato: grant.id,
      request: request.id,
      system: facts.system,
      release: facts.release,
      stage: facts.to,
      environment: facts.environment,
      notBefore: grant.notBefore,
      notAfter: grant.notAfter,
      statement: { ...statement, signatures: statement.signatures.map((signature) => ({ ...signature })) },
      approvals: [...spent],
      facts,
      answer,
    },
  };
}

/** As asked, and never longer than tier and stage allow. */
function days(request: StoredRequest, { facts }: Gathered): number {
  const most = daysMax(facts.tier, facts.to);
  const asked = request.detail["days"];
  return typeof asked === "number" && asked >= 1 ? Math.min(asked, most) : most;
}

export interface StateChange {
  readonly space: string;
  readonly ato: string;
  readonly reason: string;
  readonly by: string;
}

const legalMoves = {
  revoked: ["granted", "conditional", "suspended"],
  suspended: ["granted", "conditional"],
  granted: ["suspended"],
} as const;

/** Revokes, suspends, or lifts a suspension, at once. Throws `not_found`, `ato_not_in_force`. */
export async function changeState(recorder: Recorder, change: StateChange, state: keyof typeof legalMoves): Promise<void> {
  const { space, reason, by } = change;
  await recorder.commit(async (tx, time) => {
    const ato = await findAto(tx, space, change.ato);
    if (ato === undefined) throw new LicetError("not_found", { message: `there is no authorization to operate \`${change.ato}\` in this space` });
    const from: readonly string[] = legalMoves[state];
    if (!from.includes(ato.state) || (state === "granted" && time >= ato.not_after)) throw new LicetError("ato_not_in_force", { message: `the authorization to operate is ${ato.state}` });
    return { entry: { kind: "ato.state-changed", space, actor: by, system: ato.system, subject: `system:${ato.system}`, class: "governance", body: { ato: ato.id, state, reason, by } }, value: undefined };
  });
}
