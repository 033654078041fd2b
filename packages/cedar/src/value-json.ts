import { CedarError, EvaluationError } from "./errors.ts";
import { Datetime } from "./extension/datetime.ts";
import { Decimal } from "./extension/decimal.ts";
import { Duration } from "./extension/duration.ts";
import { callExtension, extensionFunctions } from "./extension/functions.ts";
import { IpAddress } from "./extension/ipaddr.ts";
import type { CedarValueJson, FnAndArgs, TypeAndId } from "./json.ts";
import { valueDepthMax } from "./limits.ts";
import { longOf } from "./long.ts";
import { isObject, isTypeName, own, relocated, type JsonObject } from "./read.ts";
import { EntityUid, Fields, RecordValue, SetValue, type ReadonlyFields, type Value } from "./values.ts";

function refuse(message: string): never {
  throw new CedarError("value_invalid", "", message);
}

/**
 * The value of its JSON form. Throws `CedarError` (`value_invalid`) with a path relative to the value for what is no value,
 * and an `EvaluationError` where an extension function refuses its arguments: policies err by that when they are evaluated, data when it is read.
 */
export function readValue(json: unknown, depth = 0): Value {
  if (typeof json === "string") return readString(json);
  if (typeof json === "boolean") return json;
  if (typeof json === "number") return readNumber(json);
  if (typeof json === "bigint") return longOf(json) ?? refuse("a long has 64 bits");
  return typeof json === "object" ? readComposite(json, depth) : refuse("expected a value");
}

function readString(text: string): string {
  return text.isWellFormed() ? text : refuse("the string holds half of a surrogate pair");
}

function readNumber(number: number): number {
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
  return refuse(
    Number.isInteger(number)
      ? "a number beyond 2^53 has been rounded, give such a long as a bigint (parseJson reads it so)"
      : "a long is an integer, give a fraction as a decimal",
  );
}

function readComposite(json: object | null, depth: number): Value {
  if (json === null) return refuse("a value cannot be null, leave the attribute out");
  if (depth >= valueDepthMax) return refuse(`a value nests at most ${valueDepthMax} levels`);
  if (Array.isArray(json)) return new SetValue(readItems(json, depth));
  if (!isObject(json)) return refuse("expected a value");
  const names = Object.keys(json);
  const marked = names.length === 1 ? readMarked(json, names[0], depth) : undefined;
  return marked ?? new RecordValue(readNamed(json, names, depth));
}

function readItems(json: readonly unknown[], depth: number): readonly Value[] {
  const items: Value[] = [];
  try {
    for (const item of json) items.push(readValue(item, depth + 1));
  } catch (error) {
    throw relocated(error, `[${items.length}]`);
  }
  return items;
}

function readNamed(json: JsonObject, names: readonly string[], depth: number): ReadonlyFields {
  const fields = new Fields();
  let at = "";
  try {
    for (const name of names) {
      at = name;
      fields[readString(name)] = readValue(json[name], depth + 1);
    }
  } catch (error) {
    throw relocated(error, at);
  }
  return fields;
}

/** An object whose only property is a mark is what the mark says, if the mark is well formed, and else a record as any other. */
function readMarked(json: JsonObject, name: string | undefined, depth: number): Value | undefined {
  const marked = name === undefined ? undefined : json[name];
  if (name === "__entity") return isTypeAndId(marked) ? entityUid(marked) : undefined;
  if (name === "__extn") return isFnAndArgs(marked) ? readCall(marked, depth) : undefined;
  if (name === "__expr" && typeof marked === "string") return refuse("`__expr` is no longer part of Cedar's JSON");
  return undefined;
}

function isTypeAndId(json: unknown): json is TypeAndId {
  return isObject(json) && typeof own(json, "type") === "string" && typeof own(json, "id") === "string";
}

function isFnAndArgs(json: unknown): json is FnAndArgs {
  return isObject(json) && typeof own(json, "fn") === "string" && (own(json, "arg") !== undefined || Array.isArray(own(json, "args")));
}

const unknownFunction = new EvaluationError("the extension function does not exist");

function readCall(call: FnAndArgs, depth: number): Value {
  const fn = extensionFunctions.get(call.fn);
  if (fn === undefined) throw unknownFunction;
  const args = "arg" in call ? [call.arg] : call.args;
  return callExtension(fn, args.map((arg) => readValue(arg, depth + 1)));
}

function entityUid(json: TypeAndId): EntityUid {
  if (!isTypeName(json.type)) return refuse(`\`${json.type}\` is not the name of an entity type`);
  return new EntityUid(json.type, readString(json.id));
}

/** An entity's name, plain or marked. Throws as `readValue`. */
export function readUid(json: unknown): EntityUid {
  if (isObject(json)) {
    const marked = own(json, "__entity");
    if (isTypeAndId(marked)) return entityUid(marked);
    if (isTypeAndId(json)) return entityUid(json);
  }
  return refuse("expected an entity such as `{ \"type\": \"User\", \"id\": \"alice\" }`");
}

/** The attributes or tags of an object, which are the first level of values. Marks have no meaning at this level, as in Cedar. */
export function readFields(json: unknown): ReadonlyFields {
  return isObject(json) ? readNamed(json, Object.keys(json), -1) : refuse("expected an object");
}

/** The JSON form of a value; `readValue` reads it back. Long values stay `bigint` where a number would round. */
export function writeValue(value: Value): CedarValueJson {
  if (typeof value !== "object") return value;
  if (value instanceof EntityUid) return { __entity: { type: value.type, id: value.id } };
  if (value instanceof SetValue) return [...value].map(writeValue);
  if (value instanceof RecordValue) return Object.fromEntries(Object.entries(value.fields).map(([name, item]) => [name, writeValue(item)]));
  if (value instanceof Decimal) return { __extn: { fn: "decimal", arg: value.toString() } };
  if (value instanceof Duration) return { __extn: { fn: "duration", arg: value.toString() } };
  if (value instanceof IpAddress) return { __extn: { fn: "ip", arg: value.toString() } };
  return writeDatetime(value);
}

const epoch: CedarValueJson = { __extn: { fn: "datetime", arg: "1970-01-01" } };

/** Not every moment has a literal, as years have four digits there; every one is so far from 1970. */
function writeDatetime(value: Datetime): CedarValueJson {
  return { __extn: { fn: "offset", args: [epoch, writeValue(new Duration(value.milliseconds))] } };
}
