import { createCipheriv, createHmac, generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";
import {
  approvalPredicateType,
  atoPredicateType,
  buildPackManifest,
  canonicalize,
  checkpointPath,
  checkResultPredicateType,
  consistencyPath,
  consistencyProof,
  digestOf,
  digestOfBytes,
  entryPath,
  formatCheckpoint,
  formatEnvelope,
  formatNote,
  formatNoteSignature,
  formatVkey,
  fromBase64,
  inclusionProof,
  leafBytes,
  leafHash,
  manifestBytes,
  manifestEnvelopePath,
  manifestPath,
  merkleRoot,
  packJson,
  packPayloadType,
  pae,
  payloadAad,
  parseEnvelope,
  payloadCommit,
  statementBytes,
  statementKeyId,
  statementPath,
  statementPayloadType,
  statementType,
  toBase64,
  trustFingerprint,
  utf8,
  type Envelope,
  type Leaf,
  type PackMeta,
  type PackPayload,
  type Statement,
  type TrustFile,
} from "@licet/evidence";

/** A real log and a real export of it, made with Node's own cryptography. */
export const origin = "licet.example/log";
export const start = Date.UTC(2026, 0, 5);

export interface SigningKey {
  readonly raw: Uint8Array;
  readonly privateKey: KeyObject;
}

export function signingKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return { privateKey, raw: new Uint8Array(publicKey.export({ format: "der", type: "spki" }).subarray(-32)) };
}

export function seal(payloadType: string, payload: Uint8Array, key: SigningKey): Envelope {
  const sig = toBase64(sign(null, pae(payloadType, payload), key.privateKey));
  return { payloadType, payload: toBase64(payload), signatures: [{ keyid: statementKeyId(key.raw), sig }] };
}

export interface Keys {
  readonly log: SigningKey;
  readonly statement: SigningKey;
}

export function trustFile(keys: Keys, change: Partial<TrustFile> = {}): string {
  const file: TrustFile = {
    v: 1,
    origin,
    log: [formatVkey({ name: origin, publicKey: keys.log.raw })],
    statementKeys: [{ keyid: statementKeyId(keys.statement.raw), publicKey: toBase64(keys.statement.raw), notBefore: start - 1000 }],
    witnesses: null,
    ...change,
  };
  return JSON.stringify({ fingerprint: trustFingerprint(file), ...file }, null, 2);
}

/** One entry to be logged. */
export interface Draft {
  readonly id: string;
  readonly kind: string;
  readonly actor: string;
  /** Whose pseudonym the leaf bears, if not the actor's. */
  readonly pseudonymOf?: string;
  readonly system?: string;
  readonly gateway?: string;
  readonly seq?: number;
  readonly time?: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** Not in the export at all, by leaf only, or as erased with or without its ciphertext. */
  readonly shown?: "not" | "leaf" | "erased" | "reclaimed";
  /** Names the key that its own is wrapped by; `key_1` if absent. */
  readonly kid?: string;
  readonly space?: string;
}

interface Logged {
  readonly draft: Draft;
  readonly leaf: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly dek: Uint8Array;
}

const pseudonymKey = randomBytes(32);

function pseudonym(name: string): string {
  return createHmac("sha256", pseudonymKey).update(name).digest("hex").slice(0, 32);
}

export function log(draft: Draft, at: number): Logged {
  const plaintext = canonicalize({ kind: draft.kind, actor: draft.actor, system: draft.system ?? null, body: draft.body });
  const dek = new Uint8Array(randomBytes(32));
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", dek, nonce);
  cipher.setAAD(payloadAad({ id: draft.id, space: draft.space ?? "main", class: "governance" }));
  const ciphertext = new Uint8Array(Buffer.concat([nonce, cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]));
  const leaf: Leaf = {
    v: 1,
    id: draft.id,
    time: draft.time ?? start + at * 1000,
    space: draft.space ?? "main",
    kind: draft.kind,
    kv: 1,
    actor: pseudonym(draft.pseudonymOf ?? draft.actor),
    ...(draft.system === undefined ? {} : { system: pseudonym(draft.system) }),
    ...(draft.gateway === undefined ? {} : { gateway: draft.gateway }),
    ...(draft.seq === undefined ? {} : { seq: draft.seq }),
    payload: {
      alg: "A256GCM",
      kid: draft.kid ?? "key_1",
      digest: digestOfBytes(ciphertext),
      size: ciphertext.length,
      class: "governance",
      commit: payloadCommit(dek, draft.id),
    },
  };
  return { draft, leaf: leafBytes(leaf), ciphertext, dek };
}

