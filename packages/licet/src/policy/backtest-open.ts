import { createSecretKey } from "node:crypto";
import { payloadAad } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import type { JsonObject } from "../ledger/entry.ts";
import type { Frame } from "../ledger/frame.ts";
import type { KeyEncryptionKey } from "../ledger/keyring.ts";
import { ciphertextAt, ciphertextBytesMin, payloadVersion } from "../ledger/seal-payload.ts";
import { unseal } from "../ledger/secret.ts";
import { cutOut } from "./json-cut.ts";

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

/** The question is most of a decision, and one that was answered before need not be read: it is cut out as text. */
function readContent(text: string): { readonly content: Content; readonly asked: string | undefined } {
  const cut = cutOut(text, "cedar", "{");
  if (cut !== undefined) {
    const content: Content = JSON.parse(cut.rest);
    if (content.body["cedar"] === 0) return { content, asked: cut.value };
  }
  // Something else of that name, or no question at all.
  const content: Content = JSON.parse(text);
  const { cedar } = content.body;
  return { content, asked: cedar === null || cedar === undefined ? undefined : JSON.stringify(cedar) };
}

interface LeafFields {
  readonly id: string;
  readonly space: string;
  readonly kind: string;
  readonly time: number;
  readonly retention: string;
  readonly kid: string;
}

/** A leaf is canonical JSON in which no name holds a quotation mark, and each of these members is there once: see `decisionsIn`. */
function leafFields(bytes: Uint8Array): LeafFields {
  const leaf = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const time = Number.parseInt(leaf.slice(behind(leaf, '"time":')), 10);
  if (!Number.isSafeInteger(time)) throw unparsable();
  return { id: named(leaf, '"id":"'), space: named(leaf, '"space":"'), kind: named(leaf, '"kind":"'), time, retention: named(leaf, '"class":"'), kid: named(leaf, '"kid":"') };
}

function named(leaf: string, start: string): string {
  const from = behind(leaf, start);
  const end = leaf.indexOf('"', from);
  if (end <= from) throw unparsable();
  return leaf.slice(from, end);
}

function behind(leaf: string, start: string): number {
  const at = leaf.indexOf(start);
  if (at < 0) throw unparsable();
  return at + start.length;
}

function unparsable(): LicetError {
  return new LicetError("log_damaged", { message: "an entry of the log does not parse" });
}
