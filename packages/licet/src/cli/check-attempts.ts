import { attemptAlpha, runOfTicket, suiteReport, type RunSuiteOptions, type TicketPlan } from "@licet/assurance";
import { CheckResult, reuseMax, type AssuranceSection, type RepeatView, type RouteAnswer, type SuiteReport } from "@licet/contract";
import { timeText } from "./terminal.ts";

type Ticket = RouteAnswer<"issueTicket">;
type Planning = Pick<RunSuiteOptions, "seed" | "planned">;

/** What a practice run is judged at: as the first attempt would be, so that what passes here passes there on the same data. */
export function practicePlan({ checks, alpha }: AssuranceSection, seed: string): Planning {
  const attempts: TicketPlan["attempts"] = checks.map(({ id }) => ({ check: id, index: 1, alpha: attemptAlpha(1, alpha), previous: [], repeats: null, seed, drawnAs: id, reads: [] }));
  return runOfTicket({ seed, attempts });
}

/** What stands already, and what was made now, in the order in which it is declared. */
export function wholeReport({ checks }: AssuranceSection, ticket: Pick<Ticket, "settled">, made: SuiteReport): SuiteReport {
  const settled = ticket.settled.map(({ result }) => CheckResult.parse(result));
  const order = checks.map(({ id }) => id);
  const results = [...made.results, ...settled].toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
  const { release, seed, startedAt, finishedAt } = made;
  return suiteReport(results, { release, seed, startedAt, finishedAt });
}

function few(alpha: number): string {
  return String(Number(alpha.toPrecision(3)));
}

/** Said before anything is run: which attempt each check is, what it may spend, what stands already. */
export function ticketLines({ id, seed, attempts, settled, reuse, alpha }: Ticket): readonly string[] {
  return [
    `ticket ${id}, seed ${seed}; all attempts of a check on one subject together may pass wrongly at ${few(alpha)}`,
    ...attempts.map(({ check, index, alpha: spent, data, repeats }) => `  ${check}: attempt ${index}, judged at ${few(spent)}${repeats === null ? (data === null ? "; its data are drawn now, and count as new" : "") : `; makes ${repeats} again, nothing is spent`}`),
    ...settled.map(({ checkId, verdict, id: result }) => `  ${checkId}: ${verdict.replaceAll("_", " ")} stands (${result}): judged before on the same data, not run again`),
    ...reuseLines(reuse),
  ];
}

/** Data sets that have judged so often that they say less than they seem to. */
export function reuseLines(reuse: Ticket["reuse"]): readonly string[] {
  return reuse.filter(({ uses }) => uses > reuseMax).map(({ id, uses }) => `  warning: \`${id}\` has judged this system ${uses} times; above ${reuseMax}, what passes on it may only fit it: test on new data`);
}

export function repeatLine({ check, state, lacking, differences, until, failed }: RepeatView): string {
  if (state === "agrees") return `drawn by lot, ${check} was made again by the server: it agrees`;
  if (state === "disagrees") return `drawn by lot, ${check} was made again by the server, and does NOT agree: ${differences.join("; ")}. No result of this run counts: find out why, then run \`licet check --on-server\``;
  if (state === "void") return `drawn by lot, ${check} was ${differences.join("; ")}. No result of this run counts: run \`licet check --on-server\``;
  return `drawn by lot, ${check} is to be made again by the server${lacking.length === 0 ? "" : `, which lacks ${lacking.map(({ name }) => name).join(", ")}`}${failed === null ? "" : `; its last try failed (${failed.code}): see the server's log`}. At this tier nothing of this run counts before; not made by ${timeText(until)}, it is disputed`;
}
