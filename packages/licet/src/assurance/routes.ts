import type { RouteAnswer } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Caller, Handlers, RunCaller } from "../http/handlers.ts";
import { declaresFile } from "../inventory/store.ts";
import { returnResults } from "./results.ts";
import { runOnServer, type ServerRunDeps } from "./server-run.ts";
import { resultsOfTicket, type Ticket } from "./store.ts";
import { issueTicket, ticketStatus } from "./ticket.ts";
import { checkRow, type CheckRow } from "./view.ts";

type TicketView = RouteAnswer<"issueTicket">;

function ticketView(ticket: Ticket, now: number): TicketView {
  const { id, system, release, producer, checks, datasets, seed, attempt, leaseUntil } = ticket;
  return { id, system, release, producer, checks: [...checks], datasets: { ...datasets }, seed, attempt, leaseUntil, status: ticketStatus(ticket, now) };
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

export function assuranceRoutes(deps: ServerRunDeps): Pick<Handlers, "issueTicket" | "returnResults" | "putFile" | "runOnServer"> {
  const { recorder } = deps;
  return {
    async issueTicket({ params, body }, caller) {
      const { producer, by } = producing(caller, params.system);
      const ticket = await issueTicket(deps, { space: params.space, system: params.system, release: body.release, producer, checks: body.checks, datasets: body.datasets, issuedTo: by });
      return ticketView(ticket, recorder.now());
    },
    async returnResults({ params, body }, caller) {
      await returnResults(deps, { space: params.space, ticket: body.ticket, results: body.results, producedBy: producing(caller, params.system).by });
      return { items: await rowsOf(deps, params.space, body.ticket) };
    },
    async putFile({ params, body }) {
      if (!(await declaresFile(deps.read, params.space, params.digest))) throw new LicetError("file_undeclared");
      const { size, held } = await deps.files.put(params.digest, body);
      return { digest: params.digest, size, held };
    },
    async runOnServer({ params, body }, caller) {
      const ticket = await runOnServer(deps, { space: params.space, system: params.system, release: body.release, askedBy: caller.personId });
      return { ticket: ticketView(ticket, recorder.now()), items: await rowsOf(deps, params.space, ticket.id) };
    },
  };
}
