import type { GateFacts } from "@licet/contract";
import { listTickets, resultsOfRelease, type Ticket } from "../assurance/store.ts";
import { CheckResult } from "@licet/contract";
import { z } from "zod";
import { producerCounts } from "./gate-request.ts";
import type { Reader } from "./store.ts";

type CheckFact = GateFacts["checks"][number];
type Tier = GateFacts["tier"];

export interface CheckFacts {
  readonly checks: readonly CheckFact[];
  /** Producers of results that count at this tier: authors, by person id. */
  readonly producers: readonly string[];
  /** The whole results behind the facts, by entry. */
  readonly results: ReadonlyMap<string, unknown>;
}

export interface CheckSubject {
  readonly system: string;
  readonly release: string;
  readonly ids: readonly string[];
  readonly tier: Tier;
  readonly now: number;
}

const Producer = z.enum(["self", "ci", "licet"]);
const Verdict = z.enum(["pass", "fail", "insufficient_evidence", "errored", "not_applicable"]);
const Kind = CheckResult.pick({ check: true });

/**
 * One fact a check: the newest result from a producer that counts at this tier, else the newest of any. A counted
 * attempt that was begun later and never came back stands above it: trying until it passes is not passing.
 */
export async function checkFacts(db: Reader, space: string, subject: CheckSubject): Promise<CheckFacts> {
  const rows = await resultsOfRelease(db, space, subject);
  const results = new Map<string, unknown>(rows.map((row) => [row.entry, JSON.parse(row.result)]));
  const facts = rows.map((row): CheckFact => {
    const kind = Kind.safeParse(results.get(row.entry));
    return {
      id: row.check_id,
      check: kind.success ? kind.data.check : "unknown",
      verdict: Verdict.catch("errored").parse(row.verdict),
      producer: Producer.catch("self").parse(row.producer),
      producedBy: row.produced_by,
      at: row.produced_at,
      result: row.entry,
    };
  });
  const counted = facts.filter((fact) => producerCounts(fact, subject.tier));
  const tickets = await listTickets(db, space, subject);
  const checks = subject.ids.flatMap((id) => newest(facts, id, subject.tier)).map((fact) => abortedSince(fact, tickets, subject));
  return { checks, producers: [...new Set(counted.map((fact) => fact.producedBy))], results };
}

/** Rows come newest first. */
function newest(facts: readonly CheckFact[], id: string, tier: Tier): readonly CheckFact[] {
  const own = facts.filter((fact) => fact.id === id);
  const found = own.find((fact) => producerCounts(fact, tier)) ?? own[0];
  return found === undefined ? [] : [found];
}

function abortedSince(fact: CheckFact, tickets: readonly Ticket[], { tier, now }: CheckSubject): CheckFact {
  const aborted = tickets.find(
    (ticket) => ticket.status === "open" && ticket.leaseUntil <= now && ticket.issuedAt > fact.at && ticket.checks.includes(fact.id) && producerCounts(ticket, tier),
  );
  return aborted === undefined ? fact : { ...fact, verdict: "aborted", producer: aborted.producer, producedBy: aborted.issuedTo, at: aborted.leaseUntil, result: aborted.id };
}
