import type { Layer } from "../layer.ts";

const encoding = /^\s*<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']/u;
const readable = new Set(["utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "utf-16", "windows-1252"]);
const entity = /<!(?:ENTITY|NOTATION)\b/iu;
const including = /<xi:include\b|http:\/\/www\.w3\.org\/2001\/XInclude/iu;
const stylesheet = /<\?xml-stylesheet\b/iu;
const scripting = /<(?:\w+:)?script\b/iu;
const reaching: readonly (readonly [RegExp, string])[] = [
  [entity, "declares entities"],
  [including, "includes others"],
  [stylesheet, "names a stylesheet to apply"],
  [scripting, "holds a script"],
];
const depthMax = 2000;

/**
 * XML and PMML: no entities, no external document type, no inclusion (CWE-611, CWE-776). Tags are counted, so that a
 * document that is cut off is not taken for whole. Returns the name of the format.
 */
export function judgeXml(layer: Layer, text: string): string {
  const declared = encoding.exec(text)?.[1]?.toLowerCase();
  if (declared !== undefined && !readable.has(declared)) layer.report("xml.unsupported", `the encoding \`${declared}\` may hide what stands in the document`, 0);
  // Comments and character data hold no markup; a declaration inside of them is text.
  const markup = withoutComments(text);
  if (markup === undefined) {
    layer.report("xml.malformed", "a comment or a section does not end");
    return "xml";
  }
  const html = /<!DOCTYPE\s+html|<html[\s>]/iu.test(markup);
  for (const [pattern, what] of reaching) if (pattern.test(markup)) layer.report("xml.entity", `the document ${what}`, markup.search(pattern));
  if (!html) judgeType(layer, markup);
  if (html) {
    if (layer.depth === 0) layer.report("unknown", "a web page is no model", 0);
    return "html";
  }
  judgeTags(layer, markup);
  return /<PMML[\s>]/u.test(markup) ? "pmml" : "xml";
}

/** In one pass, since a document of openings without an end would take a pattern forever. */
function withoutComments(text: string): string | undefined {
  const pieces: string[] = [];
  const opening = /<!--|<!\[CDATA\[/gu;
  for (let at = 0; ; ) {
    opening.lastIndex = at;
    const match = opening.exec(text);
    if (match === null) return pieces.join("") + text.slice(at);
    const close = match[0] === "<!--" ? "-->" : "]]>";
    const end = text.indexOf(close, opening.lastIndex);
    if (end < 0) return undefined;
    pieces.push(text.slice(at, match.index));
    at = end + close.length;
  }
}

/** The type of the document: at most one, and none that is fetched. */
function judgeType(layer: Layer, markup: string): void {
  const first = markup.search(/<!DOCTYPE\b/iu);
  if (first < 0) return;
  const rest = markup.slice(first);
  const end = rest.search(/[[>]/u);
  if (/\b(?:SYSTEM|PUBLIC)\b/iu.test(rest.slice(0, end < 0 ? rest.length : end))) layer.report("xml.entity", "the document loads its type from elsewhere", first);
  if (/<!DOCTYPE\b/iu.test(rest.slice(1))) layer.report("xml.malformed", "the document has two types", first);
}

function judgeTags(layer: Layer, markup: string): void {
  const fault = unbalanced(markup);
  if (fault !== undefined) layer.report("xml.malformed", fault);
}

function unbalanced(markup: string): string | undefined {
  const open: string[] = [];
  let roots = 0;
  for (const match of markup.matchAll(/<(?<close>\/)?(?<name>[A-Za-z_:][\w:.-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(?<empty>\/)?>/gu)) {
    const { close, name = "", empty } = match.groups ?? {};
    if (close === undefined) {
      if (open.length === 0) roots += 1;
      if (empty === undefined) open.push(name);
    } else if (open.pop() !== name) return `\`</${name}>\` closes what was not opened`;
    if (open.length > depthMax) return "the document is nested too deep";
  }
  if (open.length > 0) return `\`<${open.at(-1) ?? ""}>\` is not closed`;
  return roots === 1 ? undefined : `the document has ${roots} roots`;
}
