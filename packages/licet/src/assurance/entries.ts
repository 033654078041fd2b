import { CheckRecorded, CheckRepeated, CheckResultPredicate, TicketIssued, type Envelope } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { endAttempt, insertAttempts, insertRepeat } from "./attempts/store.ts";
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
      // A ticket whose checks all stand already has nothing to come back with.
      status: body.checks.length === 0 ? "returned" : "open",
      attempt: body.attempt,
      issued_to: body.issuedTo,
      issued_at: entry.time,
      lease_until: body.leaseUntil,
      entry: entry.id,
      settled: body.settled === undefined ? null : JSON.stringify(body.settled),
      repeat_within: body.repeatWithinMs ?? null,
      budget: body.budget === undefined ? null : JSON.stringify(body.budget),
    });
    await insertAttempts(tx, { space: entry.space, ticket: body.id, system: body.system, release: body.release, producer: body.producer, at: entry.time, entry: entry.id }, body.attempts ?? []);
    if (body.producer === "ci") await bindCiTicket(tx, entry.space, { run: body.issuedTo, ticket: body.id });
  },
};

/** The predicate inside a statement that this server has signed: the row is derived from it, not beside it. */
export function predicateOf(statement: Envelope): CheckResultPredicate {
  const parsed: unknown = parseJson(Buffer.from(statement.payload, "base64").toString("utf8"));
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
      carried_from: said.carriedFrom ?? null,
    });
    const { attempt: { repeats }, basis, id: check, verdict } = said.result;
    if (said.carriedFrom === undefined) await endAttempt(tx, entry.space, { ticket: said.ticket, check, result: body.id, stands: verdict !== "errored" && basis.kind !== "none" });
    if (body.comparison !== undefined && repeats !== undefined) {
      const compared = { id: body.id, ticket: said.ticket, system: said.system, release: said.release, check, reported: repeats, drawn: null, comparison: body.comparison };
      await insertRepeat(tx, { space: entry.space, at: entry.time, entry: entry.id, repeat: body.id }, compared);
    }
    const ticket = await findTicket(tx, entry.space, said.ticket);
    const results = await resultsOfTicket(tx, entry.space, said.ticket);
    const returned = new Set(results.map((row) => row.check_id));
    if (ticket?.checks.every((check) => returned.has(check)) === true) await closeTicket(tx, entry.space, ticket.id);
  },
};

/** The figures stay in the reported result: here is whether the server's runner came to them too. */
const checkRepeated: EntryDefinition = {
  kind: "check.repeated",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = CheckRepeated.parse(entry.body);
    await insertRepeat(tx, { space: entry.space, at: entry.time, entry: entry.id, repeat: null }, body);
  },
};

/** They stand in the log and in the list of entries: what a run spent, its results say. */
const runnerKinds: readonly EntryDefinition[] = (["runner.asked", "runner.answered"] as const).map((kind) => ({ kind, v: 1, mode: "runtime", apply: async () => undefined }));

export const assuranceEntries: readonly EntryDefinition[] = [ticketIssued, checkRecorded, checkRepeated, ...runnerKinds, ...ciEntries];
