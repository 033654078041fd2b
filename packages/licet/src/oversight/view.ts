import { isOtherMove } from "./moves.ts";
import { LicetError, type RequestView } from "@licet/contract";
import type { Judge, Judged } from "./judge.ts";
import { approvalsOf, atoOfRequest, emailsOf, findRequest, type ApprovalRow, type Reader, type StoredRequest } from "./store.ts";

export async function needRequest(db: Reader, space: string, id: string): Promise<StoredRequest> {
  const request = await findRequest(db, space, id);
  if (request === undefined) throw new LicetError("not_found", { message: `there is no request \`${id}\` in this space` });
  return request;
}

export interface ViewOptions {
  readonly read: Reader;
  readonly judge: Judge;
  readonly now: number;
}

/** A request as people see it: while open with its gate and what counts now, afterwards as it ended. */
export async function requestView({ read, judge, now }: ViewOptions, request: StoredRequest): Promise<RequestView> {
  const judged = request.status === "open" ? await judge(read, request, now) : undefined;
  return viewOf(read, request, judged);
}

export async function viewOf(read: Reader, request: StoredRequest, judged: Judged | undefined): Promise<RequestView> {
  const rows = await approvalsOf(read, request.space, request.id);
  const beneficiary = request.detail["person"];
  const emails = await emailsOf(read, request.space, [request.requestedBy, ...rows.map((row) => row.person), ...(typeof beneficiary === "string" ? [beneficiary] : [])]);
  const named = (id: string): string => emails.get(id) ?? id;
  return {
    id: request.id,
    move: request.move,
    system: request.system,
    release: request.release,
    stage: request.stage,
    environment: request.environment,
    status: request.status,
    title: title(request, named),
    requestedBy: named(request.requestedBy),
    requestedAt: request.requestedAt,
    closedAt: request.closedAt,
    detail: { ...request.detail, ...(request.outcome !== null && { outcome: request.outcome }) },
    gate: judged?.gate ?? null,
    approvals: rows.map((row) => ({ id: row.id, role: row.role, person: named(row.person), answer: row.answer, comment: row.comment, method: row.method, at: row.given_at, ...standing(row, judged) })),
    ato: (await atoOfRequest(read, request.space, request.id)) ?? null,
    entry: request.entry,
  };
}

function standing(row: ApprovalRow, judged: Judged | undefined): { readonly counts: boolean; readonly why: string } {
  if (judged === undefined) return row.spent_by === null ? { counts: false, why: "not among those that the request ended on" } : { counts: true, why: "" };
  const weighed = judged.weighed.find((each) => each.row.id === row.id);
  return { counts: weighed?.counts ?? false, why: weighed?.why ?? "not weighed" };
}

function title(request: StoredRequest, named: (id: string) => string): string {
  const { detail, move } = request;
  const word = (key: string): string => (typeof detail[key] === "string" ? detail[key] : "");
  if (!isOtherMove(move)) return `promote ${request.system ?? ""} to ${request.stage ?? ""} in ${request.environment ?? ""}`;
  if (move === "lift-hold") return `lift the hold on ${request.system ?? "everything"}: ${word("reason")}`;
  if (move === "register-provider") return `register the provider ${word("id")}`;
  if (move === "set-privacy") return "set content modes and retention";
  if (move === "erase") return `erase for ever: ${word("basis")}`;
  return `grant ${named(word("person"))} the role ${word("role")}`;
}

/** `done: true` where the move was carried out at once. */
export function moveAnswer(view: RequestView): { readonly done: boolean; readonly request: RequestView } {
  return { done: view.status === "granted", request: view };
}

