import { createHmac, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { RetentionClass } from "./entry.ts";
import { nodeFiles, type OpenFile, writeFully } from "./files.ts";
import { type DestroyedLine, type ErasureLine, isKeyLine, type KeyClass, type KeyLine, keyringFileName, lineBytes, type LivingLine, parseLines, wrapAad } from "./keyring-lines.ts";
import { isPeriodic, periodAt, periodEnd } from "./period.ts";
import { seal, unseal } from "./secret.ts";

export { keyringFileName, type ErasureLine } from "./keyring-lines.ts";

/** A key-encryption key: one per space, subject and retention class, and for runtime and content per month. */
export interface KeyEncryptionKey {
  readonly kid: string;
  readonly space: string;
  /** "system:NAME", "person:ID" or "space". */
  readonly subject: string;
  readonly key: KeyObject;
}

/** Which keys of a subject. Without a class: all of them, those of its pseudonym included. */
export interface KeyFilter {
  readonly class?: RetentionClass | undefined;
  /** Only keys of months that ended by then, in milliseconds. */
  readonly before?: number | undefined;
}

export interface KeyCounts {
  readonly living: number;
  readonly destroyed: number;
  /** When the oldest living key was made, in milliseconds; null without one. */
  readonly oldest: number | null;
  /** When the oldest month that has a living key ends, in milliseconds; null without one. */
  readonly firstEnd: number | null;
}

export interface Keyring {
  /**
   * Makes the key at the first use: durable before it is returned. `time` picks the month of runtime and content.
   * Throws `payload_erased` for a person's governance key once it is destroyed; other destroyed keys are followed by new ones.
   */
  keyFor(space: string, subject: string, retention: RetentionClass, time?: number): Promise<KeyEncryptionKey>;
  /** The same without waiting, when the key is already in memory. */
  cached(space: string, subject: string, retention: RetentionClass, time?: number): KeyEncryptionKey | undefined;
  /** Throws `payload_erased` for a destroyed key, `keys_missing` for one that was never here. */
  byId(kid: string): KeyEncryptionKey;
  isDestroyed(kid: string): boolean;
  /** What stands in a leaf for a person, deployment or "system:NAME": 64 hex digits that only the key links to it. */
  pseudonym(space: string, name: string): Promise<string>;
  cachedPseudonym(space: string, name: string): string | undefined;
  /** A name that must not be kept itself, as 32 hex digits that only the space's key for this purpose gives. */
  hashedName(space: string, purpose: string, name: string): Promise<string>;
  /** From now on nothing new is sealed under these keys; what was sealed still opens. Lasts as long as the process. */
  retire(kids: readonly string[]): void;
  /**
   * Erases: what was sealed under the keys can never be opened again. All of them or, after a crash, none; durable when it
   * resolves, together with `why`, which must hold no personal data. Safe to repeat.
   */
  destroy(kids: string | readonly string[], why?: ErasureLine): Promise<void>;
  /** Why keys were destroyed, in the order in which they were. */
  erasures(): readonly ErasureLine[];
  /** Ids of living keys of a subject. */
  keysOf(space: string, subject: string, filter?: KeyFilter): readonly string[];
  /** Ids of living keys of the months of a class that ended by `endedBy`, oldest first. */
  ended(space: string, retention: RetentionClass, endedBy: number): readonly string[];
  /** Living keys of a class that belong to no month: made before there were months. */
  endless(space: string, retention: RetentionClass): readonly { readonly kid: string; readonly created: number }[];
  statistics(space: string): Readonly<Record<RetentionClass, KeyCounts>>;
  /** Wraps every living key under a new root key, in one replacement of the file; the old root opens nothing then. */
  rewrap(newRoot: KeyObject): Promise<void>;
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
  // Left by a crash inside a replacement: it could hold keys that are destroyed later.
  await nodeFiles.remove(`${path}.tmp`);
  const { lines, end } = parseLines(Buffer.from((await nodeFiles.readWhole(path)) ?? []));
  const exists = (await nodeFiles.readWhole(path)) !== undefined;
  const file = await nodeFiles.open(path, exists ? "update" : "create");
  await file.truncate(end);
  await file.datasync();
  await nodeFiles.syncDirectory(options.directory);
  return new FileKeyring(options, lines, { file, end });
}

const pseudonymsMax = 100_000;

class FileKeyring implements Keyring {
  readonly #options: KeyringOptions;
  readonly #byPlace = new Map<string, KeyLine>();
  readonly #byId = new Map<string, KeyLine>();
  readonly #erasures = new Map<string, ErasureLine>();
  readonly #unwrapped = new Map<string, KeyEncryptionKey>();
  readonly #pseudonyms = new Map<string, string>();
  #root: KeyObject;
  #file: OpenFile;
  #end: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: KeyringOptions, lines: readonly (KeyLine | ErasureLine)[], at: { readonly file: OpenFile; readonly end: number }) {
    this.#options = options;
    this.#root = options.root;
    this.#file = at.file;
    this.#end = at.end;
    for (const known of lines) {
      if (isKeyLine(known)) this.#remember(known);
      else this.#erasures.set(known.erasure, known);
    }
  }

  async keyFor(space: string, subject: string, retention: KeyClass, time?: number): Promise<KeyEncryptionKey> {
    const period = this.#period(retention, time);
    const known = this.#byPlace.get(placeKey(space, subject, retention, period));
    return known ? this.#open(known) : this.#serially(() => this.#make({ space, subject, class: retention, ...(period === "" ? {} : { period }) }));
  }

  cached(space: string, subject: string, retention: KeyClass, time?: number): KeyEncryptionKey | undefined {
    const known = this.#byPlace.get(placeKey(space, subject, retention, this.#period(retention, time)));
    return known && this.#unwrapped.get(known.kid);
  }

  byId(kid: string): KeyEncryptionKey {
    const known = this.#byId.get(kid);
    if (known) return this.#open(known);
    throw new LicetError("keys_missing", { message: `the keyring does not have the key \`${kid}\``, at: { kid } });
  }

  isDestroyed(kid: string): boolean {
    const known = this.#byId.get(kid);
    return known !== undefined && "destroyed" in known;
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

  async hashedName(space: string, purpose: string, name: string): Promise<string> {
    const { key } = await this.keyFor(space, `purpose:${purpose}`, "pseudonym");
    return createHmac("sha256", key).update(`${space}\n${name}`).digest("hex").slice(0, 32);
  }

  retire(kids: readonly string[]): void {
    for (const kid of kids) {
      const known = this.#byId.get(kid);
      if (known && isFollowed(known)) this.#vacate(known);
    }
  }

  /** The whole file is written anew: appending would leave the wrapped keys in it. */
  destroy(kids: string | readonly string[], why?: ErasureLine): Promise<void> {
    return this.#serially(async () => {
      const now = this.#options.clock.now();
      const tombstones = (typeof kids === "string" ? [kids] : kids).flatMap((kid) => {
        const known = this.#byId.get(kid);
        return known === undefined || "destroyed" in known ? [] : [tombstone(known, now)];
      });
      const told = why === undefined || this.#erasures.has(why.erasure);
      if (tombstones.length === 0 && told) return;
      const lines = new Map(this.#byId);
      for (const each of tombstones) lines.set(each.kid, each);
      await this.#replace([...lines.values()], [...this.#erasures.values(), ...(told ? [] : [why])]);
      for (const each of tombstones) this.#remember(each);
      if (!told) this.#erasures.set(why.erasure, why);
    });
  }

  erasures(): readonly ErasureLine[] {
    return [...this.#erasures.values()];
  }

  keysOf(space: string, subject: string, { class: retention, before }: KeyFilter = {}): readonly string[] {
    const names = [subject, subject.replace(/^person:/, "")];
    return this.#living(space)
      .filter((known) => (retention === undefined ? names.includes(known.subject) : known.class === retention && known.subject === subject))
      .filter(({ period }) => before === undefined || (period !== undefined && periodEnd(period) <= before))
      .map(({ kid }) => kid);
  }

  ended(space: string, retention: RetentionClass, endedBy: number): readonly string[] {
    return this.#living(space)
      .filter((known) => known.class === retention && known.period !== undefined && periodEnd(known.period) <= endedBy)
      .toSorted((a, b) => a.created - b.created)
      .map(({ kid }) => kid);
  }

  endless(space: string, retention: RetentionClass): readonly { readonly kid: string; readonly created: number }[] {
    return this.#living(space).filter((known) => known.class === retention && known.period === undefined);
  }

  statistics(space: string): Readonly<Record<RetentionClass, KeyCounts>> {
    const counts = (retention: RetentionClass): KeyCounts => {
      const of = [...this.#byId.values()].filter((known) => known.space === space && known.class === retention);
      const alive = of.filter((known) => "wrapped" in known);
      const oldest = least(alive.map(({ created }) => created));
      const firstEnd = least(alive.flatMap(({ period }) => (period === undefined ? [] : [periodEnd(period)])));
      return { living: alive.length, destroyed: of.length - alive.length, oldest, firstEnd };
    };
    return { governance: counts("governance"), runtime: counts("runtime"), content: counts("content") };
  }

  rewrap(newRoot: KeyObject): Promise<void> {
    return this.#serially(async () => {
      const lines = [...this.#byId.values()].map((known): KeyLine => {
        if ("destroyed" in known) return known;
        const secret = unseal(this.#root, Buffer.from(known.wrapped, "base64"), wrapAad(known));
        return { ...known, wrapped: seal(newRoot, secret, wrapAad(known)).toString("base64") };
      });
      await this.#replace(lines, this.erasures());
      this.#root = newRoot;
      for (const known of lines) this.#byId.set(known.kid, known);
      for (const [at, known] of this.#byPlace) this.#byPlace.set(at, this.#byId.get(known.kid) ?? known);
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    await this.#file.close();
  }

  #period(retention: KeyClass, time: number | undefined): string {
    return isPeriodic(retention) ? periodAt(time ?? this.#options.clock.now()) : "";
  }

  #living(space: string): readonly LivingLine[] {
    return [...this.#byId.values()].filter((known): known is LivingLine => known.space === space && "wrapped" in known);
  }

  #serially<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(run, run);
    this.#last = next.catch(() => {});
    return next;
  }

  async #make(place: Pick<LivingLine, "space" | "subject" | "class" | "period">): Promise<KeyEncryptionKey> {
    const known = this.#byPlace.get(placeKey(place.space, place.subject, place.class, place.period ?? ""));
    if (known) return this.#open(known);
    const created = this.#options.clock.now();
    const where = { kid: newId("kek", created), ...place };
    const wrapped = seal(this.#root, randomBytes(32), wrapAad(where)).toString("base64");
    const made: LivingLine = { ...where, created, wrapped };
    const bytes = lineBytes([made]);
    await writeFully(this.#file, bytes, this.#end);
    await this.#file.datasync();
    this.#end += bytes.length;
    this.#remember(made);
    return this.#open(made);
  }

  /**
   * INVARIANT: the name stands for the whole old file or the whole new one. The old one's bytes are overwritten: the rename
   * alone would leave them, wrapped keys included, on the medium.
   */
  async #replace(keys: readonly KeyLine[], erasures: readonly ErasureLine[]): Promise<void> {
    const path = join(this.#options.directory, keyringFileName);
    const bytes = lineBytes([...keys, ...erasures]);
    const next = await nodeFiles.open(`${path}.tmp`, "replace");
    try {
      await writeFully(next, bytes, 0);
      await next.datasync();
      await nodeFiles.rename(`${path}.tmp`, path);
    } catch (error) {
      await next.close();
      await nodeFiles.remove(`${path}.tmp`);
      throw error;
    }
    const old = { file: this.#file, end: this.#end };
    this.#file = next;
    this.#end = bytes.length;
    await nodeFiles.syncDirectory(this.#options.directory);
    await writeFully(old.file, Buffer.alloc(old.end), 0);
    await old.file.datasync();
    await old.file.close();
  }

  #remember(known: KeyLine): void {
    this.#byId.set(known.kid, known);
    if ("wrapped" in known) {
      this.#byPlace.set(placeOf(known), known);
      return;
    }
    this.#unwrapped.delete(known.kid);
    if (isFollowed(known)) this.#vacate(known);
    else this.#byPlace.set(placeOf(known), known);
  }

  /** The next use of the place makes a new key. */
  #vacate(known: KeyLine): void {
    if (this.#byPlace.get(placeOf(known))?.kid === known.kid) this.#byPlace.delete(placeOf(known));
    if (known.class === "pseudonym") this.#pseudonyms.delete(`${known.space}\n${known.subject}`);
  }

  #open(known: KeyLine): KeyEncryptionKey {
    const ready = this.#unwrapped.get(known.kid);
    if (ready) return ready;
    if ("destroyed" in known) throw new LicetError("payload_erased", { at: { kid: known.kid } });
    const secret = unseal(this.#root, Buffer.from(known.wrapped, "base64"), wrapAad(known));
    const opened = { kid: known.kid, space: known.space, subject: known.subject, key: createSecretKey(secret) };
    this.#unwrapped.set(known.kid, opened);
    return opened;
  }
}

function least(numbers: readonly number[]): number | null {
  return numbers.reduce<number | null>((found, each) => (found === null ? each : Math.min(found, each)), null);
}

/** Only a governance key has no successor: whose record was erased gets no new one. */
function isFollowed(known: KeyLine): boolean {
  return known.class !== "governance";
}

function tombstone({ kid, space, subject, class: retention, period, created }: KeyLine, now: number): DestroyedLine {
  return { kid, space, subject, class: retention, ...(period === undefined ? {} : { period }), created, destroyed: now };
}

function placeOf({ space, subject, class: retention, period }: KeyLine): string {
  return placeKey(space, subject, retention, period ?? "");
}

function placeKey(space: string, subject: string, retention: string, period: string): string {
  return `${space}\n${retention}${period}\n${subject}`;
}
