import { judgeKeras } from "../format/judge-keras.ts";
import { allowKey, allowList } from "../pickle/allow-list.ts";
import type { Layer } from "../layer.ts";
import { isList, isObject, type Json, type JsonDocument, type JsonObject } from "./json.ts";
import { judgeNotebook } from "./judge-notebook.ts";
import { judgeTemplate } from "./judge-template.ts";

const depthMax = 300;
/** Keys with which a library writes Python objects as JSON; reading calls what they name. */
const objectKeys = new Set(["py/object", "py/reduce", "py/function", "py/type", "py/repr", "py/newargs", "py/newargsex", "py/initargs", "py/bytes", "$type", "__pyobject__"]);
/** Packages whose classes configurations of training frameworks name for instantiation. */
const targetPackage = /^(?:nemo|torch\.nn|torch\.optim|pytorch_lightning\.callbacks|lightning\.pytorch\.callbacks)\.(?:\w+\.)*[A-Z]\w*$/u;

/** Names what kind of JSON this is, after every object in it was looked at. */
export function judgeJson(layer: Layer, document: JsonDocument): string {
  const { value } = document;
  const format = layer.purpose === "keras" ? "keras-config" : kindOf(value);
  for (const { key, at } of document.duplicates) layer.report(format === "keras-config" || format === "skops-schema" ? "json.duplicate" : "json.repeat", `the key \`${key}\` stands twice in one object`, at);
  if (format === "notebook" && isObject(value)) judgeNotebook(layer, value);
  else walk(layer, value, 0);
  if (format === "keras-config") judgeKeras(layer, value, { strict: true });
  return format;
}

function kindOf(value: Json): string {
  if (!isObject(value)) return "json";
  if (isList(value["cells"]) && value["nbformat"] !== undefined) return "notebook";
  if (isObject(value["learner"]) && isList(value["version"])) return "xgboost-json";
  if (typeof value["class_name"] === "string" && value["config"] !== undefined) return "keras-config";
  return value["__class__"] !== undefined && value["__loader__"] !== undefined ? "skops-schema" : "json";
}

function walk(layer: Layer, value: Json, depth: number): void {
  if (depth > depthMax) return;
  if (isList(value)) {
    for (const item of value) if (typeof item === "object") walk(layer, item, depth + 1);
  } else if (isObject(value)) {
    for (const [key, held] of Object.entries(value)) {
      judgeEntry(layer, key, held);
      if (typeof held === "object") walk(layer, held, depth + 1);
    }
    judgeSkops(layer, value);
  }
}

function judgeEntry(layer: Layer, key: string, value: Json): void {
  if (objectKeys.has(key)) layer.report("json.object", `the key \`${key}\` makes a reader build Python objects`);
  if (key === "_target_" && typeof value === "string") judgeTarget(layer, value);
  if (key === "auto_map" && value !== null) layer.report("config.remote", "the configuration names code of its own that a loader may run");
  if (key === "chat_template") judgeTemplates(layer, value);
}

function judgeTemplates(layer: Layer, value: Json): void {
  const templates = isList(value) ? value.map((item) => (isObject(item) ? item["template"] : item)) : isObject(value) ? Object.values(value) : [value];
  for (const template of templates) if (typeof template === "string") judgeTemplate(layer, template, "chat_template");
}

/** `_target_` of Hydra: the loader imports the name and calls it (CVE-2025-23304 class). */
export function judgeTarget(layer: Layer, target: string): void {
  if (targetPackage.test(target)) return;
  const dot = target.lastIndexOf(".");
  layer.imports(target.slice(0, Math.max(0, dot)), target.slice(dot + 1));
  layer.report("config.target", `\`_target_\` makes the loader call \`${target}\``);
}

/** A node of skops: its module and class are imported, so they meet the same list as those of a pickle. */
function judgeSkops(layer: Layer, node: JsonObject): void {
  const { __module__: module, __class__: name, __loader__: loader } = node;
  if (typeof module !== "string" || typeof name !== "string" || typeof loader !== "string") return;
  layer.imports(module, name);
  if (!allowList().has(allowKey(module, name))) layer.report("pickle.import", `the schema imports \`${module}.${name}\`, which is no part of the libraries that are allowed`);
}
