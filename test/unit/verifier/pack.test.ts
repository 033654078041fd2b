import { beforeAll, describe, expect, test } from "vitest";
import {
  approvalPredicateType,
  checkpointPath,
  digestOf,
  digestOfBytes,
  manifestEnvelopePath,
  manifestPath,
  packInMemory,
  packJson,
  parseManifest,
  statementKeyId,
  toBase64,
  utf8,
  verifyPack,
  type PackMeta,
  type Report,
} from "@licet/evidence";
import { notAKey, passkey } from "./passkey.ts";
import { approvalBody, defaultMeta, exportPack, origin, release, seal, signedCheckpoint, signed, signingKey, signPack, start, statementOf, story, trustFile, type Draft, type Files, type Keys, type StoryChanges } from "./story.ts";

const keys: Keys = { log: signingKey(), statement: signingKey() };
const trust = trustFile(keys);
let files: Files;
let leaves: readonly Uint8Array[];

beforeAll(async () => {
  ({ files, leaves } = await exportPack(story(keys), { keys, since: 8 }));
});

function verify(of: Files, options: { readonly trust?: string; readonly old?: Uint8Array } = {}): Promise<Report> {
  return verifyPack({ source: packInMemory(of), trust, ...options });
}

function codes(report: Report): readonly string[] {
  return report.findings.filter(({ status }) => status === "fail").map(({ check, code }) => `${check}[${code}]`);
}

async function failures(drafts: readonly Draft[], meta: Partial<PackMeta> = {}): Promise<readonly string[]> {
  return codes(await verify((await exportPack(drafts, { keys, meta })).files));
}

function without(id: string): readonly Draft[] {
  return story(keys).map((draft) => (draft.id === id ? { ...draft, shown: "not" } : draft));
}

describe("a true export", () => {
  test("verifies, with a line for each check", async () => {
    const report = await verify(files);
    expect(codes(report)).toEqual([]);
    expect(report.verified).toBe(true);
    const checks = ["trust", "pack", "files", "checkpoint", "inclusion", "payload", "statement", "statement", "approval", "release", "facts", "check", "approval", "ato", "decision", "witness"];
    expect(report.findings.map(({ check }) => check)).toEqual(checks);
  });

  test("is never called witnessed where no witness is trusted", async () => {
    const { findings } = await verify(files);
    expect(findings.at(-1)).toMatchObject({ status: "not_witnessed", check: "witness" });
  });

  test("without authorization or decisions verifies too, and says so", async () => {
    const drafts = story(keys).slice(0, 2);
    const report = await verify((await exportPack(drafts, { keys, meta: { sequences: [] } })).files);
    expect(report.verified).toBe(true);
    expect(report.findings.find(({ check }) => check === "ato")?.sentence).toContain("no authorization");
  });

  test("without a single entry proves nothing, and fails", async () => {
    expect(await failures(story(keys).map((draft) => ({ ...draft, shown: "not" })), { sequences: [] })).toEqual(["inclusion[no_entries]"]);
  });
});

describe("trust", () => {
  test("another statement key, log key or origin is not believed", async () => {
    const stranger = signingKey();
    expect(codes(await verify(files, { trust: trustFile({ ...keys, statement: stranger }) }))).toEqual(["pack[signature_missing]"]);
    expect(codes(await verify(files, { trust: trustFile({ ...keys, log: stranger }) }))).toEqual(["checkpoint[note_signature_missing]"]);
    expect(codes(await verify(files, { trust: trustFile(keys, { origin: "other.example" }) }))).toEqual(["pack[pack_origin]"]);
  });

  test("a statement key counts only while it was valid", async () => {
    const key = { keyid: statementKeyId(keys.statement.raw), publicKey: toBase64(keys.statement.raw) };
    const late = trustFile(keys, { statementKeys: [{ ...key, notBefore: start + 2500 }] });
    expect(codes(await verify(files, { trust: late }))).toContain("statement[signature_missing]");
    const gone = trustFile(keys, { statementKeys: [{ ...key, notBefore: 0, notAfter: start + 10_000 }] });
    expect(codes(await verify(files, { trust: gone }))).toEqual(["pack[signature_missing]"]);
  });

  test.each([
    ["", "trust_malformed"],
    ["[]", "trust_malformed"],
    ["{}", "trust_malformed"],
    [JSON.stringify({ ...JSON.parse(trust), witnesses: { quorum: 1 } }), "trust_malformed"],
    [JSON.stringify({ ...JSON.parse(trust), origin: "changed" }), "trust_fingerprint"],
    [JSON.stringify({ ...JSON.parse(trust), extra: 1 }), "trust_malformed"],
    [trustFile(keys, { log: ["a+00000000+AAAA"] }), "trust_log_key"],
    [trustFile(keys, { statementKeys: [{ keyid: "00", publicKey: toBase64(keys.statement.raw), notBefore: 0 }] }), "trust_statement_key"],
  ])("the trust file %.40s is refused with its reason", async (text, code) => {
    const report = await verify(files, { trust: text });
    expect(report).toMatchObject({ verified: false, fingerprint: null });
    expect(codes(report)).toEqual([`trust[${code}]`]);
  });
});

