import { fromUtf8, utf8 } from "../bytes.ts";
import { canonicalize, isRecord } from "../canonical.ts";
import { hasExactly, parseEnvelope } from "../dsse.ts";
import { parseLeaf, type Leaf } from "../leaf.ts";
import { decodePayload } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { openPayload } from "../payload.ts";
import { covers, fits, isText } from "../shape.ts";
import { verifyStatement } from "../statement.ts";
import { keysAt, parseTrust, type Trust } from "../trust.ts";
import { judgeProof } from "./proof-file.ts";
import { count, fail, notChecked, pass, type Finding, type Report } from "./report.ts";
import { parseJson } from "../json.ts";

export interface BundleVerification {
  /** Bytes of a JSON file: a DSSE envelope, a Sigstore bundle around one, or `{statement, leaf, tlogProof, payload?}`. */
  readonly bundle: Uint8Array;
  /** Text of the trust file. */
  readonly trust: string;
}

/** Verifies one signed statement offline, and its place in the log if the file carries that. Never throws. */
export async function verifyBundleFile({ bundle, trust: trustText }: BundleVerification): Promise<Report> {
  const trust = parseTrust(trustText);
  if (!trust.ok) return { verified: false, fingerprint: null, findings: [fail("trust", trust.code, trust.message)] };
  const { fingerprint } = trust.value;
  const read = readBundle(bundle);
  const judged = read.ok ? await judgeBundle(read.value, trust.value) : [fail("bundle", read.code, read.message)];
  const findings = [pass("trust", `trust file ${fingerprint}: compare this fingerprint with one from another channel`), ...judged];
  return { verified: findings.every(({ status }) => status !== "fail"), fingerprint, findings };
}

interface Bundle {
  readonly envelope: unknown;
  readonly place: Place | undefined;
}

/** Where the statement is said to stand. */
interface Place {
  /** As logged. */
  readonly leaf: string;
  readonly tlogProof: string;
  readonly payload?: { readonly ciphertext: string; readonly key: string };
}

function readBundle(bytes: Uint8Array): Parsed<Bundle> {
  const text = fromUtf8(bytes);
  if (!text.ok) return text;
  let value: unknown;
  try {
    value = parseJson(text.value);
  } catch {
    return refused("json_invalid", "the file is neither a proof nor json");
  }
  if (isPlaced(value)) {
    const { statement, ...place } = value;
    const inner = unwrap(statement);
    return inner.ok ? parsed({ envelope: inner.value, place }) : inner;
  }
  const envelope = unwrap(value);
  return envelope.ok ? parsed({ envelope: envelope.value, place: undefined }) : envelope;
}

function isPlaced(value: unknown): value is Place & { readonly statement: unknown } {
  const payload = (given: unknown): boolean => given === undefined || fits(given, { ciphertext: isText, key: isText });
  return fits(value, { statement: isRecord, leaf: isText, tlogProof: isText, payload });
}

const sigstoreMediaType = /^application\/vnd\.dev\.sigstore\.bundle\.v0\.3\+json$/;

/** The envelope in a Sigstore bundle whose key is known by a hint. What only Sigstore's own verifier can check is refused, not ignored. */
function unwrap(value: unknown): Parsed<unknown> {
  if (parseEnvelope(value).ok) return parsed(value);
  if (!isRecord(value) || typeof value["mediaType"] !== "string") return refused("bundle_malformed", "the file is neither a dsse envelope nor a sigstore bundle nor a bundle with a proof");
  const { mediaType, verificationMaterial, dsseEnvelope } = value;
  if (!sigstoreMediaType.test(mediaType) || !hasExactly(value, ["mediaType", "verificationMaterial", "dsseEnvelope"])) return refused("bundle_malformed", "this is not a sigstore bundle of version 0.3 around a dsse envelope");
  const envelope = parseEnvelope(dsseEnvelope);
  if (!envelope.ok) return envelope;
  const keyid = envelope.value.signatures[0]?.keyid;
  const isEmptyList = (list: unknown): boolean => Array.isArray(list) && list.length === 0;
  const material = {
    publicKey: (key: unknown) => fits(key, { hint: (hint) => hint === keyid }),
    tlogEntries: isEmptyList,
    timestampVerificationData: (data: unknown) => data === undefined || fits(data, { rfc3161Timestamps: isEmptyList }),
  };
  return fits(verificationMaterial, material) ? parsed(dsseEnvelope) : refused("bundle_unsupported", "the bundle names another key than its signature, or holds certificates, rekor entries or timestamps, which this verifier does not check");
}

async function judgeBundle({ envelope, place }: Bundle, trust: Trust): Promise<readonly Finding[]> {
  const leaf = place === undefined ? undefined : parseLeaf(utf8(place.leaf));
  if (leaf?.ok === false) return [fail("bundle", leaf.code, leaf.message)];
  // Only a leaf says when; without one a key counts that was ever listed.
  const keys = leaf === undefined ? trust.keys : keysAt(trust, leaf.value.time);
  const verified = await verifyStatement(envelope, keys);
  if (!verified.ok) return [fail("statement", verified.code, verified.message)];
  const parts = parseEnvelope(envelope);
  const unknown = (parts.ok ? parts.value.signatures.length : 0) - verified.value.signers.length;
  if (unknown > 0) return [fail("statement", "signature_unknown", `${count(unknown, "further signature is", "further signatures are")} by keys that are not trusted, or repeated`)];
  const { predicateType, subject } = verified.value.statement;
  const signed = pass("statement", `a \`${predicateType}\` statement about ${subject.map(({ name, digest }) => `\`${name ?? "?"}\` sha256:${digest.sha256}`).join(", ")} is signed by key ${verified.value.signers.map((keyid) => `\`${keyid.slice(0, 16)}\``).join(" and ")}`);
  if (place === undefined || leaf === undefined) return [signed, notChecked("proof", "no_proof", "the file holds no proof, so when it was signed and whether it is in the log is not shown")];
  return [signed, await judgeContent(envelope, place, leaf.value), ...(await judgeProof(place.tlogProof, utf8(place.leaf), trust))];
}

/** Whether the statement is the one in the entry takes the entry's content. */
async function judgeContent(envelope: unknown, { payload }: Place, leaf: Leaf): Promise<Finding> {
  if (payload === undefined) return notChecked("bundle", "content_withheld", "the entry's content is not in the file, so that the statement is the one in it is not shown");
  const sealed = decodePayload(payload);
  const opened = sealed.ok ? await openPayload({ leaf, ...sealed.value }) : sealed;
  if (!opened.ok) return fail("bundle", opened.code, opened.message);
  const said = canonicalize(envelope);
  const held = Object.values(opened.value.body).some((value) => covers(value, {}) && canonicalize(value) === said);
  return held ? pass("bundle", "the statement is the one in the entry") : fail("bundle", "statement_other_entry", "the entry holds another statement, or none");
}
