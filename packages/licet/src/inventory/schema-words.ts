import { Manifest } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import { z } from "zod";
import type { Path } from "./diagnostic.ts";

let cached: Readonly<Record<string, unknown>> | undefined;

/** JSON Schema (draft 2020-12) of the manifest, with titles and descriptions for editors. */
export function manifestSchema(): Readonly<Record<string, unknown>> {
  cached ??= { $id: "https://licet.dev/schema/manifest-v1.json", ...z.toJSONSchema(Manifest, { target: "draft-2020-12", io: "input" }) };
  return cached;
}

/** The keys that the schema allows at a path, over all alternatives. */
export function keysAt(path: Path): readonly string[] {
  return schemasAt(path).flatMap((schema) => (isRecord(schema["properties"]) ? Object.keys(schema["properties"]) : []));
}

/** The words that the schema allows as the value at a path. */
export function wordsAt(path: Path): readonly string[] {
  const words = schemasAt(path).flatMap((schema) => ("const" in schema ? [schema["const"]] : Array.isArray(schema["enum"]) ? schema["enum"] : []));
  return [...new Set(words.filter((word) => typeof word === "string"))];
}

/** What the schema says about a path: the description that editors show. */
export function descriptionAt(path: Path): string | undefined {
  for (const schema of schemasAt(path)) {
    if (typeof schema["description"] === "string") return schema["description"];
  }
  return undefined;
}

type Schema = Readonly<Record<string, unknown>>;

function schemasAt(path: Path): readonly Schema[] {
  const root = manifestSchema();
  let here = alternatives(root, root);
  for (const part of path) here = here.flatMap((schema) => step(schema, part)).flatMap((schema) => alternatives(schema, root));
  return here;
}

function step(schema: Schema, part: string | number): readonly Schema[] {
  const properties = schema["properties"];
  const named = isRecord(properties) && Object.hasOwn(properties, String(part)) ? properties[String(part)] : undefined;
  const next = typeof part === "number" ? schema["items"] : (named ?? schema["additionalProperties"]);
  return isRecord(next) ? [next] : [];
}

function alternatives(schema: Schema, root: Schema): readonly Schema[] {
  const ref = schema["$ref"];
  if (typeof ref === "string") {
    const target = isRecord(root["$defs"]) ? root["$defs"][ref.replace("#/$defs/", "")] : undefined;
    // A description beside the reference is more exact than the one inside it.
    return isRecord(target) ? alternatives({ ...target, ...(typeof schema["description"] === "string" ? { description: schema["description"] } : {}) }, root) : [];
  }
  const branches = [schema["anyOf"], schema["oneOf"], schema["allOf"]].filter(Array.isArray).flat().filter(isRecord);
  return branches.length === 0 ? [schema] : branches.flatMap((branch) => alternatives(branch, root));
}