describe("files", () => {
  test("a missing, an extra, a changed and a swapped file fail", async () => {
    const missing = new Map(files);
    missing.delete("statements/1-statement.json");
    expect(codes(await verify(missing))).toContain("files[file_missing]");
    expect(codes(await verify(new Map([...files, ["entries/notes.txt", utf8("x")]])))).toEqual(["files[file_extra]"]);
    expect(codes(await verify(new Map([...files, [checkpointPath, utf8("x")]])))).toContain("files[file_changed]");
    const [one = utf8(""), two = utf8("")] = [files.get("entries/5.json"), files.get("entries/6.json")];
    expect(codes(await verify(new Map([...files, ["entries/5.json", two], ["entries/6.json", one]])))).toContain("files[file_changed]");
  });

  test("what is no plain file fails", async () => {
    const source = packInMemory(files);
    const list = async () => (await source.list()).map((file) => (file.path === checkpointPath ? { ...file, size: null } : file));
    expect(codes(await verifyPack({ source: { ...source, list }, trust }))).toEqual(["files[file_not_plain]"]);
  });

  test("without manifest or its signature nothing is believed", async () => {
    const bare = new Map(files);
    bare.delete(manifestPath);
    expect(codes(await verify(bare))).toEqual(["pack[pack_missing]"]);
    const unsigned = new Map(files);
    unsigned.delete(manifestEnvelopePath);
    expect(codes(await verify(unsigned))).toEqual(["pack[pack_unsigned]"]);
  });

  test("a manifest other than the signed one, or one signed as something else, fails", async () => {
    const other = parseManifest(files.get(manifestPath) ?? utf8(""));
    const changed = other.ok ? packJson({ ...other.value, space: "other" }) : utf8("");
    expect(codes(await verify(new Map([...files, [manifestPath, changed]])))).toEqual(["pack[pack_differs]"]);
    const asOther = packJson(seal("text/plain", files.get(manifestPath) ?? utf8(""), keys.statement));
    expect(codes(await verify(new Map([...files, [manifestEnvelopePath, asOther]])))).toEqual(["pack[pack_payload_type]"]);
  });

  test("a stranger's signature beside the right one fails, because anybody could change it", async () => {
    const bytes = files.get(manifestPath) ?? utf8("");
    const [ours, theirs] = [keys.statement, signingKey()].map((key) => seal("application/vnd.licet.pack+json", bytes, key));
    const both = packJson({ ...ours, signatures: [...(ours?.signatures ?? []), ...(theirs?.signatures ?? [])] });
    expect(codes(await verify(new Map([...files, [manifestEnvelopePath, both]])))).toEqual(["pack[pack_signature_unknown]"]);
  });
});

/** A dishonest operator who holds the statement key and signs the changed export again. */
function resigned(change: (files: Files) => void, meta: Partial<PackMeta> = {}): Files {
  const changed = new Map(files);
  change(changed);
  signPack(changed, keys.statement, { ...defaultMeta(leaves.length), ...meta });
  return changed;
}

