import type { Dice } from "./cedar-dice.ts";
import type { Json } from "./cedar-data.ts";
import { objectOf } from "./cedar-world.ts";

export interface Mutation {
  readonly dice: Dice;
  /** What to put in the place of what was there. */
  readonly junk: () => Json;
  /** What a new member of an object may be called. */
  readonly names: readonly string[];
}

/** A copy that differs in one place, wherever that is. */
export function mutate(json: Json, mutation: Mutation): Json {
  const { dice } = mutation;
  if (Array.isArray(json)) return json.length > 0 && dice.chance(0.8) ? mutateList(json, mutation) : dice.pick([mutation.junk(), [...json, mutation.junk()]]);
  if (typeof json === "object" && json !== null) return mutateObject(json, mutation);
  return mutation.junk();
}

function mutateList(json: readonly Json[], mutation: Mutation): Json {
  const { dice } = mutation;
  const at = dice.below(json.length);
  if (dice.chance(0.2)) return json.filter((_, index) => index !== at);
  if (dice.chance(0.1)) return [...json, json[at]];
  return json.map((item, index) => (index === at ? mutate(item, mutation) : item));
}

function mutateObject(json: object, mutation: Mutation): Json {
  const { dice } = mutation;
  const entries: readonly (readonly [string, Json])[] = Object.entries(json);
  if (entries.length === 0 || dice.chance(0.08)) return objectOf([...entries, [dice.pick(mutation.names), mutation.junk()]]);
  if (dice.chance(0.04)) return mutation.junk();
  const at = dice.below(entries.length);
  if (dice.chance(0.1)) return objectOf(entries.filter((_, index) => index !== at));
  return objectOf(entries.map(([name, value], index) => (index !== at ? [name, value] : dice.chance(0.05) ? [dice.pick(mutation.names), value] : [name, mutate(value, mutation)])));
}
