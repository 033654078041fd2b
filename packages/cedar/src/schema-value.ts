import { CedarError, EvaluationError } from "./errors.ts";
import { isLong } from "./long.ts";
import { isObject, relocated } from "./read.ts";
import { readExtension } from "./schema-extension.ts";
import { isActionType } from "./schema-names.ts";
import type { RecordType, ValueType } from "./schema-type.ts";
import { readUid, readValue } from "./value-json.ts";
import { Fields, RecordValue, SetValue, type EntityUid, type ReadonlyFields, type Value } from "./values.ts";

/** Reads the JSON of a value of one type; throws `CedarError` with code `value_invalid` where it is of another. */
export type ValueReader = (json: unknown) => Value;
/** Reads the JSON of attributes, tags or a context. */
export type FieldsReader = (json: unknown) => ReadonlyFields;

/** Which entities there can be. */
export interface Vocabulary {
  /** The only ids of an enumerated type. */
  idsOf(entityType: string): ReadonlySet<string> | undefined;
  isAction(uid: EntityUid): boolean;
}

export interface ValueReaders {
  fields(type: RecordType): FieldsReader;
  /** Tags are named freely, and all of one type; without one there are none. */
  tags(type: ValueType | undefined): FieldsReader;
}

/** Readers by type. Each is made once, as types are shared. */
export function valueReaders(vocabulary: Vocabulary): ValueReaders {
  const made = new Map<ValueType, ValueReader>();

  function reader(type: ValueType): ValueReader {
    let read = made.get(type);
    if (read === undefined) {
      read = make(type);
      made.set(type, read);
    }
    return read;
  }

  function make(type: ValueType): ValueReader {
    if (type.kind === "set") return setReader(reader(type.element));
    if (type.kind === "record") return recordReader(fields(type));
    if (type.kind === "entity") return entityReader(type.entityType, vocabulary);
    if (type.kind === "extension") return (json) => evaluated(() => readExtension(json, type.name));
    return plainReader(type.kind);
  }

  function fields({ attributes }: RecordType): FieldsReader {
    const readers = new Map([...attributes].map(([name, { type }]) => [name, reader(type)]));
    const required = [...attributes].filter(([, { required }]) => required).map(([name]) => name);
    return (json) => {
      const read = readFields(json, (name) => readers.get(name) ?? refuse(`the schema has no attribute \`${name}\` here`));
      const missing = required.find((name) => read[name] === undefined);
      return missing === undefined ? read : refuse(`the attribute \`${missing}\` is missing`);
    };
  }

  return {
    fields,
    tags(type) {
      const read = type === undefined ? undefined : reader(type);
      return (json) => readFields(json, (name) => read ?? refuse(`the schema has no tags here, so none can be called \`${name}\``));
    },
  };
}

function refuse(message: string): never {
  throw new CedarError("value_invalid", "", message);
}

/** Data whose extension function fails has no value. */
function evaluated(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof EvaluationError) return refuse(error.message);
    throw error;
  }
}

function readFields(json: unknown, readerOf: (name: string) => ValueReader): ReadonlyFields {
  if (!isObject(json)) return refuse("this must be a record, which is an object in JSON");
  const fields = new Fields();
  for (const name of Object.keys(json)) {
    const held = json[name];
    if (held === undefined) continue;
    if (!name.isWellFormed()) refuse("the name of an attribute holds half of a surrogate pair");
    const read = readerOf(name);
    try {
      fields[name] = read(held);
    } catch (error) {
      throw relocated(error, name);
    }
  }
  return fields;
}

function recordReader(read: FieldsReader): ValueReader {
  return (json) => new RecordValue(read(json));
}

function setReader(read: ValueReader): ValueReader {
  return (json) => {
    if (!Array.isArray(json)) return refuse("this must be a set, which is a list in JSON");
    const values: Value[] = [];
    try {
      for (const item of json) values.push(read(item));
    } catch (error) {
      throw relocated(error, `[${values.length}]`);
    }
    return new SetValue(values);
  };
}

const plain = {
  bool: { is: (value: Value) => typeof value === "boolean", called: "true or false" },
  long: { is: (value: Value) => isLong(value), called: "a whole number" },
  string: { is: (value: Value) => typeof value === "string", called: "a string" },
} as const;

function plainReader(kind: keyof typeof plain): ValueReader {
  const { is, called } = plain[kind];
  return (json) => {
    // A call of an extension function can give a plain value as well.
    const value = typeof json === "object" ? evaluated(() => readValue(json)) : readValue(json);
    return is(value) ? value : refuse(`this must be ${called}`);
  };
}

/** Where an entity is due, its type and id need no mark. */
function entityReader(entityType: string, vocabulary: Vocabulary): ValueReader {
  const ids = vocabulary.idsOf(entityType);
  const ofActions = isActionType(entityType);
  return (json) => {
    const uid = readUid(json);
    if (uid.type !== entityType) return refuse(`this must name an entity of type \`${entityType}\`, not of \`${uid.type}\``);
    if (ids !== undefined && !ids.has(uid.id)) return refuse(`\`${entityType}\` has no entity \`${uid.id}\``);
    if (ofActions && !vocabulary.isAction(uid)) return refuse(`the schema has no action \`${uid.id}\` of type \`${entityType}\``);
    return uid;
  };
}
