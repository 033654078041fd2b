import { createHash } from "node:crypto";
import { newId } from "../base/ids.ts";
import type { Caller, Inbound } from "../gateway/answer.ts";
import { refuse, type Refusal } from "../gateway/refusal.ts";
import { canonicalText } from "../ledger/canonical-text.ts";
import { actionName, applicable, cedarType, packsFor, typeNamed } from "./application.ts";
import type { Applications, Judged } from "./applications.ts";
import type { ClientAdmission } from "./asker.ts";
import { opened, refused } from "./evaluate.ts";
import { applicationsIn } from "./grants.ts";
import { readToken, writeToken } from "./page-token.ts";
import type { DecisionParts } from "./parts.ts";
import { ActionSearch, ResourceSearch, SubjectSearch, wrongWith, type Evaluation, type Page } from "./protocol.ts";
import { answerError } from "./verdict.ts";

export const searchResultsMax = 1000;
/** Candidates that one request decides on; a longer search goes on with the page's token. */
export const searchEvaluationsMax = 20_000;

export type Sought = "subject" | "resource" | "action";

/** A search with its candidates in a fixed order; `key` is what the page's token stands on. */
interface Search {
  readonly asked: { readonly subject: Named; readonly action: string | null; readonly resource: Named };
  /** What must stay the same from page to page. */
  readonly query: unknown;
  readonly page: Page | undefined;
  candidates(applications: Applications): readonly Candidate[];
}

interface Named {
  readonly type: string;
  readonly id: string | null;
}

interface Candidate {
  readonly key: string;
  readonly evaluation: Evaluation;
  readonly result: object;
}

/** POST /access/v1/search/{subject,resource,action}. */
export async function search(parts: DecisionParts, inbound: Inbound, caller: Caller, sought: Sought): Promise<void> {
  const open = await opened(parts, inbound, caller);
  if (open === undefined) return;
  if (!("asking" in open.who)) return refused(parts, caller, { ...open, refusal: refuse("action_unsupported", { message: "a workload asks for itself and searches nothing", status: 403 }) });
  const read = readers[sought](open.body);
  if ("wrong" in read) return refused(parts, caller, { ...open, refusal: refuse("query_invalid", { message: read.wrong }) });
  const { asking } = open.who;
  const found = results(asking, read);
  if ("refusal" in found) return refused(parts, caller, { ...open, refusal: found.refusal });
  if (!(await searchRecorded(parts, { asking, sought, search: read, found }))) return answerError(caller, { refusal: refuse("evidence_unavailable") }, open.echo);
  const page = found.next === "" && read.page === undefined ? {} : { page: { next_token: found.next, count: found.results.length } };
  return caller.json(200, open.echo, JSON.stringify({ ...page, results: found.results }));
}

interface Found {
  readonly results: readonly object[];
  readonly next: string;
  readonly evaluated: number;
  readonly digest: string | null;
}

function results({ now, snapshot, client }: ClientAdmission, search: Search): Found | { readonly refusal: Refusal } {
  const from = startOf(search);
  if ("refusal" in from) return from;
  const applications = applicationsIn(snapshot.applications.get(client.space));
  if (applications === undefined) return { results: [], next: "", evaluated: 0, digest: null };
  const candidates = search.candidates(applications);
  const start = from.after === undefined ? 0 : firstAfter(candidates, from.after);
  const found: object[] = [];
  for (let at = start; at < candidates.length; at++) {
    const candidate = candidates[at];
    if (candidate === undefined) break;
    if (found.length >= from.limit || at - start >= searchEvaluationsMax) return page(search, { found, limit: from.limit, after: candidates[at - 1]?.key ?? from.after ?? "", evaluated: at - start, applications });
    const concluded = applications.judge(candidate.evaluation, { now, approved: false });
    if (concluded.refusal === undefined) found.push(withObligations(candidate.result, concluded));
  }
  return { results: found, next: "", evaluated: candidates.length - start, digest: applications.parts.digest };
}

function page(search: Search, { found, limit, after, evaluated, applications }: { readonly found: readonly object[]; readonly limit: number; readonly after: string; readonly evaluated: number; readonly applications: Applications }): Found {
  return { results: found, next: writeToken({ query: search.query, after, limit }), evaluated, digest: applications.parts.digest };
}

function withObligations(result: object, { obligations }: Judged): object {
  return obligations.length === 0 ? result : { ...result, obligations };
}

