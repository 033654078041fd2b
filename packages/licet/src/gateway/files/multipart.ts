import { refuse, shown, type Refusal } from "../refusal.ts";
import { readForm, type FormPart } from "./form-data.ts";

/** Why a file is uploaded; others (training, evaluations, pictures) do not pass. */
export const purposes = ["assistants", "user_data", "batch"] as const;
export type Purpose = (typeof purposes)[number];

export interface Upload {
  readonly purpose: Purpose;
  readonly filename: string;
  readonly bytes: Uint8Array;
  /** Seconds after which the provider forgets it; as the caller asks. */
  readonly expiresAfterSeconds: number | undefined;
}

export type ReadUpload = { readonly upload: Upload } | { readonly refusal: Refusal };

const fields: ReadonlySet<string> = new Set(["file", "purpose", "expires_after[anchor]", "expires_after[seconds]"]);
const filenameCharactersMax = 200;
const expirySecondsMax = 30 * 86_400;

/** Reads the form of an upload. What leaves is written anew from what was read, so that there is one reading of it only. */
export function readUpload(bytes: Uint8Array, contentType: string): ReadUpload {
  const parts = readForm(bytes, contentType);
  if (parts === undefined) return unreadable("the body is no form of `multipart/form-data`");
  const unknown = parts.find(({ name }) => !fields.has(name));
  if (unknown !== undefined) return { refusal: refuse("field_unsupported", { message: `\`${shown(unknown.name)}\` is not a field that the gateway checks`, param: unknown.name }) };
  const twice = parts.find(({ name }, at) => parts.findIndex((part) => part.name === name) !== at);
  if (twice !== undefined) return unreadable(`the form has \`${twice.name}\` more than once`, twice.name);
  return uploadOf(new Map(parts.map((part) => [part.name, part])));
}

type Form = ReadonlyMap<string, FormPart>;

function uploadOf(form: Form): ReadUpload {
  const [file, purpose] = [form.get("file"), textOf(form, "purpose")];
  if (file?.filename === undefined) return unreadable("the form has no `file`", "file");
  if (!isPurpose(purpose)) return { refusal: refuse("files_denied", { message: `files pass for the purposes ${purposes.join(", ")} only`, param: "purpose", remedy: "upload the file for one of these purposes, or send the content in the call itself" }) };
  const { filename, bytes } = file;
  if (filename === "" || filename.length > filenameCharactersMax || /[\p{Cc}/\\]/u.test(filename)) return unreadable(`the file needs a plain name of at most ${filenameCharactersMax} characters`, "file");
  const expiry = expiryOf(form);
  if (expiry === null) return unreadable("`expires_after` is an anchor `created_at` and a number of seconds, at most 30 days", "expires_after");
  return { upload: { purpose, filename, bytes, expiresAfterSeconds: expiry } };
}

/** Of a field; a file in its place says nothing. */
function textOf(form: Form, name: string): string | undefined {
  const part = form.get(name);
  return part === undefined || part.filename !== undefined ? undefined : Buffer.from(part.bytes).toString("utf8");
}

function isPurpose(value: unknown): value is Purpose {
  const known: readonly unknown[] = purposes;
  return known.includes(value);
}

/** Null for what cannot be read. */
function expiryOf(form: Form): number | undefined | null {
  const [anchor, seconds = ""] = [textOf(form, "expires_after[anchor]"), textOf(form, "expires_after[seconds]")];
  if (!form.has("expires_after[anchor]") && !form.has("expires_after[seconds]")) return undefined;
  const count = /^[1-9]\d{0,8}$/u.test(seconds) ? Number(seconds) : Infinity;
  return anchor === "created_at" && count <= expirySecondsMax ? count : null;
}

function unreadable(message: string, param?: string): { readonly refusal: Refusal } {
  return { refusal: refuse("request_unreadable", { message, ...(param !== undefined && { param }) }) };
}

export interface WrittenForm {
  readonly contentType: string;
  readonly body: Uint8Array;
}

/** The form as it leaves: the fields that were read, and the content as it was scanned. */
export function writtenForm({ purpose, filename, expiresAfterSeconds }: Upload, content: Uint8Array, boundary: string): WrittenForm {
  const expiry: readonly (readonly [string, string])[] = expiresAfterSeconds === undefined ? [] : [["expires_after[anchor]", "created_at"], ["expires_after[seconds]", String(expiresAfterSeconds)]];
  const plain = [["purpose", purpose] as const, ...expiry].map(([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  // As browsers write it: what could end the name is written by its number.
  const name = filename.replaceAll('"', "%22");
  const type = purpose === "batch" ? "application/jsonl" : "text/plain; charset=utf-8";
  const head = `${plain.join("")}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\ncontent-type: ${type}\r\n\r\n`;
  return { contentType: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)]) };
}
