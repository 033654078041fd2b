import { canonicalize, digestOf, isRecord } from "../canonical.ts";
import { readCheckResult } from "../predicates.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { predicateType, type Statement } from "../statement.ts";
import type { ProvedStatement } from "./entries.ts";
import { count, fail, pass, verdict, type Finding } from "./report.ts";

/** What a statement in an entry of some kind must say again. */
interface Saying {
  readonly predicate: string;
  readonly event?: string;
  /** Member of the predicate, and the member of the entry's body that says the same; a dot leads one level down. */
  readonly same: Readonly<Record<string, string>>;
  /** The same for what not every entry of the kind has: both leave it out, or neither. */
  readonly optional?: Readonly<Record<string, string>>;
  /** Either may leave a member out; where both have it they must agree. */
  readonly whereBothHave?: true;
  /** The predicate counts and digests the list of keys that stands in the body. */
  readonly digestOfKeys?: true;
}

const sayings: Readonly<Record<string, Saying>> = {
  "hold.placed": { predicate: "hold", event: "placed", same: { hold: "hold", scope: "scope", system: "system", reason: "reason", by: "placedBy" }, optional: { vendor: "vendor" } },
  "hold.lifted": { predicate: "hold", event: "lifted", same: { hold: "hold", request: "request", approvals: "approvals", outcome: "outcome", by: "liftedBy" } },
  "waiver.granted": {
    predicate: "waiver",
    event: "granted",
    same: { waiver: "waiver", kind: "kind", system: "system", environment: "environment", reason: "reason", compensation: "compensation", request: "request", requestedBy: "requestedBy", outcome: "outcome", policyDigest: "policyDigest", factsDigest: "factsDigest", notBefore: "notBefore", notAfter: "notAfter" },
  },
  "waiver.ended": { predicate: "waiver", event: "ended", same: { waiver: "waiver", kind: "kind", system: "system", environment: "environment", cause: "cause", reason: "reason", by: "endedBy" } },
  "policy.published": { predicate: "policy-publication", same: { digest: "digest", by: "publishedBy" } },
  "deployment.recorded": {
    predicate: "credential-event",
    event: "issued",
    same: { credential: "credential.id", expiresAt: "credential.expiresAt", deployment: "deployment", system: "system", release: "release", environment: "environment", stage: "stage", ato: "ato", by: "recordedBy" },
  },
  "credential.revoked": { predicate: "credential-event", event: "revoked", same: { credential: "credential", deployment: "deployment", system: "system", release: "release", reason: "reason", by: "revokedBy" } },
  "ato.granted": {
    predicate: "authorization-to-operate",
    same: { id: "ato", request: "request", system: "system", release: "release", stage: "stage", environment: "environment", notBefore: "notBefore", notAfter: "notAfter" },
    whereBothHave: true,
  },
  "answer.given": { predicate: "answer", same: { system: "system", question: "question", value: "value", reason: "reason", person: "person" }, whereBothHave: true },
  "payload.erased": { predicate: "erasure", same: { occasion: "occasion", by: "requestedBy" }, digestOfKeys: true },
  "retention.applied": { predicate: "erasure", same: { occasion: "occasion", by: "requestedBy" }, digestOfKeys: true },
  "key.rotated": { predicate: "key-rotation", same: { role: "role", keyid: "keyid", publicKey: "publicKey", algorithm: "algorithm", previous: "previous", notBefore: "notBefore" }, whereBothHave: true },
  "check.recorded": { predicate: "check-result", same: { id: "id" }, whereBothHave: true },
};

/** Kinds whose statement names entry, space and time: it fits into no other entry. */
function isBound({ whereBothHave }: Saying): boolean {
  return whereBothHave !== true;
}

/** Each statement says what its entry says: a reader of one is not told otherwise than a reader of the other. */
export function checkSaid(statements: readonly ProvedStatement[]): readonly Finding[] {
  const failures: Finding[] = [];
  let compared = 0;
  for (const proved of statements) {
    const result = compare(proved, statements);
    if (result === undefined) continue;
    compared += 1;
    if (!result.ok) failures.push(fail("statement", result.code, `entry ${proved.entry.index}, \`${proved.name}\`: ${result.message}`));
  }
  return compared === 0 ? [] : verdict(failures, pass("statement", `${count(compared, "statement says", "statements say")} what the entry around it says`));
}

