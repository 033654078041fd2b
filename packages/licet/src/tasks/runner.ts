import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { Database } from "../db/database.ts";
import { claim, complete, extendLease, fail } from "./store.ts";
import type { Task } from "./task.ts";

/** Must be repeatable, and stop soon after `signal` aborts: then the task is somebody else's, or the server ends. */
export type TaskHandler = (task: Task, signal: AbortSignal) => Promise<void>;

export interface RunnerOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly handlers: Readonly<Record<string, TaskHandler>>;
  /** Unique among the runners of this database: a new id for each start. */
  readonly owner: string;
  readonly concurrencyMax?: number;
  readonly leaseMilliseconds?: number;
  readonly pollMilliseconds?: number;
  readonly stopMillisecondsMax?: number;
  /** Failures of tasks and of the database, for the server's log. */
  readonly onFailure?: (error: unknown, task?: Task) => void;
}

export interface TaskRunner {
  /** Claims what is due and resolves when that has been run. For tests and for commands that end; not beside `start`. */
  runDue(): Promise<number>;
  /** Looks for due tasks at once instead of at the next poll. */
  wake(): void;
  /** Starts polling. */
  start(): void;
  /** Claims nothing more, waits for what runs, then aborts it; what is left is taken over after its lease. */
  stop(): Promise<void>;
}

type Settings = Required<RunnerOptions>;

const defaults = { concurrencyMax: 4, leaseMilliseconds: 30_000, pollMilliseconds: 1_000, stopMillisecondsMax: 10_000, onFailure: () => undefined };

export function taskRunner(options: RunnerOptions): TaskRunner {
  const settings: Settings = { ...defaults, ...options };
  const running = new Map<string, Promise<void>>();
  const shutdown = new AbortController();
  const bell = alarmBell();
  const stopping = new AbortController();
  let polling: Promise<void> = Promise.resolve();

  const claimDue = async (): Promise<readonly Promise<void>[]> => {
    const tasks = await claimTasks(settings, settings.concurrencyMax - running.size, (task) => running.has(keyOf(task)));
    return tasks.map((task) => {
      const run = runTask(settings, task, shutdown.signal).finally(() => {
        running.delete(keyOf(task));
        bell.ring();
      });
      running.set(keyOf(task), run);
      return run;
    });
  };
  const poll = async () => {
    while (!stopping.signal.aborted) {
      const started = await claimDue().catch((error: unknown) => {
        settings.onFailure(error);
        return [];
      });
      if (started.length === 0 || running.size >= settings.concurrencyMax) await bell.wait(settings.pollMilliseconds);
    }
  };
  return {
    runDue: async () => {
      let count = 0;
      for (let started = await claimDue(); started.length > 0; started = await claimDue()) {
        count += started.length;
        await Promise.all(started);
      }
      return count;
    },
    wake: () => bell.ring(),
    start: () => {
      polling = poll();
    },
    stop: async () => {
      stopping.abort();
      bell.ring();
      await polling;
      await within(Promise.all(running.values()), settings.stopMillisecondsMax);
      shutdown.abort();
    },
  };
}

function keyOf({ space, id }: Pick<Task, "space" | "id">): string {
  return `${space} ${id}`;
}

type IsRunning = (task: Pick<Task, "space" | "id">) => boolean;

async function claimTasks({ database, clock, handlers, owner, leaseMilliseconds }: Settings, tasksMax: number, running: IsRunning): Promise<readonly Task[]> {
  const now = clock.now();
  return await claim(database, { owner, kinds: Object.keys(handlers), now, leaseUntil: now + leaseMilliseconds, tasksMax, running });
}

/** Never rejects: a task that cannot even be reported is taken over when its lease runs out. */
async function runTask(settings: Settings, task: Task, shutdown: AbortSignal): Promise<void> {
  const { database, clock, owner, handlers, onFailure } = settings;
  const lease = keepLease(settings, task);
  try {
    await handlers[task.kind]?.(task, AbortSignal.any([shutdown, lease.lost]));
    if (!(await complete(database, task, { owner, now: clock.now() }))) onFailure(new LicetError("task_lease_lost"), task);
  } catch (error) {
    onFailure(error, task);
    await fail(database, task, { owner, now: clock.now(), error: publicMessage(error) }).catch((cause: unknown) => onFailure(cause, task));
  } finally {
    lease.end();
  }
}

/** Only coded errors have a message that is fit to be stored and shown. */
function publicMessage(error: unknown): string {
  return error instanceof LicetError ? `${error.code}: ${error.message}` : "internal: the handler failed; its cause is in the server's log";
}

/** Extends the lease while the handler runs; once it is lost, or cannot be extended in time, tells the handler. */
function keepLease(settings: Settings, task: Task): { readonly lost: AbortSignal; end(): void } {
  const { database, clock, owner, leaseMilliseconds, onFailure } = settings;
  const lost = new AbortController();
  let until = clock.now() + leaseMilliseconds;
  const extend = async () => {
    const next = clock.now() + leaseMilliseconds;
    if (await extendLease(database, task, { owner, leaseUntil: next })) until = next;
    else lost.abort();
  };
  const timer = setInterval(() => {
    if (clock.now() >= until) lost.abort();
    extend().catch((error: unknown) => onFailure(error, task));
  }, leaseMilliseconds / 3);
  return { lost: lost.signal, end: () => clearInterval(timer) };
}

function alarmBell(): { ring(): void; wait(milliseconds: number): Promise<void> } {
  let rung = false;
  let answer: () => void = () => undefined;
  return {
    ring: () => {
      rung = true;
      answer();
    },
    wait: async (milliseconds) => {
      if (!rung) {
        const { promise, resolve } = Promise.withResolvers<void>();
        answer = resolve;
        await within(promise, milliseconds);
      }
      rung = false;
    },
  };
}

async function within(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work, promise]).finally(() => clearTimeout(timer));
}
