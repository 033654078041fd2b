import fc from "fast-check";
import { expect, test } from "vitest";
import { LicetError } from "../../../packages/licet/src/base/errors.ts";
import { carryOutErasure, endUserSubject, keysOfTarget, scheduledErasure } from "../../../packages/licet/src/privacy/erase.ts";
import { applyRetention } from "../../../packages/licet/src/privacy/retention.ts";
import { day, modes, privateInstallation, type PrivateInstallation } from "../support/private.ts";

const step = fc.record({ what: fc.constantFrom("ask" as const, "join" as const, "erase person" as const, "erase user" as const, "erase system" as const, "month" as const, "settle" as const, "restart" as const), pick: fc.nat(2) });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

type Target = Parameters<typeof keysOfTarget>[2];

async function erase(at: PrivateInstallation, target: Target): Promise<void> {
  const keys = keysOfTarget(at.records.keyring, "main", target);
  await carryOutErasure(at.deps(), { id: scheduledErasure(at.clock.now()), space: "main", occasion: "request", target, keys, basis: "asked", requestedBy: "server", request: null });
}

/** What one step does; whoever was never there is erased without effect. */
function doer(at: PrivateInstallation): (step: Step) => Promise<void> {
  const people: string[] = [];
  let joined = 0;
  const actions: Readonly<Record<Step["what"], (pick: number) => Promise<unknown>>> = {
    ask: (pick) => at.ask({ content: `question ${pick}`, user: `user-${pick}`, modes: modes("encrypted") }),
    join: async () => {
      const person = await at.person(`person${++joined}@example.org`, `Person ${joined}`, ["assessor", "developer"]);
      people.push(person.personId);
    },
    "erase person": async (pick) => {
      const [person] = people.splice(pick % Math.max(1, people.length), 1);
      if (person !== undefined) await erase(at, { kind: "person", person });
    },
    "erase user": async (pick) => erase(at, { kind: "user", subject: await endUserSubject(at.records.keyring, "main", `user-${pick}`), before: null }),
    "erase system": async () => erase(at, { kind: "system", system: "helpdesk", class: "runtime", before: null }),
    month: async () => {
      at.clock.advance(62 * day);
      await applyRetention(at.deps());
    },
    settle: () => at.records.recorder.settle(),
    restart: async () => {
      await at.stop();
      await at.open();
    },
  };
  return async ({ what, pick }) => {
    await actions[what](pick);
  };
}

/**
 * Months pass here while the daily task runs. A task whose lease ran out with them is reported and done once more:
 * that must do no harm, and is no failure.
 */
function isLostLease(failure: unknown): boolean {
  return failure instanceof LicetError && failure.code === "task_lease_lost";
}

async function live(at: PrivateInstallation, steps: readonly Step[]): Promise<void> {
  const act = doer(at);
  try {
    for (const each of [{ what: "join", pick: 0 }, { what: "ask", pick: 1 }, ...steps] as const) await act(each);
  } finally {
    // What the daily task is in the middle of is finished before the tables are compared.
    await at.stop();
  }
}

const runs = Number(process.env["LICET_PRIVACY_RUNS"] ?? 1);

test("whatever was recorded and erased in whatever order, a rebuild gives the tables as they are", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 14 }), async (steps) => {
      const at = await privateInstallation();
      try {
        await live(at, steps);
        const rows = at.rows();
        await at.rebuildStopped();
        expect(at.rows()).toEqual(rows);
        expect(at.failures.filter((failure) => !isLostLease(failure))).toEqual([]);
      } finally {
        await at.remove();
      }
    }),
    { numRuns: runs, endOnFailure: true },
  );
}, 60_000 + 20_000 * runs);