describe("an export that was changed and signed again", () => {
  test("an entry at another index, or one that was never logged, is not included", async () => {
    const entry = JSON.parse(new TextDecoder().decode(files.get("entries/5.json"))) as { leaf: string; index: number; proof: string[] };
    const moved = resigned((set) => set.set("entries/7.json", packJson({ ...entry, index: 7 })));
    expect(codes(await verify(moved))).toContain("inclusion[not_included]");
    const forged = resigned((set) => set.set("entries/5.json", packJson({ ...entry, leaf: entry.leaf.replace("approval.given", "approval.taken") })));
    expect(codes(await verify(forged))).toContain("inclusion[not_included]");
    const misnamed = resigned((set) => set.set("entries/7.json", packJson(entry)));
    expect(codes(await verify(misnamed))).toContain("inclusion[entry_path]");
  });

  test("a checkpoint of another key, another size or another log fails", async () => {
    const stranger = signingKey();
    expect(codes(await verify(resigned((set) => set.set(checkpointPath, signedCheckpoint(leaves, stranger)))))).toEqual(["checkpoint[note_signature_missing]"]);
    expect(codes(await verify(resigned((set) => set.set(checkpointPath, signedCheckpoint(leaves.slice(1), keys.log)))))).toEqual(["checkpoint[checkpoint_tree_size]"]);
    expect(codes(await verify(resigned((set) => set.delete(checkpointPath))))).toEqual(["checkpoint[checkpoint_missing]"]);
  });

  test("another payload, another key and a readable copy that says something else fail", async () => {
    const entry = JSON.parse(new TextDecoder().decode(files.get("entries/5.json"))) as { payload: { ciphertext: string; key: string } };
    const other = JSON.parse(new TextDecoder().decode(files.get("entries/6.json"))) as typeof entry;
    const swapped = resigned((set) => set.set("entries/5.json", packJson({ ...entry, payload: { ...entry.payload, ciphertext: other.payload.ciphertext } })));
    expect(codes(await verify(swapped))).toContain("payload[payload_digest]");
    const rekeyed = resigned((set) => set.set("entries/5.json", packJson({ ...entry, payload: { ...entry.payload, key: other.payload.key } })));
    expect(codes(await verify(rekeyed))).toContain("payload[payload_key]");
    const copied = resigned((set) => set.set("statements/1-statement.json", files.get("statements/8-statement.json") ?? utf8("")));
    expect(codes(await verify(copied))).toEqual(["statement[copy_differs]"]);
  });

  test("an entry of another space fails", async () => {
    expect(codes(await verify(resigned(() => undefined, { space: "other" })))).toContain("inclusion[entry_space]");
  });

  test("a statement by a key that is not trusted fails", async () => {
    const forged = signed(statementOf(approvalPredicateType, { person: "per_ada" }), signingKey());
    expect(await failures([...story(keys), { id: "entry_f", kind: "answer.given", actor: "per_ada", body: { statement: forged } }])).toContain("statement[signature_missing]");
    expect(await failures([...story(keys), { id: "entry_f", kind: "answer.given", actor: "per_ada", body: { statement: "none" } }])).toEqual(["statement[envelope_malformed]"]);
    expect(await failures([...story(keys), { id: "entry_f", kind: "check.recorded", actor: "per_ada", body: { testResult: forged } }])).toEqual(["statement[signature_missing]"]);
  });

  test("a manifest that lists a file twice, or out of order, fails", async () => {
    const manifest = parseManifest(files.get(manifestPath) ?? utf8(""));
    if (!manifest.ok) throw new Error(manifest.message);
    const [first] = manifest.value.files;
    for (const listed of [[first, ...manifest.value.files], manifest.value.files.toReversed()]) {
      const bytes = packJson({ ...manifest.value, files: listed });
      const forged = new Map([...files, [manifestPath, bytes], [manifestEnvelopePath, packJson(seal("application/vnd.licet.pack+json", bytes, keys.statement))]]);
      expect(codes(await verify(forged))).toEqual(["pack[pack_files_order]"]);
    }
  });

  test("a pseudonym that stands for two people fails", async () => {
    expect(await failures([...story(keys), { id: "entry_p", kind: "note.made", actor: "per_eve", pseudonymOf: "per_ada", body: {} }])).toEqual(["payload[pseudonym_ambiguous]"]);
  });

  test("two entries with one id fail", async () => {
    expect(await failures([...story(keys), { id: "entry_5", kind: "note.made", actor: "server", body: {} }])).toContain("inclusion[entry_id_twice]");
  });
});