function startOf({ page, query }: Search): { readonly after?: string; readonly limit: number } | { readonly refusal: Refusal } {
  const limit = Math.min(page?.limit ?? searchResultsMax, searchResultsMax);
  if (page?.token === undefined || page.token === "") return { limit };
  const read = readToken(page.token, query);
  const same = read !== undefined && (page.limit === undefined || limit === read.limit);
  return same ? read : { refusal: refuse("query_invalid", { message: "the page's token does not belong to this search; begin again without it" }) };
}

/** Candidates are sorted by key, so that data which changes between pages moves no page. */
function firstAfter(candidates: readonly Candidate[], after: string): number {
  const at = candidates.findIndex(({ key }) => key > after);
  return at === -1 ? candidates.length : at;
}

const readers: Readonly<Record<Sought, (body: object) => Search | { readonly wrong: string }>> = {
  subject: (body) => {
    const { data, error } = SubjectSearch.safeParse(body);
    if (data === undefined) return { wrong: wrongWith(error) };
    const { subject: { id: _, ...subject }, action, resource, context, page } = data;
    return {
      asked: { subject: { type: subject.type, id: null }, action: action.name, resource: { type: resource.type, id: resource.id } },
      query: ["subject", subject, action, resource, context ?? null],
      page,
      candidates: (applications) => idsOf(applications, subject.type).map((id) => ({ key: id, evaluation: { subject: { ...subject, id }, action, resource, context }, result: { type: subject.type, id } })),
    };
  },
  resource: (body) => {
    const { data, error } = ResourceSearch.safeParse(body);
    if (data === undefined) return { wrong: wrongWith(error) };
    const { resource: { id: _, ...resource }, action, subject, context, page } = data;
    return {
      asked: { subject: { type: subject.type, id: subject.id }, action: action.name, resource: { type: resource.type, id: null } },
      query: ["resource", subject, action, resource, context ?? null],
      page,
      candidates: (applications) => idsOf(applications, resource.type).map((id) => ({ key: id, evaluation: { subject, action, resource: { ...resource, id }, context }, result: { type: resource.type, id } })),
    };
  },
  action: (body) => {
    const { data, error } = ActionSearch.safeParse(body);
    if (data === undefined) return { wrong: wrongWith(error) };
    const { subject, resource, context, page } = data;
    return {
      asked: { subject: { type: subject.type, id: subject.id }, action: null, resource: { type: resource.type, id: resource.id } },
      query: ["action", subject, resource, context ?? null],
      page,
      candidates: (applications) => actionsOf(applications, subject.type, resource.type).map((name) => ({ key: name, evaluation: { subject, action: { name }, resource, context }, result: { name } })),
    };
  },
};

/** The ids that the data holds of an AuthZEN type: what is unknown is found by no search. */
function idsOf({ parts: { policies, data } }: Applications, type: string): readonly string[] {
  const types = policies.packs.flatMap((pack) => {
    const found = typeNamed(pack, type);
    return found === undefined ? [] : [cedarType(pack, found)];
  });
  return [...new Set([...new Set(types)].flatMap((each) => data.idsOf(each)))].sort();
}

function actionsOf({ parts: { policies } }: Applications, subject: string, resource: string): readonly string[] {
  const names = packsFor(policies.packs, subject, resource).flatMap((chosen) => applicable(chosen).map((action) => actionName(chosen.pack, action)));
  return [...new Set(names)].sort();
}

interface Searched {
  readonly asking: ClientAdmission;
  readonly sought: Sought;
  readonly search: Search;
  readonly found: Found;
}

/** What was answered stands by its digest: the results are the data's, which the log holds. */
async function searchRecorded({ pipeline }: DecisionParts, { asking, sought, search, found }: Searched): Promise<boolean> {
  const { client, snapshot, now } = asking;
  const { version, builtAt, leaseUntil } = snapshot;
  const resultsDigest = `sha256:${createHash("sha256").update(canonicalText(found.results)).digest("hex")}`;
  const { subject, action, resource } = search.asked;
  const body = {
    id: newId("dec", now),
    search: sought,
    client: client.id,
    asked: { subject: { ...subject }, action, resource: { ...resource } },
    policyBundle: found.digest,
    snapshot: { version, builtAt, leaseUntil },
    results: found.results.length,
    resultsDigest,
    evaluated: found.evaluated,
  };
  return pipeline.ledger.append({ kind: "access.search", space: client.space, actor: client.id, subject: "space", class: "runtime", body }).then(
    () => true,
    () => false,
  );
}
