import { createHash } from "node:crypto";
import { AccessDecisionBody } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { AnswerHeaders, Caller, Inbound } from "../gateway/answer.ts";
import { refuse } from "../gateway/refusal.ts";
import type { JsonObject } from "../ledger/recorder.ts";
import type { ClientAdmission } from "./asker.ts";
import { requestableMs, type Approvals, type Requestable } from "./approvals.ts";
import { opened, refused } from "./evaluate.ts";
import { askedDigest, asked, coversGrant, grantFrom, grantOf } from "./grants.ts";
import type { DecisionParts } from "./parts.ts";
import { Evaluation, wrongWith } from "./protocol.ts";
import { accessDecisionDetail, findAccessRequest, type AccessRequestRow, type Reader } from "./store.ts";
import { answerError, plainJson } from "./verdict.ts";

const requestablesMax = 10_000;
const keysMax = 10_000;
export const pollSeconds = 5;
/** A request that nobody answered by then is shown as expired. */
export const taskDaysMax = 7;

export interface AccessRequestDeps {
  readonly read: Reader;
  /** Opens the gate move `grant-access`; answers the request's id. */
  readonly ask: (opening: { readonly space: string; readonly move: "grant-access"; readonly system: null; readonly detail: { readonly [key: string]: z.core.util.JSONType }; readonly by: string }) => Promise<string>;
}

interface Kept {
  readonly space: string;
  readonly template: string;
  readonly asked: string;
  readonly expiresAt: number;
}

const Submission = Evaluation.extend({
  denial: z.looseObject({ evaluation_id: z.string().max(200), expires_at: z.string().max(100) }),
  requested_access: z.looseObject({ requested_until: z.iso.datetime({ offset: true }).optional() }).optional(),
  items: z.undefined({ error: "bundles are not taken: submit one request for each denial" }).optional(),
});

const Noted = z.looseObject({ requestable: AccessDecisionBody.shape.requestable });

const problems = {
  not_requestable: [400, "Access is not requestable"],
  expired_denial: [410, "The denial has expired"],
  invalid_denial_binding: [400, "The request does not belong to this denial"],
  duplicate_request: [409, "The idempotency key was used for another request"],
  unknown_task: [404, "There is no such task"],
} as const;

function problem(caller: Caller, name: keyof typeof problems, { detail, echo }: { readonly detail: string; readonly echo: AnswerHeaders }): void {
  const [status, title] = problems[name];
  caller.json(status, { ...echo, "content-type": "application/problem+json" }, JSON.stringify({ type: `urn:openid:authzen:access-request:error:${name}`, title, status, detail }));
}

/** The AuthZEN Access Request and Approval Profile: denials that an approval lifts, and the requests for it. */
export class AccessRequests implements Approvals {
  readonly #deps: AccessRequestDeps;
  /** Owned by `requestable` and `submit`: denials that can be turned into requests, by decision; oldest first. */
  readonly #requestables = new Map<string, Kept>();
  /** Owned by `submit`: what was submitted under an idempotency key. */
  readonly #keys = new Map<string, { readonly digest: string; readonly task: string }>();

  constructor(deps: AccessRequestDeps) {
    this.#deps = deps;
  }

  covering({ asking, evaluation }: { readonly asking: ClientAdmission; readonly evaluation: Evaluation }): ReturnType<Approvals["covering"]> {
    const given = evaluation.context?.["approval"];
    if (given === undefined) return undefined;
    const id = z.looseObject({ id: z.string() }).safeParse(given).data?.id;
    const grant = grantOf(asking.snapshot.applications.get(asking.client.space), id);
    return coversGrant(grant, evaluation, asking.now);
  }

