import type { BudgetLimits } from "@licet/contract";

/** Of whom: a system, or with null all systems of the space together. */
export interface ShareOwner {
  readonly space: string;
  readonly system: string | null;
}

/** What a gateway may spend in all of one window, by limit. What is not in it is not limited. */
export interface WindowShare {
  /** The window's number: days since the epoch, or months since the year 0 (UTC). */
  readonly index: number;
  readonly tokens?: number;
  readonly micros?: number;
}

/** Leased by the control plane, as a whole: a later one takes the place of an earlier one, and is never less within a window. */
export interface Share {
  readonly day: WindowShare;
  readonly month: WindowShare;
  readonly requestsPerMinute?: number;
  readonly concurrency?: number;
}

/** How a gateway that counts beside others knows its share; from memory. Absent where one gateway counts alone. */
export interface Shares {
  /** Undefined where none is leased: then nothing that is limited is spent. */
  of(owner: ShareOwner): Share | undefined;
  /** Told what did not fit, so that more is asked for; the call is refused and may come again. */
  want(owner: ShareOwner, amount: { readonly tokens: number; readonly micros: number }): void;
}

/** What one gateway asks for: what it has spent or reserved by its own count, and how much more it needs at least. */
export interface ShareWish {
  readonly gateway: string;
  readonly owner: ShareOwner;
  readonly day: WindowUse;
  readonly month: WindowUse;
  readonly more: { readonly tokens: number; readonly micros: number };
}

export interface WindowUse {
  readonly index: number;
  readonly tokens: number;
  readonly micros: number;
}

type Unit = "tokens" | "micros";

/** Granted at once beyond what is needed, as a part of what is left: so that not every call asks. */
const ahead = 0.1;

/**
 * Divides limits among gateways. INVARIANT: what is granted of a window, to all gateways together, never passes its
 * limit; so whatever each spends of its own share, in whatever order and with whatever news from the others, the sum
 * does not pass it either. A grant of a gateway that does not answer stays granted until the window ends.
 */
export class ShareLessor {
  /** Granted by owner, window and unit, then by gateway. */
  readonly #granted = new Map<string, Map<string, number>>();

  /** `gateways`: those that hold a lease, this one included; rate and concurrency are divided among them evenly. */
  lease({ gateway, owner, day, month, more }: ShareWish, limits: BudgetLimits, gateways: number): Share {
    const { money, requestsPerMinute, concurrency } = limits;
    const grant = (window: "day" | "month", use: WindowUse, most: Readonly<Record<Unit, number | undefined>>): WindowShare => ({
      index: use.index,
      ...this.#grant({ key: [owner, window, use.index], gateway, used: use, more, most, unit: "tokens" }),
      ...this.#grant({ key: [owner, window, use.index], gateway, used: use, more, most, unit: "micros" }),
    });
    return {
      day: grant("day", day, { tokens: limits.tokensPerDay, micros: money?.microsPerDay }),
      month: grant("month", month, { tokens: limits.tokensPerMonth, micros: money?.microsPerMonth }),
      ...(requestsPerMinute !== undefined && { requestsPerMinute: Math.floor(requestsPerMinute / gateways) }),
      ...(concurrency !== undefined && { concurrency: Math.floor(concurrency / gateways) }),
    };
  }

  /** A gateway that is known to have stopped: what it did not spend can be granted again. */
  ended({ gateway, owner, day, month }: Omit<ShareWish, "more">): void {
    for (const [window, use] of [["day", day], ["month", month]] as const) {
      for (const unit of ["tokens", "micros"] as const) this.#of([owner, window, use.index, unit]).set(gateway, use[unit]);
    }
  }

  #grant({ key, gateway, used, more, most, unit }: Granting): Partial<Record<Unit, number>> {
    const limit = most[unit];
    if (limit === undefined) return {};
    const granted = this.#of([...key, unit]);
    const before = granted.get(gateway) ?? 0;
    let others = 0;
    for (const [other, amount] of granted) if (other !== gateway) others += amount;
    const free = Math.max(0, limit - others - before);
    const needed = Math.max(0, used[unit] + more[unit] - before);
    const extra = Math.min(free, Math.max(needed, Math.floor(free * ahead)));
    granted.set(gateway, before + extra);
    return { [unit]: before + extra };
  }

  #of(key: readonly unknown[]): Map<string, number> {
    const name = JSON.stringify(key);
    const before = this.#granted.get(name) ?? new Map<string, number>();
    this.#granted.set(name, before);
    return before;
  }
}

interface Granting {
  readonly key: readonly unknown[];
  readonly gateway: string;
  readonly used: WindowUse;
  readonly more: ShareWish["more"];
  readonly most: Readonly<Record<Unit, number | undefined>>;
  readonly unit: Unit;
}
