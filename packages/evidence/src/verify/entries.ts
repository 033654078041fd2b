import { toBase64, utf8 } from "../bytes.ts";
import { canonicalize, isRecord } from "../canonical.ts";
import { parseEnvelope, type Envelope } from "../dsse.ts";
import { entryPath, parsePackEntry, type PackManifest } from "../pack.ts";
import { refused, type Parsed } from "../parsed.ts";
import { digestOfBytes, type Digest } from "../sha256.ts";
import { verifyStatement, type Statement } from "../statement.ts";
import { keysAt, type Trust } from "../trust.ts";
import { openShown, proveIn, type OpenedEntry, type ProvedEntry } from "./entry.ts";
import { checkErasures } from "./erasures.ts";
import { count, fail, pass, verdict, type Finding } from "./report.ts";
import { readListed, type PackSource } from "./source.ts";
import { restoredKind } from "./log.ts";
import { placeOf, type Tree } from "./trees.ts";

export type { OpenedEntry, ProvedEntry } from "./entry.ts";

/** A statement whose signature holds, and where it stands. */
export interface ProvedStatement {
  readonly entry: OpenedEntry;
  /** Member of the entry's body. */
  readonly name: string;
  readonly statement: Statement;
  /** Of the signed bytes: what other statements cite. */
  readonly digest: Digest;
  /** What a readable copy may say: the signed bytes, or the whole envelope; in base64. */
  readonly copies: readonly string[];
}

export interface Checked<T> {
  readonly findings: readonly Finding[];
  readonly value: T;
}

const entryPattern = /^entries\/(0|[1-9]\d{0,15})\.json$/;

interface EntriesOf {
  readonly manifest: PackManifest;
  readonly trees: readonly Tree[];
}

/** Each exported entry's place in the log. */
export async function checkEntries(source: PackSource, pack: EntriesOf): Promise<Checked<readonly ProvedEntry[]>> {
  const failures: Finding[] = [];
  const proved: ProvedEntry[] = [];
  const ids = new Set<string>();
  for (const file of pack.manifest.files.filter(({ path }) => path.startsWith("entries/"))) {
    const bytes = await readListed(source, file);
    const entry = bytes.ok ? proveEntry(bytes.value, { path: file.path, ...pack }) : bytes;
    if (!entry.ok) failures.push(fail("inclusion", entry.code, `\`${file.path}\`: ${entry.message}`));
    else if (ids.has(entry.value.leaf.id)) failures.push(fail("inclusion", "entry_id_twice", `\`${file.path}\`: another entry has the same id`));
    else {
      proved.push(entry.value);
      ids.add(entry.value.leaf.id);
    }
  }
  if (proved.length === 0 && failures.length === 0) failures.push(fail("inclusion", "no_entries", "the export holds no entries, so it proves nothing"));
  const findings = verdict(failures, pass("inclusion", `${count(proved.length, "entry stands", "entries stand")} in the log of ${count(pack.manifest.treeSize, "entry", "entries")}`));
  return { findings, value: proved.toSorted((left, right) => left.index - right.index) };
}

/** What happened to the whole installation is told in its first space, and belongs to the exports of every space. */
export const keyRotatedKind = "key.rotated";
const everySpace = new Set([restoredKind, keyRotatedKind]);

function proveEntry(bytes: Uint8Array, at: EntriesOf & { readonly path: string }): Parsed<ProvedEntry> {
  const entry = parsePackEntry(bytes);
  if (!entry.ok) return entry;
  const { index } = entry.value;
  if (!entryPattern.test(at.path) || at.path !== entryPath(index)) return refused("entry_path", "the file is not named after its entry's index");
  const place = placeOf(at.trees, index);
  if (place === undefined) return refused("not_included", `the log has no entry ${index}`);
  const proved = proveIn(place.tree, entry.value);
  if (!proved.ok) return proved;
  const { space, kind } = proved.value.leaf;
  if (space !== at.manifest.space && !everySpace.has(kind)) return refused("entry_space", `the entry belongs to the space \`${space}\`, not to the export's`);
  return proved;
}