describe("decisions", () => {
  test("a decision that was left out is missing, wherever it stood", async () => {
    for (const id of ["dec_1", "dec_2", "dec_3", "dec_7"]) expect(await failures(without(id))).toEqual(["decision[decision_missing]"]);
  });

  test("a number used twice, and one outside what is claimed, fail", async () => {
    expect(await failures([...story(keys), { id: "dec_9", kind: "gateway.decision", actor: "dep_1", gateway: "gw-1", seq: 2, body: {} }])).toEqual(["decision[decision_twice]"]);
    expect(await failures([...story(keys), { id: "dec_9", kind: "gateway.decision", actor: "dep_1", gateway: "gw-1", seq: 9, body: {} }])).toEqual(["decision[decision_beyond]"]);
  });

  test("a claim over more numbers than anybody could hold is answered at once", async () => {
    expect(await failures(story(keys), { sequences: [{ gateway: "gw-1", from: 0, to: Number.MAX_SAFE_INTEGER - 1 }, { gateway: "gw-2", from: 7, to: 7 }] })).toEqual(["decision[decision_missing]", "decision[decision_missing]"]);
  });

  test("an export of selected decisions claims no completeness", async () => {
    const drafts = without("dec_2");
    const report = await verify((await exportPack(drafts, { keys, meta: { decisions: "selected", sequences: [] } })).files);
    expect(report.verified).toBe(true);
    expect(report.findings.find(({ check }) => check === "decision")?.sentence).toContain("claims no completeness");
  });
});

function cited(entry: string, person: string, { statementDigest }: { readonly statementDigest: string }, role = `role of ${person}`) {
  return { entry, person, role, statementDigest };
}

