import { AccessDecisionBody, GatewayDecisionBody, GatewayOutcomeBody } from "@licet/contract";
import type { Entry, EntryDefinition } from "../ledger/recorder.ts";
import { insertDecision, saveOutcome } from "./store.ts";

type Body = GatewayDecisionBody | AccessDecisionBody;

/** Runtime entries are projected after the log took them, so the index is there. */
function row(entry: Entry, body: Body): Parameters<typeof insertDecision>[1] {
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
  };
}

export const gatewayEntryDefinitions: readonly EntryDefinition[] = [
  {
    kind: "gateway.decision",
    v: 1,
    mode: "runtime",
    apply: (tx, entry) => insertDecision(tx, row(entry, GatewayDecisionBody.parse(entry.body))),
  },
  {
    kind: "access.decision",
    v: 1,
    mode: "runtime",
    apply: (tx, entry) => insertDecision(tx, row(entry, AccessDecisionBody.parse(entry.body))),
  },
  {
    kind: "gateway.outcome",
    v: 1,
    mode: "runtime",
    apply: async (tx, entry) => {
      const body = GatewayOutcomeBody.parse(entry.body);
      await saveOutcome(tx, { space: entry.space, decision: body.decision, outcome: JSON.stringify(body) });
    },
  },
];
