import { CedarError } from "./errors.ts";
import { callExtension, extensionFunctions } from "./extension/functions.ts";
import { isObject, own } from "./read.ts";
import type { ExtensionName } from "./schema-type.ts";
import { readValue } from "./value-json.ts";
import type { Value } from "./values.ts";

interface Signature {
  readonly takes: readonly (ExtensionName | "string")[];
  readonly gives: ExtensionName;
}

/** The functions whose result is of an extension type. */
const signatures: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ["ip", { takes: ["string"], gives: "ipaddr" }],
  ["decimal", { takes: ["string"], gives: "decimal" }],
  ["datetime", { takes: ["string"], gives: "datetime" }],
  ["duration", { takes: ["string"], gives: "duration" }],
  ["offset", { takes: ["datetime", "duration"], gives: "datetime" }],
  ["durationSince", { takes: ["datetime", "datetime"], gives: "duration" }],
  ["toDate", { takes: ["datetime"], gives: "datetime" }],
  ["toTime", { takes: ["datetime"], gives: "duration" }],
]);

const constructors: Readonly<Record<ExtensionName, string>> = { ipaddr: "ip", decimal: "decimal", datetime: "datetime", duration: "duration" };

/** How deep calls stand in calls. */
const callDepthMax = 60;

function refuse(message: string): never {
  throw new CedarError("value_invalid", "", message);
}

/** Where a value of an extension type is due, the call needs no mark, and the text alone is enough. */
export function readExtension(json: unknown, name: ExtensionName, depth = 0): Value {
  if (depth > callDepthMax) refuse(`calls of extension functions nest at most ${callDepthMax} deep`);
  const { fn, args } = callIn(json) ?? { fn: constructors[name], args: [json] };
  const signature = signatures.get(fn);
  const called = extensionFunctions.get(fn);
  if (called === undefined || signature?.gives !== name) return refuse(`\`${fn}\` does not give a value of type \`${name}\``);
  if (args.length !== signature.takes.length) return refuse(`\`${fn}\` takes ${signature.takes.length} arguments, not ${args.length}`);
  const values = signature.takes.map((type, index) => (type === "string" ? readValue(args[index]) : readExtension(args[index], type, depth + 1)));
  return callExtension(called, values);
}

interface Call {
  readonly fn: string;
  readonly args: readonly unknown[];
}

function callIn(json: unknown): Call | undefined {
  if (!isObject(json)) return undefined;
  if (typeof own(json, "__expr") === "string") refuse("`__expr` is no longer part of Cedar's JSON");
  return callOf(own(json, "__extn")) ?? callOf(json);
}

function callOf(json: unknown): Call | undefined {
  if (!isObject(json)) return undefined;
  const fn = own(json, "fn");
  if (typeof fn !== "string") return undefined;
  const arg = own(json, "arg");
  if (arg !== undefined) return { fn, args: [arg] };
  const args: unknown = own(json, "args");
  return Array.isArray(args) ? { fn, args } : undefined;
}
