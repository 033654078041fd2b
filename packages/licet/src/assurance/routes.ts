import { alphaMax, type RouteAnswer } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Caller, Handlers, RunCaller } from "../http/handlers.ts";
import { declaresFile, findRelease } from "../inventory/store.ts";
import type { Repeats } from "./attempts/repeats.ts";
import { reservedBy, usesOf } from "./attempts/store.ts";
import { declaredDatasets } from "./declared-check.ts";
import { carryResults, returnResults } from "./results.ts";
import { runOnServer, type ServerRunDeps } from "./server-run.ts";
import { findResult, resultsOfTicket, type Ticket } from "./store.ts";
import { issueTicket, openTicket, ticketStatus } from "./ticket.ts";
import { checkRow, type CheckRow } from "./view.ts";

type TicketView = RouteAnswer<"issueTicket">;

async function ticketView(deps: ServerRunDeps, ticket: Ticket): Promise<TicketView> {
  const { space, id, system, release, producer, checks, datasets, seed, attempt, leaseUntil } = ticket;
  const bundle = (await findRelease(deps.read, space, system, release))?.bundle;
  const [attempts, reuse] = await Promise.all([reservedBy(deps.read, space, id), usesOf(deps.read, space, { system, datasets: bundle === undefined ? new Map() : declaredDatasets(bundle) })]);
  return {
    id,
    system,
    release,
    producer,
    checks: [...checks],
    datasets: { ...datasets },
    seed,
    attempt,
    leaseUntil,
    status: ticketStatus(ticket, deps.recorder.now()),
    attempts: attempts.toSorted((a, b) => checks.indexOf(a.check) - checks.indexOf(b.check)),
    settled: await settledRows(deps, ticket),
    reuse: [...reuse],
    alpha: bundle?.manifest.assurance?.alpha ?? alphaMax,
    budget: ticket.budget ?? null,
  };
}

/** The results that stand: carried into this ticket where they were another release's, or another id's. */
async function settledRows(deps: ServerRunDeps, { space, id, settled }: Ticket): Promise<CheckRow[]> {
  const carried = new Map((await resultsOfTicket(deps.read, space, id)).map((row) => [row.check_id, row]));
  const rows = await Promise.all(settled.map(({ check, result }) => Promise.resolve(carried.get(check) ?? findResult(deps.read, space, result))));
  return rows.flatMap((row) => (row === undefined ? [] : [checkRow(row)]));
}

async function rowsOf(deps: ServerRunDeps, space: string, ticket: string): Promise<CheckRow[]> {
  return (await resultsOfTicket(deps.read, space, ticket)).map((row) => checkRow(row));
}

/** As whom a ticket is taken and returned: a person vouches for their own machine, a run for what its issuer signed. */
function producing(caller: Caller | RunCaller, system: string): { readonly producer: "self" | "ci"; readonly by: string } {
  if (!("run" in caller)) return { producer: "self", by: caller.personId };
  if (caller.system !== system) throw new LicetError("ci_run_over", { message: "this one-run credential is for another system" });
  return { producer: "ci", by: caller.run };
}

export interface AssuranceRoutes extends ServerRunDeps {
  readonly repeats: Repeats;
}

export function assuranceRoutes(deps: AssuranceRoutes): Pick<Handlers, "issueTicket" | "returnResults" | "repeatDrawn" | "putDrawnFile" | "putFile" | "runOnServer"> {
  const { repeats } = deps;
  const ticketOf = async (params: { readonly space: string; readonly system: string; readonly ticket: string }, caller: Caller | RunCaller): Promise<string> => {
    const { by } = producing(caller, params.system);
    const ticket = await openTicket(deps.read, params.space, params.ticket);
    if (ticket.system !== params.system || ("run" in caller && ticket.issuedTo !== by)) throw new LicetError("ticket_unknown", { message: `\`${params.system}\` has no ticket \`${params.ticket}\` of yours` });
    return ticket.id;
  };
  return {
    async issueTicket({ params, body }, caller) {
      const { producer, by } = producing(caller, params.system);
      const issued = await issueTicket(deps, { space: params.space, system: params.system, release: body.release, producer, checks: body.checks, datasets: body.datasets, issuedTo: by, ...(producer === "ci" && { repeatWithinMs: deps.runner.settings.repeatMs }) });
      await carryResults(deps, issued);
      return ticketView(deps, await openTicket(deps.read, params.space, issued.id));
    },
    async returnResults({ params, body }, caller) {
      const ticket = await returnResults(deps, { space: params.space, ticket: body.ticket, results: body.results, producedBy: producing(caller, params.system).by });
      const repeat = ticket.status === "returned" ? await repeats.view(params.space, ticket.id) : null;
      // Not waited for: the answer says that it is owed, and whoever asks for it again gets what came out.
      if (repeat?.state === "owed" && repeat.lacking.length === 0) repeats.begin(params.space, ticket.id);
      return { items: await rowsOf(deps, params.space, body.ticket), repeat };
    },
    async repeatDrawn({ params }, caller) {
      return { repeat: await repeats.asked(params.space, await ticketOf(params, caller), !("run" in caller)) };
    },
    async putDrawnFile({ params, body }, caller) {
      const repeat = await repeats.view(params.space, await ticketOf(params, caller), !("run" in caller));
      if (repeat?.lacking.some(({ digest }) => digest === params.digest) !== true) throw new LicetError("file_undeclared", { message: "no drawn check of this ticket lacks this file" });
      const { size, held } = await deps.files.put(params.digest, body);
      return { digest: params.digest, size, held };
    },
    async putFile({ params, body }) {
      if (!(await declaresFile(deps.read, params.space, params.digest))) throw new LicetError("file_undeclared");
      const { size, held } = await deps.files.put(params.digest, body);
      return { digest: params.digest, size, held };
    },
    async runOnServer({ params, body }, caller) {
      const { ticket, left } = await runOnServer(deps, { space: params.space, system: params.system, release: body.release, askedBy: caller.personId });
      const view = await ticketView(deps, ticket);
      const rows = await rowsOf(deps, params.space, ticket.id);
      return { ticket: view, items: [...rows, ...view.settled.filter(({ id }) => !rows.some((row) => row.id === id))], left: [...left] };
    },
  };
}
