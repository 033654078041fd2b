import { createHmac, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { RetentionClass } from "./entry.ts";
import { nodeFiles, type OpenFile, replaceFile, writeFully } from "./files.ts";
import { seal, unseal } from "./secret.ts";

export const keyringFileName = "keyring.jsonl";

const place = { kid: z.string(), space: z.string(), subject: z.string(), class: z.enum(["governance", "runtime", "pseudonym"]) };
const line = z.union([
  z.strictObject({ ...place, created: z.int(), wrapped: z.base64() }),
  z.strictObject({ ...place, created: z.int(), destroyed: z.int() }),
]);
type Line = z.infer<typeof line>;

/** A key-encryption key: one per space, subject and retention class. */
export interface KeyEncryptionKey {
  readonly kid: string;
  readonly space: string;
  /** "system:NAME", "person:ID" or "space". */
  readonly subject: string;
  readonly key: KeyObject;
}

export interface Keyring {
  /** Makes the key at the first use: durable before it is returned. Throws `payload_erased` once destroyed. */
  keyFor(space: string, subject: string, retention: RetentionClass): Promise<KeyEncryptionKey>;
  /** The same without waiting, when the key is already in memory. */
  cached(space: string, subject: string, retention: RetentionClass): KeyEncryptionKey | undefined;
  /** Throws `payload_erased` for a destroyed key, `keys_missing` for one that was never here. */
  byId(kid: string): KeyEncryptionKey;
  /** What stands in a leaf for a person, deployment or "system:NAME": 64 hex digits that only the key links to it. */
  pseudonym(space: string, name: string): Promise<string>;
  cachedPseudonym(space: string, name: string): string | undefined;
  /** Erases: what was sealed under the key can never be opened again. Durable when it resolves. */
  destroy(kid: string): Promise<void>;
  /** Ids of all living keys of a subject, those of its pseudonym included. */
  keysOf(space: string, subject: string): readonly string[];
  close(): Promise<void>;
}

export interface KeyringOptions {
  readonly directory: string;
  readonly root: KeyObject;
  readonly clock: { now(): number };
}

/** The file that says which key opens what; it lies with the keys, never in the data directory or its backups. */
export async function openKeyring(options: KeyringOptions): Promise<Keyring> {
  const path = join(options.directory, keyringFileName);
  const { lines, end } = parseLines(Buffer.from((await nodeFiles.readWhole(path)) ?? []));
  const file = await openForAppend(path, options.directory, end);
  return new FileKeyring(options, lines, { file, end });
}

/** A torn last line is one that nobody has used: it is cut off. Any other unreadable line is damage. */
function parseLines(bytes: Buffer): { readonly lines: readonly Line[]; readonly end: number } {
  const end = bytes.lastIndexOf(0x0a) + 1;
  const texts = bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
  try {
    return { lines: texts.map((text) => line.parse(JSON.parse(text))), end };
  } catch {
    throw new LicetError("data_damaged", { message: `the keyring \`${keyringFileName}\` in the keys directory is damaged` });
  }
}

async function openForAppend(path: string, directory: string, end: number): Promise<OpenFile> {
  const exists = (await nodeFiles.readWhole(path)) !== undefined;
  const file = await nodeFiles.open(path, exists ? "update" : "create");
  await file.truncate(end);
  await file.datasync();
  await nodeFiles.syncDirectory(directory);
  return file;
}

class FileKeyring implements Keyring {
  readonly #options: KeyringOptions;
  readonly #byPlace = new Map<string, Line>();
  readonly #byId = new Map<string, Line>();
  readonly #unwrapped = new Map<string, KeyEncryptionKey>();
  readonly #pseudonyms = new Map<string, string>();
  #file: OpenFile;
  #end: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: KeyringOptions, lines: readonly Line[], at: { readonly file: OpenFile; readonly end: number }) {
    this.#options = options;
    this.#file = at.file;
    this.#end = at.end;
    for (const known of lines) this.#remember(known);
  }

  async keyFor(space: string, subject: string, retention: RetentionClass | "pseudonym"): Promise<KeyEncryptionKey> {
    const known = this.#byPlace.get(placeKey(space, subject, retention));
    return known ? this.#open(known) : this.#serially(() => this.#make(space, subject, retention));
  }

  cached(space: string, subject: string, retention: RetentionClass): KeyEncryptionKey | undefined {
    const known = this.#byPlace.get(placeKey(space, subject, retention));
    return known && this.#unwrapped.get(known.kid);
  }

  byId(kid: string): KeyEncryptionKey {
    const known = this.#byId.get(kid);
    if (known) return this.#open(known);
    throw new LicetError("keys_missing", { message: `the keyring does not have the key \`${kid}\``, at: { kid } });
  }

  async pseudonym(space: string, name: string): Promise<string> {
    const known = this.cachedPseudonym(space, name);
    if (known) return known;
    const { key } = await this.keyFor(space, name, "pseudonym");
    const pseudonym = createHmac("sha256", key).update(`${space}\n${name}`).digest("hex");
    if (this.#pseudonyms.size >= pseudonymsMax) this.#pseudonyms.clear();
    this.#pseudonyms.set(`${space}\n${name}`, pseudonym);
    return pseudonym;
  }

  cachedPseudonym(space: string, name: string): string | undefined {
    return this.#pseudonyms.get(`${space}\n${name}`);
  }

  keysOf(space: string, subject: string): readonly string[] {
    const names = [subject, subject.replace(/^person:/, "")];
    return [...this.#byId.values()]
      .filter((known) => known.space === space && names.includes(known.subject) && "wrapped" in known)
      .map(({ kid }) => kid);
  }

  /** The whole file is written anew: appending would leave the wrapped key in it. */
  destroy(kid: string): Promise<void> {
    return this.#serially(async () => {
      const known = this.#byId.get(kid);
      if (!known || "destroyed" in known) return;
      const { space, subject, created } = known;
      const tombstone: Line = { kid, space, subject, class: known.class, created, destroyed: this.#options.clock.now() };
      const lines = [...this.#byId.values()].map((other) => (other.kid === kid ? tombstone : other));
      const bytes = Buffer.from(lines.map((other) => `${JSON.stringify(other)}\n`).join(""));
      const path = join(this.#options.directory, keyringFileName);
      await this.#file.close();
      await replaceFile(nodeFiles, path, bytes);
      await nodeFiles.syncDirectory(this.#options.directory);
      this.#file = await nodeFiles.open(path, "update");
      this.#end = bytes.length;
      this.#remember(tombstone);
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#file.close();
  }

  #serially<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(run, run);
    this.#last = next.catch(() => {});
    return next;
  }

  async #make(space: string, subject: string, retention: Line["class"]): Promise<KeyEncryptionKey> {
    const known = this.#byPlace.get(placeKey(space, subject, retention));
    if (known) return this.#open(known);
    const created = this.#options.clock.now();
    const where = { kid: newId("kek", created), space, subject, class: retention };
    const secret = randomBytes(32);
    const wrapped = seal(this.#options.root, secret, wrapAad(where)).toString("base64");
    const made: Line = { ...where, created, wrapped };
    const bytes = Buffer.from(`${JSON.stringify(made)}\n`);
    await writeFully(this.#file, bytes, this.#end);
    await this.#file.datasync();
    this.#end += bytes.length;
    this.#remember(made);
    return this.#open(made);
  }

  #remember(known: Line): void {
    this.#byPlace.set(placeKey(known.space, known.subject, known.class), known);
    this.#byId.set(known.kid, known);
    if ("wrapped" in known) return;
    this.#unwrapped.delete(known.kid);
    this.#pseudonyms.delete(`${known.space}\n${known.subject}`);
  }

  #open(known: Line): KeyEncryptionKey {
    const ready = this.#unwrapped.get(known.kid);
    if (ready) return ready;
    if ("destroyed" in known) throw new LicetError("payload_erased", { at: { kid: known.kid } });
    const secret = unseal(this.#options.root, Buffer.from(known.wrapped, "base64"), wrapAad(known));
    const opened = { kid: known.kid, space: known.space, subject: known.subject, key: createSecretKey(secret) };
    this.#unwrapped.set(known.kid, opened);
    return opened;
  }
}

const pseudonymsMax = 100_000;

function placeKey(space: string, subject: string, retention: string): string {
  return `${space}\n${retention}\n${subject}`;
}

function wrapAad(where: Pick<Line, "kid" | "space" | "subject" | "class">): Buffer {
  return Buffer.from(`${where.kid}\n${where.space}\n${where.class}\n${where.subject}`);
}
