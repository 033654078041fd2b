import { FindingCount, type DecisionView, type TrafficRow } from "@licet/contract";
import { isRecord, parseJson } from "@licet/evidence";
import type { TrafficRecord } from "./store.ts";

type Loose = Readonly<Record<string, unknown>>;

/** Bodies of older versions lack what newer ones have: everything here is read where it is there. */
export function parsed(json: string | null): Record<string, unknown> | null {
  const value: unknown = json === null ? null : parseJson(json);
  return isRecord(value) ? { ...value } : null;
}

export function part(of: Loose, key: string): Loose {
  const value = of[key];
  return isRecord(value) ? value : {};
}

function text(of: Loose, key: string): string {
  const value = of[key];
  return typeof value === "string" ? value : "";
}

export function textOrNull(of: Loose, key: string): string | null {
  return text(of, key) || null;
}

function whole(of: Loose, key: string): number | null {
  const value = of[key];
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.round(value) : null;
}

function reasonsIn(detail: Loose): DecisionView["reasons"] {
  const reasons = Array.isArray(detail["reasons"]) ? detail["reasons"].filter(isRecord) : [];
  return reasons.map((reason) => ({ policy: text(reason, "policy"), remedy: text(reason, "remedy") }));
}

/** One line for each type, of request and answer together. */
export function findingsIn(...bodies: readonly Loose[]): FindingCount[] {
  const byType = new Map<string, FindingCount>();
  for (const found of bodies.flatMap((body) => (Array.isArray(body["findings"]) ? body["findings"] : []))) {
    const read = FindingCount.safeParse(found).data;
    if (read === undefined) continue;
    const key = `${read.type}\n${read.dataClass}`;
    byType.set(key, { ...read, count: read.count + (byType.get(key)?.count ?? 0) });
  }
  return [...byType.values()];
}

function endedOf(outcome: Loose): TrafficRow["ended"] {
  const usage = part(outcome, "usage");
  const timings = part(outcome, "timings");
  const cost = part(outcome, "cost");
  return {
    finish: text(outcome, "finish"),
    code: textOrNull(outcome, "code"),
    status: whole(outcome, "status") ?? 0,
    totalMs: whole(timings, "totalMs"),
    firstByteMs: whole(timings, "firstByteMs"),
    decisionMs: whole(timings, "decisionMs"),
    tokens: whole(usage, "total"),
    costMicros: whole(cost, "costMicros"),
    currency: textOrNull(cost, "currency"),
    tools: stoppedTools(outcome),
  };
}

/** Tools with a code are those that were refused, or would have been. */
function stoppedTools({ tools }: Loose): string[] {
  return Array.isArray(tools) ? tools.filter(isRecord).flatMap((tool) => (textOrNull(tool, "code") === null ? [] : [text(tool, "tool")])) : [];
}

/** What a waiver let through, of the request and of the answer. */
function observedIn(...bodies: readonly Loose[]): string[] {
  const observed = bodies.flatMap((body) => (Array.isArray(body["observed"]) ? body["observed"].filter(isRecord) : []));
  return [...new Set(observed.map((each) => text(each, "code")).filter((code) => code !== ""))];
}

/** A decision as every view of it begins. */
export function decidedPart(row: TrafficRecord, detail: Loose): Omit<DecisionView, "outcome"> {
  return {
    id: row.id,
    kind: row.kind,
    system: row.system,
    deployment: row.deployment,
    release: row.release,
    action: row.action,
    decision: row.decision === "allow" ? "allow" : "deny",
    code: row.code,
    model: row.model,
    gateway: row.gateway,
    seq: row.seq,
    at: row.decided_at,
    logIndex: row.log_index,
    reasons: reasonsIn(detail),
  };
}

export function trafficRow(row: TrafficRecord): TrafficRow {
  const detail = parsed(row.detail) ?? {};
  const outcome = parsed(row.outcome);
  return {
    ...decidedPart(row, detail),
    findings: findingsIn(detail, outcome ?? {}),
    observed: observedIn(detail, outcome ?? {}),
    ended: outcome === null ? null : endedOf(outcome),
  };
}

/** Tokens of prompt and answer, apart. */
export function tokensOf(row: TrafficRecord): { readonly prompt: number; readonly completion: number } {
  const usage = part(parsed(row.outcome) ?? {}, "usage");
  return { prompt: whole(usage, "prompt") ?? 0, completion: whole(usage, "completion") ?? 0 };
}
