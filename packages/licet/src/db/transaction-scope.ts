import { AsyncLocalStorage } from "node:async_hooks";
import { LicetError } from "../base/errors.ts";

/**
 * Knows whether the code that runs now was called by a running transaction. Using another connection from
 * there would wait for itself on SQLite and read stale rows on both engines, so it is refused at once.
 */
export interface TransactionScope {
  run<T>(work: () => Promise<T>): Promise<T>;
  assertOutside(): void;
}

export function transactionScope(): TransactionScope {
  const storage = new AsyncLocalStorage<{ active: boolean }>();
  return {
    run: async (work) => {
      // What the work leaves running after its end (a timer, a listener) is outside again.
      const scope = { active: true };
      try {
        return await storage.run(scope, work);
      } finally {
        scope.active = false;
      }
    },
    assertOutside: () => {
      if (storage.getStore()?.active === true) throw new LicetError("nested_write");
    },
  };
}
