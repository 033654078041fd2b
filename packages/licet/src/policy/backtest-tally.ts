import { BacktestCounts, BacktestReport, BacktestUndecided } from "@licet/contract";
import { z } from "zod";

export type Change = "deny-to-allow" | "allow-to-deny" | "reasons";

/** How one recorded decision comes out under the candidate. */
export type Replayed =
  | { readonly kind: "refusedBefore" | "erased" | "misfit" | "unreadable"; readonly system: string | null }
  | { readonly kind: "decided"; readonly id: string; readonly system: string | null; readonly at: number; readonly change?: Change; readonly policies: readonly string[]; readonly warnings: readonly string[]; readonly shadowed: readonly string[] };

const count = z.int().nonnegative();
const Tallying = z.strictObject({ denyToAllow: count, allowToDeny: count, reasons: count, warnings: count, shadowed: count, examples: z.array(z.string()) });

/** Sums over recorded decisions, in the order of the log; JSON, so that it can be kept and gone on with. */
export const Tallied = z.strictObject({
  counts: BacktestCounts,
  undecided: BacktestUndecided,
  systems: z.record(z.string(), BacktestCounts),
  policies: z.record(z.string(), Tallying),
  examples: BacktestReport.shape.examples,
});
export type Tally = z.output<typeof Tallied>;
type PolicyTally = z.output<typeof Tallying>;

export const examplesMax = 100;
export const policyExamplesMax = 5;
/** Systems and policies beyond these are summed under `rest`. */
export const namesMax = 2000;
const rest = "rest";
const nameless = "none";
/** Real names begin with a colon, so that none of them is `rest`, `none` or a member that every object has. */
const keyed = (name: string | null): string => (name === null ? nameless : `:${name}`);

export function emptyTally(): Tally {
  return { counts: noCounts(), undecided: { refusedBefore: 0, erased: 0, misfit: 0, unreadable: 0 }, systems: {}, policies: {}, examples: [] };
}

function noCounts(): BacktestCounts {
  return { decisions: 0, denyToAllow: 0, allowToDeny: 0, reasons: 0, unchanged: 0 };
}

const fieldOf = { "deny-to-allow": "denyToAllow", "allow-to-deny": "allowToDeny", reasons: "reasons" } as const;

export function addReplayed(tally: Tally, replayed: Replayed): void {
  const system = systemCounts(tally, keyed(replayed.system));
  tally.counts.decisions += 1;
  system.decisions += 1;
  if (replayed.kind !== "decided") {
    tally.undecided[replayed.kind] += 1;
    return;
  }
  const { change, id, at, policies, warnings, shadowed } = replayed;
  const field = change === undefined ? "unchanged" : fieldOf[change];
  tally.counts[field] += 1;
  system[field] += 1;
  for (const policy of warnings) policyTally(tally, keyed(policy)).warnings += 1;
  for (const policy of shadowed) policyTally(tally, keyed(policy)).shadowed += 1;
  if (change === undefined) return;
  if (tally.examples.length < examplesMax) tally.examples.push({ decision: id, change, system: replayed.system, at });
  for (const policy of policies) addChange(policyTally(tally, keyed(policy)), fieldOf[change], id);
}

function addChange(tally: PolicyTally, field: "denyToAllow" | "allowToDeny" | "reasons", id: string): void {
  tally[field] += 1;
  if (tally.examples.length < policyExamplesMax) tally.examples.push(id);
}

function systemCounts({ systems }: Tally, name: string): BacktestCounts {
  const key = name in systems || Object.keys(systems).length < namesMax ? name : rest;
  return (systems[key] ??= noCounts());
}

function policyTally({ policies }: Tally, name: string): PolicyTally {
  const key = name in policies || Object.keys(policies).length < namesMax ? name : rest;
  return (policies[key] ??= { denyToAllow: 0, allowToDeny: 0, reasons: 0, warnings: 0, shadowed: 0, examples: [] });
}

/** Adds what came later in the log. */
export function mergeTally(into: Tally, from: Tally): void {
  addCounts(into.counts, from.counts);
  for (const key of ["refusedBefore", "erased", "misfit", "unreadable"] as const) into.undecided[key] += from.undecided[key];
  for (const [name, counts] of Object.entries(from.systems)) addCounts(systemCounts(into, name), counts);
  for (const [name, tally] of Object.entries(from.policies)) mergePolicy(policyTally(into, name), tally);
  into.examples.push(...from.examples.slice(0, Math.max(0, examplesMax - into.examples.length)));
}

function addCounts(into: BacktestCounts, from: BacktestCounts): void {
  for (const key of ["decisions", "denyToAllow", "allowToDeny", "reasons", "unchanged"] as const) into[key] += from[key];
}

function mergePolicy(into: PolicyTally, from: PolicyTally): void {
  for (const key of ["denyToAllow", "allowToDeny", "reasons", "warnings", "shadowed"] as const) into[key] += from[key];
  into.examples.push(...from.examples.slice(0, Math.max(0, policyExamplesMax - into.examples.length)));
}

export const listedMax = 200;

export interface ReportHead {
  readonly candidate: string;
  readonly from: number;
  readonly to: number;
  readonly system: string | null;
}

/** What is cut off from the lists is still in the sums. */
export function reportOf(tally: Tally, head: ReportHead): BacktestReport {
  const systems = Object.entries(tally.systems).sort(([a, of], [b, other]) => changed(other) - changed(of) || (a < b ? -1 : 1));
  const shown = systems.filter(([name]) => name.startsWith(":")).slice(0, listedMax);
  const others = noCounts();
  for (const [name, counts] of systems) if (!shown.some(([other]) => other === name)) addCounts(others, counts);
  const policies = Object.entries(tally.policies).sort(([a, of], [b, other]) => weight(other) - weight(of) || (a < b ? -1 : 1));
  return {
    v: 1,
    ...head,
    counts: { ...tally.counts },
    undecided: { ...tally.undecided },
    bySystem: [...shown.map(([system, counts]) => ({ system: system.slice(1), counts: { ...counts } })), ...(others.decisions === 0 ? [] : [{ system: null, counts: others }])],
    byPolicy: policies.slice(0, listedMax).map(([policy, of]) => ({ policy: policy === rest ? "(others)" : policy.slice(1), ...of, examples: [...of.examples] })),
    examples: [...tally.examples],
  };
}

function changed({ denyToAllow, allowToDeny, reasons }: BacktestCounts): number {
  return denyToAllow + allowToDeny + reasons;
}

function weight({ denyToAllow, allowToDeny, reasons, warnings, shadowed }: PolicyTally): number {
  return denyToAllow + allowToDeny + reasons + warnings + shadowed;
}
