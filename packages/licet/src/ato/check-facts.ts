import { attackCheckIds, taskCheckIds, type AssuranceCheck, type GateFacts, type JudgedBy } from "@licet/contract";
import { awaitedRepeats } from "../assurance/attempts/awaited.ts";
import { disputedAmong } from "../assurance/attempts/store.ts";
import { listTickets, resultsOfRelease, type Ticket } from "../assurance/store.ts";
import { CheckResult } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { producerCounts } from "./check-sets.ts";
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
  /** As the release declares them: how hard a check tries stands there, and not in its result. */
  readonly declared: readonly AssuranceCheck[];
  readonly tier: Tier;
  readonly now: number;
}

const Producer = z.enum(["self", "ci", "licet"]);
const Verdict = z.enum(["pass", "fail", "insufficient_evidence", "errored", "not_applicable"]);
const Judged = CheckResult.pick({ check: true, limit: true, counts: true, origin: true });

/**
 * One fact a check: the newest result from a producer that counts at this tier, else the newest of any. A counted
 * attempt that was begun later and never came back stands above it: trying until it passes is not passing. Of a CI's run nothing
 * counts at high and critical tier before the server has made the drawn check again.
 */
export async function checkFacts(db: Reader, space: string, subject: CheckSubject): Promise<CheckFacts> {
  const rows = await resultsOfRelease(db, space, subject);
  const results = new Map<string, unknown>(rows.map((row) => [row.entry, parseJson(row.result)]));
  const disputed = await disputedAmong(db, space, rows.map(({ id }) => id));
  const awaited = await awaitedRepeats(db, space, { rows, tier: subject.tier, now: subject.now });
  const facts = rows.map((row): CheckFact => {
    const judged = Judged.safeParse(results.get(row.entry)).data;
    const declared = subject.declared.find((each) => each.id === row.check_id);
    const repeat = awaited.get(row.id);
    return {
      id: row.check_id,
      check: judged?.check ?? "unknown",
      verdict: disputed.has(row.id) ? "disputed" : repeat === undefined ? Verdict.catch("errored").parse(row.verdict) : "awaiting_repeat",
      producer: Producer.catch("self").parse(row.producer),
      producedBy: row.produced_by,
      at: row.produced_at,
      result: row.entry,
      ...(judged !== undefined && declared?.check === judged.check && { judged: judgedBy(judged, declared) }),
      ...(repeat !== undefined && !disputed.has(row.id) && { repeat }),
    };
  });
  const counted = facts.filter((fact) => producerCounts(fact, subject.tier));
  const tickets = await listTickets(db, space, subject);
  const checks = subject.ids.flatMap((id) => newest(facts, id, subject.tier)).map((fact) => abortedSince(fact, tickets, subject));
  return { checks, producers: [...new Set(counted.map((fact) => fact.producedBy))], results };
}

function judgedBy({ limit, counts, origin }: z.output<typeof Judged>, declared: AssuranceCheck): JudgedBy {
  return {
    op: limit.op,
    limit: limit.value,
    alpha: limit.alpha,
    attempted: counts.attempted,
    assessed: counts.assessed,
    origin: origin === "native" ? origin : origin.importedFrom,
    ...effortOf(declared),
  };
}

/** What else than its limit makes a check easy or hard to pass, by the members that checks of every kind use for it. */
export function effortOf(check: AssuranceCheck): Pick<JudgedBy, "figure" | "distance" | "norm" | "queries"> {
  const figure = figureOf(check);
  const distance = distanceOf(check);
  return {
    ...(figure !== undefined && { figure }),
    ...(distance !== undefined && { distance }),
    ...("norm" in check && { norm: check.norm }),
    ...("queries" in check && { queries: check.queries }),
  };
}

/**
 * Also whether a check was given what might leave nothing to find: an attacker who is `free`, or `ruled` by what it may not
 * change; questions that are `built-in`, or `own-probes`; an attack on membership by its name where it is not the one by the
 * loss, which nobody has to supply anything for.
 */
function figureOf(check: AssuranceCheck): string | undefined {
  if ("metric" in check) return check.metric;
  if ("attack" in check && check.attack !== undefined && check.attack !== "loss") return check.attack;
  if ("figure" in check) return check.figure;
  if ("of" in check) return check.of;
  if (check.check === "robust.evasion") return check.rules === undefined ? "free" : "ruled";
  const byProbes: readonly string[] = [...attackCheckIds, ...taskCheckIds];
  if (!byProbes.includes(check.check)) return undefined;
  return "probes" in check && check.probes !== undefined ? "own-probes" : "built-in";
}

function distanceOf(check: AssuranceCheck): number | undefined {
  if ("epsilon" in check) return check.epsilon;
  if ("sigma" in check) return check.sigma;
  return "damages" in check ? check.damages?.sigma : undefined;
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
  if (aborted === undefined) return fact;
  const { repeat: _, ...known } = fact;
  return { ...known, verdict: "aborted", producer: aborted.producer, producedBy: aborted.issuedTo, at: aborted.leaseUntil, result: aborted.id };
}
