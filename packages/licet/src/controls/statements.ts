import { AtoPredicate, Envelope, type StatementExport, type StatementFormat } from "@licet/contract";
import { canonicalize, digestOfBytes, formatTlogProof, fromBase64, fromUtf8, parseEnvelope, parseLeaf, parseStatement, utf8, type Envelope as SignedEnvelope, type Leaf, type Statement } from "@licet/evidence";
import { findAto, type AtoRow } from "../ato/store.ts";
import { atoState } from "../ato/view.ts";
import { LicetError } from "../base/errors.ts";
import { holdsOn } from "../oversight/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { sigstoreBundle, sigstoreMediaType } from "./sigstore.ts";
import { svrStatement, vsaStatement, type StandingAto } from "./statements-derived.ts";
import { findDecisionLine, findEntry, type Reader } from "./store.ts";

/** A leaf with its proof against a signed checkpoint of the tree it stands in. */
export interface ProvedLeaf {
  readonly origin: string;
  readonly leaf: Uint8Array;
  /** The leaf's place in that tree. */
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: string;
}

export interface ExportDeps {
  readonly read: Reader;
  readonly recorder: Pick<Recorder, "readAt" | "now" | "settle">;
  readonly signStatement: (statement: Statement) => SignedEnvelope;
  readonly origin: string;
  leafAt(index: number): Promise<Uint8Array | undefined>;
  /** By the global number of an entry. */
  proved(index: number): Promise<ProvedLeaf>;
}

export interface ExportAsked {
  readonly space: string;
  /** An entry's id or number, or an authorization's id. */
  readonly entry: string;
  readonly format: StatementFormat;
}

/** What an export is made of, without its content. */
interface Located {
  readonly index: number;
  readonly leaf: Leaf;
  readonly space: string;
}

const dsseMediaType = "application/vnd.dsse.envelope.v1+json";
const proofMediaType = "text/plain; charset=utf-8";

/** Throws `not_found`, `statement_absent`, `statement_format_unfit`, `ato_not_in_force`, `payload_erased`. */
export async function exportStatement(deps: ExportDeps, asked: ExportAsked): Promise<StatementExport> {
  const at = await locate(deps, asked);
  const { format } = asked;
  const of = { entry: at.leaf.id, index: at.index, kind: at.leaf.kind, format };
  if (format === "tlog-proof") return { ...of, mediaType: proofMediaType, ...(await proofOf(deps, at)) };
  const body = (await deps.recorder.readAt(at.space, at.index))?.body ?? {};
  const envelope = await envelopeFor(deps, { ...at, format, body });
  const sigstore = format === "sigstore";
  const content = `${canonicalize(sigstore ? sigstoreBundle(envelope) : envelope)}\n`;
  return { ...of, mediaType: sigstore ? sigstoreMediaType : dsseMediaType, content, leaf: null };
}

async function locate(deps: ExportDeps, { space, entry }: ExportAsked): Promise<Located> {
  const index = await indexOf(deps, space, entry);
  const bytes = index === undefined ? undefined : await deps.leafAt(index);
  const leaf = bytes === undefined ? undefined : parseLeaf(bytes);
  if (index === undefined || leaf?.ok !== true || leaf.value.space !== space) throw new LicetError("not_found", { message: `there is no entry \`${entry}\` in this space` });
  return { index, leaf: leaf.value, space };
}

async function indexOf(deps: ExportDeps, space: string, entry: string): Promise<number | undefined> {
  if (/^\d{1,15}$/u.test(entry)) return Number(entry);
  const ato = entry.startsWith("ato_") ? await findAto(deps.read, space, entry) : undefined;
  const id = ato?.entry ?? entry;
  const line = (await findEntry(deps.read, space, id)) ?? (await findDecisionLine(deps.read, space, id));
  return line?.logIndex;
}

async function proofOf(deps: ExportDeps, { index }: Located): Promise<Pick<StatementExport, "content" | "leaf">> {
  const proved = await deps.proved(index);
  const leaf = fromUtf8(proved.leaf);
  if (!leaf.ok) throw new LicetError("internal", { cause: new Error(leaf.message) });
  return { content: formatTlogProof({ index: proved.index, proof: proved.proof, checkpoint: proved.checkpoint }), leaf: leaf.value };
}

interface Asked extends Located {
  readonly format: Exclude<StatementFormat, "tlog-proof">;
  readonly body: Readonly<Record<string, unknown>>;
}

async function envelopeFor(deps: ExportDeps, asked: Asked): Promise<SignedEnvelope> {
  const { format, body } = asked;
  if (format === "test-result") return envelopeIn(body["testResult"]) ?? unfit(asked);
  const own = envelopeIn(body["statement"]) ?? approvalEnvelope(deps, asked) ?? absent(asked);
  if (format === "dsse" || format === "sigstore") return own;
  const standing = await standingOf(deps, asked, own);
  if (format === "vsa") return deps.signStatement(vsaStatement(standing));
  const result = svrStatement(standing);
  if (result === undefined) throw new LicetError("ato_not_in_force", { message: `the authorization to operate is ${standing.state}: no property of it holds now`, at: { ato: standing.predicate.id } });
  return deps.signStatement(result);
}

function envelopeIn(value: unknown): SignedEnvelope | undefined {
  const envelope = parseEnvelope(value);
  return envelope.ok ? envelope.value : undefined;
}

/** An approval's text is signed by the person's passkey or asserted by the server; for others' tools the server signs the same bytes. */
function approvalEnvelope(deps: ExportDeps, { leaf, body }: Asked): SignedEnvelope | undefined {
  const text = body["statement"];
  if (leaf.kind !== "approval.given" || typeof text !== "string") return undefined;
  const statement = parseStatement(utf8(text));
  return statement.ok ? deps.signStatement(statement.value) : undefined;
}

function absent({ leaf }: Asked): never {
  throw new LicetError("statement_absent", { message: `entry \`${leaf.id}\` (\`${leaf.kind}\`) holds no signed statement` });
}

function unfit({ leaf, format }: Asked): never {
  throw new LicetError("statement_format_unfit", { message: `an entry \`${leaf.kind}\` cannot be given as \`${format}\`` });
}

async function standingOf(deps: ExportDeps, asked: Asked, own: SignedEnvelope): Promise<StandingAto> {
  const id = asked.body["ato"];
  const row = asked.leaf.kind === "ato.granted" && typeof id === "string" ? await findAto(deps.read, asked.space, id) : undefined;
  const payload = fromBase64(Envelope.parse(own).payload);
  const statement = payload.ok ? parseStatement(payload.value) : payload;
  if (row === undefined || !payload.ok || !statement.ok) return unfit(asked);
  const at = deps.recorder.now();
  return {
    predicate: AtoPredicate.parse(statement.value.predicate),
    state: atoState(row, { now: at, held: await held(deps, row) }),
    statementDigest: digestOfBytes(payload.value),
    entry: asked.leaf.id,
    origin: deps.origin,
    at,
  };
}

async function held({ read }: ExportDeps, { space, system }: AtoRow): Promise<boolean> {
  return (await holdsOn(read, space, system)).length > 0;
}
