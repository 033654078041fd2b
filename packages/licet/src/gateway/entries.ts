import { isRecord } from "@licet/evidence";
import { AccessDecisionBody, GatewayContentBody, GatewayDecisionBody, GatewayOutcomeBody } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { bodyText, type Entry, type EntryDefinition, type JsonObject } from "../ledger/recorder.ts";
import { runOf, spentBy, summed } from "./budgets/spent.ts";
import { saveBindings } from "./files/entries.ts";
import { addSpent, addSpentByRuns, insertContent, insertDecisions, insertWaived, saveOutcomes, type DecisionOutcome, type DecisionRow } from "./store.ts";

/** Runtime entries are projected after the log took them, so the index is there. Only what stands in a column is read. */
function row(entry: Entry): DecisionRow {
  const { body } = entry;
  return {
    space: entry.space,
    id: required(body, "id"),
    log_index: entry.index ?? -1,
    gateway: entry.gateway ?? "",
    seq: entry.seq ?? -1,
    kind: entry.kind,
    system: entry.system ?? null,
    deployment: named(body, "deployment"),
    release: named(body, "release"),
    action: required(body, "action"),
    decision: required(body, "decision"),
    code: named(body, "code"),
    model: named(body, "model"),
    detail: bodyText(entry),
    outcome: null,
    // A copy from a gateway process says when that decided.
    decided_at: shippedAt(body) ?? entry.time,
    kid: entry.kid ?? "",
    outcome_kid: null,
  };
}

function named(body: JsonObject, member: string): string | null {
  const value = body[member];
  if (typeof value === "string" || value === null) return value;
  throw new LicetError("log_damaged", { message: `\`${member}\` of a decision in the log is no text` });
}

function required(body: JsonObject, member: string): string {
  const value = body[member];
  if (typeof value === "string") return value;
  throw new LicetError("log_damaged", { message: `a decision in the log lacks its \`${member}\`` });
}

function shippedAt({ shipped }: JsonObject): number | undefined {
  return isRecord(shipped) && typeof shipped["time"] === "number" ? shipped["time"] : undefined;
}

/** Of an entry that a waiver let through: one row for each reason, however many of them share code and policy. */
function waivedIn(entry: Entry): Parameters<typeof insertWaived>[1] {
  if (!Array.isArray(entry.body["observed"])) return [];
  const { decision, waiver, observed = [] } = entry.kind === "gateway.outcome" ? GatewayOutcomeBody.parse(entry.body) : decisionWaived(bodyOf(entry));
  if (waiver === undefined) return [];
  const reasons = new Map(observed.map(({ code, policy }) => [`${code}\n${policy}`, { code, policy }]));
  return [...reasons.values()].map((reason) => ({ space: entry.space, decision, ...reason, waiver, decided_at: entry.time, kid: entry.kid ?? "" }));
}

function decisionWaived({ id, waiver, observed }: GatewayDecisionBody | AccessDecisionBody): Pick<GatewayOutcomeBody, "decision" | "waiver" | "observed"> {
  return { decision: id, waiver, observed };
}

function outcomeOf(entry: Entry): DecisionOutcome {
  return { space: entry.space, decision: required(entry.body, "decision"), outcome: bodyText(entry), kid: entry.kid ?? "" };
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
      const decision = row(entry);
      places.set(`${decision.space}\n${decision.id}`, rows.push(decision) - 1);
    }
  }
  await insertDecisions(tx, rows);
  await saveOutcomes(tx, later);
  await saveWaived(tx, entries);
  await saveSpent(tx, entries);
  await saveBindings(tx, entries);
};

const saveWaived = (tx: Parameters<EntryDefinition["apply"]>[0], entries: readonly Entry[]) => insertWaived(tx, entries.flatMap(waivedIn));

const saveSpent = async (tx: Parameters<EntryDefinition["apply"]>[0], entries: readonly Entry[]): Promise<void> => {
  const rows = (of: readonly Entry[]) => summed(of.flatMap(spentBy)).map(({ currency, ...spent }) => ({ ...spent, currency: currency ?? "" }));
  await addSpent(tx, rows(entries));
  for (const run of new Set(entries.flatMap((entry) => runOf(entry) ?? []))) {
    const own = rows(entries.filter((entry) => runOf(entry) === run));
    await addSpentByRuns(tx, own.map((row) => ({ ...row, run })));
  }
};

function bodyOf(entry: Entry): GatewayDecisionBody | AccessDecisionBody {
  return entry.kind === "access.decision" ? AccessDecisionBody.parse(entry.body) : GatewayDecisionBody.parse(entry.body);
}

/** No row is made from the question, which stands in the text. */
const waiting = (body: JsonObject): JsonObject => ({ ...body, cedar: null });

/** Of the first version there was one way to call a model. */
const onlyEndpoint = "/openai/v1/chat/completions";

export const gatewayEntryDefinitions: readonly EntryDefinition[] = [
  {
    kind: "gateway.decision",
    v: 2,
    mode: "runtime",
    upcast: (body) => ({ ...body, ...(body["endpoint"] === onlyEndpoint && { dialect: "openai.chat" }) }),
    waiting,
    apply: async (tx, entry) => {
      await insertDecisions(tx, [row(entry)]);
      await saveWaived(tx, [entry]);
      await saveSpent(tx, [entry]);
    },
    applyMany,
  },
  {
    kind: "access.decision",
    v: 2,
    mode: "runtime",
    upcast: (body) => ({ ...body, client: null, asked: null, obligations: [], exported: null }),
    waiting,
    apply: (tx, entry) => insertDecisions(tx, [row(entry)]),
    applyMany,
  },
  {
    kind: "gateway.outcome",
    v: 2,
    mode: "runtime",
    upcast: (body) => body,
    apply: async (tx, entry) => {
      await saveOutcomes(tx, [outcomeOf(entry)]);
      await saveWaived(tx, [entry]);
      await saveSpent(tx, [entry]);
      await saveBindings(tx, [entry]);
    },
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
