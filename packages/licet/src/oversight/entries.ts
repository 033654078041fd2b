import { ApprovalGiven, HoldLifted, HoldPlaced, RequestClosed, RequestOpened } from "@licet/contract";
import { namedSubject, publishedStatement } from "../ledger/entry-statement.ts";
import type { Entry, EntryDefinition } from "../ledger/recorder.ts";
import { waiverEntries } from "./waiver-entries.ts";
import { closeRequest, endHold, insertApproval, insertHold, insertRequest, spendApprovals } from "./store.ts";

const requestOpened: EntryDefinition = {
  kind: "request.opened",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = RequestOpened.parse(entry.body);
    await insertRequest(tx, {
      space: entry.space,
      id: body.request,
      move: body.move,
      system: body.system,
      release: body.release,
      stage: body.stage,
      environment: body.environment,
      detail: JSON.stringify(body.detail),
      status: "open",
      requested_by: body.requestedBy,
      requested_at: entry.time,
      closed_at: null,
      outcome: null,
      entry: entry.id,
    });
  },
};

const requestClosed: EntryDefinition = {
  kind: "request.closed",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = RequestClosed.parse(entry.body);
    await closeRequest(tx, entry.space, { id: body.request, status: body.status, outcome: body.outcome, at: entry.time });
    await spendApprovals(tx, entry.space, { ids: body.approvals, by: body.request });
  },
};

const approvalGiven: EntryDefinition = {
  kind: "approval.given",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = ApprovalGiven.parse(entry.body);
    const { space, time } = entry;
    await insertApproval(tx, {
      space,
      id: body.approval,
      request: body.request,
      role: body.role,
      person: body.person,
      answer: body.answer,
      comment: body.comment,
      facts_digest: body.factsDigest,
      policy_digest: body.policyDigest,
      method: body.method,
      authenticated_at: body.authenticatedAt,
      not_after: body.notAfter,
      statement: body.statement,
      statement_digest: body.statementDigest,
      given_at: time,
      spent_by: null,
      entry: entry.id,
    });
    if (body.answer === "approve") return;
    const status = body.answer === "return" ? "returned" : "refused";
    await closeRequest(tx, space, { id: body.request, status, outcome: `${status} by ${body.person} as ${body.role}`, at: time });
  },
};

/** A hold is on a system, or on a space: on everything there or on one vendor. */
function heldSubject({ space, system }: Entry) {
  return namedSubject(system === undefined ? { kind: "space", space, name: space } : { kind: "system", space, name: system });
}

const holdPlaced: EntryDefinition = {
  kind: "hold.placed",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = HoldPlaced.parse(entry.body);
    const { space, time, id } = entry;
    await insertHold(tx, { space, id: body.hold, scope: body.scope, system: body.system, vendor: body.vendor ?? null, reason: body.reason, placed_by: body.placedBy, placed_at: time, lifted_by: null, lifted_at: null, entry: id });
  },
  statement(entry) {
    const { statement: _, placedBy, ...body } = HoldPlaced.parse(entry.body);
    return publishedStatement("hold", heldSubject(entry), { event: "placed", entry: entry.id, space: entry.space, ...body, by: placedBy, at: entry.time });
  },
};

const holdLifted: EntryDefinition = {
  kind: "hold.lifted",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = HoldLifted.parse(entry.body);
    const { space, time } = entry;
    await endHold(tx, space, { id: body.hold, by: body.liftedBy, at: time });
    await closeRequest(tx, space, { id: body.request, status: "granted", outcome: body.outcome, at: time });
    await spendApprovals(tx, space, { ids: body.approvals, by: body.request });
  },
  statement(entry) {
    const { statement: _, liftedBy, ...body } = HoldLifted.parse(entry.body);
    return publishedStatement("hold", heldSubject(entry), { event: "lifted", entry: entry.id, space: entry.space, ...body, by: liftedBy, at: entry.time });
  },
};

export const oversightEntries: readonly EntryDefinition[] = [requestOpened, requestClosed, approvalGiven, holdPlaced, holdLifted, ...waiverEntries];