  requestable({ space, decision, template, evaluation, now }: Requestable): object {
    if (this.#requestables.size >= requestablesMax) for (const oldest of [...this.#requestables.keys()].slice(0, requestablesMax / 10)) this.#requestables.delete(oldest);
    const expiresAt = now + requestableMs;
    this.#requestables.set(decision, { space, template, asked: askedDigest(evaluation), expiresAt });
    return { evaluation_id: decision, evaluated_at: new Date(now).toISOString(), access_request: { template, expires_at: new Date(expiresAt).toISOString() } };
  }

  /** POST /access/v1/requests. */
  async submit(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> {
    const open = await opened(parts, inbound, caller);
    if (open === undefined) return;
    const { echo } = open;
    if (!("asking" in open.who)) return refused(parts, caller, { ...open, refusal: refuse("action_unsupported", { message: "a workload's own approvals are asked for by people: `licet promote`", status: 403 }) });
    const parsed = Submission.safeParse(open.body);
    if (!parsed.success) return problem(caller, "invalid_denial_binding", { detail: wrongWith(parsed.error), echo });
    const { asking } = open.who;
    const kept = this.#keptFor(inbound, asking, open.body);
    if (kept.task === "other") return problem(caller, "duplicate_request", { detail: "use a new key for another request", echo });
    const known = kept.task === undefined ? await this.#bound(parsed.data, asking) : undefined;
    if (known !== undefined && "wrong" in known) return problem(caller, known.wrong, { detail: known.detail, echo });
    const task = kept.task ?? (await this.#open(parsed.data, asking, known?.template ?? ""));
    this.#remember(kept.slot, { digest: kept.digest, task });
    return this.#answerTask(parts, caller, { space: asking.client.space, task, now: asking.now, status: 202, echo });
  }

  /** What was submitted under the same idempotency key before: the same, another, or nothing. */
  #keptFor(inbound: Inbound, { client }: ClientAdmission, body: object): { readonly slot: string | undefined; readonly digest: string; readonly task: string | undefined } {
    const key = inbound.header("idempotency-key");
    const slot = key === undefined ? undefined : `${client.id}\n${createHash("sha256").update(key).digest("hex")}`;
    const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex");
    const before = slot === undefined ? undefined : this.#keys.get(slot);
    return { slot, digest, task: before === undefined || before.digest === digest ? before?.task : "other" };
  }

  async #bound({ denial, ...submitted }: z.output<typeof Submission>, { client, now }: ClientAdmission): Promise<Kept | { readonly wrong: keyof typeof problems; readonly detail: string }> {
    // The newest are not in the table yet, and those from before this process began are nowhere else.
    const known = this.#requestables.get(denial.evaluation_id) ?? (await this.#recorded(client.space, denial.evaluation_id));
    if (known === undefined || known.space !== client.space) return { wrong: "invalid_denial_binding", detail: "this evaluation is not known as a requestable denial; evaluate again" };
    if (now >= known.expiresAt) return { wrong: "expired_denial", detail: "evaluate again, then submit the request" };
    return known.asked === askedDigest(submitted) ? known : { wrong: "invalid_denial_binding", detail: "subject, action or resource are not those of the denied evaluation" };
  }

  async #recorded(space: string, decision: string): Promise<Kept | undefined> {
    const detail = await accessDecisionDetail(this.#deps.read, space, decision);
    const noted = detail === undefined ? undefined : Noted.safeParse(parseJson(detail)).data?.requestable;
    return noted && { space, template: noted.template, asked: noted.asked, expiresAt: noted.until };
  }

  async #open(submitted: z.output<typeof Submission>, { client }: ClientAdmission, template: string): Promise<string> {
    const { subject, action, resource, denial, context, requested_access } = submitted;
    const title = `${subject.type} ${subject.id} may ${action.name} on ${resource.type} ${resource.id}`;
    const detail: JsonObject = { title, template, asked: plainJson(asked(submitted)), evaluation: denial.evaluation_id, client: client.id, context: plainJson(context ?? {}), until: requested_access?.requested_until ?? null };
    const copy: { readonly [key: string]: z.core.util.JSONType } = parseJson(JSON.stringify(detail));
    return this.#deps.ask({ space: client.space, move: "grant-access", system: null, detail: copy, by: client.id });
  }

  #remember(slot: string | undefined, kept: { readonly digest: string; readonly task: string }): void {
    if (slot === undefined) return;
    if (this.#keys.size >= keysMax) this.#keys.clear();
    this.#keys.set(slot, kept);
  }

  /** GET /access/v1/requests/TASK. */
  async show(parts: DecisionParts, inbound: Inbound, caller: Caller): Promise<void> {
    const open = await opened(parts, { ...inbound, header: (name) => inbound.header(name), body: () => Promise.resolve({ bytes: Buffer.from("{}") }) }, caller);
    if (open === undefined) return;
    if (!("asking" in open.who)) return problem(caller, "unknown_task", { detail: "a workload has no tasks here", echo: open.echo });
    const { client, now } = open.who.asking;
    return this.#answerTask(parts, caller, { space: client.space, task: inbound.path.slice(requestsPath.length + 1), now, status: 200, echo: open.echo });
  }

  async #answerTask({ origin }: DecisionParts, caller: Caller, { space, task, now, status, echo }: { readonly space: string; readonly task: string; readonly now: number; readonly status: number; readonly echo: AnswerHeaders }): Promise<void> {
    const row = await findAccessRequest(this.#deps.read, space, task);
    if (row === undefined) {
      if (status === 202) return answerError(caller, { refusal: refuse("evidence_unavailable") }, echo);
      return problem(caller, "unknown_task", { detail: "there is no such task in this client's space", echo });
    }
    const address = `${origin()}${requestsPath}/${row.id}`;
    const state = taskStatus(row, now);
    const headers = { ...echo, ...(status === 202 && { location: address }), ...(state === "pending" && { "retry-after": String(pollSeconds) }) };
    const handle = { id: row.id, status: state, status_endpoint: address, expires_at: new Date(row.requested_at + taskDaysMax * 86_400_000).toISOString() };
    caller.json(status, headers, JSON.stringify({ task: handle, ...resultOf(row) }));
  }
}

export const requestsPath = "/access/v1/requests";

function taskStatus({ status, requested_at }: AccessRequestRow, now: number): string {
  if (status === "open") return now >= requested_at + taskDaysMax * 86_400_000 ? "expired" : "pending";
  return status === "granted" ? "approved" : "denied";
}

function resultOf(row: AccessRequestRow): object {
  const grant = grantFrom(row);
  if (grant === undefined) return {};
  const { id, approvedAt, approvedUntil } = grant;
  return { result: { mode: "reevaluate", approval: { id, approved_at: new Date(approvedAt).toISOString(), approved_until: new Date(approvedUntil).toISOString() } } };
}
