import { CheckRecorded, CheckResultPredicate, TicketIssued, type Envelope } from "@licet/contract";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { ciEntries } from "./ci/entries.ts";
import { bindCiTicket, closeTicket, findTicket, insertResult, insertTicket, resultsOfTicket } from "./store.ts";

const ticketIssued: EntryDefinition = {
  kind: "ticket.issued",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = TicketIssued.parse(entry.body);
    await insertTicket(tx, {
      space: entry.space,
      id: body.id,
      system: body.system,
      release: body.release,
      producer: body.producer,
      checks: JSON.stringify(body.checks),
      datasets: JSON.stringify(body.datasets),
      seed: body.seed,
      status: "open",
      attempt: body.attempt,
      issued_to: body.issuedTo,
      issued_at: entry.time,
      lease_until: body.leaseUntil,
      entry: entry.id,
    });
    if (body.producer === "ci") await bindCiTicket(tx, entry.space, { run: body.issuedTo, ticket: body.id });
  },
};

/** The predicate inside a statement that this server has signed: the row is derived from it, not beside it. */
export function predicateOf(statement: Envelope): CheckResultPredicate {
  const parsed: unknown = JSON.parse(Buffer.from(statement.payload, "base64").toString("utf8"));
  const predicate: unknown = typeof parsed === "object" && parsed !== null && "predicate" in parsed ? parsed.predicate : undefined;
  return CheckResultPredicate.parse(predicate);
}

const checkRecorded: EntryDefinition = {
  kind: "check.recorded",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = CheckRecorded.parse(entry.body);
    const said = predicateOf(body.statement);
    await insertResult(tx, {
      space: entry.space,
      id: body.id,
      ticket: said.ticket,
      system: said.system,
      release: said.release,
      check_id: said.result.id,
      verdict: said.result.verdict,
      producer: said.producer,
      produced_by: said.producedBy,
      result: JSON.stringify(said.result),
      statement: JSON.stringify(body.statement),
      produced_at: entry.time,
      entry: entry.id,
    });
    const ticket = await findTicket(tx, entry.space, said.ticket);
    const results = await resultsOfTicket(tx, entry.space, said.ticket);
    const returned = new Set(results.map((row) => row.check_id));
    if (ticket?.checks.every((check) => returned.has(check)) === true) await closeTicket(tx, entry.space, ticket.id);
  },
};

export const assuranceEntries: readonly EntryDefinition[] = [ticketIssued, checkRecorded, ...ciEntries];
