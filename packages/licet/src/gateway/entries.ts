import { AccessDecisionBody, GatewayContentBody, GatewayDecisionBody, GatewayOutcomeBody } from "@licet/contract";
import type { Entry, EntryDefinition } from "../ledger/recorder.ts";
import { insertContent, insertDecisions, saveOutcomes, type DecisionOutcome, type DecisionRow } from "./store.ts";

type Body = GatewayDecisionBody | AccessDecisionBody;

/** Runtime entries are projected after the log took them, so the index is there. */
function row(entry: Entry, body: Body): DecisionRow {
  return {
    space: entry.space,
    id: body.id,
    log_index: entry.index ?? -1,
    gateway: entry.gateway ?? "",
    seq: entry.seq ?? -1,
    kind: entry.kind,
    system: entry.system ?? null,
    deployment: body.deployment,
    release: body.release,
    action: body.action,
    decision: body.decision,
    code: body.code,
    model: body.model,
    detail: JSON.stringify(body),
    outcome: null,
    decided_at: entry.time,
    kid: entry.kid ?? "",
    outcome_kid: null,
  };
}

function outcomeOf(entry: Entry): DecisionOutcome {
  const body = GatewayOutcomeBody.parse(entry.body);
  return { space: entry.space, decision: body.decision, outcome: JSON.stringify(body), kid: entry.kid ?? "" };
}

/** An outcome follows its decision in the log, so it finds the row here or in the table. */
const applyMany: NonNullable<EntryDefinition["applyMany"]> = async (tx, entries) => {
  const rows: DecisionRow[] = [];
  const places = new Map<string, number>();
  const later: DecisionOutcome[] = [];
  for (const entry of entries) {
    if (entry.kind === "gateway.outcome") {
      const outcome = outcomeOf(entry);
      const place = places.get(`${outcome.space}\n${outcome.decision}`);
      const decision = place === undefined ? undefined : rows[place];
      if (place === undefined || decision === undefined) later.push(outcome);
      else rows[place] = { ...decision, outcome: outcome.outcome, outcome_kid: outcome.kid };
    } else {
      const decision = row(entry, bodyOf(entry));
      places.set(`${decision.space}\n${decision.id}`, rows.push(decision) - 1);
    }
  }
  await insertDecisions(tx, rows);
  await saveOutcomes(tx, later);
};

function bodyOf(entry: Entry): Body {
  return entry.kind === "access.decision" ? AccessDecisionBody.parse(entry.body) : GatewayDecisionBody.parse(entry.body);
}

export const gatewayEntryDefinitions: readonly EntryDefinition[] = [
  {
    kind: "gateway.decision",
    v: 1,
    mode: "runtime",
    apply: (tx, entry) => insertDecisions(tx, [row(entry, bodyOf(entry))]),
    applyMany,
  },
  {
    kind: "access.decision",
    v: 2,
    mode: "runtime",
    upcast: (body) => ({ ...body, client: null, asked: null, obligations: [], exported: null }),
    apply: (tx, entry) => insertDecisions(tx, [row(entry, bodyOf(entry))]),
    applyMany,
  },
  {
    kind: "gateway.outcome",
    v: 1,
    mode: "runtime",
    apply: (tx, entry) => saveOutcomes(tx, [outcomeOf(entry)]),
    applyMany,
  },
  {
    kind: "gateway.content",
    v: 1,
    mode: "runtime",
    apply: (tx, entry) => {
      const { id, decision, part, mode, truncated } = GatewayContentBody.parse(entry.body);
      return insertContent(tx, { space: entry.space, id, log_index: entry.index ?? -1, kid: entry.kid ?? "", decision, part, mode, truncated: truncated ? 1 : 0, recorded_at: entry.time });
    },
  },
];
