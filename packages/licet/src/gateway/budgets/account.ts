import { SlidingMinute } from "./sliding-minute.ts";
import { dayEnd, dayOf, monthEnd, monthOf } from "./utc-day.ts";

/** Money of one currency, or none at all where no price is known. */
export interface Amount {
  readonly tokens: number;
  readonly micros: number;
  readonly currency: string | null;
}

/** Money of one currency in one window. */
class Purse {
  micros = 0;
  /** Of these, what calls that have not ended reserved. */
  open = 0;
}

/** What was spent in one day or month; open reservations are in it. Owned by its account. */
export class Window {
  readonly index: number;
  readonly endsAt: number;
  tokens = 0;
  /** Of these tokens, those of calls that have not ended. */
  openTokens = 0;
  readonly #purses = new Map<string, Purse>();

  constructor(index: number, endsAt: number) {
    this.index = index;
    this.endsAt = endsAt;
  }

  micros(currency: string | null): number {
    return currency === null ? 0 : (this.#purses.get(currency)?.micros ?? 0);
  }

  openMicros(currency: string | null): number {
    return currency === null ? 0 : (this.#purses.get(currency)?.open ?? 0);
  }

  get money(): readonly (readonly [currency: string, micros: number])[] {
    return Array.from(this.#purses, ([currency, { micros }]) => [currency, micros] as const);
  }

  /** Spent for good. */
  add({ tokens, micros, currency }: Amount): void {
    this.tokens += tokens;
    if (currency !== null) this.#purse(currency).micros += micros;
  }

  open({ tokens, micros, currency }: Amount): OpenWindow {
    this.tokens += tokens;
    this.openTokens += tokens;
    if (currency === null) return { window: this, purse: undefined };
    const purse = this.#purse(currency);
    purse.micros += micros;
    purse.open += micros;
    return { window: this, purse };
  }

  #purse(currency: string): Purse {
    const before = this.#purses.get(currency);
    if (before !== undefined) return before;
    const made = new Purse();
    this.#purses.set(currency, made);
    return made;
  }
}

/** A reservation as it stands in one window. */
interface OpenWindow {
  readonly window: Window;
  readonly purse: Purse | undefined;
}

/** Ends a reservation: what it came to takes its place. */
function closeWindow({ window, purse }: OpenWindow, reserved: Amount, spent: Amount): void {
  window.openTokens -= reserved.tokens;
  window.tokens += spent.tokens - reserved.tokens;
  if (purse === undefined) return;
  purse.open -= reserved.micros;
  purse.micros += spent.micros - reserved.micros;
}

/**
 * What one system, or all of a space, has spent and has in flight. A call counts in the day and the month in which it
 * was admitted, whenever it ends, so a window that is over changes no later one.
 */
export class Account {
  readonly minute = new SlidingMinute();
  inFlight = 0;
  #day: Window;
  #month: Window;

  constructor(now: number) {
    const day = dayOf(now);
    this.#day = new Window(day, dayEnd(day));
    this.#month = monthWindow(day);
  }

  get day(): Window {
    return this.#day;
  }

  get month(): Window {
    return this.#month;
  }

  /** Moves on to the day of `now`; never back. */
  roll(now: number): void {
    if (now < this.#day.endsAt) return;
    const day = dayOf(now);
    this.#day = new Window(day, dayEnd(day));
    if (now >= this.#month.endsAt) this.#month = monthWindow(day);
  }

  /** What the record says was spent on a day, told before traffic begins. */
  restore(day: number, amount: Amount): void {
    if (day === this.#day.index) this.#day.add(amount);
    if (monthOf(day) === this.#month.index) this.#month.add(amount);
  }

  open(amount: Amount, now: number): OpenAmount {
    this.minute.add(now);
    this.inFlight += 1;
    return { account: this, day: this.#day.open(amount), month: this.#month.open(amount) };
  }

  close({ day, month }: OpenAmount, reserved: Amount, spent: Amount): void {
    closeWindow(day, reserved, spent);
    closeWindow(month, reserved, spent);
    this.inFlight -= 1;
  }
}

/** A reservation as one account holds it: the windows that it was counted in. */
export interface OpenAmount {
  readonly account: Account;
  readonly day: OpenWindow;
  readonly month: OpenWindow;
}

function monthWindow(day: number): Window {
  const month = monthOf(day);
  return new Window(month, monthEnd(month));
}
