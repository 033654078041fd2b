import { Composer, isAlias, isMap, isNode, isPair, isScalar, isSeq, Lexer, Parser, type Document, type Node, type Pair, type YAMLMap } from "yaml";
import { quoted, type Path, type Problem } from "./diagnostic.ts";
import type { Range } from "./source-text.ts";

export const nestingMax = 64;

/** Plain data, and where each part of it stands in the text. */
export interface YamlDocument {
  readonly data: unknown;
  /** The value at a path, or nothing where there is none. */
  valueRange(path: Path): Range | undefined;
  /** The key that leads to the last part of a path. */
  keyRange(path: Path): Range | undefined;
}

export type ParsedYaml = { readonly kind: "document"; readonly document: YamlDocument } | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** Untrusted YAML 1.2 to plain data. Whatever two readers could read differently is refused. */
export function parseYaml(text: string): ParsedYaml {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof TooManyTokens) {
      return { kind: "problems", problems: [{ code: "manifest_too_large", message: `the manifest has more than ${tokensMax} tokens`, path: [], range: [0, 1] }] };
    }
    // The parser recurses into nested collections: exhausting the stack is how it meets a nesting bomb.
    if (!(error instanceof RangeError)) throw error;
    return { kind: "problems", problems: [tooDeep([0, 1])] };
  }
}

function parse(text: string): ParsedYaml {
  const steep = tooSteep(text);
  if (steep) return { kind: "problems", problems: [steep] };
  const composed = compose(text);
  if (Array.isArray(composed)) return { kind: "problems", problems: composed };
  const doc = composed;
  const problems = [...syntaxProblems(doc), ...nodeProblems(doc)];
  if (doc.directives?.yaml.explicit && doc.directives.yaml.version !== "1.2") {
    problems.push({ code: "manifest_syntax", message: `YAML ${doc.directives.yaml.version} is declared; 1.2 is needed`, path: [], range: [0, 5] });
  }
  if (problems.length > 0) return { kind: "problems", problems };
  return { kind: "document", document: located(doc, doc.toJS({ maxAliasCount: 0 })) };
}

/** The parser keeps every token as an object: a megabyte of brackets would hold the process for a minute. */
const tokensMax = 400_000;
const syntaxErrorsMax = 100;

class TooManyTokens extends Error {}

/** The parser's own loop, with a bound. */
function* tokensOf(text: string) {
  const parser = new Parser();
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    count++;
    if (count > tokensMax) throw new TooManyTokens();
    yield* parser.next(lexeme);
  }
  yield* parser.end();
}

/** One document, or why there is none. Stops at the hundredth error: what follows is seldom more than its echo. */
function compose(text: string): Document | Problem[] {
  // Duplicates are found below: the library compares every key with every other, a minute for a hostile megabyte.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false, version: "1.2", schema: "core", logLevel: "error" });
  const problems: Problem[] = [];
  const documents: Document[] = [];
  const take = (found: Iterable<Document>) => {
    for (const document of found) {
      documents.push(document);
      if (documents.length === 2) problems.push({ code: "manifest_syntax", message: "a second document begins", path: [], range: rangeAt(document.range?.[0]), fix: "keep one document: remove the line `---`" });
    }
  };
  for (const token of tokensOf(text)) {
    if (token.type === "error") problems.push(syntaxProblem("", token.message, [token.offset, token.offset + 1]));
    else if (token.type === "directive" && !token.source.startsWith("%YAML")) problems.push({ code: "manifest_syntax", message: "a directive is not allowed", path: [], range: rangeAt(token.offset), fix: "remove the line" });
    else take(composer.next(token));
    if (problems.length >= syntaxErrorsMax) return problems;
  }
  take(composer.end(true, text.length));
  const [document] = documents;
  if (problems.length > 0 || document === undefined) return [...problems, ...documents.flatMap(syntaxProblems)];
  return document;
}

function rangeAt(offset = 0): Range {
  return [offset, offset + 1];
}

function syntaxProblems(doc: Document): readonly Problem[] {
  return [...doc.errors, ...doc.warnings].slice(0, syntaxErrorsMax).map((error) => syntaxProblem(error.code, error.message, error.pos));
}

function syntaxProblem(code: string, message: string, pos: Range): Problem {
  if (code === "TAB_AS_INDENT") return { code: "manifest_tab", message: "a tab is used for indentation", path: [], range: pos };
  const first = message.split("\n")[0] ?? "";
  const plain = `${first.charAt(0).toLowerCase()}${first.slice(1)}`.replace(/[.:]$/u, "");
  return { code: "manifest_syntax", message: plain, path: [], range: pos };
}

const openBracketsMax = 1000;

/**
 * Nesting counted before the parser sees it. Brackets inside quotes count too: that refuses only texts with
 * a thousand brackets left open, and keeps this a single pass.
 */
