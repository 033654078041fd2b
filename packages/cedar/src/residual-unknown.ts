import { CedarError } from "./errors.ts";
import type { CedarValueJson, ContextJson, EntityUidJson } from "./json.ts";
import { isObject } from "./read.ts";
import { readUid } from "./value-json.ts";
import type { EntityUid } from "./values.ts";

/**
 * Something that nobody knows yet.
 * As text: `context.approvals.people` (the attribute may later be there with any value, or not be there) or
 * `context.approvals.*` (what is given below `context.approvals` is known, everything else there is not);
 * `principal.*` and `resource.*` take in the entity's tags and further ancestors.
 * As an object the same for attributes whose names are no identifiers, and for any entity; `present` says that it will be there.
 */
export type Unknown =
  | string
  | { readonly of: "principal" | "resource" | "context" | EntityUidJson; readonly path: readonly string[]; readonly form?: "optional" | "present" | "rest" };

/** What is not known of a record or an entity, by attribute. */
export class UnknownTree {
  /** Of this attribute as a whole. */
  own: "known" | "present" | "optional" = "known";
  /** Whether attributes that are neither given nor named below may be there. */
  rest = false;
  readonly below = new Map<string, UnknownTree>();

  step(name: string): UnknownTree {
    const next = this.below.get(name) ?? new UnknownTree();
    this.below.set(name, next);
    return next;
  }

  get isKnown(): boolean {
    return this.own === "known" && !this.rest && this.below.size === 0;
  }
}

export interface UnknownPath {
  readonly of: "principal" | "resource" | "context" | EntityUid;
  readonly path: readonly string[];
  readonly form: "optional" | "present" | "rest";
}

const dotted = /^(principal|resource|context)((?:\.[A-Za-z_][A-Za-z0-9_]*)*)(\.\*)?$/u;
export const unknownsMax = 10_000;

/** Throws `request_invalid` for what names no place. */
export function readUnknowns(unknowns: readonly Unknown[]): readonly UnknownPath[] {
  if (unknowns.length > unknownsMax) throw invalid(`there are more than ${unknownsMax} unknowns`);
  return unknowns.map((each) => (typeof each === "string" ? readDotted(each) : { of: readRoot(each.of), path: each.path, form: each.form ?? "optional" }));
}

function readDotted(text: string): UnknownPath {
  const match = dotted.exec(text);
  const [, of, path = "", rest] = match ?? [];
  if (!isRoot(of)) throw invalid(`\`${text}\` names no unknown: write it as \`context.a.b\`, \`principal.a\` or \`resource.*\``);
  return { of, path: path.split(".").slice(1), form: rest === undefined ? "optional" : "rest" };
}

function isRoot(text: unknown): text is "principal" | "resource" | "context" {
  return text === "principal" || text === "resource" || text === "context";
}

function readRoot(of: Exclude<Unknown, string>["of"]): UnknownPath["of"] {
  return isRoot(of) ? of : readUid(of);
}

/** The context without its markers `{"__extn": {"fn": "unknown", ...}}`, and the paths where they stood. */
export function takeMarkers(context: ContextJson): { readonly context: ContextJson; readonly marked: readonly UnknownPath[] } {
  const marked: UnknownPath[] = [];
  const rest = record(context, [], marked);
  return { context: rest, marked };
}

function record(given: object, path: readonly string[], marked: UnknownPath[]): ContextJson {
  const entries: readonly (readonly [string, CedarValueJson])[] = Object.entries(given);
  const kept = entries.flatMap(([name, value]): readonly (readonly [string, CedarValueJson])[] => {
    const at = [...path, name];
    if (isMarker(value)) {
      marked.push({ of: "context", path: at, form: "present" });
      return [];
    }
    return [[name, hasMarker(value, 0) ? record(recordOf(value), at, marked) : value]];
  });
  return Object.fromEntries(kept);
}

function recordOf(value: CedarValueJson): object {
  if (isObject(value)) return value;
  throw invalid("an unknown can be an attribute of the context or of a record in it, not a member of a set");
}

function isMarker(value: unknown): boolean {
  return isObject(value) && isObject(value["__extn"]) && value["__extn"]["fn"] === "unknown" && Object.keys(value).length === 1;
}

const markerDepthMax = 120;

function hasMarker(value: unknown, depth: number): boolean {
  if (isMarker(value)) return true;
  if (typeof value !== "object" || value === null || depth > markerDepthMax) return false;
  return Object.values(value).some((each) => hasMarker(each, depth + 1));
}

function invalid(message: string): CedarError {
  return new CedarError("request_invalid", "unknown", message);
}