export function signedCheckpoint(leaves: readonly Uint8Array[], key: SigningKey, name = origin): Uint8Array {
  const text = formatCheckpoint({ origin: name, size: leaves.length, root: merkleRoot(leaves.map(leafHash)) });
  return utf8(formatNote(text, [formatNoteSignature({ name, publicKey: key.raw, signature: sign(null, utf8(text), key.privateKey) })]));
}

export type Files = Map<string, Uint8Array>;

export interface ExportOptions {
  readonly keys: Keys;
  readonly meta?: Partial<PackMeta>;
  /** Writes the proof from this size on. */
  readonly since?: number;
}

/** Logs the drafts and exports what is to be shown. */
export async function exportPack(drafts: readonly Draft[], { keys, meta, since }: ExportOptions): Promise<{ readonly files: Files; readonly leaves: readonly Uint8Array[] }> {
  const logged = drafts.map(log);
  const leaves = logged.map(({ leaf }) => leaf);
  const hashes = leaves.map(leafHash);
  const read = ({ height, index }: { readonly height: number; readonly index: number }) =>
    Promise.resolve(merkleRoot(hashes.slice(index * 2 ** height, (index + 1) * 2 ** height)));
  const files: Files = new Map([[checkpointPath, signedCheckpoint(leaves, keys.log)]]);
  for (const [index, { draft, leaf, ciphertext, dek }] of logged.entries()) {
    if (draft.shown === "not") continue;
    const proof = (await inclusionProof({ index, size: leaves.length, read })).map(toBase64);
    files.set(entryPath(index), packJson({ index, leaf: new TextDecoder().decode(leaf), proof, ...payloadOf(draft.shown, ciphertext, dek) }));
    const bytes = statementIn(draft);
    if (bytes !== undefined && draft.shown === undefined) files.set(statementPath(index, "statement"), bytes);
  }
  if (since !== undefined) {
    const proof = await consistencyProof({ oldSize: since, newSize: leaves.length, read });
    files.set(consistencyPath(since), packJson({ oldSize: since, newSize: leaves.length, proof: proof.map(toBase64) }));
  }
  signPack(files, keys.statement, { ...defaultMeta(leaves.length), ...meta });
  return { files, leaves };
}

function payloadOf(shown: Draft["shown"], ciphertext: Uint8Array, dek: Uint8Array): { readonly payload?: PackPayload } {
  if (shown === "leaf") return {};
  if (shown === "reclaimed") return { payload: { erased: true } };
  return { payload: shown === "erased" ? { ciphertext: toBase64(ciphertext), erased: true } : { ciphertext: toBase64(ciphertext), key: toBase64(dek) } };
}

function statementIn(draft: Draft): Uint8Array | undefined {
  const statement = draft.body["statement"];
  const envelope = parseEnvelope(statement);
  const bytes = envelope.ok ? fromBase64(envelope.value.payload) : undefined;
  return bytes?.ok === true ? bytes.value : undefined;
}

export function defaultMeta(treeSize: number): PackMeta {
  return {
    space: "main",
    systems: ["helpdesk"],
    exportedAt: start + 3_600_000,
    origin,
    treeSize,
    decisions: "complete",
    sequences: [
      { gateway: "gw-1", from: 1, to: 3 },
      { gateway: "gw-2", from: 7, to: 7 },
    ],
  };
}

/** Signs with a key that is kept elsewhere. */
export type Seal = (payloadType: string, payload: Uint8Array) => Envelope;

/** Lists and signs whatever the files are now. */
export function signPack(files: Files, key: SigningKey | Seal, meta: PackMeta): void {
  files.delete(manifestPath);
  files.delete(manifestEnvelopePath);
  const manifest = buildPackManifest([...files].map(([path, bytes]) => ({ path, bytes })), meta);
  const bytes = manifestBytes(manifest);
  files.set(manifestPath, bytes);
  files.set(manifestEnvelopePath, packJson(typeof key === "function" ? key(packPayloadType, bytes) : seal(packPayloadType, bytes, key)));
}

export const release = digestOfBytes("release 1");

export function statementOf(type: string, predicate: Readonly<Record<string, unknown>>): Statement {
  return { _type: statementType, subject: [{ name: "release", digest: { sha256: release.slice(7) } }], predicateType: type, predicate };
}

export function signed(statement: Statement, key: SigningKey): Envelope {
  const { signatures } = seal(statementPayloadType, statementBytes(statement), key);
  return formatEnvelope(statement, signatures);
}

