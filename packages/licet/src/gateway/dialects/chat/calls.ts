import type { JsonObject, JsonValue } from "../../../ledger/entry.ts";
import type { JsonPath, StreamedToolCall, ToolCall } from "../../dialect.ts";
import { countAt, listAt, textAt, upstreamInvalid, wireObject } from "../wire.ts";

const callsMax = 4096;

/** A call of a tool as it stands in a message or a delta, and where its names stand in it. */
interface Said {
  readonly call: JsonObject;
  readonly lane: string;
  readonly path: JsonPath;
  readonly names: readonly JsonPath[];
}

/** Every call in a message or a delta, the old single one included; undefined for what is none that a client could read. */
function said(message: JsonObject): readonly Said[] | undefined {
  const listed = listedCalls(message);
  const old = message["function_call"] ?? null;
  if (listed === undefined || old === null) return listed;
  const call = wireObject(old);
  return call === undefined || !isName(call["name"]) ? undefined : [...listed, { call, lane: "function_call", path: ["function_call"], names: "name" in call ? [["name"]] : [] }];
}

function listedCalls(message: JsonObject): readonly Said[] | undefined {
  const list = message["tool_calls"] ?? null;
  if (list !== null && (!Array.isArray(list) || list.length > callsMax)) return undefined;
  const found: Said[] = [];
  for (const [at, value] of listAt(message, "tool_calls").entries()) {
    const call = wireObject(value);
    const names = call === undefined ? undefined : namesOf(call);
    if (call === undefined || names === undefined) return undefined;
    found.push({ call, lane: `tool_calls[${countAt(call, "index") ?? at}]`, path: ["tool_calls", at], names });
  }
  return found;
}

const holders = ["function", "custom"] as const;

/** Where the name of a call stands; undefined where something else stands there. */
function namesOf(call: JsonObject): readonly JsonPath[] | undefined {
  const names: JsonPath[] = [];
  for (const key of holders) {
    const value = call[key] ?? null;
    if (value === null) continue;
    const held = wireObject(value);
    if (held === undefined || !isName(held["name"])) return undefined;
    if (typeof held["name"] === "string") names.push([key, "name"]);
  }
  return names;
}

function isName(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || typeof value === "string";
}

function nameAt({ call }: Said, [key = "", inner]: JsonPath): string {
  const holder = inner === undefined ? call : (wireObject(call[key]) ?? {});
  return textAt(holder, "name") ?? "";
}

/** Beside `message` a choice may hold a `delta` that only some clients read. */
const places = ["message", "delta"] as const;

/** Every call of a tool in the choices of a whole answer; undefined for a shape that cannot be read. */
export function callsIn(choices: readonly JsonObject[]): readonly ToolCall[] | undefined {
  const calls: ToolCall[] = [];
  for (const choice of choices) {
    for (const place of places) {
      const found = said(wireObject(choice[place]) ?? {});
      if (found === undefined) return undefined;
      calls.push(...found.flatMap(namedCalls));
    }
  }
  return calls;
}

function namedCalls(one: Said): readonly ToolCall[] {
  const names = one.names.map((path) => nameAt(one, path)).filter((name) => name !== "");
  return (names.length === 0 ? [""] : names).map((name) => ({ kind: "function", name }));
}

/** What one chunk says of calls. A name may come in parts, or late. */
export function streamedCalls(choice: JsonObject, { index, position }: { readonly index: number; readonly position: number }): readonly StreamedToolCall[] {
  return places.flatMap((place) => {
    const found = said(wireObject(choice[place]) ?? {});
    if (found === undefined) throw upstreamInvalid("the stream calls a tool in a way that the gateway cannot read");
    return found.flatMap((one): readonly StreamedToolCall[] => {
      const at = `${index}.${place}.${one.lane}`;
      const [first, ...more] = one.names.filter((path) => nameAt(one, path) !== "");
      if (more.length > 0) throw upstreamInvalid("a call in the stream has two names");
      return [first === undefined ? { at } : { at, piece: ["choices", position, place, ...one.path, ...first] }];
    });
  });
}
