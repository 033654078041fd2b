import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { DataLineage, lineageBytesMax, Tool } from "@licet/contract";
import { refusedRead, type ComponentSources, type FileFacts, type JsonSchema, type Read } from "./component-sources.ts";
import { quoted } from "./diagnostic.ts";
import { parseYaml } from "./yaml-document.ts";

export const promptBytesMax = 1_000_000;
export const schemaBytesMax = 1_000_000;
const chunkBytes = 1 << 20;

/** Contents from the manifest's folder. A path, with its symbolic links followed, must stay below it. */
export function folderSources(folder: string): ComponentSources {
  const facts = new Map<string, Read<FileFacts>>();
  return {
    promptText: (prompt) => (prompt.text === undefined ? text(folder, prompt.file ?? "", promptBytesMax) : { kind: "read", value: prompt.text }),
    toolSchema: (tool) => (tool.schema === undefined ? schema(folder, tool.file ?? "") : { kind: "read", value: tool.schema }),
    fileFacts: (path) => {
      const known = facts.get(path) ?? hashed(folder, path);
      facts.set(path, known);
      return known;
    },
    lineage: (path) => lineage(folder, path),
  };
}

/** Two looks, before and after links are followed: the first so that a missing outside file is not told apart. */
function inside(folder: string, path: string): Read<string> {
  const outside = refusedRead("manifest_file_outside", `${quoted(path)} leaves the manifest's folder`);
  if (isAbsolute(path) || path.includes("\\") || path.includes("\0") || escapes(relative(folder, join(folder, path)))) return outside;
  try {
    const real = realpathSync(join(folder, path));
    if (escapes(relative(realpathSync(folder), real))) return outside;
    // A pipe or device would block the reader for ever.
    if (!statSync(real).isFile()) return refusedRead("manifest_file_unreadable", `${quoted(path)} is not a regular file`);
    return { kind: "read", value: real };
  } catch {
    return refusedRead("manifest_file_missing", `${quoted(path)} does not exist`);
  }
}

function escapes(path: string): boolean {
  return path === ".." || path.startsWith(`..${sep}`) || isAbsolute(path);
}

function text(folder: string, path: string, bytesMax: number): Read<string> {
  const found = inside(folder, path);
  if (found.kind === "refused") return found;
  try {
    const { size } = statSync(found.value);
    if (size > bytesMax) return refusedRead("manifest_file_unreadable", `${quoted(path)} has ${size} bytes; ${bytesMax} are allowed`);
    return { kind: "read", value: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(found.value)) };
  } catch (error) {
    return refusedRead("manifest_file_unreadable", `${quoted(path)} ${error instanceof TypeError ? "is not UTF-8" : "cannot be read"}`);
  }
}

/** Read as YAML, of which JSON is a part: duplicate keys and nesting are refused as in the manifest itself. */
function schema(folder: string, path: string): Read<JsonSchema> {
  const found = text(folder, path, schemaBytesMax);
  if (found.kind === "refused") return found;
  const parsed = parseYaml(found.value);
  const result = Tool.shape.schema.unwrap().safeParse(parsed.kind === "document" ? parsed.document.data : undefined);
  return result.success ? { kind: "read", value: result.data } : refusedRead("manifest_file_unreadable", `${quoted(path)} is not a JSON Schema object`);
}

function lineage(folder: string, path: string): Read<DataLineage> {
  const found = text(folder, path, lineageBytesMax);
  if (found.kind === "refused") return found;
  const parsed = parseYaml(found.value);
  const result = DataLineage.safeParse(parsed.kind === "document" ? parsed.document.data : undefined);
  return result.success ? { kind: "read", value: result.data } : refusedRead("manifest_file_unreadable", `${quoted(path)} is not a lineage as \`licet data\` writes it`);
}

function hashed(folder: string, path: string): Read<FileFacts> {
  const found = inside(folder, path);
  if (found.kind === "refused") return found;
  try {
    return { kind: "read", value: hashFile(found.value) };
  } catch {
    return refusedRead("manifest_file_unreadable", `${quoted(path)} cannot be read`);
  }
}

/** In chunks: weights may be larger than memory. */
function hashFile(path: string): FileFacts {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(chunkBytes);
  const handle = openSync(path, "r");
  let bytes = 0;
  try {
    for (let read = readSync(handle, buffer); read > 0; read = readSync(handle, buffer)) {
      hash.update(buffer.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(handle);
  }
  return { digest: `sha256:${hash.digest("hex")}`, bytes };
}
