import { LicetError } from "../base/errors.ts";
import type { JsonObject, JsonValue } from "../ledger/recorder.ts";
import type { JsonPath } from "./dialect.ts";
import { edited, type Edit } from "./detect/edits.ts";
import type { CallText } from "./detect/scan-call.ts";

type IsFixed = (path: JsonPath) => boolean;

/** The keys whose strings are JSON themselves. */
const jsonKeys: ReadonlySet<string | number> = new Set(["arguments", "partial_json"]);

export function isJsonText(path: JsonPath): boolean {
  return jsonKeys.has(path.at(-1) ?? "");
}

/** Words of the protocols themselves say nothing of the caller's, and recur in every message. */
const protocolWords: ReadonlySet<string> = new Set(
  "arguments assistant content content_block created delta description developer document file function id image image_url index input input_text json_schema max_tokens message messages model name object output output_text parameters properties refusal required role schema source stream strict string system temperature text text_delta tool tool_call_id tool_calls tool_result tool_use tools type url user".split(" "),
);

/** Pictures, sound and files in base64: the release permits them by name, and no detector of text reads them. */
const mediaCharactersMin = 1024;
const media = /^(?:data:[a-z]+\/[a-z0-9.+-]+;base64,)?[A-Za-z0-9+/]+={0,2}$/u;

export function isMedia(text: string, fixed: boolean): boolean {
  return fixed && text.length > mediaCharactersMin && media.test(text);
}

/** Every text of a request: its strings in their order, then what stands in several parts as the model reads it, then keys. */
export function textsOf(request: JsonObject, isFixed: IsFixed): readonly CallText[] {
  const strings: CallText[] = [];
  const joined: CallText[] = [];
  const keys = new Set<string>();
  const path: (string | number)[] = [];
  const visit = (value: JsonValue): number | undefined => {
    if (typeof value !== "string") return undefined;
    const fixed = isFixed(path);
    return isSkipped(value, fixed) ? undefined : strings.push({ text: value, fixed, ...(isJsonText(path) && { json: true }) }) - 1;
  };
  /** The place of an object's own text among the strings, if it is a part of a message. */
  const descend = (value: JsonValue): number | undefined => {
    if (typeof value === "string") return visit(value);
    const parts: number[] = [];
    let own: number | undefined;
    eachChild(value, (key, child) => {
      if (typeof key === "string" && !protocolWords.has(key)) keys.add(key);
      path.push(key);
      const place = descend(child);
      path.pop();
      if (place === undefined) return;
      if (typeof key === "number" && typeof child === "object") parts.push(place);
      else if (partKeys.has(key)) own = place;
    });
    if (parts.length > 1) joined.push({ text: parts.map((place) => strings[place]?.text ?? "").join(""), fixed: false, joins: parts });
    return own;
  };
  descend(request);
  return [...strings, ...joined, ...Array.from(keys, (text) => ({ text, fixed: true }))];
}

/** What a part of a message says. */
const partKeys: ReadonlySet<string | number> = new Set(["text", "refusal"]);

function isSkipped(text: string, fixed: boolean): boolean {
  return fixed && (protocolWords.has(text) || isMedia(text, fixed));
}

/** The request with its texts edited, by the places that `textsOf` gives them. */
export function editedRequest(request: JsonObject, isFixed: IsFixed, edits: readonly (readonly Edit[])[]): JsonObject {
  let place = 0;
  return mapStrings(request, {
    text: (text, path) => {
      if (isSkipped(text, isFixed(path))) return text;
      const own = edits[place++] ?? [];
      return own.length === 0 ? text : edited(text, own);
    },
  });
}

function eachChild(value: JsonValue, each: (key: string | number, child: JsonValue) => void): void {
  if (isList(value)) {
    for (const [position, child] of value.entries()) each(position, child);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) each(key, child);
  }
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** What stands in several parts, as one text each. */
export function joinedTexts(value: JsonValue): readonly string[] {
  const found: string[] = [];
  const visit = (each: JsonValue): void => {
    const joined = isList(each) ? joinedParts(each) : undefined;
    if (joined !== undefined) found.push(joined);
    eachChild(each, (_key, child) => visit(child));
  };
  visit(value);
  return found;
}

/** The model reads the parts of a message without a border between them. */
function joinedParts(parts: readonly JsonValue[]): string | undefined {
  const texts = parts.length < 2 ? [] : parts.flatMap(partText);
  return texts.length < 2 ? undefined : texts.join("");
}

