import { utf8 } from "../bytes.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { approvalPredicateType } from "../predicates.ts";
import { digestOfBytes, type Digest } from "../sha256.ts";
import { parseStatement, type Statement } from "../statement.ts";
import { verifyPasskey } from "../webauthn.ts";
import { approvalKind, type Checked, type OpenedEntry } from "./entries.ts";
import { count, fail, pass, verdict, type Finding } from "./report.ts";

/** What a person answered, in the text that the person was shown. */
export interface GivenApproval {
  readonly entry: OpenedEntry;
  readonly statement: Statement;
  readonly digest: Digest;
  /** The person's passkey signed the text; otherwise only the server says that the person answered. */
  readonly byPasskey: boolean;
}

/** Each approval's text: the one its entry names, by the one who made the entry, signed by the passkey where it says so. */
export async function checkGivenApprovals(entries: readonly OpenedEntry[]): Promise<Checked<readonly GivenApproval[]>> {
  const failures: Finding[] = [];
  const given: GivenApproval[] = [];
  for (const entry of entries.filter(({ leaf }) => leaf.kind === approvalKind)) {
    const approval = await readGiven(entry);
    if (approval.ok) given.push(approval.value);
    else failures.push(fail("approval", approval.code, `entry ${entry.index}: ${approval.message}`));
  }
  const passkeys = given.filter(({ byPasskey }) => byPasskey).length;
  const sentence = `${count(given.length, "answer")} to requests: ${passkeys} signed by passkey, ${given.length - passkeys} server-asserted`;
  return { findings: given.length + failures.length === 0 ? [] : verdict(failures, pass("approval", sentence)), value: given };
}

async function readGiven(entry: OpenedEntry): Promise<Parsed<GivenApproval>> {
  const { statement: text, statementDigest } = entry.plaintext.body;
  if (typeof text !== "string") return refused("approval_malformed", "the approval has no text");
  const digest = digestOfBytes(text);
  if (digest !== statementDigest) return refused("approval_digest", "the approval's text is not the one that its entry names");
  const statement = parseStatement(utf8(text));
  if (!statement.ok) return statement;
  if (statement.value.predicateType !== approvalPredicateType || !agrees(statement.value, entry)) {
    return refused("approval_actor", "the approval's text names another person, role, answer or space than its entry");
  }
  const byPasskey = await checkPasskey(entry, digest);
  return byPasskey.ok ? parsed({ entry, statement: statement.value, digest, byPasskey: byPasskey.value }) : byPasskey;
}

function agrees({ predicate }: Statement, { leaf, plaintext }: OpenedEntry): boolean {
  const { person, role, answer, factsDigest, policyDigest, notAfter } = plaintext.body;
  return (
    predicate["approver"] === plaintext.actor &&
    predicate["approver"] === person &&
    predicate["space"] === leaf.space &&
    predicate["role"] === role &&
    predicate["answer"] === answer &&
    predicate["factsDigest"] === factsDigest &&
    predicate["policyDigest"] === policyDigest &&
    predicate["notAfter"] === notAfter
  );
}

async function checkPasskey({ plaintext }: OpenedEntry, digest: Digest): Promise<Parsed<boolean>> {
  const { method, assertion } = plaintext.body;
  if (method === "server-asserted" && (assertion === null || assertion === undefined)) return parsed(false);
  if (method !== "passkey") return refused("approval_method", "the approval says neither that a passkey signed it nor that the server asserts it");
  const signed = await verifyPasskey(assertion, digest);
  return signed.ok ? parsed(true) : signed;
}
