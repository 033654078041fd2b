import type { Schema } from "../../packages/cedar/src/index.ts";
import type { RecordType, ValueType } from "../../packages/cedar/src/schema-type.ts";
import type { Json, Uid } from "./cedar-data.ts";
import type { Model, RecordModel, SchemaModel } from "./cedar-schema.ts";
import type { Constants } from "./cedar-typed.ts";

/** What a schema that somebody wrote means, for the makers of values. */
export function modelOf(schema: Schema): SchemaModel {
  const uid = ({ type, id }: Uid): Uid => ({ type, id });
  return {
    json: undefined,
    entities: [...schema.entityTypes.values()].map(({ name, ids, parentTypes, attributes, tags }) => ({
      type: name,
      ids: ids === undefined ? undefined : [...ids],
      parents: [...parentTypes],
      attributes: recordModel(attributes),
      tags: tags === undefined ? undefined : valueModel(tags),
    })),
    actions: [...schema.actions.values()].map((action) => ({
      uid: uid(action.uid),
      parents: action.ancestors.map(uid),
      principals: [...action.principalTypes],
      resources: [...action.resourceTypes],
      context: recordModel(action.context),
    })),
  };
}

function recordModel({ attributes }: RecordType): RecordModel {
  return { kind: "record", attributes: [...attributes].map(([name, { type, required }]) => [name, { model: valueModel(type), required }] as const) };
}

function valueModel(type: ValueType): Model {
  if (type.kind === "set") return { kind: "set", element: valueModel(type.element) };
  if (type.kind === "record") return recordModel(type);
  if (type.kind === "entity") return { kind: "entity", type: type.entityType };
  if (type.kind === "extension") return { kind: type.name === "ipaddr" ? "ip" : type.name };
  return { kind: type.kind };
}

const momentsAround = ["2026-01-01T00:00:00Z", "2026-11-20T17:00:00Z", "2026-11-20T17:00:00.001Z", "2027-01-01T00:00:00Z"];

/** The constants of policies, with their neighbours, as a bound is where a mistake shows. */
export function constantsOf(policies: Json): Constants {
  const strings = new Set(["", "eu"]);
  const longs = new Set<number | bigint>([0, 1]);
  const durations = new Set(["0ms", "1h"]);
  const ids = new Map<string, Set<string>>();
  const visit = (json: Json): void => {
    if (Array.isArray(json)) return json.forEach(visit);
    if (typeof json !== "object" || json === null) return;
    if ("Value" in json) note(json.Value);
    if ("type" in json && "id" in json && typeof json.type === "string" && typeof json.id === "string") ids.set(json.type, (ids.get(json.type) ?? new Set(["other"])).add(json.id));
    for (const each of Object.values(json)) visit(each);
  };
  const note = (value: Json): void => {
    if (typeof value === "string") strings.add(value);
    if (typeof value === "string" && /^-?\d+[dhms]/u.test(value)) durations.add(value);
    if (typeof value === "number") for (const near of [value - 1, value, value + 1]) longs.add(near);
  };
  visit(policies);
  const known = new Map([...ids].map(([type, held]) => [type, [...held, "s1"]] as const));
  return { strings: [...strings], longs: [...longs], datetimes: momentsAround, durations: [...durations], ids: known };
}
