import type { Plant } from "./plants.ts";

/**
 * What a reader can make of bytes that left: the text itself, every string and key in it, JSON inside strings, parts and
 * pieces put together as clients do, runs of base64 and hexadecimal digits and URL escapes undone. Knows no detector.
 */
export function readings(body: string): readonly string[] {
  const found = new Set<string>([body]);
  const values = jsonValues(body);
  for (const value of values) strings(value, found, 4);
  for (const lane of lanesOf(values).values()) add(lane, found, 4);
  return [...found];
}

/** The JSON of a body: the whole, or of each event. */
export function jsonValues(body: string): readonly unknown[] {
  const whole = parsed(body);
  if (whole !== undefined) return [whole];
  return eventsOf(body).flatMap(({ data }) => parsed(data) ?? []);
}

export function eventsOf(body: string): readonly { readonly name: string; readonly data: string }[] {
  return body.split("\n\n").filter((each) => each !== "").map((each) => {
    const lines = each.split("\n");
    const field = (name: string) => lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2)).join("\n");
    return { name: field("event"), data: field("data") };
  });
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function strings(value: unknown, into: Set<string>, depth: number): void {
  if (typeof value === "string") add(value, into, depth);
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) joined(value, into, depth);
  for (const [key, child] of Object.entries(value)) {
    if (!Array.isArray(value)) add(key, into, depth);
    strings(child, into, depth);
  }
}

/** Parts of a text stand beside each other and are read as one. */
function joined(list: readonly unknown[], into: Set<string>, depth: number): void {
  const texts = list.flatMap((each) => {
    if (typeof each === "string") return [each];
    if (typeof each !== "object" || each === null) return [];
    const { text, refusal } = each as Record<string, unknown>;
    return typeof text === "string" ? [text] : typeof refusal === "string" ? [refusal] : [];
  });
  if (texts.length > 1) add(texts.join(""), into, depth);
}

function add(text: string, into: Set<string>, depth: number): void {
  if (into.has(text)) return;
  into.add(text);
  if (depth === 0) return;
  const value = /^\s*["[{]/u.test(text) ? parsed(text) : undefined;
  if (value !== undefined) strings(value, into, depth - 1);
  if (text.includes("\\")) add(text.replaceAll(/\\u([0-9a-fA-F]{4})/gu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))).replaceAll("\\n", "\n"), into, depth - 1);
  if (/%[0-9a-fA-F]{2}/u.test(text)) add(text.replaceAll(/(?:%[0-9a-fA-F]{2})+/gu, (run) => Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8")), into, depth - 1);
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_-]{16,}/gu)) {
    add(Buffer.from(run, "base64").toString("latin1"), into, 0);
    if (/^[0-9a-fA-F]+$/u.test(run)) add(Buffer.from(run, "hex").toString("latin1"), into, 0);
  }
}

type Wire = Readonly<Record<string, unknown>>;

/** Pieces put together by the place that their events name. */
export function lanesOf(values: readonly unknown[]): ReadonlyMap<string, string> {
  const lanes = new Map<string, string>();
  const say = (lane: string, piece: unknown) => {
    if (typeof piece === "string") lanes.set(lane, (lanes.get(lane) ?? "") + piece);
  };
  let run = 0;
  for (const value of values) {
    if (typeof value !== "object" || value === null) continue;
    const event = value as Wire;
    if (Array.isArray(event["choices"])) for (const [at, choice] of event["choices"].entries()) chatPieces(choice, at, say);
    if (event["type"] === "content_block_start" && (event["content_block"] as Wire | null)?.["type"] !== "text") run++;
    if (typeof event["type"] === "string") typedPieces(event["type"], event, { say, run });
  }
  return lanes;
}

type Say = (lane: string, piece: unknown) => void;

/** A place's number as events give it. */
function named(index: unknown, otherwise: string): string {
  return index === undefined || index === null ? otherwise : JSON.stringify(index);
}

function chatPieces(choice: unknown, position: number, say: Say): void {
  const walk = (value: unknown, lane: string): void => {
    if (typeof value === "string") return say(lane, value);
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      const step = Array.isArray(value) ? named((child as Wire | null)?.["index"], key) : key;
      if (!["role", "id", "type", "name"].includes(key)) walk(child, `${lane}.${step}`);
    }
  };
  const { index, delta } = (choice ?? {}) as Wire;
  walk(delta, `choice ${named(index, String(position))}`);
}

function typedPieces(type: string, event: Wire, { say, run }: { readonly say: Say; readonly run: number }): void {
  const part = (key: string) => named(event[key], "");
  if (type.startsWith("response.") && type.endsWith(".delta")) {
    say(`${type} ${part("output_index")} ${part("content_index")} ${part("summary_index")}`, event["delta"]);
    say(`item ${part("output_index")} ${type}`, event["delta"]);
  }
  if (type === "content_block_delta") {
    const { type: kind, text, thinking, signature, partial_json: json } = (event["delta"] ?? {}) as Wire;
    for (const piece of [text, thinking, signature, json]) say(`block ${part("index")} ${String(kind)}`, piece);
    say(`text ${run}`, text);
  }
}

/** True where the plant stands whole in one of the readings; `apart`: with nothing glued to it that makes it another word. */
export function stands(all: readonly string[], { value, written }: Plant, apart: boolean): boolean {
  return all.some((text) => has(text, value, apart) || has(text, written, apart));
}

const glue = /[\w\-+/=.@%\\:\u00C0-\u024F\uFFFD]/u;

function has(text: string, word: string, apart: boolean): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!apart || !(glue.test(text.charAt(at - 1)) || glue.test(text.charAt(at + word.length)))) return true;
  }
  return false;
}