describe("the authorization to operate", () => {
  test.each<[string, StoryChanges, readonly string[]]>([
    ["an approver among the authors of the facts", { facts: { authors: ["BO@example.org"] } }, ["approval[approval_by_author]"]],
    ["an approval by the one who pushed, whom the facts leave out", { facts: { authors: [] }, second: { approver: "per_cy" }, secondBody: approvalBody("per_cy", { role: "role of per_bo" }), secondActor: "per_cy", ato: { approvers: [cited("entry_3", "per_cy", approvalBody("per_cy", { role: "role of per_bo" }), "role of per_bo")] } }, ["approval[approval_by_author]"]],
    ["an approval by the producer of a result", { check: { producer: "self", producedBy: "per_bo" } }, ["approval[approval_by_author]"]],
    ["two approvals by one person", { secondBody: approvalBody("per_ada", { role: "other" }), secondActor: "per_ada", ato: { approvers: [cited("entry_2", "per_ada", approvalBody("per_ada")), cited("entry_3", "per_ada", approvalBody("per_ada", { role: "other" }), "other")] } }, ["approval[approval_same_person]"]],
    ["an approval by somebody unknown", { secondBody: approvalBody("per_eve"), secondActor: "per_eve", ato: { approvers: [cited("entry_3", "per_eve", approvalBody("per_eve"))] } }, ["approval[approver_unknown]"]],
    ["an approval cited for another", { ato: { approvers: [{ ...cited("entry_2", "per_ada", approvalBody("per_ada")), person: "per_bo" }] } }, ["approval[approval_cited_wrong]"]],
    ["an approval cited in another role", { ato: { approvers: [{ ...cited("entry_2", "per_ada", approvalBody("per_ada")), role: "assessor" }] } }, ["approval[approval_cited_wrong]"]],
    ["an approval in another's name", { secondActor: "per_ada" }, ["approval[approval_actor]", "approval[approval_missing]"]],
    ["an approval whose entry names another role", { secondBody: { role: "assessor" } }, ["approval[approval_actor]", "approval[approval_missing]"]],
    ["an approval whose entry names another answer", { secondBody: { answer: "refuse" } }, ["approval[approval_actor]", "approval[approval_missing]"]],
    ["an approval of another space", { second: { space: "other" } }, ["approval[approval_actor]", "approval[approval_missing]"]],
    ["an approval whose text was changed", { secondBody: { statement: "{}" } }, ["approval[approval_digest]", "approval[approval_missing]"]],
    ["an approval without text", { secondBody: { statement: null } }, ["approval[approval_malformed]", "approval[approval_missing]"]],
    ["a refusal counted as approval", { second: { answer: "refuse" } }, ["approval[approval_not_given]"]],
    ["an approval for another stage", { second: { stage: "production" } }, ["approval[approval_other_move]"]],
    ["an approval for another system", { second: { system: "other" } }, ["approval[approval_other_move]"]],
    ["an approval of another release", { second: { release: digestOfBytes("other") } }, ["approval[approval_release]"]],
    ["a lapsed approval", { second: { notAfter: start + 4000 } }, ["approval[approval_lapsed]"]],
    ["an approval that is not there", { ato: { approvers: [{ ...cited("entry_9", "per_ada", approvalBody("per_ada")) }] } }, ["approval[approval_missing]"]],
    ["an approval of other content", { ato: { approvers: [{ ...cited("entry_2", "per_ada", approvalBody("per_ada")), statementDigest: release }] } }, ["approval[approval_missing]"]],
    ["a failed check counted as passed", { check: { result: { verdict: "fail" } } }, ["check[check_verdict]"]],
    ["a check of another release", { check: { release: digestOfBytes("other") } }, ["check[check_other_release]"]],
    ["a check that is not there", { ato: { checks: [{ entry: "entry_1", digest: release, verdict: "pass" }] } }, ["check[check_missing]"]],
    ["a check result without verdict", { check: { result: {} } }, ["check[check_malformed]"]],
    ["another release than its subject", { ato: { release: digestOfBytes("other") } }, ["release[ato_release]"]],
    ["another system than the one pushed", { ato: { system: "other", approvers: [] } }, ["release[release_missing]"]],
    ["other facts than it names", { granted: { facts: { authors: [] } } }, ["facts[facts_differ]"]],
    ["an answer that denies", { granted: { answer: { decision: "deny", release, factsDigest: digestOf({ authors: ["Cy@example.org"] }), policyDigest: digestOf("policies") } } }, ["facts[gate_denied]"]],
    ["an end before its beginning", { ato: { notAfter: start } }, ["release[ato_term]"]],
    ["members missing", { ato: { approvers: undefined } }, ["release[ato_malformed]"]],
    ["a time beyond all dates", { ato: { notAfter: Number.MAX_SAFE_INTEGER } }, ["release[ato_malformed]"]],
  ])("with %s fails", async (_, change, expected) => {
    expect(await failures(story(keys, change))).toEqual(expected);
  });

  test("cannot be of a release that was never pushed", async () => {
    const drafts = story(keys).map((draft) => (draft.id === "entry_0" ? { ...draft, body: { ...draft.body, digest: digestOfBytes("other") } } : draft));
    expect(await failures(drafts)).toEqual(["release[release_missing]"]);
  });

  test("cannot rest on approvals that another one spent", async () => {
    const drafts = story(keys);
    const again = drafts.find(({ kind }) => kind === "ato.granted");
    expect(await failures([...drafts, { id: "entry_z", kind: "ato.granted", actor: "server", body: again?.body ?? {} }])).toEqual(["approval[approval_spent_twice]", "approval[approval_spent_twice]"]);
  });

  test("cannot rest on an approval given after it", async () => {
    const drafts = story(keys);
    const late = drafts.find(({ id }) => id === "entry_3");
    expect(await failures([...drafts.filter(({ id }) => id !== "entry_3"), ...(late === undefined ? [] : [late])])).toEqual(["approval[approval_missing]"]);
  });

  test.each([
    ["suspended", "was suspended since entry 14"],
    ["revoked", "was revoked since entry 14"],
    ["granted", "was granted until 2026-02-04T00:00:00.000Z"],
  ])("after a change to %s, as of the checkpoint, it %s", async (state, sentence) => {
    const drafts = [...story(keys), { id: "entry_c", kind: "ato.state-changed", actor: "server", body: { ato: "ato_1", state } }];
    const report = await verify((await exportPack(drafts, { keys })).files);
    expect(report.verified).toBe(true);
    expect(report.findings.find(({ check }) => check === "ato")?.sentence).toContain(sentence);
  });

  test("has expired when its end lies before the export, and fails with a change that the verifier does not know", async () => {
    const expired = await verify((await exportPack(story(keys, { ato: { notAfter: start + 60_000 } }), { keys })).files);
    expect(expired.findings.find(({ check }) => check === "ato")?.sentence).toContain("expired at 2026-01-05T00:01:00.000Z");
    expect(await failures([...story(keys), { id: "entry_c", kind: "ato.transmogrified", actor: "server", body: { id: "ato_1" } }])).toEqual(["ato[ato_change_unknown]"]);
    expect(await failures([...story(keys), { id: "entry_c", kind: "ato.state-changed", actor: "server", body: { ato: "ato_1", state: "odd" } }])).toEqual(["ato[ato_change_unknown]"]);
  });
});

