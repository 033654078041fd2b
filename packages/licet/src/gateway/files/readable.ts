import { parseJson } from "@licet/evidence";
import { wellFormed } from "../json.ts";
import { refuse, type Refusal } from "../refusal.ts";

/** How the content of a file is written. */
export type Writing = "text" | "json" | "jsonl";

/**
 * The kinds of file that are read as they stand, by the ends of their names: a provider believes the name. Markup is not
 * among them: what it leaves out when it is shown joins what was scanned apart.
 */
const writings: ReadonlyMap<string, Writing> = new Map([
  ...["txt", "text", "md", "markdown", "csv", "tsv", "log", "yaml", "yml"].map((end) => [end, "text"] as const),
  ["json", "json"],
  ["jsonl", "jsonl"],
  ["ndjson", "jsonl"],
]);

export const readableEnds: readonly string[] = [...writings.keys()];

export interface ReadableText {
  readonly text: string;
  readonly writing: Writing;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
/** Text that is a picture of something else: what it says stands in no place where a detector reads. */
const disguised = /^\s*(?:%PDF-|%!PS|\{\\rtf|<\?xml|<!doctype|<html|MIME-Version:|begin \d{3} )/iu;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const control = /[\u0000-\u0008\u000B\u000E-\u001F\u007F]/u;

/** The text of a file, if it is nothing but text. */
export function readText(filename: string, bytes: Uint8Array): ReadableText | { readonly refusal: Refusal } {
  const writing = writings.get(/\.([a-z]{1,10})$/iu.exec(filename)?.[1]?.toLowerCase() ?? "");
  if (writing === undefined) return unreadable(`the gateway reads files whose names end in ${readableEnds.join(", ")}`);
  const text = decoded(bytes);
  if (text === undefined || control.test(text)) return unreadable("the file is not plain text in UTF-8");
  if (disguised.test(text)) return unreadable("the file is text of another format than its name says");
  const fault = faultOf(text, writing);
  return fault === undefined ? { text, writing } : unreadable(fault);
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** What keeps a text from being what its name says; undefined where it is that. */
export function faultOf(text: string, writing: Writing): string | undefined {
  if (text.trim() === "") return "the file is empty";
  if (writing === "text") return undefined;
  if (writing === "json") return isJson(text) ? undefined : "the file is not JSON";
  const lines = text.split("\n");
  const at = lines.findIndex((line) => line.trim() !== "" && !isJson(line));
  return at < 0 ? undefined : `line ${at + 1} of the file is not JSON`;
}

function isJson(text: string): boolean {
  try {
    const value: unknown = parseJson(text);
    return wellFormed(value);
  } catch {
    return false;
  }
}

function unreadable(message: string): { readonly refusal: Refusal } {
  return { refusal: refuse("content_unreadable", { message, param: "file" }) };
}
