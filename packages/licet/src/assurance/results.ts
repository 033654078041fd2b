import { CheckResult, Envelope, type CheckResultPredicate, type Comparison, type DatasetReuse, type ReleaseBundle, type ReservedAttempt } from "@licet/contract";
import { rederive } from "@licet/assurance";
import { parseJson, type Statement } from "@licet/evidence";
import { newId } from "../base/ids.ts";
import { findRelease } from "../inventory/store.ts";
import type { Draft } from "../ledger/recorder.ts";
import { compareResults } from "./attempts/compare.ts";
import { reservedBy, usesOf } from "./attempts/store.ts";
import { predicateOf } from "./entries.ts";
import { undeclaredPart } from "./declared-check.ts";
import { LicetError } from "../base/errors.ts";
import { checkResultStatement, stamped, testResultStatement } from "./statement.ts";
import { needOpenRun } from "./ci/run-credential.ts";
import { findCiRun, findResult, findTicket, resultsOfTicket, type Reader, type Ticket } from "./store.ts";
import { openTicket, ticketStatus, type AssuranceDeps } from "./ticket.ts";

export interface ResultDeps extends AssuranceDeps {
  readonly signStatement: (statement: Statement) => Envelope;
}

/** What is wrong with a claimed result, or undefined. The claim is hostile input, whoever sent it. */
function inconsistency(result: CheckResult, plan: ReservedAttempt | undefined, bundle: ReleaseBundle): string | undefined {
  if (plan === undefined) return `the ticket has no check \`${result.id}\``;
  if (result.seed !== plan.seed) return `check \`${result.id}\` was run with another seed than the ticket's`;
  if (result.checkVersion !== plan.version) return `check \`${result.id}\` is of version \`${result.checkVersion}\`, and the server has \`${plan.version}\`: run it with the server's version of Licet`;
  const undeclared = undeclaredPart(result, bundle);
  if (undeclared !== undefined) return undeclared;
  if (result.limit.alpha !== plan.alpha) return `check \`${result.id}\` was judged at alpha ${result.limit.alpha}, and attempt ${plan.index} has ${plan.alpha}`;
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
  const plans = new Map((await reservedBy(deps.read, given.space, ticket.id)).map((plan) => [plan.check, plan]));
  const wrong = results.map((result) => inconsistency(result, plans.get(result.id), release.bundle)).find((reason) => reason !== undefined);
  if (wrong !== undefined) throw new LicetError("result_inconsistent", { message: wrong });
  for (const result of results) {
    const plan = plans.get(result.id);
    if (plan !== undefined) await recordResult(deps, { ticket, plan, result, producedBy: given.producedBy });
  }
  return openTicket(deps.read, given.space, ticket.id);
}

interface Recording {
  readonly ticket: Ticket;
  readonly plan: ReservedAttempt;
  readonly result: CheckResult;
  readonly producedBy: string;
}

async function recordResult(deps: ResultDeps, { ticket, plan, result, producedBy }: Recording): Promise<void> {
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
      result: stamped(result, plan, await reuseFor(tx, ticket, result)),
    };
    const before = plan.repeats === null ? undefined : await findResult(tx, space, plan.repeats);
    const comparison = before === undefined ? undefined : compareResults(CheckResult.parse(parseJson(before.result)), said.result);
    return { entry: recordedEntry(deps, space, said, comparison), value: undefined };
  });
}

/** With the names that the result has them by. */
async function reuseFor(tx: Reader, { space, system }: Ticket, { inputs }: CheckResult): Promise<readonly DatasetReuse[]> {
  const used = await usesOf(tx, space, { system, datasets: new Map(inputs.map(({ id, digest }) => [id, digest])) });
  return used.filter(({ uses }) => uses > 0);
}

function recordedEntry(deps: ResultDeps, space: string, said: CheckResultPredicate, comparison?: Comparison): Draft {
  const statement = { id: said.id, statement: deps.signStatement(checkResultStatement(said)), testResult: deps.signStatement(testResultStatement(said)) };
  const body = { ...statement, ...(comparison !== undefined && { comparison: { agrees: comparison.agrees, differences: [...comparison.differences] } }) };
  return { kind: "check.recorded", space, actor: said.producedBy, system: said.system, subject: `system:${said.system}`, class: "governance", body };
}

/**
 * Gives a release the results that stand for it already, under its own names: the same subject was judged on the same data in the
 * same configuration, for another release or under another id. Who produced them stays who it was.
 */
export async function carryResults(deps: ResultDeps, ticket: Ticket): Promise<void> {
  const { space, system, release } = ticket;
  for (const { check, result } of ticket.settled) {
    await deps.recorder.commit(async (tx, time) => {
      const row = await findResult(tx, space, result);
      const there = (await resultsOfTicket(tx, space, ticket.id)).some((each) => each.check_id === check);
      if (row === undefined || there || (row.release === release && row.check_id === check)) return { nothing: undefined };
      const { carriedFrom = row.id, ...original } = predicateOf(Envelope.parse(parseJson(row.statement)));
      const said = { ...original, id: newId("chk", time), ticket: ticket.id, system, release, producedAt: time, carriedFrom, result: { ...original.result, id: check } };
      return { entry: recordedEntry(deps, space, said), value: undefined };
    });
  }
}
