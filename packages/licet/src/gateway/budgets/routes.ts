import { BudgetLimits, ModelPrices, type BudgetView, type OwnPriceView, type SpentView } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { LicetError } from "../../base/errors.ts";
import type { Handlers } from "../../http/handlers.ts";
import type { Recorder } from "../../ledger/recorder.ts";
import { emailsOf } from "../../oversight/store.ts";
import { budgetLimits, modelPrices, spentSince, systemNames, type Reader } from "../store.ts";
import { changeLimits, changePrice } from "./change.ts";
import { declaredBudgets } from "./declared.ts";
import type { PriceTable } from "./price-tables.ts";
import { wholeSpace } from "./standing.ts";
import { dayEnd, dayOf, monthEnd, monthOf, monthStart } from "./utc-day.ts";

export interface BudgetRoutes {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly tables: readonly PriceTable[];
}

export function budgetRoutes({ read, recorder, tables }: BudgetRoutes): Pick<Handlers, "listBudgets" | "setBudget" | "listPrices" | "setPrice"> {
  return {
    async listBudgets({ params, query }) {
      const { system, cursor, limit } = query;
      const known = (await systemNames(read, params.space)).toSorted();
      if (system !== undefined && !known.includes(system)) throw new LicetError("system_unknown", { message: `there is no system \`${system}\` in this space` });
      const all = system === undefined ? [null, ...known] : [system];
      const after = cursor === undefined ? all : all.filter((name) => name !== null && name > cursor);
      const wanted = after.slice(0, limit);
      return { items: await views({ read, recorder }, params.space, wanted), next: after.length > limit ? (wanted.at(-1) ?? spaceCursor) : null };
    },
    async setBudget({ params, body }, caller) {
      await changeLimits(recorder, { space: params.space, ...body, by: caller.personId });
      const [view] = await views({ read, recorder }, params.space, [body.system]);
      if (view === undefined) throw new LicetError("system_unknown");
      return view;
    },
    listPrices: async ({ params }) => ({
      own: await ownPrices(read, params.space),
      tables: tables.map(({ vendor, names, currency, readAt, sources, models }) => ({ vendor, names, currency, readAt, sources, models: models.flatMap(({ model, aliases = [] }) => [model, ...aliases]) })),
    }),
    async setPrice({ params, body }, caller) {
      await changePrice(recorder, { space: params.space, ...body, by: caller.personId });
      return { items: await ownPrices(read, params.space) };
    },
  };
}

type Rows = Awaited<ReturnType<typeof spentSince>>;

/** Of a page that ends with the space itself: every name comes after it. */
const spaceCursor = "-";

/** Of these systems, null for the space. What calls in flight reserved is in the record, so it is in the sums. */
async function views({ read, recorder }: Pick<BudgetRoutes, "read" | "recorder">, space: string, wanted: readonly (string | null)[]): Promise<BudgetView[]> {
  await recorder.settle();
  const today = dayOf(recorder.now());
  const [only, ...more] = wanted;
  const [declared, limits, spent] = await Promise.all([declaredBudgets(read, space, more.length === 0 ? (only ?? undefined) : undefined), budgetLimits(read, space), spentSince(read, monthStart(monthOf(today)), space)]);
  const people = await emailsOf(read, space, limits.map((row) => row.changed_by));
  return wanted.map((system) => {
    const set = limits.find((row) => row.system === (system ?? wholeSpace));
    const rows = system === null ? spent : spent.filter((row) => row.system === system);
    return {
      system,
      declared: system === null ? null : (declared.get(system) ?? null),
      operator: set === undefined ? null : { limits: BudgetLimits.parse(parseJson(set.limits)), reason: set.reason, changedBy: people.get(set.changed_by) ?? set.changed_by, changedAt: set.changed_at },
      day: sum(rows.filter(({ day }) => day === today), dayEnd(today)),
      month: sum(rows, monthEnd(monthOf(today))),
    };
  });
}

function sum(rows: Rows, endsAt: number): SpentView {
  const money = new Map<string, number>();
  for (const { currency, micros } of rows) if (currency !== "") money.set(currency, (money.get(currency) ?? 0) + micros);
  return { tokens: rows.reduce((total, row) => total + row.tokens, 0), money: [...money].map(([currency, micros]) => ({ currency, micros })), endsAt };
}

async function ownPrices(read: Reader, space: string): Promise<OwnPriceView[]> {
  const rows = await modelPrices(read, space);
  const people = await emailsOf(read, space, rows.map((row) => row.changed_by));
  return rows.map((row) => ({ provider: row.provider, model: row.model, known: ModelPrices.parse(parseJson(row.known)), source: row.source, changedBy: people.get(row.changed_by) ?? row.changed_by, changedAt: row.changed_at }));
}
