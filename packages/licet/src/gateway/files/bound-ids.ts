import type { BoundId, IdPlace } from "./bound-id.ts";

/** Held in memory; of more the oldest are asked of the record. */
const heldMax = 100_000;

export interface BoundIdsOptions {
  /** From the record, oldest first. */
  readonly known?: readonly BoundId[];
  /** Asks the record for one that is not held. Asked only once more were bound than are held. */
  readonly older?: ((place: IdPlace) => Promise<BoundId | undefined>) | undefined;
  /** What others bound, of whom this process hears nothing by itself; asked for what is not held here. */
  readonly elsewhere?: BoundElsewhere | undefined;
  /** The record has more than `known`. */
  readonly partial?: boolean;
  readonly heldMax?: number;
}

export interface OwnIds {
  readonly space: string;
  readonly system: string;
  readonly object: BoundId["object"];
  readonly provider: string;
}

/** The record of all gateways of the installation. What it cannot say it does not know: then an id is nobody's. */
export interface BoundElsewhere {
  find(place: IdPlace): Promise<BoundId | undefined>;
  /** The newest of one system, newest first. */
  list(of: OwnIds): Promise<readonly BoundId[]>;
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
  /** Of these the batches of which nobody has seen what they came to. */
  readonly #running = new Map<string, BoundId>();
  #partial: boolean;

  constructor(options: BoundIdsOptions = {}) {
    this.#options = options;
    this.#partial = options.partial === true;
    for (const each of options.known ?? []) this.add(each);
  }

  async find(place: IdPlace): Promise<BoundId | undefined> {
    const held = this.#held.get(keyOf(place));
    return held ?? (this.#partial ? await this.#options.older?.(place) : undefined) ?? this.#options.elsewhere?.find(place);
  }

  /** An id is bound once: who has it first keeps it. */
  add(bound: BoundId): void {
    const key = keyOf(bound);
    if (this.#held.has(key)) return;
    this.#held.set(key, bound);
    if (bound.object === "batch") this.#running.set(key, bound);
    else if (bound.purpose === "batch-output" && bound.from !== null) this.#running.delete(keyOf({ ...bound, id: bound.from }));
    if (this.#held.size <= (this.#options.heldMax ?? heldMax)) return;
    const [oldest] = this.#held.keys();
    if (oldest !== undefined) {
      this.#held.delete(oldest);
      this.#running.delete(oldest);
    }
    this.#partial = true;
  }

  remove(place: IdPlace): void {
    this.#held.delete(keyOf(place));
    this.#running.delete(keyOf(place));
  }

  /** Batches that may still run at their provider, oldest first. */
  running(): readonly BoundId[] {
    return [...this.#running.values()];
  }

  /** The ids of one system that are held or known elsewhere, the newest first. */
  async page({ space, system, object, provider, purpose, after, limit, oldestFirst, fits }: IdPageAsk): Promise<IdPage> {
    const others = (await this.#options.elsewhere?.list({ space, system, object, provider })) ?? [];
    const all = new Map([...others.toReversed(), ...this.#held.values()].map((each) => [keyOf(each), each]));
    const own = [...all.values()].filter((each) => each.space === space && each.system === system && each.object === object && each.provider === provider && (purpose === undefined || each.purpose === purpose) && fits(each));
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
