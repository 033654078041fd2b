import { isRecord } from "@licet/evidence";
import { Producer, type RouteAnswer } from "@licet/contract";
import type { Handlers } from "../http/handlers.ts";
import { returnResults } from "./results.ts";
import { runOnServer, type ServerRunDeps } from "./server-run.ts";
import { resultsOfTicket, type Ticket } from "./store.ts";
import { issueTicket, ticketStatus } from "./ticket.ts";

type TicketView = RouteAnswer<"issueTicket">;
type CheckRows = RouteAnswer<"returnResults">["items"];

function ticketView(ticket: Ticket, now: number): TicketView {
  const { id, system, release, producer, checks, datasets, seed, attempt, leaseUntil } = ticket;
  return { id, system, release, producer, checks: [...checks], datasets: { ...datasets }, seed, attempt, leaseUntil, status: ticketStatus(ticket, now) };
}

async function rowsOf(deps: ServerRunDeps, space: string, ticket: string): Promise<CheckRows> {
  const rows = await resultsOfTicket(deps.read, space, ticket);
  return rows.map((row) => {
    const result: unknown = JSON.parse(row.result);
    return {
      id: row.id,
      release: row.release,
      checkId: row.check_id,
      verdict: row.verdict,
      producer: Producer.parse(row.producer),
      producedBy: row.produced_by,
      at: row.produced_at,
      entry: row.entry,
      result: isRecord(result) ? { ...result } : {},
    };
  });
}

export function assuranceRoutes(deps: ServerRunDeps): Pick<Handlers, "issueTicket" | "returnResults" | "putFile" | "runOnServer"> {
  const { recorder } = deps;
  return {
    async issueTicket({ params, body }, caller) {
      const ticket = await issueTicket(deps, { space: params.space, system: params.system, release: body.release, producer: "self", checks: body.checks, datasets: body.datasets, issuedTo: caller.personId });
      return ticketView(ticket, recorder.now());
    },
    async returnResults({ params, body }, caller) {
      await returnResults(deps, { space: params.space, ticket: body.ticket, results: body.results, producedBy: caller.personId });
      return { items: await rowsOf(deps, params.space, body.ticket) };
    },
    async putFile({ params, body }) {
      const { size, held } = await deps.files.put(params.digest, body);
      return { digest: params.digest, size, held };
    },
    async runOnServer({ params, body }, caller) {
      const ticket = await runOnServer(deps, { space: params.space, system: params.system, release: body.release, askedBy: caller.personId });
      return { ticket: ticketView(ticket, recorder.now()), items: await rowsOf(deps, params.space, ticket.id) };
    },
  };
}