/** A statement with the signatures of several keys. */
export function formatEnvelopeOf(statement: Statement, by: readonly SigningKey[]): Envelope {
  return formatEnvelope(statement, by.flatMap((key) => seal(statementPayloadType, statementBytes(statement), key).signatures));
}

type Members = Readonly<Record<string, unknown>>;

export interface StoryChanges {
  /** Predicate of the authorization. */
  readonly ato?: Members;
  /** Body of its entry. */
  readonly granted?: Members;
  readonly facts?: Members;
  /** What the second approval says, and the body and actor of its entry. */
  readonly second?: Members;
  readonly secondBody?: Members;
  readonly secondActor?: string;
  readonly check?: Members;
}

const move = { system: "helpdesk", release, stage: "pilot", environment: "office" };
const rules = { factsDigest: digestOf("asked"), policyDigest: digestOf("policies") };

export function approvalBody(person: string, said: Members = {}): Members & { readonly statement: string; readonly statementDigest: string } {
  const claim = { v: 1, ...move, ...rules, space: "main", request: "req_1", move: "promote", role: `role of ${person}`, answer: "approve", approver: person, notAfter: start + 86_400_000, ...said };
  const statement = canonicalize(statementOf(approvalPredicateType, claim));
  return { approval: `apr_${person}`, person, role: claim.role, answer: claim.answer, factsDigest: claim.factsDigest, policyDigest: claim.policyDigest, notAfter: claim.notAfter, method: "server-asserted", assertion: null, statement, statementDigest: digestOfBytes(statement) };
}

/** One system's way to its authorization and three decisions after it. */
export function story(keys: Keys, change: StoryChanges = {}): readonly Draft[] {
  const predicate: Members = { release, producer: "licet", producedBy: "server", result: { id: "recall", verdict: "pass" }, ...change.check };
  const first = approvalBody("per_ada");
  const second = { ...approvalBody("per_bo", change.second), ...change.secondBody };
  const facts = { authors: ["Cy@example.org"], ...change.facts };
  const cite = (entry: string, person: string, { statementDigest }: { readonly statementDigest: string }) => ({ entry, person, role: `role of ${person}`, statementDigest });
  const factsDigest = digestOf({ authors: ["Cy@example.org"], ...change.facts });
  const ato = statementOf(atoPredicateType, {
    ...move,
    id: "ato_1",
    decision: "granted",
    notBefore: start,
    notAfter: start + 30 * 86_400_000,
    factsDigest,
    policyDigest: rules.policyDigest,
    approvers: [cite("entry_2", "per_ada", first), cite("entry_3", "per_bo", second)],
    checks: [{ entry: "entry_1", digest: digestOf(predicate["result"]), verdict: "pass" }],
    ...change.ato,
  });
  const answer = { decision: "allow", release, factsDigest, policyDigest: rules.policyDigest };
  const governance = { system: "helpdesk", actor: "server" };
  const envelope = (statement: Statement) => ({ statement: signed(statement, keys.statement) });
  const people = ["ada", "bo", "cy"].map((name) => ({ id: `entry_${name}`, kind: "person.added", actor: "server", body: { person: `per_${name}`, email: `${name}@example.org`, name } }));
  return [
    { ...governance, id: "entry_0", kind: "release.pushed", actor: "per_cy", body: { system: "helpdesk", digest: release, pushedBy: "per_cy" } },
    { ...governance, id: "entry_1", kind: "check.recorded", body: { id: "chk_1", ...envelope(statementOf(checkResultPredicateType, predicate)) } },
    ...people,
    { ...governance, id: "entry_2", kind: "approval.given", actor: "per_ada", body: first },
    { ...governance, id: "entry_3", kind: "approval.given", actor: change.secondActor ?? "per_bo", body: second },
    { ...governance, id: "entry_x", kind: "person.added", body: { name: "somebody else" }, shown: "not" },
    { ...governance, id: "entry_5", kind: "ato.granted", body: { facts, answer, ...envelope(ato), ...change.granted } },
    ...[1, 2, 3].map((seq) => ({ id: `dec_${seq}`, kind: "gateway.decision", actor: "dep_1", gateway: "gw-1", seq, system: "helpdesk", body: { decision: "allow", seq } })),
    { id: "dec_7", kind: "access.decision", actor: "dep_2", gateway: "gw-2", seq: 7, system: "helpdesk", body: { decision: "deny" }, shown: "erased", kid: "key_2" },
    { id: "entry_e", kind: "retention.applied", actor: "server", body: { keys: ["key_2"] } },
  ];
}
