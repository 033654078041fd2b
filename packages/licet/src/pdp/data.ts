import type { CedarEntity, EntityUid } from "../policy/request.ts";

/** Entities that one decision may stand on; a graph that is larger than this decides nothing. */
export const closureEntitiesMax = 2000;
const closuresKept = 10_000;

export function uidKey({ type, id }: EntityUid): string {
  return `${type}\n${id}`;
}

/** What a space's application packs know of their subjects and resources: in memory, never changed in place. */
export class ApplicationData {
  readonly #entities: ReadonlyMap<string, CedarEntity>;
  readonly #ids = new Map<string, string[]>();
  /** Owned by `reached`: entities do not change, so what hangs on one is found once. */
  readonly #reached = new Map<string, readonly CedarEntity[] | undefined>();

  constructor(entities: readonly CedarEntity[]) {
    this.#entities = new Map(entities.map((entity) => [uidKey(entity.uid), entity]));
    for (const { uid } of entities) {
      const ids = this.#ids.get(uid.type);
      if (ids === undefined) this.#ids.set(uid.type, [uid.id]);
      else ids.push(uid.id);
    }
    for (const ids of this.#ids.values()) ids.sort();
  }

  get size(): number {
    return this.#entities.size;
  }

  all(): readonly CedarEntity[] {
    return [...this.#entities.values()];
  }

  find(uid: EntityUid): CedarEntity | undefined {
    return this.#entities.get(uidKey(uid));
  }

  /** Ids of a type, in the order of their code units. */
  idsOf(type: string): readonly string[] {
    return this.#ids.get(type) ?? [];
  }

  /** Everything that can be reached from an entity by parents, attributes and tags, itself included; undefined where that is too much. */
  reached(uid: EntityUid): readonly CedarEntity[] | undefined {
    const key = uidKey(uid);
    if (this.#reached.has(key)) return this.#reached.get(key);
    if (this.#reached.size >= closuresKept) this.#reached.clear();
    const found = this.reachedFrom([uid]);
    this.#reached.set(key, found);
    return found;
  }

  reachedFrom(uids: readonly EntityUid[]): readonly CedarEntity[] | undefined {
    const seen = new Map<string, CedarEntity>();
    const open = [...uids];
    for (let uid = open.pop(); uid !== undefined; uid = open.pop()) {
      const entity = this.find(uid);
      if (entity === undefined || seen.has(uidKey(uid))) continue;
      if (seen.size >= closureEntitiesMax) return undefined;
      seen.set(uidKey(uid), entity);
      open.push(...entity.parents, ...references(entity.attrs), ...references(entity.tags ?? {}));
    }
    return [...seen.values()];
  }
}

/** The entities that a value of Cedar's JSON form names. */
export function references(value: unknown): readonly EntityUid[] {
  if (typeof value !== "object" || value === null) return [];
  if ("__entity" in value) return entityUid(value.__entity);
  return Object.values(value).flatMap(references);
}

function entityUid(value: unknown): readonly EntityUid[] {
  const named = typeof value === "object" && value !== null && "type" in value && "id" in value;
  return named && typeof value.type === "string" && typeof value.id === "string" ? [{ type: value.type, id: value.id }] : [];
}
