import { LicetError } from "../base/errors.ts";

/** Lets one through at a time, in the order of arrival. */
export interface Turnstile {
  /** Resolves with the function that lets the next one through. */
  enter(): Promise<() => void>;
  /** Refuses everybody who waits or comes later; resolves when the one inside has left. */
  close(): Promise<void>;
}

export interface TurnstileBounds {
  readonly waitingMax: number;
  readonly waitMillisecondsMax: number;
}

interface Waiting {
  readonly admit: () => void;
  readonly refuse: (reason: LicetError) => void;
}

export const defaultTurnstileBounds: TurnstileBounds = { waitingMax: 10_000, waitMillisecondsMax: 30_000 };

const closed = () => new LicetError("database_unavailable", { message: "the database is closed" });

export function turnstile(bounds: TurnstileBounds = defaultTurnstileBounds): Turnstile {
  const queue = new Set<Waiting>();
  let occupied = false;
  let isClosed = false;
  let onEmpty: () => void = () => undefined;

  const leave = () => {
    const [next] = queue;
    if (next === undefined) {
      occupied = false;
      onEmpty();
    } else {
      queue.delete(next);
      next.admit();
    }
  };
  const once = () => {
    let left = false;
    return () => {
      if (!left) leave();
      left = true;
    };
  };
  return {
    enter: async () => {
      if (isClosed) throw closed();
      if (occupied) await wait(queue, bounds);
      occupied = true;
      return once();
    },
    close: async () => {
      isClosed = true;
      for (const waiting of queue) waiting.refuse(closed());
      queue.clear();
      if (occupied) {
        await new Promise<void>((resolve) => {
          onEmpty = resolve;
        });
      }
    },
  };
}

function wait(queue: Set<Waiting>, { waitingMax, waitMillisecondsMax }: TurnstileBounds): Promise<void> {
  if (queue.size >= waitingMax) {
    return Promise.reject(new LicetError("database_unavailable", { message: `${waitingMax} writes are waiting already` }));
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    queue.delete(waiting);
    reject(new LicetError("database_unavailable", { message: `another write has been running for ${waitMillisecondsMax} ms` }));
  }, waitMillisecondsMax);
  const waiting: Waiting = {
    admit: () => {
      clearTimeout(timer);
      resolve();
    },
    refuse: (reason) => {
      clearTimeout(timer);
      reject(reason);
    },
  };
  queue.add(waiting);
  return promise;
}
