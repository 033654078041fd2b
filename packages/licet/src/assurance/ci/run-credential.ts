import { createHash, randomBytes } from "node:crypto";
import { LicetError } from "../../base/errors.ts";
import type { RunAuthenticator } from "../../http/access.ts";
import { findCiRegistration, findCiRunBySecret, findTicket, type CiRun, type Reader } from "../store.ts";

/** Long enough for the checks of a release; then the run is over, whatever became of it. */
export const runMs = 60 * 60 * 1000;

const prefix = "lcr_";

export function newRunSecret(): string {
  return `${prefix}${randomBytes(32).toString("base64url")}`;
}

/** Records hold only this: random bytes that cannot be guessed need no slow hash. */
export function runSecretDigest(secret: string): string {
  return `sha256:${createHash("sha256").update(secret).digest("hex")}`;
}

/**
 * Whether a run may still do its one thing: its hour is not over, its registration is in force, and its ticket is not
 * yet issued, or still open. Ending is computed, so that nobody has to come back to say so.
 */
async function isOpen(db: Reader, run: CiRun, now: number): Promise<boolean> {
  if (now >= run.expires_at) return false;
  const registration = await findCiRegistration(db, run.space, run.registration);
  if (registration === undefined || registration.removed_at !== null) return false;
  const ticket = run.ticket === null ? undefined : await findTicket(db, run.space, run.ticket);
  return run.ticket === null || (ticket?.status === "open" && now < ticket.leaseUntil);
}

/** Whether the server's runner still has to make one of a returned ticket's checks again. */
export type RepeatOwed = (space: string, ticket: string) => Promise<boolean>;

/** Lets whoever holds a run's secret in, while the run is open, and while the files of a drawn check may be wanted. */
export function runAuthenticator(db: Reader, now: () => number, repeatOwed: RepeatOwed): RunAuthenticator {
  const isWanted = async (run: CiRun): Promise<boolean> => run.ticket !== null && now() < run.expires_at && (await repeatOwed(run.space, run.ticket));
  return {
    isRun: (bearer) => bearer.startsWith(prefix),
    async runOf(space, bearer) {
      const run = await findCiRunBySecret(db, space, runSecretDigest(bearer));
      return run !== undefined && ((await isOpen(db, run, now())) || (await isWanted(run))) ? { run: run.id, space: run.space, system: run.system } : undefined;
    },
  };
}

/** Inside the transaction that uses it: two requests with one secret are two, and one of them comes second. Throws `ci_run_over`. */
export async function needOpenRun(db: Reader, run: CiRun | undefined, now: number): Promise<CiRun> {
  if (run === undefined || !(await isOpen(db, run, now))) throw new LicetError("ci_run_over");
  return run;
}
