import { compute, dynamic, test, type Compiled } from "./compiled.ts";
import { failType, thrower } from "./errors.ts";
import { isIn, type Query } from "./query.ts";
import { EntityUid, RecordValue, type ReadonlyFields, type Value } from "./values.ts";

/** The attributes of a record or an entity; undefined for an entity that is not in the store. */
type FieldsOf = (query: Query) => ReadonlyFields | undefined;

function fieldsOfValue(query: Query, value: Value): ReadonlyFields | undefined {
  if (value instanceof RecordValue) return value.fields;
  return value instanceof EntityUid ? query.store.find(value.key)?.attrs : failType("record or entity");
}

/** Where the fields come from. The variables' are at hand in the query. */
function fieldsOf(left: Compiled): FieldsOf {
  const { run } = left;
  if (left.kind !== "dynamic") return (query) => fieldsOfValue(query, run(query));
  if (left.variable === "principal") return (query) => query.principalEntity?.attrs;
  if (left.variable === "resource") return (query) => query.resourceEntity?.attrs;
  if (left.variable === "context") return (query) => query.context.fields;
  return (query) => fieldsOfValue(query, run(query));
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
  const source = fieldsOf(left);
  return dynamic((query) => {
    const fields = source(query) ?? noEntity();
    return fields[name] ?? missing();
  });
}

/** `left has first.second…`: every attribute on the way must be there, and everything but the last must have attributes. */
export function hasPath(left: Compiled, path: readonly string[]): Compiled {
  if (left.kind === "failing") return left;
  const [first = "", ...rest] = path;
  const source = fieldsOf(left);
  if (rest.length === 0) return test((query) => source(query)?.[first] !== undefined);
  return test((query) => {
    let value = source(query)?.[first];
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
  if (container === undefined) return test((query) => hasType(run(query), type));
  const runContainer = container.run;
  return test((query) => {
    const value = run(query);
    return hasType(value, type) && isIn(query, value, runContainer(query));
  });
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