function partText(part: JsonValue): readonly string[] {
  const key = partKey(part);
  const text = key === undefined || typeof part !== "object" || part === null || isList(part) ? undefined : part[key];
  return typeof text === "string" ? [text] : [];
}

/** Where a part of a message has its words. */
export function partKey(part: JsonValue): "text" | "refusal" | undefined {
  if (typeof part !== "object" || part === null || isList(part)) return undefined;
  if (typeof part["text"] === "string") return "text";
  return typeof part["refusal"] === "string" ? "refusal" : undefined;
}

/** The string at a path; undefined where there is none. */
export function textAt(value: JsonObject, path: JsonPath): string | undefined {
  let at: JsonValue | undefined = value;
  for (const step of path) {
    at = childAt(at, step);
  }
  return typeof at === "string" ? at : undefined;
}

function childAt(value: JsonValue | undefined, step: string | number): JsonValue | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (isList(value)) return typeof step === "number" ? value[step] : undefined;
  return Object.hasOwn(value, step) ? value[step] : undefined;
}

/** The same value with another string at a path, copied along the path only. */
export function withTextAt(value: JsonObject, path: JsonPath, text: string): JsonObject {
  const [step, ...rest] = path;
  return step === undefined ? value : { ...value, [step]: replacedAt(value[step] ?? null, rest, text) };
}

function replacedAt(value: JsonValue, path: JsonPath, text: string): JsonValue {
  const [step, ...rest] = path;
  if (step === undefined) return text;
  if (isList(value)) return value.map((child, position) => (position === step ? replacedAt(child, rest, text) : child));
  return typeof value === "object" && value !== null ? { ...value, [step]: replacedAt(value[step] ?? null, rest, text) } : value;
}

/** What is done with each string of a value, and with each key. */
export interface StringVisitor {
  /** Answers what stands in its place. The path is only good inside the call. */
  text(text: string, path: JsonPath): string;
  /** Of the keys that are no plain word, so that they could say something. */
  key?(key: string): void;
}

/** The same value with its strings as the visitor answers them; itself where none changes. Keys stay. */
export function mapStrings(value: JsonObject, visitor: StringVisitor): JsonObject {
  return new StringWalk(visitor).object(value);
}

/** State of one walk: events of streams are walked thousands of times a second. */
class StringWalk {
  readonly #visitor: StringVisitor;
  readonly #path: (string | number)[] = [];

  constructor(visitor: StringVisitor) {
    this.#visitor = visitor;
  }

  object(object: JsonObject): JsonObject {
    let next = object;
    for (const key in object) {
      if (!Object.hasOwn(object, key)) continue;
      if (this.#visitor.key !== undefined && !isPlainKey(key)) this.#visitor.key(key);
      const child = object[key] ?? null;
      const mapped = this.#child(key, child);
      if (mapped !== child) next = { ...next, [key]: mapped };
    }
    return next;
  }

  #list(list: readonly JsonValue[]): readonly JsonValue[] {
    let next: JsonValue[] | undefined;
    for (let at = 0; at < list.length; at++) {
      const child = list[at] ?? null;
      const mapped = this.#child(at, child);
      if (mapped === child) continue;
      next ??= [...list];
      next[at] = mapped;
    }
    return next ?? list;
  }

  #child(key: string | number, child: JsonValue): JsonValue {
    if (child === null || (typeof child !== "string" && typeof child !== "object")) return child;
    if (this.#path.length >= walkDepthMax) throw new LicetError("upstream_invalid", { message: "the answer nests too deep" });
    this.#path.push(key);
    const mapped = this.#mapped(child);
    this.#path.pop();
    return mapped;
  }

  #mapped(child: string | readonly JsonValue[] | JsonObject): JsonValue {
    if (typeof child === "string") return this.#visitor.text(child, this.#path);
    return isList(child) ? this.#list(child) : this.object(child);
  }
}

/** Callers' requests and whole answers are bounded before; events of streams are not. */
const walkDepthMax = 128;

const plainKey = /^[a-z_]{1,40}$/u;
const plainKeysMax = 2000;
/** Keys that were found to be plain words; owned by `isPlainKey`. */
const plainKeys = new Set<string>();

function isPlainKey(key: string): boolean {
  if (plainKeys.has(key)) return true;
  const plain = plainKey.test(key);
  if (plain && plainKeys.size < plainKeysMax) plainKeys.add(key);
  return plain;
}
