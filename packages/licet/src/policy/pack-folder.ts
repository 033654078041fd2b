import { lstatSync, readdirSync, readFileSync, statSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { LicetError, packFileBytesMax, packFilesMax, PackManifest, packsBytesMax, packsMax, type ErrorCode, type PackSource } from "@licet/contract";
import { diagnostic, quoted, type Diagnostic } from "../inventory/diagnostic.ts";
import { sourceText } from "../inventory/source-text.ts";
import { readPackYaml } from "./pack-yaml.ts";

export const packFileName = "pack.yaml";

export interface OpenedPacks {
  readonly folder: string;
  /** Packs without a diagnostic of their own, by name. */
  readonly packs: readonly PackSource[];
  readonly diagnostics: readonly Diagnostic[];
  /** Every file that was read, by the name under which diagnostics show it. */
  readonly texts: ReadonlyMap<string, string>;
  /** The folder of each pack, as it is shown. */
  readonly folders: ReadonlyMap<string, string>;
}

interface Walk {
  readonly diagnostics: Diagnostic[];
  readonly texts: Map<string, string>;
  readonly folders: Map<string, string>;
  bytes: number;
}

/**
 * Opens a `policies/` folder, whose packs lie in `packs/`, or the folder of one pack. Throws `pack_unreadable`; what is
 * wrong inside is in the diagnostics. Symbolic links are refused: what is reviewed in the repository is what is read.
 */
export function openPacks(folder: string): OpenedPacks {
  const walk: Walk = { diagnostics: [], texts: new Map(), folders: new Map(), bytes: 0 };
  const packs = packFolders(folder, walk).flatMap(({ name, path }) => {
    const pack = openPack(name, path, walk);
    return pack === undefined ? [] : [pack];
  });
  return { folder, packs, diagnostics: walk.diagnostics, texts: walk.texts, folders: walk.folders };
}

interface PackFolder {
  /** Undefined for the folder of one pack, whose own name may be anything. */
  readonly name: string | undefined;
  readonly path: string;
}

function packFolders(folder: string, walk: Walk): readonly PackFolder[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw new LicetError("pack_unreadable", { message: `${quoted(folder)} is not a folder` });
  if (isFile(join(folder, packFileName))) return [{ name: undefined, path: folder }];
  const below = join(folder, "packs");
  const stat = lstatSync(below, { throwIfNoEntry: false });
  if (stat === undefined) throw new LicetError("pack_unreadable", { message: `there is no \`packs\` in ${quoted(folder)}` });
  if (!stat.isDirectory()) throw new LicetError("pack_unreadable", { message: `${quoted(below)} is not a folder` });
  const found = entries(below).filter((entry) => allowedKind(entry, { folder: below, walk, kind: "folder" }));
  if (found.length > packsMax) throw new LicetError("pack_unreadable", { message: `${quoted(below)} holds ${found.length} packs; ${packsMax} are allowed` });
  return found.map(({ name }) => ({ name, path: join(below, name) }));
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** In one order on every machine; hidden files belong to editors and version control. */
function entries(folder: string): readonly Dirent[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Expected {
  readonly folder: string;
  readonly walk: Walk;
  readonly kind: "folder" | "file";
}

function allowedKind(entry: Dirent, { folder, walk, kind }: Expected): boolean {
  if (kind === "folder" ? entry.isDirectory() : entry.isFile()) return true;
  refuse(walk, join(folder, entry.name), { code: "pack_file_refused", message: `${quoted(entry.name)} is ${entry.isSymbolicLink() ? "a symbolic link" : `not a ${kind === "folder" ? "folder" : "regular file"}`}` });
  return false;
}

function refuse(walk: Walk, file: string, { code, message }: { readonly code: ErrorCode; readonly message: string }): void {
  walk.diagnostics.push(diagnostic({ code, message, path: [] }, [0, 1], { ...sourceText(walk.texts.get(file) ?? ""), file }));
}

function openPack(name: string | undefined, path: string, walk: Walk): PackSource | undefined {
  const before = walk.diagnostics.length;
  const manifest = readManifest(name, path, walk);
  const sorted = sortFiles(path, walk);
  if (manifest === undefined || sorted === undefined) return undefined;
  const read = (files: readonly string[]) => files.map((file) => ({ path: file, text: readText(join(path, file), walk) }));
  const [schema] = read(sorted.schemas);
  const policies = read(sorted.policies);
  const scenarios = read(sorted.scenarios);
  walk.folders.set(manifest.name, path);
  if (walk.diagnostics.length > before) return undefined;
  return { name: manifest.name, manifest, ...(schema === undefined ? {} : { schema: schema.text }), policies, scenarios };
}

function readManifest(name: string | undefined, path: string, walk: Walk): PackManifest | undefined {
  const file = join(path, packFileName);
  if (!isFile(file)) {
    refuse(walk, file, { code: "pack_unreadable", message: `the pack ${quoted(path)} has no \`${packFileName}\`` });
    return undefined;
  }
  const read = readPackYaml(PackManifest, { file, text: readText(file, walk) });
  if (read.kind === "refused") {
    walk.diagnostics.push(...read.diagnostics);
    return undefined;
  }
  if (name !== undefined && read.value.name !== name) walk.diagnostics.push(read.place({ code: "pack_malformed", message: `the pack is named ${quoted(read.value.name)} and its folder ${quoted(name)}`, path: ["name"], fix: "give both the same name" }));
  return read.value;
}

interface SortedFiles {
  readonly schemas: readonly string[];
  readonly policies: readonly string[];
  readonly scenarios: readonly string[];
}

const policyFile = /^[a-z0-9][a-z0-9._-]*\.cedar$/u;
const schemaFile = /^[a-z0-9][a-z0-9._-]*\.cedarschema$/u;
const scenarioFile = /^[a-z0-9][a-z0-9._-]*\.ya?ml$/u;

/** A file that nobody reads would be a rule that nobody applies, so what has no place in a pack is refused. */
function sortFiles(path: string, walk: Walk): SortedFiles | undefined {
  const inside = entries(path).filter(({ name }) => name !== packFileName && !name.endsWith(".md"));
  const tests = inside.find(({ name }) => name === "tests");
  const files = inside.filter((entry) => entry !== tests && allowedKind(entry, { folder: path, walk, kind: "file" })).map(({ name }) => name);
  const scenarios = tests === undefined || !allowedKind(tests, { folder: path, walk, kind: "folder" }) ? [] : testFiles(join(path, "tests"), walk);
  for (const name of files) if (!policyFile.test(name) && !schemaFile.test(name)) refuseName(walk, join(path, name), "a pack holds `pack.yaml`, `*.cedar`, one `*.cedarschema`, `tests/*.yaml` and `*.md`");
  const schemas = files.filter((name) => schemaFile.test(name));
  if (schemas.length > 1) refuse(walk, join(path, schemas[1] ?? ""), { code: "pack_file_refused", message: "a pack has at most one schema" });
  const count = files.length + scenarios.length;
  if (count <= packFilesMax) return { schemas, policies: files.filter((name) => policyFile.test(name)), scenarios: scenarios.map((name) => `tests/${name}`) };
  refuse(walk, join(path, packFileName), { code: "pack_file_refused", message: `the pack has ${count} files; ${packFilesMax} are allowed` });
  return undefined;
}

function testFiles(folder: string, walk: Walk): readonly string[] {
  const names = entries(folder).filter((entry) => allowedKind(entry, { folder, walk, kind: "file" })).map(({ name }) => name);
  for (const name of names) if (!scenarioFile.test(name)) refuseName(walk, join(folder, name), "`tests` holds `*.yaml`");
  return names.filter((name) => scenarioFile.test(name));
}

function refuseName(walk: Walk, file: string, form: string): void {
  refuse(walk, file, { code: "pack_file_refused", message: `${quoted(file)} has no place in a pack: ${form}, with names in lower case` });
}

function readText(file: string, walk: Walk): string {
  const { size } = statSync(file);
  walk.bytes += size;
  if (size > packFileBytesMax) refuse(walk, file, { code: "pack_file_refused", message: `${quoted(file)} has ${size} bytes; ${packFileBytesMax} are allowed` });
  else if (walk.bytes > packsBytesMax) throw new LicetError("pack_unreadable", { message: `the packs have more than ${packsBytesMax} bytes` });
  else return decoded(file, walk);
  return "";
}

function decoded(file: string, walk: Walk): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
    walk.texts.set(file, text);
    return text;
  } catch (error) {
    refuse(walk, file, { code: "pack_file_refused", message: `${quoted(file)} ${error instanceof TypeError ? "is not UTF-8" : "cannot be read"}` });
    return "";
  }
}
