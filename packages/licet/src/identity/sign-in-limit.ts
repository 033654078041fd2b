import { LicetError } from "@licet/contract";

export const windowMinutes = 15;
/** Wrong passwords for one account from one address. */
export const accountFailuresMax = 10;
/** Attempts of one address over all accounts: each costs a password hash or a stored challenge. */
export const addressAttemptsMax = 200;
export const keysMax = 10_000;

interface Attempts {
  readonly since: number;
  readonly count: number;
}

/** Counts attempts by key within a window. In memory: a restart forgives, which an attacker cannot cause. */
export interface AttemptLimit {
  /** Counts one more; throws `too_many_attempts` with the seconds to wait once the limit is reached. */
  take(key: string): void;
  /** Forgets the key's attempts. */
  forgive(key: string): void;
}

export function attemptLimit(now: () => number, attemptsMax: number): AttemptLimit {
  const seen = new Map<string, Attempts>();
  const windowMilliseconds = windowMinutes * 60_000;

  function current(key: string): Attempts | undefined {
    const found = seen.get(key);
    if (found === undefined || now() - found.since < windowMilliseconds) return found;
    seen.delete(key);
    return undefined;
  }

  function refuseOver(found: Attempts): void {
    if (found.count < attemptsMax) return;
    const retryAfterSeconds = Math.max(1, Math.ceil((found.since + windowMilliseconds - now()) / 1000));
    throw new LicetError("too_many_attempts", { at: { retryAfterSeconds } });
  }

  return {
    take(key) {
      const found = current(key) ?? { since: now(), count: 0 };
      refuseOver(found);
      // The oldest gives way: a flood of made-up accounts must not fill the memory.
      if (!seen.has(key) && seen.size >= keysMax) seen.delete(seen.keys().next().value ?? "");
      seen.set(key, { since: found.since, count: found.count + 1 });
    },
    forgive(key) {
      seen.delete(key);
    },
  };
}
