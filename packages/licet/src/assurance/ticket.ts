import { randomBytes } from "node:crypto";
import type { RunnerBudget, TicketIssued } from "@licet/contract";
import { newId } from "../base/ids.ts";
import { LicetError } from "../base/errors.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { findRelease, type StoredRelease } from "../inventory/store.ts";
import { planAttempts } from "./attempts/plan.ts";
import { needOpenRun } from "./ci/run-credential.ts";
import { declaredFiles } from "./declared-check.ts";
import { findCiRun, findTicket, listTickets, type Reader, type Ticket } from "./store.ts";

/** Long enough for the checks of a release on a laptop; a run that takes longer asks for a new ticket. */
const leaseMs = 2 * 60 * 60 * 1000;

/** What the functions here need of the world. */
export interface AssuranceDeps {
  readonly recorder: Recorder;
  readonly read: Reader;
}

export interface TicketRequest {
  readonly space: string;
  readonly system: string;
  readonly release: string;
  readonly producer: TicketIssued["producer"];
  readonly checks: readonly string[];
  readonly datasets: Readonly<Record<string, string>>;
  /** Who returns it: a person, `server`, or the CI run of producer `ci`. */
  readonly issuedTo: string;
  /** Who asked, where that is somebody else. */
  readonly requestedBy?: string;
  /** Of producer `licet`: what its questions to models may come to. */
  readonly budget?: RunnerBudget;
  /** Of producer `ci`: how long the server has to make a drawn check again. */
  readonly repeatWithinMs?: number;
}

/** `open` past its lease is an aborted attempt: computed, so that nobody has to come back to say so. */
export function ticketStatus(ticket: Pick<Ticket, "status" | "leaseUntil">, now: number): "open" | "returned" | "aborted" {
  return ticket.status === "open" && now >= ticket.leaseUntil ? "aborted" : ticket.status;
}

/**
 * The server draws the seed and counts the attempts; all of it is in the log before anything runs. Checks that were judged before on
 * the same data are not among those to run: their verdict stands.
 */
export async function issueTicket({ recorder, read }: AssuranceDeps, request: TicketRequest): Promise<Ticket> {
  const { value } = await recorder.commit(async (tx, time) => {
    const until = request.producer === "ci" ? await runsUntil(tx, request, time) : Infinity;
    const release = await declaring(tx, request);
    const before = await listTickets(tx, request.space, { system: request.system, release: request.release });
    const id = newId("tkt", time);
    const seed = randomBytes(16).toString("hex");
    const { attempts, settled } = await planAttempts(tx, { ...request, bundle: release.bundle, ticket: id, seed });
    const body = {
      id,
      system: request.system,
      release: request.release,
      producer: request.producer,
      checks: attempts.map(({ check }) => check),
      datasets: { ...request.datasets },
      seed,
      attempt: before.length + 1,
      issuedTo: request.issuedTo,
      leaseUntil: Math.min(time + leaseMs, until),
      attempts: [...attempts],
      settled: [...settled],
      ...(request.budget !== undefined && { budget: request.budget }),
      ...(request.repeatWithinMs !== undefined && { repeatWithinMs: request.repeatWithinMs }),
    } satisfies TicketIssued;
    return {
      entry: { kind: "ticket.issued", space: request.space, actor: request.requestedBy ?? request.issuedTo, system: request.system, subject: `system:${request.system}`, class: "governance", body },
      value: id,
    };
  });
  return openTicket(read, request.space, value);
}

/** The release, where it declares what is asked for. */
async function declaring(tx: Reader, request: TicketRequest): Promise<StoredRelease> {
  const release = await findRelease(tx, request.space, request.system, request.release);
  if (release === undefined) {
    throw new LicetError("release_unknown", { message: `release \`${request.release}\` of \`${request.system}\` has not been pushed` });
  }
  const declared = new Set((release.bundle.manifest.assurance?.checks ?? []).map((check) => check.id));
  const unknown = request.checks.filter((check) => !declared.has(check));
  if (unknown.length > 0) {
    throw new LicetError("check_undeclared", { message: `the release does not declare the check \`${unknown.join("`, `")}\`` });
  }
  const files = declaredFiles(release.bundle);
  const other = Object.entries(request.datasets).find(([name, digest]) => files.get(name) !== digest);
  if (other !== undefined) throw new LicetError("result_inconsistent", { message: `the release declares another file as \`${other[0]}\`` });
  return release;
}

/** A run issues one ticket, for its own system, that does not outlive it. Throws `ci_run_over`. */
async function runsUntil(tx: Reader, { space, system, issuedTo }: TicketRequest, time: number): Promise<number> {
  const run = await needOpenRun(tx, await findCiRun(tx, space, issuedTo), time);
  if (run.ticket !== null || run.system !== system) throw new LicetError("ci_run_over", { message: "a one-run credential issues one ticket, for its own system" });
  return run.expires_at;
}

export async function openTicket(read: Reader, space: string, id: string): Promise<Ticket> {
  const ticket = await findTicket(read, space, id);
  if (ticket === undefined) throw new LicetError("ticket_unknown", { message: `there is no ticket \`${id}\`` });
  return ticket;
}
