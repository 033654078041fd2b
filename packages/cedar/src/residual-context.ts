import { CedarError } from "./errors.ts";
import type { ContextJson } from "./json.ts";
import { joinPath } from "./read.ts";
import type { UnknownPath } from "./residual-unknown.ts";
import type { ActionSchema, Schema } from "./schema.ts";
import type { RecordType, ValueType } from "./schema-type.ts";
import { valueReaders, type FieldsReader } from "./schema-value.ts";
import { EntityUid, type ReadonlyFields } from "./values.ts";

/** Owned by `readOpenContext`; an action of a schema never changes. */
const readers = new WeakMap<ActionSchema, FieldsReader>();

/** Reads a context by its declared types though parts of it, required ones among them, are not there yet. Throws `request_invalid`. */
export function readOpenContext(context: ContextJson, action: EntityUid, schema: Schema): ReadonlyFields {
  const declared = schema.actions.get(action.key);
  if (declared === undefined) throw new CedarError("request_invalid", "action", `the schema has no action \`${action.type}::${JSON.stringify(action.id)}\``);
  let read = readers.get(declared);
  if (read === undefined) {
    const vocabulary = { idsOf: (name: string) => schema.entityTypes.get(name)?.ids, isAction: (uid: EntityUid) => schema.actions.has(uid.key) };
    read = valueReaders(vocabulary).fields(loosened(declared.context));
    readers.set(declared, read);
  }
  try {
    return read(context);
  } catch (error) {
    if (!(error instanceof CedarError)) throw error;
    const message = error.at === "" ? error.message : error.message.slice(error.at.length + 2);
    throw new CedarError("request_invalid", error.at === "" ? "context" : joinPath("context", error.at), message);
  }
}

function loosened({ attributes }: RecordType): RecordType {
  return { kind: "record", attributes: new Map([...attributes].map(([name, { type }]) => [name, { type: loosenedType(type), required: false }])) };
}

function loosenedType(type: ValueType): ValueType {
  return type.kind === "record" ? loosened(type) : type;
}

/** An attribute that the schema requires will be there, whatever it is. */
export function withRequired(unknown: UnknownPath, action: EntityUid, typeOf: { readonly schema: Schema; readonly entityType: (of: UnknownPath["of"]) => string | undefined }): UnknownPath {
  if (unknown.form !== "optional" || unknown.path.length === 0) return unknown;
  const { schema, entityType } = typeOf;
  const record = unknown.of === "context" ? schema.actions.get(action.key)?.context : schema.entityTypes.get(entityType(unknown.of) ?? "")?.attributes;
  return record !== undefined && isRequired(record, unknown.path) ? { ...unknown, form: "present" } : unknown;
}

/** Only through records: an entity on the way may be missing as a whole. */
function isRequired(record: RecordType, path: readonly string[]): boolean {
  const [name = "", ...rest] = path;
  const attribute = record.attributes.get(name);
  if (attribute?.required !== true) return false;
  return rest.length === 0 || (attribute.type.kind === "record" && isRequired(attribute.type, rest));
}
