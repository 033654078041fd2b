import type { Layer } from "../layer.ts";
import { Damaged } from "../source.ts";
import { type JsonDocument, parseJson } from "./json.ts";
import { judgeJson, judgeTarget } from "./judge-json.ts";
import { isPython, judgePython, judgeTorchScript } from "./judge-python.ts";
import { judgeTemplate } from "./judge-template.ts";
import { judgeXml } from "./judge-xml.ts";

const probeBytes = 8192;
const utf8 = new TextDecoder("utf-8", { fatal: true });
const pythonTag = /!!python\/|!<?tag:yaml\.org,2002:python\/|^%TAG\s.*python|!python\//mu;
const hydraTarget = /^[ \t]*(?:-[ \t]*)?["']?_target_["']?[ \t]*:[ \t]*["']?([\w.:$<>{}-]+)/gmu;
const yamlLine = /^(?:[\w"'.-][\w\s"'./-]*:(?:\s|$)|\s*-\s|---)/u;
const lightgbm = /^tree\r?\nversion=v\d/u;
const shell = /^#!/u;
const shellUnsafe = /\b(?:curl|wget|nc|bash|sh|python3?|perl|ruby|chmod|rm|eval|base64)\b/u;

/** Texts of all kinds. False when the bytes are no text; then nothing was claimed. */
export async function scanText(layer: Layer): Promise<boolean> {
  const { source, run } = layer;
  const head = source.read(0, probeBytes);
  const wide = wideText(head);
  if (wide === undefined && !isPlain(head)) return false;
  if (source.size > run.limits.documentBytesMax) {
    layer.format = "text";
    layer.report("limit.size", `texts of more than ${run.limits.documentBytesMax} bytes are not read`);
    layer.claimAll("text");
    return true;
  }
  const bytes = source.read(0, source.size);
  const text = wide === undefined ? decoded(bytes) : new TextDecoder(wide).decode(bytes);
  if (text === undefined) return false;
  layer.format = kindOf(layer, text.replace(/^\uFEFF/u, ""));
  layer.claimAll(layer.format);
  return true;
}

function wideText(head: Uint8Array): string | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  if (head[0] === 0x3c && head[1] === 0) return "utf-16le";
  return head[0] === 0 && head[1] === 0x3c ? "utf-16be" : undefined;
}

/** No control characters but those that texts have. */
function isPlain(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 32 || (byte >= 9 && byte <= 13) || byte === 27);
}

function decoded(bytes: Uint8Array): string | undefined {
  if (!isPlain(bytes)) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    // Not UTF-8: another encoding, or no text at all. Only plain Latin text is worth reading as one.
    return undefined;
  }
}

function kindOf(layer: Layer, text: string): string {
  const first = text.trimStart()[0] ?? "";
  if (first === "{" || first === "[") return jsonOrText(layer, text);
  if (first === "<" && /^\s*<(?:\?xml|!DOCTYPE|!--|!\[|[A-Za-z_])/u.test(text)) return judgeXml(layer, text);
  if (lightgbm.test(text)) return "lightgbm-text";
  if (layer.purpose === "torchscript") {
    judgeTorchScript(layer, text);
    return "torchscript-source";
  }
  if (isPython(text)) {
    judgePython(layer, text);
    return "python";
  }
  if (shell.test(text)) {
    layer.report(shellUnsafe.test(text.slice(text.indexOf("\n") + 1)) ? "script.unsafe" : "script", "there is a script");
    return "script";
  }
  return prose(layer, text);
}

function jsonOrText(layer: Layer, text: string): string {
  let document: JsonDocument;
  try {
    document = parseJson(text);
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
    return jinjaOrProse(layer, text, fault);
  }
  if (document.end === text.length) return judgeJson(layer, document);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return jsonLines(layer, lines) ? "json-lines" : jinjaOrProse(layer, text, new Damaged("text follows the value", document.end));
}

function jsonLines(layer: Layer, lines: readonly string[]): boolean {
  try {
    const documents = lines.map((line) => ({ line, document: parseJson(line) }));
    if (documents.length < 2 || documents.some(({ line, document }) => document.end !== line.length)) return false;
    for (const { document } of documents) judgeJson(layer, document);
    return true;
  } catch (fault) {
    if (fault instanceof Damaged) return false;
    throw fault;
  }
}

function jinjaOrProse(layer: Layer, text: string, fault: Damaged): string {
  if (/^\s*\{[{%#]/u.test(text) || text.trimStart().startsWith("[")) return prose(layer, text);
  layer.report("json.malformed", `the document is no JSON: ${fault.message}`, fault.offset);
  return "json";
}

/** Prose, tables, YAML, templates. Inside a container they are claimed; alone they are no model. */
function prose(layer: Layer, text: string): string {
  if (pythonTag.test(text)) layer.report("yaml.object", "a tag makes the reader build Python objects");
  for (const match of text.matchAll(hydraTarget)) judgeTarget(layer, match[1] ?? "");
  if (/\{%[-+\s]|\{\{/u.test(text) && /%\}|\}\}/u.test(text)) {
    judgeTemplate(layer, text, layer.name);
    return "template";
  }
  const lines = text.split("\n", 200).filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  if (lines.length > 0 && lines.every((line) => yamlLine.test(line) || /^\s+\S/u.test(line))) return "yaml";
  if (layer.depth === 0) layer.report("unknown", "the content is a text of no format that this scanner knows", 0);
  return "text";
}