function tooSteep(text: string): Problem | undefined {
  const markers = /(?:[-?:][ \t]+){65}/u.exec(text);
  if (markers !== null) return tooDeep([markers.index, markers.index + 1]);
  let open = 0;
  for (const bracket of text.matchAll(/[[\]{}]/gu)) {
    open = bracket[0] === "[" || bracket[0] === "{" ? open + 1 : Math.max(0, open - 1);
    if (open > openBracketsMax) return tooDeep([bracket.index, bracket.index + 1]);
  }
  return undefined;
}

function tooDeep(range: Range): Problem {
  return { code: "manifest_too_deep", message: `the manifest is nested more than ${nestingMax} levels deep`, path: [], range };
}

interface Walk {
  readonly problems: Problem[];
  readonly found: Set<string>;
}

function nodeProblems(doc: Document): readonly Problem[] {
  const walk: Walk = { problems: [], found: new Set() };
  visitNode(doc.contents, 0, walk);
  return walk.problems;
}

function visitNode(node: unknown, depth: number, walk: Walk): void {
  if (!isNode(node)) return;
  if (depth > nestingMax) return once(walk, tooDeep(rangeOf(node)));
  if (isAlias(node) || ("anchor" in node && node.anchor !== undefined)) {
    walk.problems.push({ code: "manifest_alias", message: isAlias(node) ? "an alias is used" : "an anchor is set", path: [], range: rangeOf(node) });
    return;
  }
  if (isMap(node)) return visitMap(node, depth, walk);
  if (isSeq(node)) return node.items.forEach((item) => visitNode(item, depth + 1, walk));
  if (isScalar(node)) visitScalar(node.value, rangeOf(node), walk);
}

function visitMap(map: YAMLMap, depth: number, walk: Walk): void {
  const seen = new Set<string>();
  for (const pair of map.items) {
    const key = visitKey(pair, walk);
    if (key !== undefined && seen.has(key)) {
      walk.problems.push({ code: "manifest_duplicate_key", message: `the key ${quoted(key)} stands twice`, path: [], range: rangeOf(pair.key) });
    }
    if (key !== undefined) seen.add(key);
    visitNode(pair.value, depth + 1, walk);
  }
}

function visitKey(pair: Pair, walk: Walk): string | undefined {
  if (isScalar(pair.key) && typeof pair.key.value === "string" && !("anchor" in pair.key && pair.key.anchor !== undefined)) {
    visitScalar(pair.key.value, rangeOf(pair.key), walk);
    if (pair.key.value === "__proto__") walk.problems.push({ code: "manifest_unknown_key", message: "the key `__proto__` is not allowed", path: [], range: rangeOf(pair.key) });
    if (pair.key.value !== "<<") return pair.key.value;
    walk.problems.push({ code: "manifest_alias", message: "a merge key is used", path: [], range: rangeOf(pair.key) });
    return undefined;
  }
  walk.problems.push({ code: "manifest_syntax", message: "a key must be plain text", path: [], range: rangeOf(pair.key), fix: "put the key in double quotes" });
  return undefined;
}

function visitScalar(value: unknown, range: Range, walk: Walk): void {
  const text = typeof value === "string" ? value : "";
  if (!text.isWellFormed()) walk.problems.push({ code: "manifest_encoding", message: "an escape makes half a character", path: [], range, fix: "write both halves of the surrogate pair, or the character itself" });
  if (typeof value === "number" && !Number.isFinite(value)) walk.problems.push({ code: "manifest_wrong_type", message: "the number is not finite", path: [], range });
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    walk.problems.push({ code: "manifest_range", message: "the number cannot be kept exactly", path: [], range, fix: "use a number below 2^53, or text in quotes" });
  }
}

function once(walk: Walk, problem: Problem): void {
  if (walk.found.has(problem.code)) return;
  walk.found.add(problem.code);
  walk.problems.push(problem);
}

function rangeOf(node: unknown): Range {
  return isNode(node) && node.range ? [node.range[0], node.range[1]] : [0, 1];
}

function located(doc: Document, data: unknown): YamlDocument {
  const find = finder(doc);
  return {
    data,
    valueRange: (path) => {
      const node = find(path);
      return node === undefined ? undefined : rangeOf(node);
    },
    keyRange: (path) => {
      const last = path.at(-1);
      const parent = find(path.slice(0, -1));
      if (!isMap(parent) || typeof last !== "string") return undefined;
      const pair = parent.items.find((each) => isPair(each) && keyOf(each) === last);
      return pair === undefined ? undefined : rangeOf(pair.key);
    },
  };
}

function finder(doc: Document): (path: Path) => Node | undefined {
  return (path) => {
    const node: unknown = path.length === 0 ? doc.contents : doc.getIn(path, true);
    return isNode(node) ? node : undefined;
  };
}

function keyOf(pair: Pair): unknown {
  return isScalar(pair.key) ? pair.key.value : undefined;
}