describe("an approval by passkey", () => {
  const person = approvalBody("per_bo");
  const key = passkey();
  const failuresWith = (assertion: unknown, method = "passkey") => failures(story(keys, { secondBody: { method, assertion } }));

  test("is verified offline against the key in the record", async () => {
    const secondBody = { method: "passkey", assertion: key.assert(person.statementDigest) };
    const report = await verify((await exportPack(story(keys, { secondBody }), { keys })).files);
    expect(codes(report)).toEqual([]);
    expect(report.findings.filter(({ check }) => check === "approval").map(({ sentence }) => sentence)).toEqual([
      "2 answers to requests: 1 signed by passkey, 1 server-asserted",
      "`ato_1` rests on 2 approvals by different people who are not authors: 1 signed by passkey, 1 server-asserted",
    ]);
  });

  test("fails over another text, by another key, without user verification, or malformed", async () => {
    const good = key.assert(person.statementDigest);
    const with1 = (code: string) => [`approval[${code}]`, "approval[approval_missing]"];
    expect(await failuresWith(key.assert(release))).toEqual(with1("passkey_challenge"));
    expect(await failuresWith(key.assert(person.statementDigest, { type: "webauthn.create" }))).toEqual(with1("passkey_challenge"));
    expect(await failuresWith(key.assert(person.statementDigest, { flags: 0x01 }))).toEqual(with1("passkey_user"));
    expect(await failuresWith({ ...good, publicKey: passkey().assert(release).publicKey })).toEqual(with1("passkey_signature"));
    expect(await failuresWith({ ...good, publicKey: notAKey })).toEqual(with1("passkey_signature"));
    for (const wrong of [null, {}, { response: {} }, { response: { response: 1 }, publicKey: 1 }]) expect(await failuresWith(wrong)).toEqual(with1("passkey_malformed"));
  });

  test("is neither half a passkey nor something unheard of", async () => {
    expect(await failuresWith(key.assert(person.statementDigest), "server-asserted")).toEqual(["approval[approval_method]", "approval[approval_missing]"]);
    expect(await failuresWith(null, "telepathy")).toEqual(["approval[approval_method]", "approval[approval_missing]"]);
  });
});

describe("an older checkpoint", () => {
  test("that the log continues passes", async () => {
    const report = await verify(files, { old: signedCheckpoint(leaves.slice(0, 8), keys.log) });
    expect(codes(report)).toEqual([]);
    expect(report.findings.find(({ check }) => check === "consistency")?.status).toBe("pass");
    expect((await verify(files, { old: signedCheckpoint(leaves, keys.log) })).verified).toBe(true);
  });

  test("needs no proof where the export holds all of the older log's entries", async () => {
    expect((await verify(files, { old: signedCheckpoint(leaves.slice(0, 3), keys.log) })).verified).toBe(true);
    expect(codes(await verify(files, { old: signedCheckpoint([utf8("x"), ...leaves.slice(1, 3)], keys.log) }))).toEqual(["consistency[fork]"]);
  });

  test("of a changed past, a longer log, a stranger, or without a proof fails", async () => {
    const forked = [utf8("another entry"), ...leaves.slice(1, 8)];
    expect(codes(await verify(files, { old: signedCheckpoint(forked, keys.log) }))).toEqual(["consistency[fork]"]);
    expect(codes(await verify(files, { old: signedCheckpoint([utf8("x"), ...leaves.slice(1)], keys.log) }))).toEqual(["consistency[fork]"]);
    expect(codes(await verify(files, { old: signedCheckpoint([...leaves, utf8("more")], keys.log) }))).toEqual(["consistency[rollback]"]);
    expect(codes(await verify(files, { old: signedCheckpoint(leaves.slice(0, 8), signingKey()) }))).toEqual(["consistency[note_signature_missing]"]);
    expect(codes(await verify(files, { old: signedCheckpoint(leaves.slice(0, 9), keys.log) }))).toEqual(["consistency[consistency_missing]"]);
    expect(codes(await verify(files, { old: signedCheckpoint([], keys.log, `${origin}2`) }))).toEqual(["consistency[note_signature_missing]"]);
  });
});
