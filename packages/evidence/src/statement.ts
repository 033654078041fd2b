import { fromUtf8, toBase64, utf8 } from "./bytes.ts";
import { canonicalize, isRecord, parseCanonical } from "./canonical.ts";
import { parseEnvelope, verifyEnvelope, type Envelope, type SignerKey, type VerifiedEnvelope } from "./dsse.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";

/** Payload type of in-toto statements in DSSE. */
export const statementPayloadType = "application/vnd.in-toto+json";
export const statementType = "https://in-toto.io/Statement/v1";

/** The names of Licet's predicates; the type is `https://licet.dev/predicate/<name>/v1`. */
export function predicateType(name: string): string {
  return `https://licet.dev/predicate/${name}/v1`;
}

export interface Subject {
  readonly name?: string;
  readonly digest: { readonly sha256: string };
}

/** An in-toto Statement v1. */
export interface Statement {
  readonly _type: typeof statementType;
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

const subjectsMax = 1000;

/** The bytes to sign are `pae(statementPayloadType, statementBytes(statement))`. */
export function statementBytes(statement: Statement): Uint8Array<ArrayBuffer> {
  return utf8(canonicalize(statement));
}

/** Puts a statement and its finished signatures into an envelope. */
export function formatEnvelope(statement: Statement, signatures: Envelope["signatures"]): Envelope {
  return { payloadType: statementPayloadType, payload: toBase64(statementBytes(statement)), signatures };
}

/** Takes only the canonical form, and a subject with at least one SHA-256 digest. */
export function parseStatement(bytes: Uint8Array): Parsed<Statement> {
  const text = fromUtf8(bytes);
  if (!text.ok) return text;
  const json = parseCanonical(text.value);
  if (!json.ok) return json;
  const malformed = refused("statement_malformed", "this is not an in-toto statement v1");
  if (!isRecord(json.value)) return malformed;
  const { _type, subject, predicateType: type, predicate } = json.value;
  if (_type !== statementType || typeof type !== "string" || !isRecord(predicate) || !Array.isArray(subject)) return malformed;
  if (subject.length === 0 || subject.length > subjectsMax || !subject.every(isSubject)) return malformed;
  return parsed({ _type, subject, predicateType: type, predicate });
}

function isSubject(value: unknown): value is Subject {
  if (!isRecord(value) || !isRecord(value["digest"])) return false;
  const { name, digest } = value;
  return (name === undefined || typeof name === "string") && typeof digest["sha256"] === "string" && /^[0-9a-f]{64}$/.test(digest["sha256"]);
}

export interface VerifiedStatement extends VerifiedEnvelope {
  readonly statement: Statement;
}

/** Parses an envelope of unknown origin and accepts its statement only with a signature of a given key. */
export async function verifyStatement(value: unknown, keys: readonly SignerKey[]): Promise<Parsed<VerifiedStatement>> {
  const envelope = parseEnvelope(value);
  if (!envelope.ok) return envelope;
  const verified = await verifyEnvelope(envelope.value, keys);
  if (!verified.ok) return verified;
  if (verified.value.payloadType !== statementPayloadType) return refused("payload_type", "the envelope does not hold an in-toto statement");
  const statement = parseStatement(verified.value.payload);
  return statement.ok ? parsed({ ...verified.value, statement: statement.value }) : statement;
}
