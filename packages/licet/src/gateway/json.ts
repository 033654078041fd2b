import { hash } from "node:crypto";
import { parseJson } from "@licet/evidence";

/** JSON of this depth is parsed by everybody; deeper is built to break a parser. */
export const jsonDepthMax = 64;

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function readJson(body: Uint8Array): { readonly value: unknown } | undefined {
  try {
    const value = parseJson(utf8.decode(body));
    return { value };
  } catch {
    return undefined;
  }
}

/** Half a surrogate pair has no UTF-8 form, so no digest: what is compared would not be what is sent. */
export function wellFormed(value: unknown, left: number = jsonDepthMax): boolean {
  if (typeof value === "string") {
    return value.isWellFormed();
  }
  if (typeof value !== "object" || value === null) {
    return true;
  }
  if (left <= 0) {
    return false;
  }
  return Array.isArray(value)
    ? value.every((child) => wellFormed(child, left - 1))
    : Object.entries(value).every(([key, child]) => key.isWellFormed() && wellFormed(child, left - 1));
}

/** Keys too: a property name of a schema is text that the model reads. */
export function collect(value: unknown, into: string[]): void {
  if (typeof value === "string") {
    into.push(value);
    const unescaped = unescapedJson(value);
    if (unescaped !== value) {
      into.push(unescaped);
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      if (!Array.isArray(value)) {
        into.push(key);
      }
      collect(child, into);
    }
  }
}

const jsonEscape = /\\u([0-9a-fA-F]{4})/gu;

/** Tool arguments are JSON inside a string: `\u0040` in it is an `@` to whoever runs the tool. */
export function unescapedJson(value: string): string {
  return value.includes("\\u")
    ? value.replaceAll(jsonEscape, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : value;
}

export function digestText(value: string): string {
  return `sha256:${hash("sha256", value, "hex")}`;
}
