/** One field of a form, or its file. */
export interface FormPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly bytes: Uint8Array;
}

const partsMax = 16;
const partHeadBytesMax = 4096;
/** RFC 2046, 5.1.1. */
const mediaType = /^multipart\/form-data\s*;\s*boundary=(?:"(?<quoted>[\w'()+,./:=? -]{1,70})"|(?<bare>[\w'()+,./:=?-]{1,70}))\s*$/iu;
const disposition = /^form-data; name="(?<name>[^"\r\n]*)"(?:; filename="(?<filename>[^"\r\n]*)")?$/u;

const lineEnd = Buffer.from("\r\n");
const headEnd = Buffer.from("\r\n\r\n");

/**
 * The parts of a form (RFC 7578), or undefined for anything that could be read in two ways: other headers, encodings,
 * names in other writings, words before the first boundary or after the last.
 */
export function readForm(body: Uint8Array, contentType: string): readonly FormPart[] | undefined {
  const { quoted, bare } = mediaType.exec(contentType)?.groups ?? {};
  const boundary = quoted ?? bare;
  if (boundary === undefined || boundary.endsWith(" ")) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const parts: FormPart[] = [];
  // The first boundary has no line before it.
  let at = delimiter.length - lineEnd.length;
  if (!bytes.subarray(0, at).equals(delimiter.subarray(lineEnd.length))) return undefined;
  while (!isEnd(bytes, at)) {
    const end = bytes.indexOf(delimiter, at);
    const part = end < 0 || !startsAt(bytes, lineEnd, at) ? undefined : readPart(bytes.subarray(at + lineEnd.length, end));
    if (part === undefined || parts.push(part) > partsMax) return undefined;
    at = end + delimiter.length;
  }
  return parts;
}

function startsAt(bytes: Buffer, word: Buffer, at: number): boolean {
  return bytes.subarray(at, at + word.length).equals(word);
}

function isEnd(bytes: Buffer, at: number): boolean {
  const rest = bytes.length - at;
  return rest <= 4 && ["--", "--\r\n"].includes(bytes.toString("latin1", at));
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readPart(bytes: Buffer): FormPart | undefined {
  const end = bytes.subarray(0, partHeadBytesMax).indexOf(headEnd);
  const lines = end < 0 ? undefined : decoded(bytes.subarray(0, end))?.split("\r\n");
  const named = lines === undefined ? undefined : dispositionOf(lines);
  return named && { ...named, bytes: bytes.subarray(end + headEnd.length) };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A media type is what the sender says of the content: it is not believed, and not passed on. */
function dispositionOf(lines: readonly string[]): Pick<FormPart, "name" | "filename"> | undefined {
  const headers = lines.map((line) => /^(?<key>[a-z-]+): ?(?<value>.*)$/iu.exec(line)?.groups);
  const keys = headers.map((header) => header?.["key"]?.toLowerCase());
  const known = keys.every((key, at) => (key === "content-disposition" || key === "content-type" || key === "content-length") && keys.indexOf(key) === at);
  const groups = known ? disposition.exec(headers[keys.indexOf("content-disposition")]?.["value"] ?? "")?.groups : undefined;
  const name = groups?.["name"];
  return name === undefined ? undefined : { name, filename: groups?.["filename"] };
}
