import { WaiverEnded, WaiverGranted } from "@licet/contract";
import { namedSubject, publishedStatement } from "../ledger/entry-statement.ts";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { closeRequest, endWaiver, insertWaiver, spendApprovals } from "./store.ts";

const waiverGranted: EntryDefinition = {
  kind: "waiver.granted",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = WaiverGranted.parse(entry.body);
    const { space, time, id } = entry;
    const { waiver, kind, system, environment, reason, request, outcome, approvals } = body;
    await insertWaiver(tx, {
      space,
      id: waiver,
      kind,
      system,
      environment,
      reason,
      compensation: JSON.stringify(body.compensation),
      request,
      requested_by: body.requestedBy,
      outcome,
      approvals: JSON.stringify(approvals.map(({ person, role }) => ({ person, role }))),
      not_before: body.notBefore,
      not_after: body.notAfter,
      ended_at: null,
      ended_by: null,
      end_cause: null,
      end_reason: null,
      entry: id,
    });
    await closeRequest(tx, space, { id: request, status: "granted", outcome, at: time });
    await spendApprovals(tx, space, { ids: approvals.map((each) => each.id), by: waiver });
  },
  statement(entry) {
    const { statement: _, approvals, ...body } = WaiverGranted.parse(entry.body);
    const spent = approvals.map(({ id: _id, ...approval }) => approval);
    return publishedStatement("waiver", namedSubject({ kind: "system", space: entry.space, name: body.system }), { event: "granted", entry: entry.id, space: entry.space, ...body, approvals: spent, at: entry.time });
  },
};

const waiverEnded: EntryDefinition = {
  kind: "waiver.ended",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { waiver, endedBy, cause, reason } = WaiverEnded.parse(entry.body);
    await endWaiver(tx, entry.space, { id: waiver, by: endedBy, cause, reason, at: entry.time });
  },
  statement(entry) {
    const { statement: _, endedBy, ...body } = WaiverEnded.parse(entry.body);
    return publishedStatement("waiver", namedSubject({ kind: "system", space: entry.space, name: body.system }), { event: "ended", entry: entry.id, space: entry.space, ...body, by: endedBy, at: entry.time });
  },
};

export const waiverEntries: readonly EntryDefinition[] = [waiverGranted, waiverEnded];