/** Each payload that came along opens, and is the one that its leaf commits to; each one that did not was erased. */
export async function checkPayloads(entries: readonly ProvedEntry[]): Promise<Checked<readonly OpenedEntry[]>> {
  const failures: Finding[] = [];
  const opened: OpenedEntry[] = [];
  const closed: ProvedEntry[] = [];
  for (const entry of entries) {
    if (entry.payload === undefined || !("key" in entry.payload)) {
      closed.push(entry);
      continue;
    }
    const plaintext = await openShown(entry);
    if (plaintext.ok) opened.push(plaintext.value);
    else failures.push(fail("payload", plaintext.code, `entry ${entry.index}: ${plaintext.message}`));
  }
  failures.push(...pseudonymsClash(opened), ...checkErasures(opened, closed));
  const rest = closed.length === 0 ? "" : `; ${count(closed.length, "payload was", "payloads were")} erased, and entries after it record that the key was destroyed`;
  return { findings: verdict(failures, pass("payload", `${count(opened.length, "payload opens", "payloads open")} to what the log commits to${rest}`)), value: opened };
}

/** One pseudonym never stands for two. */
function pseudonymsClash(entries: readonly OpenedEntry[]): readonly Finding[] {
  const actors = new Map<string, string>();
  return entries.flatMap(({ index, leaf, plaintext }) => {
    const known = actors.get(leaf.actor) ?? plaintext.actor;
    actors.set(leaf.actor, known);
    return known === plaintext.actor ? [] : [fail("payload", "pseudonym_ambiguous", `entry ${index}: its actor's pseudonym stands for somebody else in another entry`)];
  });
}

/** Each DSSE envelope in a payload: signed by a statement key that was valid when the entry was made. */
export async function checkStatements(entries: readonly OpenedEntry[], trust: Trust): Promise<Checked<readonly ProvedStatement[]>> {
  const failures: Finding[] = [];
  const proved: ProvedStatement[] = [];
  for (const entry of entries) {
    for (const { name, envelope } of envelopesIn(entry)) {
      const verified = await verifyStatement(envelope, keysAt(trust, entry.leaf.time));
      if (!verified.ok) {
        failures.push(fail("statement", verified.code, `entry ${entry.index}, \`${name}\`: ${verified.message}`));
        continue;
      }
      const { statement, payload } = verified.value;
      proved.push({ entry, name, statement, digest: digestOfBytes(payload), copies: [toBase64(payload), toBase64(utf8(canonicalize(envelope)))] });
    }
  }
  return { findings: verdict(failures, pass("statement", `${count(proved.length, "statement is", "statements are")} signed by trusted keys`)), value: proved };
}

/** The one kind whose statement is not signed by the server but shown to a person, and signed by that person's passkey. */
export const approvalKind = "approval.given";

/** `body.statement` must be an envelope, except in an approval, whose text stands there; other members count when they look like one. */
function envelopesIn(entry: OpenedEntry): readonly { readonly name: string; readonly envelope: unknown }[] {
  return Object.entries(entry.plaintext.body)
    .filter(([name, value]) => (name === "statement" && entry.leaf.kind !== approvalKind) || looksSigned(value))
    .map(([name, envelope]) => ({ name, envelope }));
}

function looksSigned(value: unknown): value is Envelope {
  return parseEnvelope(value).ok || (isRecord(value) && "signatures" in value && "payload" in value);
}

const copyPattern = /^statements\/(0|[1-9]\d{0,15})-[a-z0-9-]{1,100}\.json$/;

/** Each readable copy says, byte for byte, what a statement in the entry of that number says. */
export async function checkCopies(source: PackSource, pack: { readonly manifest: PackManifest; readonly statements: readonly ProvedStatement[] }): Promise<readonly Finding[]> {
  const failures: Finding[] = [];
  for (const file of pack.manifest.files.filter(({ path }) => path.startsWith("statements/"))) {
    const bytes = await readListed(source, file);
    const index = Number(copyPattern.exec(file.path)?.[1] ?? "NaN");
    const copied = bytes.ok ? toBase64(bytes.value) : undefined;
    const original = pack.statements.some((statement) => statement.entry.index === index && copied !== undefined && statement.copies.includes(copied));
    if (!original) failures.push(fail("statement", "copy_differs", `\`${file.path}\` is not the statement in that entry`));
  }
  return failures;
}
