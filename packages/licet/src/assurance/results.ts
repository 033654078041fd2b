import { CheckResult, type CheckResultPredicate, type Envelope, type ReleaseBundle } from "@licet/contract";
import { rederive } from "@licet/assurance";
import type { Statement } from "@licet/evidence";
import { newId } from "../base/ids.ts";
import { findRelease } from "../inventory/store.ts";
import { undeclaredPart } from "./declared-check.ts";
import { LicetError } from "../base/errors.ts";
import { checkResultStatement, stamped, testResultStatement } from "./statement.ts";
import { needOpenRun } from "./ci/run-credential.ts";
import { findCiRun, findTicket, resultsOfTicket, type Ticket } from "./store.ts";
import { ticketStatus, type AssuranceDeps } from "./ticket.ts";

export interface ResultDeps extends AssuranceDeps {
  readonly signStatement: (statement: Statement) => Envelope;
}

/** The level at which every attempt is judged in this version. */
const alpha = 0.05;

/** What is wrong with a claimed result, or undefined. The claim is hostile input, whoever sent it. */
function inconsistency(result: CheckResult, ticket: Ticket, bundle: ReleaseBundle): string | undefined {
  if (!ticket.checks.includes(result.id)) return `the ticket has no check \`${result.id}\``;
  if (result.seed !== ticket.seed) return `check \`${result.id}\` was run with another seed than the ticket's`;
  const undeclared = undeclaredPart(result, bundle);
  if (undeclared !== undefined) return undeclared;
  if (result.limit.alpha !== alpha) return `check \`${result.id}\` was judged at alpha ${result.limit.alpha}, not ${alpha}`;
  const derived = rederive(result);
  if (!derived.agrees) return `check \`${result.id}\` does not follow from its counts: ${derived.problems.join("; ") || `they say \`${derived.verdict}\``}`;
  return undefined;
}

export interface Return {
  readonly space: string;
  readonly ticket: string;
  readonly results: readonly unknown[];
  readonly producedBy: string;
}

/**
 * One entry per result, so a kill in between leaves a ticket that can take the rest; a result that is in already is
 * not written twice. All are checked before the first is written.
 */
export async function returnResults(deps: ResultDeps, given: Return): Promise<Ticket> {
  const results = given.results.map((result) => CheckResult.parse(result));
  const ticket = await findTicket(deps.read, given.space, given.ticket);
  if (ticket === undefined || ticket.issuedTo !== given.producedBy) throw new LicetError("ticket_unknown", { message: `you hold no ticket \`${given.ticket}\`` });
  const release = await findRelease(deps.read, given.space, ticket.system, ticket.release);
  if (release === undefined) throw new LicetError("release_unknown", { message: `release \`${ticket.release}\` of \`${ticket.system}\` is not in the record` });
  const wrong = results.map((result) => inconsistency(result, ticket, release.bundle)).find((reason) => reason !== undefined);
  if (wrong !== undefined) throw new LicetError("result_inconsistent", { message: wrong });
  for (const result of results) await recordResult(deps, { ticket, result, producedBy: given.producedBy });
  return ticket;
}

interface Recording {
  readonly ticket: Ticket;
  readonly result: CheckResult;
  readonly producedBy: string;
}

async function recordResult(deps: ResultDeps, { ticket, result, producedBy }: Recording): Promise<void> {
  const { space } = ticket;
  await deps.recorder.commit(async (tx, time) => {
    const now = await findTicket(tx, space, ticket.id);
    const there = await resultsOfTicket(tx, space, ticket.id);
    if (there.some((row) => row.check_id === result.id)) return { nothing: undefined };
    if (now === undefined || ticketStatus(now, time) !== "open") {
      throw new LicetError("ticket_spent", { message: `ticket \`${ticket.id}\` is ${now === undefined ? "gone" : ticketStatus(now, time)}` });
    }
    const run = ticket.producer === "ci" ? await needOpenRun(tx, await findCiRun(tx, space, producedBy), time) : undefined;
    const said: CheckResultPredicate = {
      id: newId("chk", time),
      ticket: ticket.id,
      system: ticket.system,
      release: ticket.release,
      producer: ticket.producer,
      producedBy,
      producedAt: time,
      ...(run !== undefined && { provenance: run.provenance }),
      result: stamped(result, ticket),
    };
    const body = { id: said.id, statement: deps.signStatement(checkResultStatement(said)), testResult: deps.signStatement(testResultStatement(said)) };
    return {
      entry: { kind: "check.recorded", space, actor: producedBy, system: ticket.system, subject: `system:${ticket.system}`, class: "governance", body },
      value: undefined,
    };
  });
}