function compare(proved: ProvedStatement, all: readonly ProvedStatement[]): Parsed<true> | undefined {
  const { entry, name } = proved;
  if (entry.leaf.kind === "check.recorded" && name === "testResult") return testResultFits(proved, all.find((other) => other.entry.index === entry.index && other.name === "statement"));
  const saying = Object.hasOwn(sayings, entry.leaf.kind) ? sayings[entry.leaf.kind] : undefined;
  return saying === undefined || name !== "statement" ? undefined : saysTheSame(proved, saying);
}

function saysTheSame({ entry, statement }: ProvedStatement, saying: Saying): Parsed<true> {
  const { predicate } = statement;
  const { id, space, time, kind } = entry.leaf;
  const ofKind = statement.predicateType === predicateType(saying.predicate) && (saying.event === undefined || predicate["event"] === saying.event);
  if (!ofKind) return refused("statement_other_kind", `it is not a \`${saying.predicate}\` statement, as an entry \`${kind}\` holds`);
  const own = predicate["entry"] === id && predicate["space"] === space && predicate["at"] === time;
  if (isBound(saying) && !own) return refused("statement_other_entry", "it names another entry, space or time than its own");
  if (saying.digestOfKeys === true && !sameKeys(predicate["keys"], entry.plaintext.body["keys"])) return refused("statement_differs", "`keys` is not what the entry says");
  const { body } = entry.plaintext;
  const optional = Object.entries(saying.optional ?? {}).filter(([said, member]) => predicate[said] !== undefined || memberOf(body, member) !== undefined);
  const other = [...Object.entries(saying.same), ...optional].find(([said, member]) => differs(predicate[said], memberOf(body, member), saying));
  return other === undefined ? parsed(true) : refused("statement_differs", `\`${other[0]}\` is not what the entry says`);
}

function sameKeys(said: unknown, keys: unknown): boolean {
  return Array.isArray(keys) && canonicalize(said ?? null) === canonicalize({ count: keys.length, digest: digestOf(keys) });
}

function differs(said: unknown, written: unknown, { whereBothHave }: Saying): boolean {
  if ((written === undefined || said === undefined) && whereBothHave === true) return false;
  return said === undefined || written === undefined || canonicalize(said) !== canonicalize(written);
}

function memberOf(body: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split(".").reduce<unknown>((value, name) => (isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined), body);
}

/** in-toto attestation framework, predicate test-result v0.1. */
const testResultType = "https://in-toto.io/attestation/test-result/v0.1";

/** PASSED stands only beside a pass of the same check; every other verdict is FAILED, never WARNED. */
function testResultFits({ statement }: ProvedStatement, beside: ProvedStatement | undefined): Parsed<true> {
  const own = beside === undefined ? undefined : resultIn(beside.statement);
  if (statement.predicateType !== testResultType || own === undefined) return refused("test_result_malformed", "it is no in-toto test result beside a check result");
  const passed = own.verdict === "pass";
  const { result, passedTests, failedTests, warnedTests } = statement.predicate;
  const listed = canonicalize([passedTests, warnedTests, failedTests]) === canonicalize(passed ? [[own.id], [], []] : [[], [], [own.id]]);
  const fits = listed && result === (passed ? "PASSED" : "FAILED") && canonicalize(statement.subject) === canonicalize(own.subject);
  return fits ? parsed(true) : refused("test_result_differs", "it does not say what the check result beside it says");
}

function resultIn(statement: Statement): { readonly id: string; readonly verdict: string; readonly subject: Statement["subject"] } | undefined {
  const { result } = statement.predicate;
  const read = readCheckResult(statement);
  if (!read.ok || !isRecord(result) || typeof result["id"] !== "string") return undefined;
  return { id: result["id"], verdict: read.value.verdict, subject: statement.subject };
}
