import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { describeEngines } from "../../../../test/unit/support/databases.ts";
import { manualClock, type ManualClock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { Database } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { enqueueNotification, notificationKind } from "./notification.ts";
import { taskRunner, type RunnerOptions, type TaskHandler } from "./runner.ts";
import { backlog, claim, complete, enqueue, exhausted, fail, pruneDone, retry } from "./store.ts";
import { backoffMilliseconds, type Task } from "./task.ts";

const code = (expected: string) => expect.objectContaining({ code: expected });

describeEngines("background tasks", ({ open }) => {
  let database: Database;
  let other: Database;
  let clock: ManualClock;
  const put = (id: string, more: { payload?: unknown; runAt?: number; attemptsMax?: number; space?: string } = {}) =>
    enqueue(database.operational, { space: "main", now: clock.now(), kind: "work", payload: { id }, id, ...more });
  const runner = (handler: TaskHandler, more: Partial<RunnerOptions> = {}) =>
    taskRunner({ database, clock, owner: "runner-1", handlers: { work: handler }, ...more });
  const row = (id: string) => database.read.selectFrom("task").selectAll().where("id", "=", id).executeTakeFirst();

  beforeAll(async () => {
    database = await open();
    await migrate({ database, clock: manualClock(0) });
    other = await open();
  });
  afterAll(async () => {
    await other.close();
    await database.close();
  });
  beforeEach(() => {
    clock = manualClock(1_000_000);
  });
  afterEach(() => database.operational.deleteFrom("task").execute());

  test("a task runs once, with its payload, and is done", async () => {
    const seen: Task[] = [];
    await put("a", { payload: { list: [1, "é"] } });
    const work = runner(async (task) => void seen.push(task));
    expect(await work.runDue()).toBe(1);
    expect(await work.runDue()).toBe(0);
    expect(seen).toEqual([{ space: "main", id: "a", kind: "work", payload: { list: [1, "é"] }, attempt: 1, attemptsMax: 8 }]);
    expect(await row("a")).toMatchObject({ done_at: 1_000_000, lease_owner: null });
  });

  test("a task exists exactly if the transaction that enqueued it commits", async () => {
    const rolledBack = database.write(async (tx) => {
      await enqueue(tx, { space: "main", now: 1, kind: "work", payload: 1, id: "never" });
      throw new Error("no");
    });
    await expect(rolledBack).rejects.toThrow("no");
    expect(await row("never")).toBeUndefined();
    await database.write((tx) => enqueue(tx, { space: "main", now: 1, kind: "work", payload: 1, id: "ever" }));
    expect(await row("ever")).toBeDefined();
  });

  test("the same id is enqueued once in a space, and separately in another", async () => {
    await put("daily", { payload: 1 });
    await put("daily", { payload: 2 });
    await put("daily", { payload: 3, space: "other" });
    const seen: unknown[] = [];
    await runner(async ({ space, payload }) => void seen.push([space, payload])).runDue();
    expect(seen).toHaveLength(2);
    expect(seen).toContainEqual(["main", 1]);
    expect(seen).toContainEqual(["other", 3]);
  });

  test("a task waits for its time, and kinds without a handler wait for a runner that has one", async () => {
    await put("later", { runAt: 1_000_500 });
    await enqueue(database.operational, { space: "main", now: 1, kind: "unknown", payload: null, id: "foreign" });
    const work = runner(async () => undefined);
    expect(await work.runDue()).toBe(0);
    clock.advance(500);
    expect(await work.runDue()).toBe(1);
    expect(await row("foreign")).toMatchObject({ attempts: 0, done_at: null });
  });

  test("a failed task is tried again after a growing pause, until its attempts are used up", async () => {
    await put("bad", { attemptsMax: 3 });
    const failures: unknown[] = [];
    const work = runner(
      async () => {
        throw new LicetError("unreachable");
      },
      { onFailure: (error) => failures.push(error) },
    );
    for (const attempt of [1, 2, 3]) {
      expect(await work.runDue()).toBe(1);
      clock.advance(backoffMilliseconds(attempt) - 1);
      expect(await work.runDue()).toBe(0);
      clock.advance(1);
    }
    expect(await work.runDue()).toBe(0);
    expect(failures).toHaveLength(3);
    expect(await exhausted(database, "main", clock.now())).toMatchObject([{ id: "bad", attempts: 3, last_error: "unreachable: the server could not be reached" }]);
    expect(await exhausted(database, "other", clock.now())).toEqual([]);
    expect(await retry(database, "main", { id: "bad", now: clock.now() })).toBe(true);
    expect(await work.runDue()).toBe(1);
  });

  test("the words of an uncoded failure are not stored", async () => {
    await put("leaky");
    await runner(async () => {
      throw new Error("the prompt was: hello");
    }).runDue();
    expect((await row("leaky"))?.last_error).not.toContain("prompt");
  });

  test("two runners on two connections share the work and never run one task twice", async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `task-${index}`);
    for (const id of ids) await put(id);
    const ran: string[] = [];
    const active = new Set<string>();
    const overlaps: string[] = [];
    const handler: TaskHandler = async ({ id }) => {
      if (active.has(id)) overlaps.push(id);
      active.add(id);
      ran.push(id);
      await new Promise((resolve) => setTimeout(resolve, 2));
      active.delete(id);
    };
    const first = runner(handler, { owner: "one" });
    const second = runner(handler, { owner: "two", database: other });
    await Promise.all([first.runDue(), second.runDue()]);
    expect(overlaps).toEqual([]);
    expect([...ran].sort()).toEqual([...ids].sort());
  });

  test("of many that claim the same task at the same moment, one gets it", async () => {
    await put("single");
    const now = clock.now();
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        claim(index % 2 === 0 ? database : other, { owner: `owner-${index}`, kinds: ["work"], now, leaseUntil: now + 1_000, tasksMax: 1 }),
      ),
    );
    expect(claims.flat()).toHaveLength(1);
  });

  test("the task of a runner that died is taken over after its lease, not before, and the dead one cannot report", async () => {
    await put("orphan");
    const lease = { owner: "dead", kinds: ["work"], now: clock.now(), leaseUntil: clock.now() + 30_000, tasksMax: 1 };
    const [task] = await claim(database, lease);
    if (task === undefined) throw new Error("not claimed");
    const seen: number[] = [];
    const work = runner(async ({ attempt }) => void seen.push(attempt));
    clock.advance(29_999);
    expect(await work.runDue()).toBe(0);
    clock.advance(1);
    expect(await work.runDue()).toBe(1);
    expect(seen).toEqual([2]);
    expect(await complete(database, task, { owner: "dead", now: 1 })).toBe(false);
    expect(await fail(database, task, { owner: "dead", now: 1, error: "late" })).toBe(false);
    expect(await row("orphan")).toMatchObject({ done_at: clock.now(), last_error: null });
  });

  test("a task that kills its runner is not tried for ever", async () => {
    await put("poison", { attemptsMax: 2 });
    const take = () => claim(database, { owner: "victim", kinds: ["work"], now: clock.now(), leaseUntil: clock.now() + 10, tasksMax: 1 });
    for (let round = 0; round < 2; round++) {
      expect(await take()).toHaveLength(1);
      clock.advance(10);
    }
    expect(await take()).toEqual([]);
    expect(await exhausted(database, "main", clock.now())).toMatchObject([{ id: "poison" }]);
  });

  test("while a handler runs its lease is kept; once another has the task, it is told to stop", async () => {
    await put("long");
    const failures: unknown[] = [];
    const told = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const work = runner(
      async (_, signal) => {
        signal.addEventListener("abort", () => told.resolve());
        started.resolve();
        await told.promise;
      },
      { leaseMilliseconds: 60, onFailure: (error) => failures.push(error) },
    );
    const running = work.runDue();
    await started.promise;
    clock.advance(40);
    await expect.poll(async () => (await row("long"))?.leased_until).toBe(clock.now() + 60);
    await database.operational.updateTable("task").set({ lease_owner: "thief" }).execute();
    await told.promise;
    await running;
    expect(failures).toEqual([code("task_lease_lost")]);
    expect(await row("long")).toMatchObject({ lease_owner: "thief", done_at: null });
  });

  test("after a leap of the clock a runner does not begin again what it is still running", async () => {
    const end = Promise.withResolvers<void>();
    let begun = 0;
    await put("slow");
    const work = runner(async () => {
      begun += 1;
      await end.promise;
    });
    const first = work.runDue();
    await expect.poll(() => begun).toBe(1);
    clock.advance(3_600_000);
    expect(await work.runDue()).toBe(0);
    expect(begun).toBe(1);
    end.resolve();
    expect(await first).toBe(1);
  });

  test("a started runner never has more than its limit under way, and stops when what runs has ended", async () => {
    for (let index = 0; index < 10; index++) await put(`t-${index}`);
    let active = 0;
    let most = 0;
    let finished = 0;
    const started = Promise.withResolvers<void>();
    const work = runner(
      async ({ id }) => {
        most = Math.max(most, ++active);
        if (id === "woken") started.resolve();
        await new Promise((resolve) => setTimeout(resolve, id === "woken" ? 100 : 10));
        active--;
        finished++;
      },
      { concurrencyMax: 3, pollMilliseconds: 60_000 },
    );
    work.start();
    await expect.poll(() => finished, { timeout: 5_000 }).toBe(10);
    await put("woken");
    work.wake();
    await started.promise;
    expect(active).toBe(1);
    await work.stop();
    expect([most, active, finished]).toEqual([3, 0, 11]);
    await put("after");
    work.wake();
    expect(await backlog(database, clock.now())).toBe(1);
  });

  test("a handler that does not end is aborted when the runner stops, and its task is left to the lease", async () => {
    await put("stuck");
    const aborted = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const work = runner(
      async (_, signal) => {
        started.resolve();
        await new Promise<never>((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(new LicetError("unreachable")));
        }).finally(() => aborted.resolve());
      },
      { stopMillisecondsMax: 10 },
    );
    work.start();
    await started.promise;
    await work.stop();
    await aborted.promise;
    await expect.poll(async () => (await row("stuck"))?.last_error).toContain("unreachable");
    expect(await row("stuck")).toMatchObject({ done_at: null });
  });

  test("a notification is a task of its own kind, and an oversized payload is refused", async () => {
    const notification = { event: "approval_requested", recipient: { role: "risk_owner" }, about: { system: "helpdesk" } };
    const id = await enqueueNotification(database.operational, { space: "main", now: clock.now(), notification });
    expect(await row(id)).toMatchObject({ kind: notificationKind, payload: JSON.stringify(notification) });
    await expect(put("big", { payload: "x".repeat(65_536) })).rejects.toThrow(code("body_too_large"));
  });

  test("pruning removes what was done before the given time and nothing else", async () => {
    await put("old");
    await runner(async () => undefined).runDue();
    clock.advance(1_000);
    await put("new");
    await runner(async () => undefined).runDue();
    await put("waiting");
    expect(await pruneDone(database, clock.now())).toBe(1);
    expect((await database.read.selectFrom("task").select("id").orderBy("id").execute()).map(({ id }) => id)).toEqual(["new", "waiting"]);
  });
});
