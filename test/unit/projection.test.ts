import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../packages/licet/src/base/clock.ts";
import type { Database } from "../../packages/licet/src/db/database.ts";
import { migrate } from "../../packages/licet/src/db/migrate.ts";
import { gatewayEntryDefinitions } from "../../packages/licet/src/gateway/entries.ts";
import type { LoggedEntry } from "../../packages/licet/src/ledger/recorder.ts";
import { describeEngines } from "./support/databases.ts";

const migrations = fileURLToPath(new URL("../../packages/licet/migrations", import.meta.url));

const decided = { reasons: [], policyErrors: [], policyBundle: null, snapshot: null, cedar: null, deployment: null, credential: null, release: null, model: null, findings: [] };
const call = { action: "callModel", endpoint: "/", provider: null, region: null, upstreamModel: null, stream: false, requestBytes: 0, messages: null, scanned: "none" };
const outcome = { deployment: "d", release: "r", code: null, finish: "complete", finishReasons: [], abortedBy: null, usage: null, findings: [], scanned: "full", answerBytes: 1, timings: { decisionMs: 0, firstByteMs: null, totalMs: 1 }, upstreamStatus: 200 };

interface Step {
  readonly what: "decision" | "access" | "outcome";
  readonly space: string;
  /** Which earlier decision an outcome is of; some are of none. */
  readonly pick: number;
}

function entryOf({ what, space, pick }: Step, index: number, decisions: string[]): LoggedEntry {
  const base = { id: `ent_${index}`, v: 1, time: 1000 + index, space, actor: "a", subject: "space", class: "runtime", gateway: "gw", seq: index, index } as const;
  if (what === "outcome") return { ...base, kind: "gateway.outcome", body: { ...outcome, decision: decisions[pick % (decisions.length + 1)] ?? "dec_none", status: 200 + index } };
  const id = `dec_${index}`;
  decisions.push(id);
  const more = what === "access" ? { action: "score", digest: null, client: null, asked: null, obligations: [], exported: null } : call;
  const verdict = { decision: index % 3 === 0 ? "deny" : "allow", code: index % 3 === 0 ? "policy_denied" : null };
  return { ...base, kind: what === "access" ? "access.decision" : "gateway.decision", body: { ...decided, ...verdict, ...more, id } };
}

/** Applies all and reads the table, then leaves it empty. */
async function rowsAfter(database: Database, apply: Parameters<Database["write"]>[0]): Promise<readonly unknown[]> {
  await database.write(apply);
  const rows = await database.read.selectFrom("decision").selectAll().orderBy("log_index").execute();
  await database.write(async (tx) => {
    await tx.deleteFrom("decision").execute();
  });
  return rows;
}

function definitionOf({ kind }: LoggedEntry) {
  const found = gatewayEntryDefinitions.find((definition) => definition.kind === kind);
  if (found?.applyMany === undefined) throw new Error(`no definition applies many of ${kind}`);
  return { ...found, applyMany: found.applyMany };
}

const step = fc.record({ what: fc.constantFrom("decision" as const, "access" as const, "outcome" as const), space: fc.constantFrom("main", "other"), pick: fc.nat() });

describeEngines("projection of the gateway's entries", ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await migrate({ database, clock: systemClock, folder: migrations });
  });
  afterAll(() => database.close());

  test("entries applied together give the rows that they give one by one, wherever the batches end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 150 }), fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), async (steps, sizes) => {
        const decisions: string[] = [];
        const entries = steps.map((each, index) => entryOf(each, index, decisions));
        const expected = await rowsAfter(database, async (tx) => {
          for (const entry of entries) await definitionOf(entry).apply(tx, entry);
        });
        const actual = await rowsAfter(database, async (tx) => {
          for (let at = 0, turn = 0; at < entries.length; turn += 1) {
            const part = entries.slice(at, at + (sizes[turn % sizes.length] ?? 1));
            const [first] = part;
            if (first !== undefined) await definitionOf(first).applyMany(tx, part);
            at += part.length;
          }
        });
        expect(actual).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  test("a decision id that stands twice in the log is refused in a batch too", async () => {
    const twice = entryOf({ what: "decision", space: "main", pick: 0 }, 1, []);
    const apply = database.write((tx) => definitionOf(twice).applyMany(tx, [twice, { ...twice, index: 2 }]));
    await expect(apply).rejects.toThrow("changed meanwhile");
  });
});
