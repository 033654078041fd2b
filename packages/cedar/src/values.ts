import { failType } from "./errors.ts";
import { Datetime } from "./extension/datetime.ts";
import { Decimal } from "./extension/decimal.ts";
import { Duration } from "./extension/duration.ts";
import { IpAddress } from "./extension/ipaddr.ts";
import { isLong, type Long } from "./long.ts";

export type ExtensionValue = Decimal | Datetime | Duration | IpAddress;

/** A value of Cedar. Booleans, longs and strings are their own; everything else is an instance of one of the classes here. */
export type Value = boolean | Long | string | EntityUid | SetValue | RecordValue | ExtensionValue;

/** Names an entity. `key` is unique per name: a type's name holds no NUL. */
export class EntityUid {
  readonly type: string;
  readonly id: string;
  readonly key: string;

  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
    this.key = `${type}\0${id}`;
  }
}

/**
 * Attributes by name, as plain properties of an object without a prototype chain:
 * `__proto__`, `constructor` and `toString` are names like any other, and a missing one is `undefined`.
 */
export class Fields {
  [name: string]: Value;
}
Reflect.setPrototypeOf(Fields.prototype, null);
Reflect.deleteProperty(Fields.prototype, "constructor");

export type ReadonlyFields = Readonly<Record<string, Value>>;

export class RecordValue {
  readonly fields: ReadonlyFields;

  constructor(fields: ReadonlyFields) {
    this.fields = fields;
  }

  canonical(): string {
    const names = Object.keys(this.fields).sort();
    return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(field(this.fields, name))}`).join()}}`;
  }
}

const noValues: ReadonlySet<boolean | Long | string> = new Set();
const noObjects: ReadonlyMap<string, Exclude<Value, boolean | Long | string>> = new Map();

/** An unordered set without duplicates; membership is by canonical form, so that a hostile set costs no quadratic time. */
export class SetValue {
  readonly size: number;
  /** Booleans, longs and strings. */
  readonly primitives: ReadonlySet<boolean | Long | string>;
  /** Entities by key, everything else by canonical form; the two never meet, as a canonical form starts with a bracket. */
  readonly objects: ReadonlyMap<string, Exclude<Value, boolean | Long | string>>;
  /** Whether every member is an entity; true of the empty set. */
  readonly onlyEntities: boolean;

  constructor(items: readonly Value[]) {
    let primitives: Set<boolean | Long | string> | undefined;
    let objects: Map<string, Exclude<Value, boolean | Long | string>> | undefined;
    let onlyEntities = true;
    for (const item of items) {
      if (typeof item === "object") {
        objects ??= new Map();
        objects.set(keyOf(item), item);
        onlyEntities &&= item instanceof EntityUid;
      } else {
        primitives ??= new Set();
        primitives.add(item);
      }
    }
    this.primitives = primitives ?? noValues;
    this.objects = objects ?? noObjects;
    this.size = this.primitives.size + this.objects.size;
    this.onlyEntities = onlyEntities && this.primitives.size === 0;
  }

  has(value: Value): boolean {
    return typeof value === "object" ? this.objects.size > 0 && this.objects.has(keyOf(value)) : this.primitives.has(value);
  }

  containsAll(other: SetValue): boolean {
    if (other.size > this.size) return false;
    for (const value of other.primitives) if (!this.primitives.has(value)) return false;
    for (const key of other.objects.keys()) if (!this.objects.has(key)) return false;
    return true;
  }

  containsAny(other: SetValue): boolean {
    const [few, many] = this.size < other.size ? [this, other] : [other, this];
    for (const value of few.primitives) if (many.primitives.has(value)) return true;
    for (const key of few.objects.keys()) if (many.objects.has(key)) return true;
    return false;
  }

  *[Symbol.iterator](): Generator<Value> {
    yield* this.primitives;
    yield* this.objects.values();
  }

  canonical(): string {
    const primitives = [...this.primitives].map(canonical);
    return `[${[...primitives, ...[...this.objects.values()].map(canonical)].sort().join()}]`;
  }
}

function keyOf(value: Exclude<Value, boolean | Long | string>): string {
  return value instanceof EntityUid ? value.key : value.canonical();
}

/** A text that two values share exactly when they are equal. */
export function canonical(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof EntityUid) return `(entity ${value.type} ${JSON.stringify(value.id)})`;
  return value.canonical();
}

/** A field that is known to be there. */
export function field(fields: ReadonlyFields, name: string): Value {
  const value = fields[name];
  return value === undefined ? failType("an attribute that is there") : value;
}

function sameRecord(left: RecordValue, right: RecordValue): boolean {
  const names = Object.keys(left.fields);
  if (names.length !== Object.keys(right.fields).length) return false;
  return names.every((name) => {
    const other = right.fields[name];
    return other !== undefined && equal(field(left.fields, name), other);
  });
}

function sameExtension(left: Value, right: Value): boolean {
  if (left instanceof Datetime) return right instanceof Datetime && left.milliseconds === right.milliseconds;
  if (left instanceof Duration) return right instanceof Duration && left.milliseconds === right.milliseconds;
  if (left instanceof Decimal) return right instanceof Decimal && left.tenThousandths === right.tenThousandths;
  return (
    left instanceof IpAddress &&
    right instanceof IpAddress &&
    left.version === right.version &&
    left.address === right.address &&
    left.prefix === right.prefix
  );
}

/** Equality as in Cedar: values of different types are unequal, never an error. */
export function equal(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left instanceof EntityUid) return right instanceof EntityUid && left.id === right.id && left.type === right.type;
  if (left instanceof SetValue) return right instanceof SetValue && left.size === right.size && left.containsAll(right);
  if (left instanceof RecordValue) return right instanceof RecordValue && sameRecord(left, right);
  return sameExtension(left, right);
}

const comparable = "two longs, two datetimes or two durations";

/** `left < right` of longs, datetimes and durations; anything else is an evaluation error, decimals included. */
export function less(left: Value, right: Value): boolean {
  if (isLong(left) && isLong(right)) return left < right;
  if (left instanceof Datetime && right instanceof Datetime) return left.milliseconds < right.milliseconds;
  if (left instanceof Duration && right instanceof Duration) return left.milliseconds < right.milliseconds;
  return failType(comparable);
}

/** `left <= right` of the same types as `less`. */
export function lessOrEqual(left: Value, right: Value): boolean {
  if (isLong(left) && isLong(right)) return left <= right;
  if (left instanceof Datetime && right instanceof Datetime) return left.milliseconds <= right.milliseconds;
  if (left instanceof Duration && right instanceof Duration) return left.milliseconds <= right.milliseconds;
  return failType(comparable);
}

export type { Long } from "./long.ts";
