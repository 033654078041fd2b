import { expect, test } from "vitest";
import { manualClock } from "../../packages/licet/src/base/clock.ts";
import { erasuresSince, firstOfGateway, usageByDay } from "../../packages/licet/src/controls/store.ts";
import type { Database } from "../../packages/licet/src/db/database.ts";
import { migrate, migrationFolder } from "../../packages/licet/src/db/migrate.ts";
import { describeEngines } from "./support/databases.ts";

const day = Date.UTC(2026, 10, 20);

interface Call {
  readonly id: string;
  readonly at: number;
  readonly usage?: { readonly prompt: number; readonly completion: number; readonly total: number } | null;
  readonly change?: { readonly decision?: string; readonly kind?: string; readonly action?: string; readonly space?: string; readonly provider?: string };
}

async function record(database: Database, { id, at, usage, change = {} }: Call): Promise<void> {
  const { space = "main", kind = "gateway.decision", decision = "allow", action = "callModel", provider = "models" } = change;
  const detail = JSON.stringify({ provider, upstreamModel: id.startsWith("bare") ? null : "sim-1" });
  const outcome = usage === undefined ? null : JSON.stringify({ usage });
  const row = { deployment: null, release: null, system: null, code: null, model: "chat", gateway: "gw-1", seq: 1 };
  await database.operational.insertInto("decision").values({ ...row, space, id, log_index: at - day, kind, action, decision, detail, outcome, decided_at: at, kid: "key_1", outcome_kid: null }).execute();
}

describeEngines("usage in the log", ({ open }) => {
  test("is summed per UTC day, provider and model in the database, the same on both engines", async () => {
    const database = await open();
    try {
      await migrate({ database, clock: manualClock(day), folder: migrationFolder });
      const usage = { prompt: 3_000_000_000, completion: 7, total: 3_000_000_007 };
      const calls: readonly Call[] = [
        { id: "a", at: day, usage },
        { id: "b", at: day + 86_399_999, usage },
        { id: "c", at: day + 86_400_000, usage: null },
        { id: "d", at: day + 86_400_001 },
        { id: "bare", at: day + 1, usage },
        { id: "denied", at: day + 2, change: { decision: "deny" } },
        { id: "asked", at: day + 3, change: { kind: "access.decision" } },
        { id: "listed", at: day + 4, change: { action: "listModels" } },
        { id: "foreign", at: day + 5, usage, change: { space: "other" } },
        { id: "elsewhere", at: day + 6, usage, change: { provider: "others" } },
      ];
      for (const call of calls) await record(database, call);
      const { read, engine } = database;
      const rows = await usageByDay(read, "main", { engine, from: day, to: day + 2 * 86_400_000, provider: "models" });
      expect(rows).toEqual([
        { day, provider: "models", model: "chat", calls: 1, answered: 1, tokensUnknown: 0, inputTokens: 3_000_000_000, outputTokens: 7 },
        { day, provider: "models", model: "sim-1", calls: 2, answered: 2, tokensUnknown: 0, inputTokens: 6_000_000_000, outputTokens: 14 },
        { day: day + 86_400_000, provider: "models", model: "sim-1", calls: 2, answered: 1, tokensUnknown: 2, inputTokens: 0, outputTokens: 0 },
      ]);
      expect(await usageByDay(read, "main", { engine, from: day, to: day + 2 * 86_400_000 })).toHaveLength(4);
      expect(await usageByDay(read, "main", { engine, from: day + 1, to: day + 2, provider: "models" })).toMatchObject([{ model: "chat", calls: 1 }]);
      const erasure = { occasion: "schedule", target: { kind: "schedule", class: "runtime", before: day }, keys: ["key_1"], counts: { keys: 1, entries: 1 }, basis: "retention", requestedBy: "server", request: null, approvals: [], tombstone: null };
      for (const [id, kind] of [["era_1", "runtime"], ["era_2", "content"]] as const) {
        const body = JSON.stringify({ ...erasure, erasure: id, class: kind, before: day });
        await database.operational.insertInto("erasure").values({ space: "main", id, occasion: "schedule", state: "done", body, intended_at: day, done_at: day, entry: id }).execute();
      }
      expect([await erasuresSince(read, "main", day - 1), await erasuresSince(read, "main", day), await erasuresSince(read, "other", 0)]).toEqual([1, 0, 0]);
      expect(await firstOfGateway(read, "main", "gw-1")).toBe(0);
      expect(await firstOfGateway(read, "main", "gw-2")).toBeUndefined();
    } finally {
      await database.close();
    }
  });
});
