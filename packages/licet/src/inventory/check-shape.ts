import { Manifest } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import type { z } from "zod";
import { quoted, type Path, type Problem } from "./diagnostic.ts";
import { descriptionAt, keysAt, wordsAt } from "./schema-words.ts";
import { suggest } from "./suggest.ts";

export type Shape = { readonly kind: "manifest"; readonly manifest: Manifest } | { readonly kind: "problems"; readonly problems: readonly Problem[] };

type Issue = z.core.$ZodIssue;

/** Plain data against the manifest's schema: every difference in one run, each with what was probably meant. */
export function checkShape(data: unknown): Shape {
  if (data === null || data === undefined) return { kind: "problems", problems: [{ code: "manifest_missing", message: "the manifest is empty", path: [], fix: "write one with `licet init`" }] };
  const result = Manifest.safeParse(data);
  if (result.success) return { kind: "manifest", manifest: result.data };
  return { kind: "problems", problems: result.error.issues.flatMap((issue) => problemsOf(issue, data)) };
}

function problemsOf(issue: Issue, data: unknown): readonly Problem[] {
  const path = issue.path.filter((part) => typeof part !== "symbol");
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, path));
  if (valueAt(data, path) === undefined) return [missing(path)];
  return [problemOf(issue, path, valueAt(data, path))];
}

function problemOf(issue: Issue, path: Path, value: unknown): Problem {
  if (issue.code === "invalid_value") return unknownValue(path, value, issue.values.map(String));
  if (issue.code === "invalid_union" && issue.discriminator !== undefined) return unknownValue(path, value, wordsAt(path));
  if (issue.code === "invalid_union") return wrongType(path, value, "another type is needed");
  if (issue.code === "invalid_type") return wrongType(path, value, `expected ${article(issue.expected)}`);
  if (issue.code === "invalid_key") {
    return { code: "manifest_format", message: `the key ${quoted(path.at(-1))}: ${plain(issue.issues[0]?.message ?? issue.message)}`, path, atKey: true };
  }
  if (issue.code === "invalid_format") return { code: "manifest_format", message: `${name(path)} is ${quoted(value)}; needed: ${formOf(issue)}`, path };
  return { code: ranges.has(issue.code) ? "manifest_range" : "manifest_format", message: `${name(path)}: ${plain(issue.message)}`, path };
}

const ranges: ReadonlySet<string> = new Set(["too_small", "too_big", "not_multiple_of"]);

function unknownKey(key: string, parent: Path): Problem {
  const meant = suggest(key, keysAt(parent));
  const place = parent.length === 0 ? "the manifest" : name(parent);
  return {
    code: "manifest_unknown_key",
    message: `unknown key ${quoted(key)} in ${place}${meant === undefined ? "" : `; did you mean ${quoted(meant)}?`}`,
    path: [...parent, key],
    atKey: true,
    ...(meant === undefined ? {} : { fix: `write ${quoted(meant)} instead, or remove the line` }),
  };
}

function missing(path: Path): Problem {
  const described = descriptionAt(path);
  const words = wordsAt(path);
  const help = described ?? (words.length > 0 ? `one of ${listed(words)}` : undefined);
  return {
    code: "manifest_missing",
    message: `${name(path)} is missing`,
    path,
    ...(help === undefined ? {} : { fix: `add ${quoted(`${String(path.at(-1))}:`)} (${help})` }),
  };
}

const spokenBooleans: Readonly<Record<string, string>> = { yes: "true", y: "true", on: "true", no: "false", n: "false", off: "false" };

function wrongType(path: Path, value: unknown, expected: string): Problem {
  const spoken = typeof value === "string" && expected.includes("true or false") ? spokenBooleans[value.toLowerCase()] : undefined;
  return {
    code: "manifest_wrong_type",
    message: `${name(path)} is ${described(value)}; ${plain(expected)}`,
    path,
    ...(spoken === undefined ? {} : { fix: `write ${quoted(spoken)}: in YAML 1.2 ${quoted(value)} is text` }),
  };
}

function unknownValue(path: Path, value: unknown, words: readonly string[]): Problem {
  const meant = typeof value === "string" ? suggest(value, words) : undefined;
  return {
    code: "manifest_unknown_value",
    message: `${name(path)} is ${quoted(value)}${meant === undefined ? "" : `; did you mean ${quoted(meant)}?`}`,
    path,
    fix: `use ${words.length === 1 ? quoted(words[0]) : `one of ${listed(words)}`}`,
  };
}

/** `components.models[0].name`, as people write it. */
function name(path: Path): string {
  const text = path.map((part, index) => (typeof part === "number" ? `[${part}]` : `${index === 0 ? "" : "."}${part}`)).join("");
  return text === "" ? "the manifest" : quoted(text);
}

function described(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return isRecord(value) ? "a mapping" : `the ${typeof value} ${quoted(value)}`;
}

const articles: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

function article(type: string): string {
  return articles[type] ?? type;
}

const forms: Readonly<Record<string, string>> = { email: "an e-mail address", url: "a URL" };

function formOf(issue: Extract<Issue, { code: "invalid_format" }>): string {
  return forms[issue.format] ?? plain(issue.message);
}

const listedMax = 30;

function listed(words: readonly string[]): string {
  const more = words.length > listedMax ? `, and ${words.length - listedMax} more` : "";
  return `${words.slice(0, listedMax).map(quoted).join(", ")}${more}`;
}

function plain(message: string): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`.replace(/\.$/u, "");
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
