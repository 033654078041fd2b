import { errorInfo } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import { z } from "zod";
import { diagnostic, inOrder, quoted, type Diagnostic, type Path, type Problem } from "../inventory/diagnostic.ts";
import { sourceText, type Range, type SourceText } from "../inventory/source-text.ts";
import { suggest } from "../inventory/suggest.ts";
import { parseYaml, type YamlDocument } from "../inventory/yaml-document.ts";

/** A file as it was read: the name is only shown. */
export interface NamedText {
  readonly file: string;
  readonly text: string;
}

export type PackYaml<T> =
  | { readonly kind: "read"; readonly value: T; readonly place: (problem: Problem) => Diagnostic }
  | { readonly kind: "refused"; readonly diagnostics: readonly Diagnostic[] };

type Issue = z.core.$ZodIssue;

/** Untrusted YAML against a closed schema: everything wrong with it in one run, each at its place. Never throws. */
export function readPackYaml<T>(schema: z.ZodType<T>, { file, text }: NamedText): PackYaml<T> {
  const source = { ...sourceText(text), file };
  const parsed = parseYaml(text);
  if (parsed.kind === "problems") return { kind: "refused", diagnostics: inOrder(parsed.problems.map((problem) => diagnostic(asPackProblem(problem), problem.range ?? [0, 1], source))) };
  const place = placer(source, parsed.document);
  const result = schema.safeParse(parsed.document.data);
  if (result.success) return { kind: "read", value: result.data, place };
  const keys = keyFinder(schema);
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, parsed.document.data, keys));
  return { kind: "refused", diagnostics: inOrder(problems.map(place)) };
}

function placer(source: SourceText & { readonly file: string }, document: YamlDocument): (problem: Problem) => Diagnostic {
  return (problem) => diagnostic(problem, problem.range ?? rangeFor(problem, document), source);
}

/** What is missing stands nowhere: the nearest part that exists is pointed at. */
function rangeFor(problem: Problem, document: YamlDocument): Range {
  const own = problem.atKey === true ? document.keyRange(problem.path) : document.valueRange(problem.path);
  if (own !== undefined) return firstLine(own);
  for (let length = problem.path.length; length > 0; length--) {
    const part = problem.path.slice(0, length);
    const found = document.keyRange(part) ?? document.valueRange(part);
    if (found !== undefined) return firstLine(found);
  }
  return [0, 1];
}

const rangeLengthMax = 200;

function firstLine([start, end]: Range): Range {
  return [start, Math.min(end, start + rangeLengthMax)];
}

/** The YAML reader names what it refuses as parts of a manifest; here it is a pack's file. */
function asPackProblem(problem: Problem): Problem {
  return { ...problem, code: "pack_syntax", message: problem.message.replace(/^the manifest /u, "the file "), fix: problem.fix ?? errorInfo(problem.code).fix };
}

function problemsOf(issue: Issue, data: unknown, keysAt: (path: Path) => readonly string[]): readonly Problem[] {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, path, keysAt(path)));
  if (data === null) return [{ code: "pack_malformed", message: "the file is empty", path: [] }];
  if (issue.code !== "custom" && path.length > 0 && valueAt(data, path) === undefined) return [{ code: "pack_malformed", message: `${named(path)} is missing`, path, fix: `add ${quoted(`${String(path.at(-1))}:`)}` }];
  return [{ code: "pack_malformed", message: `${named(path)}: ${said(issue)}`, path }];
}

function unknownKey(key: string, parent: Path, keys: readonly string[]): Problem {
  const meant = suggest(key, keys);
  return {
    code: "pack_malformed",
    message: `unknown key ${quoted(key)} in ${named(parent)}${meant === undefined ? "" : `; did you mean ${quoted(meant)}?`}`,
    path: [...parent, key],
    atKey: true,
    fix: meant === undefined ? (keys.length === 0 ? "remove it" : `use one of ${keys.map(quoted).join(", ")}, or remove it`) : `write ${quoted(meant)} instead, or remove it`,
  };
}

function said(issue: Issue): string {
  if (issue.code === "invalid_value") return `one of ${issue.values.map((value) => quoted(String(value))).join(", ")} is needed`;
  if (issue.code === "invalid_type") return `${typeNames[issue.expected] ?? issue.expected} is needed`;
  return plain(issue.message);
}

const typeNames: Readonly<Record<string, string>> = { string: "text", number: "a number", int: "a whole number", boolean: "true or false", object: "a mapping", record: "a mapping", array: "a list" };

function plain(message: string): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\.$/u, "");
}

/** `scenarios[0].expect`, as people write it. */
function named(path: Path): string {
  const text = path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${part}`)).join("");
  return text === "" ? "the file" : quoted(text);
}

function valueAt(data: unknown, path: Path): unknown {
  let here = data;
  for (const part of path) {
    if (Array.isArray(here) && typeof part === "number") here = here[part];
    else if (isRecord(here) && Object.hasOwn(here, String(part))) here = here[String(part)];
    else return undefined;
  }
  return here;
}

/** The keys that a schema allows at a path, for suggestions. */
function keyFinder(schema: z.ZodType): (path: Path) => readonly string[] {
  return (path) => {
    const root: unknown = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    let here = resolved(root, root);
    for (const part of path) here = resolved(below(here, part), root);
    return isRecord(here) && isRecord(here["properties"]) ? Object.keys(here["properties"]) : [];
  };
}

function below(schema: unknown, part: string | number): unknown {
  if (!isRecord(schema)) return undefined;
  if (typeof part === "number") return schema["items"];
  const properties = schema["properties"];
  return isRecord(properties) && Object.hasOwn(properties, part) ? properties[part] : schema["additionalProperties"];
}

function resolved(schema: unknown, root: unknown): unknown {
  if (!isRecord(schema) || typeof schema["$ref"] !== "string") return schema;
  const defs = isRecord(root) ? root["$defs"] : undefined;
  return isRecord(defs) ? defs[schema["$ref"].replace("#/$defs/", "")] : undefined;
}
