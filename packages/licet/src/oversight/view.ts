import { isOtherMove, type OtherMove } from "./moves.ts";
import { LicetError, type RequestView } from "@licet/contract";
import { isRecord } from "@licet/evidence";
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
    detail: { ...shownDetail(request), ...(request.outcome !== null && { outcome: request.outcome }) },
    gate: judged?.gate ?? null,
    approvals: rows.map((row) => ({ id: row.id, role: row.role, person: named(row.person), answer: row.answer, comment: row.comment, method: row.method, at: row.given_at, ...standing(row, judged) })),
    ato: (await atoOfRequest(read, request.space, request.id)) ?? null,
    entry: request.entry,
  };
}

/** Of packs their names: their texts are read where the change is shown. */
function shownDetail({ move, detail }: StoredRequest): StoredRequest["detail"] {
  const { packs } = detail;
  return move === "publish-policy" && Array.isArray(packs) ? { ...detail, packs: packs.map((pack: unknown) => (isRecord(pack) && typeof pack["name"] === "string" ? pack["name"] : "")) } : detail;
}

function standing(row: ApprovalRow, judged: Judged | undefined): { readonly counts: boolean; readonly why: string } {
  if (judged === undefined) return row.spent_by === null ? { counts: false, why: "not among those that the request ended on" } : { counts: true, why: "" };
  const weighed = judged.weighed.find((each) => each.row.id === row.id);
  return { counts: weighed?.counts ?? false, why: weighed?.why ?? "not weighed" };
}

type Word = (key: string) => string;

const titles: Readonly<Record<OtherMove, (request: StoredRequest, word: Word, named: Word) => string>> = {
  "lift-hold": ({ system }, word) => `lift the hold on ${system ?? (word("vendor") === "" ? "everything" : `the vendor ${word("vendor")}`)}: ${word("reason")}`,
  "register-provider": (_, word) => `register the provider ${word("id")}`,
  "register-ci": ({ system, detail }, word) => `let CI runs of ${ruleOf(detail, "repository")} count for ${system ?? ""}: ${ruleOf(detail, "workflow")} on ${ruleOf(detail, "ref")}, tokens of ${word("issuer")}`.slice(0, titleCharactersMax * 2),
  "set-privacy": () => "set content modes and retention",
  "publish-policy": (_, word) => `publish policies: ${word("comment").split("\n")[0]?.slice(0, titleCharactersMax) ?? ""}`,
  "grant-access": (_, word) => `grant access: ${word("title").slice(0, titleCharactersMax)}`,
  "grant-waiver": ({ system, detail }, word) => `observe ${system ?? ""} in ${word("environment")} for ${JSON.stringify(detail["days"])} days: ${word("reason")}`.slice(0, titleCharactersMax * 2),
  erase: (_, word) => `erase for ever: ${word("basis")}`,
  "grant-role": (_, word, named) => `grant ${named(word("person"))} the role ${word("role")}`,
};

/** Of a CI registration: what a token must say. */
function ruleOf(detail: StoredRequest["detail"], part: "repository" | "ref" | "workflow"): string {
  const { names, claims } = detail;
  const name = isRecord(names) ? names[part] : undefined;
  const rule = Array.isArray(claims) ? claims.find((each: unknown) => isRecord(each) && each["claim"] === name) : undefined;
  return isRecord(rule) && typeof rule["value"] === "string" ? rule["value"] : "";
}

function title(request: StoredRequest, named: Word): string {
  const { detail, move } = request;
  if (!isOtherMove(move)) return `promote ${request.system ?? ""} to ${request.stage ?? ""} in ${request.environment ?? ""}`;
  return titles[move](request, (key) => (typeof detail[key] === "string" ? detail[key] : ""), named);
}

const titleCharactersMax = 120;

/** `done: true` where the move was carried out at once. */
export function moveAnswer(view: RequestView): { readonly done: boolean; readonly request: RequestView } {
  return { done: view.status === "granted", request: view };
}

