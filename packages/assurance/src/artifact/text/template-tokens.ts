import { Damaged } from "../source.ts";

export interface Token {
  readonly kind: "name" | "text" | "number" | "mark" | "end";
  readonly text: string;
  readonly at: number;
}

/** A piece between `{{ }}` or `{% %}`. */
export interface TemplatePart {
  readonly kind: "output" | "statement";
  readonly tokens: readonly Token[];
  readonly at: number;
}

const opening = /\{[{%#]/gu;
const token = /\s*(?:(?<name>[\p{ID_Start}_][\p{ID_Continue}]*)|(?<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<text>'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*")|(?<mark>\*\*|\/\/|==|!=|<=|>=|[-+*/%~<>=|.,:()[\]{}])|(?<close>$))/uy;
const simple: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', "\n": "" };
const partsMax = 100_000;
const tokensMax = 1_000_000;

/** Escapes as Python reads them: `\x5f`, `\u005f`, `\137` all are an underscore. */
function unescape(literal: string): string {
  return literal.slice(1, -1).replaceAll(/\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|N\{[^}]*\}|[\s\S])/gu, (escape) => {
    const rest = escape.slice(2);
    if (/^\\[xuU]./u.test(escape)) return String.fromCodePoint(Math.min(Number.parseInt(rest, 16), 0x10ffff));
    if (/^\\[0-7]/u.test(escape)) return String.fromCodePoint(Number.parseInt(escape.slice(1), 8));
    if (escape.startsWith("\\N{")) return /low line/iu.test(escape) ? "_" : "\uFFFD";
    return simple[escape.slice(1)] ?? escape;
  });
}

/** Where a piece ends: the first closing mark outside of texts and dictionaries; in `{{ {'a': {'b': 1}} }}` the first `}}` is none. */
function closingAt(template: string, start: number, close: string): number {
  let quote = "";
  let open = 0;
  for (let at = start; at < template.length; at += 1) {
    const letter = template[at] ?? "";
    if (quote !== "") {
      if (letter === "\\") at += 1;
      else if (letter === quote) quote = "";
    } else if (letter === "'" || letter === '"') quote = letter;
    else if (open <= 0 && template.startsWith(close, at)) return at;
    else if (letter === "{") open += 1;
    else if (letter === "}") open -= 1;
  }
  throw new Damaged("a piece of the template does not end", start);
}

export function templateParts(template: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let tokens = 0;
  for (let at = 0; parts.length < partsMax; ) {
    opening.lastIndex = at;
    const match = opening.exec(template);
    if (match === null) return parts;
    const open = match[0];
    const start = match.index + 2;
    if (open === "{#") {
      const end = template.indexOf("#}", start);
      if (end < 0) throw new Damaged("a comment does not end", start);
      at = end + 2;
      continue;
    }
    const end = closingAt(template, start, open === "{{" ? "}}" : "%}");
    const inner = template.slice(start, end).replace(/^[-+]/u, " ").replace(/[-+]$/u, " ");
    at = end + 2;
    if (open === "{%" && /^\s*raw\s*$/u.test(inner)) {
      const raw = /\{%[-+]?\s*endraw\s*[-+]?%\}/u.exec(template.slice(at));
      if (raw === null) throw new Damaged("a raw block does not end", at);
      at += raw.index + raw[0].length;
      continue;
    }
    const part: TemplatePart = { kind: open === "{{" ? "output" : "statement", tokens: tokensOf(inner, start), at: start };
    tokens += part.tokens.length;
    if (tokens > tokensMax) break;
    parts.push(part);
  }
  throw new Damaged("the template has more pieces than any real one", 0);
}

function tokensOf(source: string, offset: number): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    token.lastIndex = at;
    const match = token.exec(source);
    const groups = match?.groups;
    if (match === null || groups === undefined) throw new Damaged(`\`${source.slice(at, at + 20)}\` is no expression`, offset + at);
    at = token.lastIndex;
    const where = offset + match.index;
    if (groups["name"] !== undefined) tokens.push({ kind: "name", text: groups["name"].normalize("NFKC"), at: where });
    else if (groups["number"] !== undefined) tokens.push({ kind: "number", text: groups["number"], at: where });
    else if (groups["text"] !== undefined) tokens.push({ kind: "text", text: unescape(groups["text"]), at: where });
    else if (groups["mark"] !== undefined) tokens.push({ kind: "mark", text: groups["mark"], at: where });
    else return [...tokens, { kind: "end", text: "", at: where }];
  }
}
