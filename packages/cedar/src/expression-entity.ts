import { compute, dynamic, test, type Compiled } from "./compiled.ts";
import { failType, thrower } from "./errors.ts";
import { isIn, type Query } from "./query.ts";
import { EntityUid, RecordValue, type ReadonlyFields, type Value } from "./values.ts";

/** The attributes of a record or an entity; undefined for an entity that is not in the store. */
function fieldsOfValue(query: Query, value: Value): ReadonlyFields | undefined {
  if (value instanceof RecordValue) return value.fields;
  return value instanceof EntityUid ? query.store.find(value.key)?.attrs : failType("record or entity");
}

/** Where a variable's attributes stand in `Query.fields`; policies ask for little else, so these have paths of their own. */
const places = { principal: 0, resource: 1, context: 2 } as const;

function placeOf(left: Compiled): 0 | 1 | 2 | undefined {
  if (left.kind !== "dynamic" || left.boolean || left.variable === undefined || left.variable === "action") return undefined;
  return places[left.variable];
}

const noEntity = thrower("entity does not exist");

/** `left.name` */
export function attribute(left: Compiled, name: string): Compiled {
  const missing = thrower(`the attribute \`${name}\` is missing`);
  if (left.kind === "failing") return left;
  if (left.kind === "constant" && left.value instanceof RecordValue) {
    const { fields } = left.value;
    return compute(() => fields[name] ?? missing());
  }
  const place = placeOf(left);
  if (place !== undefined) return dynamic((query) => (query.fields[place] ?? noEntity())[name] ?? missing());
  const { run } = left;
  return dynamic((query) => (fieldsOfValue(query, run(query)) ?? noEntity())[name] ?? missing());
}

/** `left has first.second…`: every attribute on the way must be there, and everything but the last must have attributes. */
export function hasPath(left: Compiled, path: readonly string[]): Compiled {
  if (left.kind === "failing") return left;
  const [first = "", ...rest] = path;
  const place = placeOf(left);
  if (place !== undefined && rest.length === 0) return test((query) => query.fields[place]?.[first] !== undefined);
  const { run } = left;
  return test((query) => {
    let value = fieldsOfValue(query, run(query))?.[first];
    for (const name of rest) {
      if (value === undefined) return false;
      value = fieldsOfValue(query, value)?.[name];
    }
    return value !== undefined;
  });
}

/** `left in right` */
export function membership(left: Compiled, right: Compiled): Compiled {
  if (left.kind === "failing") return left;
  if (right.kind === "failing") return right;
  const runLeft = left.run;
  if (right.kind === "constant") {
    const { value } = right;
    return test((query) => isIn(query, runLeft(query), value));
  }
  const runRight = right.run;
  return test((query) => isIn(query, runLeft(query), runRight(query)));
}

/** `left is type` and, where it says so, also `in` another entity; that one is not looked at when the type differs. */
export function typeTest(left: Compiled, type: string, container: Compiled | undefined): Compiled {
  if (left.kind === "failing") return left;
  const run = left.run;
  if (container === undefined) return plainTypeTest(left, type);
  const runContainer = container.run;
  return test((query) => {
    const value = run(query);
    return hasType(value, type) && isIn(query, value, runContainer(query));
  });
}

function plainTypeTest(left: Compiled, type: string): Compiled {
  const variable = left.kind === "dynamic" && !left.boolean ? left.variable : undefined;
  if (variable === "principal") return test((query) => query.principal.type === type);
  if (variable === "resource") return test((query) => query.resource.type === type);
  const { run } = left;
  return test((query) => hasType(run(query), type));
}

function hasType(value: Value, type: string): boolean {
  return value instanceof EntityUid ? value.type === type : failType("entity");
}

const noTag = thrower("the entity does not have the tag");

function tagsOf(query: Query, value: Value): { readonly tags: ReadonlyFields | undefined } | undefined {
  return value instanceof EntityUid ? query.store.find(value.key) : failType("entity");
}

function tagName(value: Value): string {
  return typeof value === "string" ? value : failType("string");
}

/** `left.getTag(right)` */
export function getTag(left: Compiled, right: Compiled): Compiled {
  return withTag(left, right, ([run, runName]) =>
    dynamic((query) => {
      const entity = tagsOf(query, run(query));
      const name = tagName(runName(query));
      return (entity ?? noEntity()).tags?.[name] ?? noTag();
    }),
  );
}

/** `left.hasTag(right)`; an entity that is not in the store has none. */
export function hasTag(left: Compiled, right: Compiled): Compiled {
  return withTag(left, right, ([run, runName]) =>
    test((query) => {
      const entity = tagsOf(query, run(query));
      const name = tagName(runName(query));
      return entity?.tags?.[name] !== undefined;
    }),
  );
}

type Runs = readonly [Compiled["run"], Compiled["run"]];

function withTag(left: Compiled, right: Compiled, make: (runs: Runs) => Compiled): Compiled {
  if (left.kind === "failing") return left;
  if (right.kind === "failing") return right;
  return make([left.run, right.run]);
}
