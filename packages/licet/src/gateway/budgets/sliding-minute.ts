const slotMs = 250;
const slotCount = 241;

/**
 * Counts what happened within the last 60 seconds, in memory that does not grow with the count. Slots are dropped
 * whole, so up to a quarter of a second too much is counted and never anything too little: a limit that this keeps
 * holds for every minute, wherever it begins.
 */
export class SlidingMinute {
  readonly #slots = new Uint32Array(slotCount);
  #head = 0;
  #count = 0;

  count(now: number): number {
    this.#advance(now);
    return this.#count;
  }

  add(now: number): void {
    this.#advance(now);
    const at = this.#head % slotCount;
    this.#slots[at] = (this.#slots[at] ?? 0) + 1;
    this.#count += 1;
  }

  /** When fewer than `limit` are counted; undefined when that is never. */
  freeAt(limit: number, now: number): number | undefined {
    this.#advance(now);
    let left = this.#count;
    if (limit <= 0) return undefined;
    for (let slot = this.#head - slotCount + 1; slot <= this.#head; slot += 1) {
      if (left < limit) return Math.max(now, (slot + slotCount - 1) * slotMs);
      left -= slot < 0 ? 0 : (this.#slots[slot % slotCount] ?? 0);
    }
    return (this.#head + slotCount) * slotMs;
  }

  /** Time that stands before what was seen already counts as that. */
  #advance(now: number): void {
    const slot = Math.floor(now / slotMs);
    if (slot <= this.#head) return;
    if (slot - this.#head >= slotCount) {
      this.#slots.fill(0);
      this.#count = 0;
    } else {
      for (let each = this.#head + 1; each <= slot; each += 1) this.#clear(each % slotCount);
    }
    this.#head = slot;
  }

  #clear(at: number): void {
    this.#count -= this.#slots[at] ?? 0;
    this.#slots[at] = 0;
  }
}
