import { CedarError, EvaluationError } from "./errors.ts";
import type { RequestJson } from "./json.ts";
import { isObject, joinPath, own } from "./read.ts";
import { checkRequest } from "./request-check.ts";
import type { Schema } from "./schema.ts";
import { readFields, readUid, readValue } from "./value-json.ts";
import { EntityUid, RecordValue, type ReadonlyFields } from "./values.ts";

/** A request that has been read and, with a schema, validated. */
export interface PreparedRequest {
  readonly principal: EntityUid;
  readonly action: EntityUid;
  readonly resource: EntityUid;
  readonly context: RecordValue;
}

export interface PrepareOptions {
  /** Validates the request as cedar-wasm does with `validateRequest`, and reads the context by its declared types. */
  readonly schema?: Schema | undefined;
}

/**
 * Reads a request for `authorize`.
 * Throws `CedarError` (`request_invalid`), whose `at` begins with `principal`, `action`, `resource` or `context`.
 */
export function prepareRequest(json: RequestJson, options: PrepareOptions = {}): PreparedRequest {
  if (!isObject(json)) throw new CedarError("request_invalid", "", "expected an object with `principal`, `action`, `resource` and `context`");
  let part = "principal";
  try {
    const principal = readUid(own(json, part));
    const action = readUid(own(json, (part = "action")));
    const resource = readUid(own(json, (part = "resource")));
    part = "";
    if (options.schema !== undefined) checkRequest(options.schema, { principal, action, resource });
    part = "context";
    const context = new RecordValue(readContext(own(json, part), action, options.schema));
    return { principal, action, resource, context };
  } catch (error) {
    throw asRequestError(error, part);
  }
}

function readContext(json: unknown, action: EntityUid, schema: Schema | undefined): ReadonlyFields {
  const typed = schema?.actions.get(action.key);
  if (typed !== undefined) return typed.readContext(json);
  // Read as a value first: a context that is nothing but a mark is an entity or an extension value, and no record.
  if (isObject(json) && Object.keys(json).length === 1) {
    const value = readValue(json, -1);
    return value instanceof RecordValue ? value.fields : refuseContext();
  }
  return readFields(json);
}

function refuseContext(): never {
  throw new CedarError("value_invalid", "", "the context is a record");
}

function asRequestError(error: unknown, at: string): unknown {
  if (error instanceof EvaluationError) return new CedarError("request_invalid", at, error.message);
  if (!(error instanceof CedarError)) return error;
  const message = error.at === "" ? error.message : error.message.slice(error.at.length + 2);
  const place = error.at === "" || at === "" ? `${at}${error.at}` : joinPath(at, error.at);
  return new CedarError("request_invalid", place, message);
}
