import { CedarError } from "./errors.ts";
import type { EntityUid, ReadonlyFields } from "./values.ts";

/** An entity as policies see it. */
export interface Entity {
  readonly uid: EntityUid;
  readonly attrs: ReadonlyFields;
  readonly tags: ReadonlyFields | undefined;
  readonly parents: readonly EntityUid[];
}

class StoredEntity implements Entity {
  readonly uid: EntityUid;
  readonly attrs: ReadonlyFields;
  readonly tags: ReadonlyFields | undefined;
  readonly parents: readonly EntityUid[];
  /** Keys of all ancestors, made by the store that owns the entity when somebody first asks. */
  ancestors: ReadonlySet<string> | undefined;

  constructor(entity: Entity) {
    this.uid = entity.uid;
    this.attrs = entity.attrs;
    this.tags = entity.tags;
    this.parents = entity.parents;
    this.ancestors = undefined;
  }
}

const noAncestors: ReadonlySet<string> = new Set();

/** Entities by name with the hierarchy among them. Immutable; a layer on a `base` sees both as one store. */
export class EntityStore {
  readonly #own: Map<string, StoredEntity>;
  readonly #base: EntityStore | undefined;
  /** Whether the layer holds a parent that entities of the base name and the base itself lacks: their ancestors then differ here. */
  readonly #bridges: boolean;
  #bridged: Map<string, ReadonlySet<string>> | undefined;
  #dangling: ReadonlySet<string> | undefined;

  /** Throws `CedarError` (`entity_invalid`) for cycles of parents. Two entities of one name are to be refused before. */
  constructor(entities: Iterable<Entity>, base?: EntityStore) {
    this.#own = new Map();
    this.#base = base;
    for (const entity of entities) this.#own.set(entity.uid.key, new StoredEntity(entity));
    this.#bridges = base !== undefined && base.size > 0 && this.#fillsGapOf(base);
    this.#refuseCycles();
  }

  get size(): number {
    return this.#own.size + (this.#base?.size ?? 0);
  }

  find(key: string): Entity | undefined {
    return this.#own.get(key) ?? this.#base?.find(key);
  }

  /** Whether the entity is the other one or below it. An entity that is not in the store is only in itself. */
  isIn(uid: EntityUid, ancestor: EntityUid): boolean {
    return uid.key === ancestor.key || this.ancestorsOf(uid.key).has(ancestor.key);
  }

  /** Keys of all entities above the one of this key. */
  ancestorsOf(key: string): ReadonlySet<string> {
    const entity = this.#own.get(key);
    if (entity === undefined) return this.#ancestorsInBase(key);
    return (entity.ancestors ??= this.#climb(entity));
  }

  /** Every entity, the base's first. */
  *[Symbol.iterator](): Generator<Entity> {
    if (this.#base !== undefined) yield* this.#base;
    yield* this.#own.values();
  }

  #ancestorsInBase(key: string): ReadonlySet<string> {
    if (this.#base === undefined) return noAncestors;
    if (!this.#bridges) return this.#base.ancestorsOf(key);
    this.#bridged ??= new Map();
    const known = this.#bridged.get(key);
    if (known !== undefined) return known;
    const entity = this.#base.find(key);
    if (entity === undefined) return noAncestors;
    const ancestors = this.#climb(entity);
    this.#bridged.set(key, ancestors);
    return ancestors;
  }

  /** Without recursion: how deep a hierarchy is, its author decides. */
  #climb(entity: Entity): ReadonlySet<string> {
    if (entity.parents.length === 0) return noAncestors;
    const seen = new Set<string>();
    const open: Entity[] = [entity];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const parent of next.parents) {
        if (seen.has(parent.key)) continue;
        seen.add(parent.key);
        const above = this.find(parent.key);
        if (above !== undefined && above.parents.length > 0) open.push(above);
      }
    }
    return seen;
  }

  #fillsGapOf(base: EntityStore): boolean {
    const gaps = base.#gaps();
    for (const key of this.#own.keys()) if (gaps.has(key)) return true;
    return false;
  }

  /** Keys of parents that are named in this store and not in it. */
  #gaps(): ReadonlySet<string> {
    if (this.#dangling !== undefined) return this.#dangling;
    const gaps = new Set<string>();
    for (const entity of this) {
      for (const parent of entity.parents) if (this.find(parent.key) === undefined) gaps.add(parent.key);
    }
    this.#dangling = gaps;
    return gaps;
  }

  #refuseCycles(): void {
    // A path that leaves the layer comes back only over a gap that the layer fills.
    const next = this.#bridges ? (key: string) => this.find(key) : (key: string) => this.#own.get(key);
    const finished = new Set<string>();
    for (const entity of this.#own.values()) {
      if (entity.parents.length > 0) refuseCycle(entity, finished, next);
    }
  }
}

interface Step {
  readonly entity: Entity;
  parent: number;
}

/** Walks depth-first without recursion; an entity met again while it is still on the path closes a cycle. */
function refuseCycle(start: Entity, finished: Set<string>, find: (key: string) => Entity | undefined): void {
  if (finished.has(start.uid.key)) return;
  const path: Step[] = [{ entity: start, parent: 0 }];
  const onPath = new Set<string>([start.uid.key]);
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const parent = step.entity.parents[step.parent];
    step.parent += 1;
    if (parent === undefined) {
      path.pop();
      onPath.delete(step.entity.uid.key);
      finished.add(step.entity.uid.key);
    } else if (onPath.has(parent.key)) {
      throw new CedarError("entity_invalid", "", `\`${parent.type}::${JSON.stringify(parent.id)}\` is its own ancestor`);
    } else if (!finished.has(parent.key)) {
      const above = find(parent.key);
      if (above === undefined || above.parents.length === 0) continue;
      path.push({ entity: above, parent: 0 });
      onPath.add(parent.key);
    }
  }
}
