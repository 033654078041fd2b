import { toFile } from "openai";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeEngines } from "../support/databases.ts";
import { deployment, messages, start, startGoverned } from "../support/governed.ts";
import { manualClock, systemClock } from "../../../packages/licet/src/base/clock.ts";
import type { Database } from "../../../packages/licet/src/db/database.ts";
import { migrate } from "../../../packages/licet/src/db/migrate.ts";
import type { LoggedEntry } from "../../../packages/licet/src/ledger/recorder.ts";
import { install, newDirectory, removeDirectory } from "../../../packages/licet/src/ledger/recorder-fixture.ts";
import { eraseRows } from "../../../packages/licet/src/privacy/store.ts";
import { gatewayEntryDefinitions } from "../../../packages/licet/src/gateway/entries.ts";
import type { BoundId } from "../../../packages/licet/src/gateway/files/bound-id.ts";
import { BoundIds } from "../../../packages/licet/src/gateway/files/bound-ids.ts";
import { openBoundIds, saveBindings } from "../../../packages/licet/src/gateway/files/entries.ts";

const detail = { provider: "sim", deployment: "dep_1", release: "r", purpose: "user_data", digest: null, bytes: 1, classes: [], endpoint: null, models: [], from: null };
const bound = (id: string, change: Partial<BoundId> = {}): BoundId => ({ space: "main", system: "helpdesk", object: "file", id, ...detail, ...change });

describe("ids of files", () => {
  test("outlive the process: what the log has bound is bound when the gateway starts again", async () => {
    const directory = await newDirectory();
    const model = { name: "chat", provider: "simulator", model: "sim-1", bounds: {}, permissions: ["files"] };
    const named = (id: string) => ({ model: "chat", messages: [...messages, { role: "user" as const, content: [{ type: "file" as const, file: { file_id: id } }] }] });
    try {
      const first = await install({ directory, clock: manualClock(start), definitions: gatewayEntryDefinitions });
      const before = await startGoverned({ ledger: first.recorder, boundIds: await openBoundIds({ read: first.database.read, recorder: first.recorder }) });
      before.stand({ deployment: deployment({ models: [model] }) });
      const kept = await before.client.files.create({ file: await toFile(Buffer.from("kept"), "a.txt"), purpose: "user_data" });
      const gone = await before.client.files.create({ file: await toFile(Buffer.from("gone"), "b.txt"), purpose: "user_data" });
      await before.client.files.delete(gone.id);
      await before[Symbol.asyncDispose]();
      await first.crash();
      const second = await install({ directory, clock: manualClock(start), definitions: gatewayEntryDefinitions });
      const after = await startGoverned({ ledger: second.recorder, boundIds: await openBoundIds({ read: second.database.read, recorder: second.recorder }) });
      after.stand({ deployment: deployment({ models: [model] }) });
      expect((await after.client.chat.completions.create(named(kept.id))).choices).toHaveLength(1);
      await expect(after.client.chat.completions.create(named(gone.id))).rejects.toMatchObject({ code: "file_unknown" });
      await after[Symbol.asyncDispose]();
      await second.close();
    } finally {
      await removeDirectory(directory);
    }
  });

  test("come in with what other gateways recorded, while this one runs", async () => {
    const directory = await newDirectory();
    const at = await install({ directory, clock: manualClock(start), definitions: gatewayEntryDefinitions });
    try {
      const ids = await openBoundIds({ read: at.database.read, recorder: at.recorder });
      const { space: _, system, ...body } = bound("file-1");
      await at.recorder.append({ kind: "gateway.outcome", space: "main", actor: "dep_1", system, subject: `system:${system}`, class: "runtime", gateway: "gwy_2:gw_1", seq: 1, body: { ...outcome, decision: "dec_1", bound: [body] } });
      expect(await ids.find({ space: "main", provider: "sim", id: "file-1" })).toEqual(bound("file-1"));
      expect(await ids.find({ space: "other", provider: "sim", id: "file-1" })).toBeUndefined();
    } finally {
      await at.close();
      await removeDirectory(directory);
    }
  });

  test("that memory does not hold are asked of the record, and only then", async () => {
    const asked: string[] = [];
    const ids = new BoundIds({ heldMax: 2, older: async ({ id }) => (asked.push(id), id === "a" ? bound("a") : undefined) });
    ids.add(bound("a"));
    ids.add(bound("b"));
    expect(await ids.find(bound("c"))).toBeUndefined();
    expect(asked).toEqual([]);
    ids.add(bound("c"));
    expect((await ids.find(bound("a")))?.id).toBe("a");
    expect((await ids.find(bound("b")))?.id).toBe("b");
    expect(asked).toEqual(["a"]);
  });

  test("stay whose they were, whoever binds them again", async () => {
    const ids = new BoundIds({ known: [bound("a")] });
    ids.add(bound("a", { system: "other" }));
    expect((await ids.find(bound("a")))?.system).toBe("helpdesk");
  });
});

const outcome = { deployment: "d", release: "r", status: 200, code: null, finish: "complete", finishReasons: [], abortedBy: null, usage: null, findings: [], scanned: "full", answerBytes: 1, timings: { decisionMs: 0, firstByteMs: null, totalMs: 1 }, upstreamStatus: 200 };

interface Step {
  readonly binds: boolean;
  readonly id: string;
  readonly kid: string;
}

function entryOf({ binds, id, kid }: Step, index: number): LoggedEntry {
  const { space: _, system, ...body } = bound(id);
  const change = binds ? { bound: [body] } : { unbound: [{ provider: "sim", id }] };
  return { id: `ent_${index}`, v: 2, kind: "gateway.outcome", time: index, space: "main", actor: "a", system, subject: "s", class: "runtime", kid, index, body: { ...outcome, decision: `dec_${index}`, ...change } };
}

describeEngines("rows of bound ids", ({ open }) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await migrate({ database, clock: systemClock });
  });
  afterAll(() => database.close());

  async function rowsAfter(work: Parameters<Database["write"]>[0]): Promise<readonly unknown[]> {
    await database.write(work);
    const rows = await database.read.selectFrom("bound_id").selectAll().orderBy("log_index").execute();
    await database.write(async (tx) => {
      await tx.deleteFrom("bound_id").execute();
    });
    return rows;
  }

  test("are after an erasure those that the log gives without what was erased", async () => {
    const step = fc.record({ binds: fc.boolean(), id: fc.constantFrom("a", "b"), kid: fc.constantFrom("k1", "k2") });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const entries = steps.map(entryOf);
        const erased = await rowsAfter(async (tx) => {
          await saveBindings(tx, entries);
          await eraseRows(tx, "main", ["k1"]);
        });
        const without = await rowsAfter(async (tx) => saveBindings(tx, entries.filter(({ kid }) => kid !== "k1")));
        expect(erased).toEqual(without);
      }),
      { numRuns: 25 },
    );
  }, 30_000);
});
