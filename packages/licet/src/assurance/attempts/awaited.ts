import type { AwaitedRepeat, Tier } from "@licet/contract";
import { findTicket, type Reader, type ResultRow, type Ticket } from "../store.ts";
import { ticketStatus } from "../ticket.ts";
import { answered, drawnFor, isRepeated } from "./repeat.ts";
import { drawnRepeatOf, originsOf } from "./store.ts";

/**
 * Results that do not count yet at a tier: the run of a CI that they come from, here or in the release that they were carried from,
 * is not back, or the check drawn from it has not been made again. INVARIANT: at high and critical tier a run counts when the
 * server has answered for it, and not before.
 */
export async function awaitedRepeats(db: Reader, space: string, of: { readonly rows: readonly Pick<ResultRow, "id" | "producer">[]; readonly tier: Tier; readonly now: number }): Promise<ReadonlyMap<string, AwaitedRepeat>> {
  if (!isRepeated(of.tier)) return new Map();
  const reported = of.rows.filter(({ producer }) => producer === "ci").map(({ id }) => id);
  const origins = await originsOf(db, space, reported);
  const awaited = new Map<string, AwaitedRepeat | undefined>();
  for (const ticket of new Set(origins.map((each) => each.ticket))) awaited.set(ticket, await awaitedFor(db, { space, ticket, tier: of.tier, now: of.now }));
  return new Map(
    origins.flatMap(({ id, ticket }) => {
      const repeat = awaited.get(ticket);
      return repeat === undefined ? [] : [[id, repeat] as const];
    }),
  );
}

interface Asked {
  readonly space: string;
  readonly ticket: string;
  /** Of the release for which they are to count, which may not be the one that they were made for. */
  readonly tier: Tier;
  readonly now: number;
}

async function awaitedFor(db: Reader, { space, ticket: id, tier, now }: Asked): Promise<AwaitedRepeat | undefined> {
  const ticket = await findTicket(db, space, id);
  if (ticket !== undefined && ticketStatus(ticket, now) === "open") return unreturned(ticket);
  // What disagreed is disputed, and waits for nothing.
  if ((await drawnRepeatOf(db, space, id)) !== undefined) return undefined;
  const drawn = await drawnFor({ tierOf: async () => tier, now: () => now }, db, { space, ticket: id });
  if (drawn === undefined || (await answered(db, drawn))) return undefined;
  return { check: drawn.check.id, ticket: id, since: drawn.since, until: drawn.until };
}

/** Who could choose which results of a run come in first would choose what the draw is from. */
function unreturned({ id, issuedAt, leaseUntil }: Ticket): AwaitedRepeat {
  return { check: null, ticket: id, since: issuedAt, until: leaseUntil };
}
