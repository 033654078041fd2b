import { createSecretKey } from "node:crypto";
import { isRecord, payloadAad } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { JsonObject } from "../ledger/entry.ts";
import type { Frame } from "../ledger/frame.ts";
import type { KeyEncryptionKey } from "../ledger/keyring.ts";
import { ciphertextAt, ciphertextBytesMin, payloadVersion } from "../ledger/seal-payload.ts";
import { unseal } from "../ledger/secret.ts";

export interface OpenedPayload {
  readonly kind: string;
  readonly time: number;
  readonly system: string | undefined;
  /** Without the question in it. */
  readonly body: JsonObject;
  /** What the policies were asked, as JSON text; undefined where they were not. */
  readonly asked: string | undefined;
}

/**
 * Opens an entry of the server's own journal in bulk. The payload is authenticated by its key, under the entry's id, space
 * and class; that it is also what the leaf commits to, which an auditor asks, is proven by `openEntry` at ten times the
 * cost. `byId` answers `undefined` for a destroyed key. Throws `payload_erased`, `payload_damaged`, `log_damaged`.
 */
export function openPayload(byId: (kid: string) => KeyEncryptionKey | undefined, { leaf, payload }: Frame): OpenedPayload {
  const { id, space, kind, time, retention, kid } = leafFields(leaf);
  const wrapping = byId(kid);
  if (wrapping === undefined) throw new LicetError("payload_erased", { at: { kid } });
  if (payload[0] !== payloadVersion || payload.length < ciphertextAt + ciphertextBytesMin) throw new LicetError("payload_damaged");
  const key = createSecretKey(unseal(wrapping.key, payload.subarray(1, ciphertextAt), Buffer.from(id)));
  const { content, asked } = readContent(unseal(key, payload.subarray(ciphertextAt), payloadAad({ id, space, class: retention })).toString("utf8"));
  if (content.kind !== kind) throw new LicetError("payload_damaged");
  return { kind, time, system: content.system ?? undefined, body: content.body, asked };
}

interface Content {
  readonly kind: string;
  readonly system: string | null;
  readonly body: JsonObject;
}

const questionStart = '"cedar":{';
const left = '"cedar":0';

/** The question is most of a decision, and one that was answered before need not be read: it is cut out as text. */
function readContent(text: string): { readonly content: Content; readonly asked: string | undefined } {
  const at = text.indexOf(questionStart);
  const from = at + questionStart.length - 1;
  const end = at < 0 ? -1 : objectEnd(text, from);
  if (end > 0) {
    const content: Content = JSON.parse(text.slice(0, at) + left + text.slice(end));
    if (content.body["cedar"] === 0) return { content, asked: text.slice(from, end) };
  }
  // Something else of that name, or no question at all.
  const content: Content = JSON.parse(text);
  const { cedar } = content.body;
  return { content, asked: cedar === null || cedar === undefined ? undefined : JSON.stringify(cedar) };
}

const [quotation, backslash, opens, closes, begins, ends] = [34, 92, 123, 125, 91, 93] as const;

/** Behind the object of JSON that begins here; -1 where it does not end. */
function objectEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length && at >= 0; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quotation) at = stringEnd(text, at);
    else if (unit === opens || unit === begins) depth++;
    else if ((unit === closes || unit === ends) && --depth === 0) return at + 1;
  }
  return -1;
}

/** The quotation mark that ends the string that begins here; beyond the text where none does. */
function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === backslash) before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}

function leafFields(bytes: Uint8Array): { readonly id: string; readonly space: string; readonly kind: string; readonly time: number; readonly retention: string; readonly kid: string } {
  const leaf: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  const { id, space, kind, time, payload } = isRecord(leaf) ? leaf : {};
  const { class: retention, kid } = isRecord(payload) ? payload : {};
  if (typeof id !== "string" || typeof space !== "string" || typeof kind !== "string" || typeof time !== "number" || typeof retention !== "string" || typeof kid !== "string") throw new LicetError("log_damaged", { message: "an entry of the log does not parse" });
  return { id, space, kind, time, retention, kid };
}
