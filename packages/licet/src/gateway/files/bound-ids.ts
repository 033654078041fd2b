import type { BoundId, IdPlace } from "./bound-id.ts";

/** Held in memory; of more the oldest are asked of the record. */
const heldMax = 100_000;

export interface BoundIdsOptions {
  /** From the record, oldest first. */
  readonly known?: readonly BoundId[];
  /** Asks the record for one that is not held. Asked only once more were bound than are held. */
  readonly older?: ((place: IdPlace) => Promise<BoundId | undefined>) | undefined;
  /** The record has more than `known`. */
  readonly partial?: boolean;
  readonly heldMax?: number;
}

export interface IdPage {
  readonly ids: readonly BoundId[];
  readonly more: boolean;
}

export interface IdPageAsk {
  readonly space: string;
  readonly system: string;
  readonly object: BoundId["object"];
  readonly provider: string;
  readonly purpose: string | undefined;
  readonly after: string | undefined;
  readonly limit: number;
  readonly oldestFirst: boolean;
  /** What the caller may use. */
  readonly fits: (bound: BoundId) => boolean;
}

/** Which ids of providers are whose: answered from memory, fed by what is recorded. Owned by one gateway. */
export class BoundIds {
  readonly #options: BoundIdsOptions;
  readonly #held = new Map<string, BoundId>();
  #partial: boolean;

  constructor(options: BoundIdsOptions = {}) {
    this.#options = options;
    this.#partial = options.partial === true;
    for (const each of options.known ?? []) this.add(each);
  }

  async find(place: IdPlace): Promise<BoundId | undefined> {
    const held = this.#held.get(keyOf(place));
    return held ?? (this.#partial ? this.#options.older?.(place) : undefined);
  }

  /** An id is bound once: who has it first keeps it. */
  add(bound: BoundId): void {
    const key = keyOf(bound);
    if (this.#held.has(key)) return;
    this.#held.set(key, bound);
    if (this.#held.size <= (this.#options.heldMax ?? heldMax)) return;
    const [oldest] = this.#held.keys();
    if (oldest !== undefined) this.#held.delete(oldest);
    this.#partial = true;
  }

  remove(place: IdPlace): void {
    this.#held.delete(keyOf(place));
  }

  /** The ids of one system that are held, the newest first. */
  page({ space, system, object, provider, purpose, after, limit, oldestFirst, fits }: IdPageAsk): IdPage {
    const own = [...this.#held.values()].filter((each) => each.space === space && each.system === system && each.object === object && each.provider === provider && (purpose === undefined || each.purpose === purpose) && fits(each));
    const ordered = oldestFirst ? own : own.reverse();
    const from = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
    // What is after an id that is not there is nothing.
    if (after !== undefined && from === 0) return { ids: [], more: false };
    return { ids: ordered.slice(from, from + limit), more: ordered.length > from + limit };
  }
}

function keyOf({ space, provider, id }: IdPlace): string {
  return JSON.stringify([space, provider, id]);
}
