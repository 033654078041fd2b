import { canonicalize, formatTlogProof, logInMemory, packInMemory, parsePackEntry, verifyLog, verifyPack, type Report } from "@licet/evidence";
import { verifyBundleFile } from "../../packages/evidence/src/verify/bundle-file.ts";
import { verifyProofFile } from "../../packages/evidence/src/verify/proof-file.ts";
import { seeded } from "../../packages/licet/src/ledger/log-fixture.ts";
import { mutantOf, type FileMutant } from "../../test/unit/verifier/mutants.ts";
import { decision, productLog, type ProductLog } from "../../test/unit/verifier/product-log.ts";
import { exportPack, signingKey, story, trustFile, type Files } from "../../test/unit/verifier/story.ts";
import type { Proof } from "./proof.ts";

/** Something that a stranger verifies. */
interface Subject {
  readonly name: string;
  readonly files: Files;
  verify(files: Files): Promise<Report>;
  /** Whether an accepted mutant lies in a documented class: its report is the original's to the letter by then. */
  excused(mutant: FileMutant): boolean;
}

const nothing = () => false;

/** What is between the members of a JSON file is signed by nobody and says nothing. */
function sameJson(files: Files): (mutant: FileMutant) => boolean {
  return ({ path, files: changed }) => {
    const read = (bytes: Uint8Array | undefined) => canonicalize(JSON.parse(text(bytes)));
    return read(files.get(path)) === read(changed.get(path));
  };
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

/** Signature lines by keys that nobody listed are ignored (C2SP signed-note): all else must be as it was. */
function sameButSigners(files: Files): (mutant: FileMutant) => boolean {
  return ({ path, files: changed }) => {
    const before = text(files.get(path)).split("\n");
    const known = new Set(before);
    const after = text(changed.get(path)).split("\n").filter((line) => known.has(line) || !line.startsWith("— "));
    return after.join("\n") === before.join("\n");
  };
}

async function exported(): Promise<Subject> {
  const keys = { log: signingKey(), statement: signingKey() };
  const { files } = await exportPack(story(keys), { keys, since: 4 });
  const trust = trustFile(keys);
  return { name: "export", files, verify: (changed) => verifyPack({ source: packInMemory(changed), trust }), excused: nothing };
}

async function published(product: ProductLog): Promise<Subject> {
  const files = await product.published();
  const read = new Set<string>();
  const source = logInMemory(files);
  const trust = product.trust();
  await verifyLog({ source: { read: (path, max) => (read.add(path), source.read(path, max)) }, trust });
  return {
    name: "log",
    files,
    verify: (changed) => verifyLog({ source: logInMemory(changed), trust }),
    excused: (mutant) => (mutant.path.endsWith("checkpoint") ? sameButSigners(files)(mutant) : !read.has(mutant.path) && mutant.path.includes(".p/")),
  };
}

/** One file of its own. */
function single(name: string, bytes: Uint8Array, verify: (bytes: Uint8Array) => Promise<Report>, excused: "json" | "signers"): Subject {
  const files: Files = new Map([[name, bytes]]);
  const absent = new Uint8Array(0);
  return { name, files, verify: (changed) => verify(changed.get(name) ?? absent), excused: excused === "json" ? sameJson(files) : sameButSigners(files) };
}

function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Statement, bundle and proof of one entry that the product wrote. */
async function loose(product: ProductLog): Promise<readonly Subject[]> {
  const trust = product.trust();
  const statement = product.keys.signStatement({ _type: "https://in-toto.io/Statement/v1", subject: [{ name: "release", digest: { sha256: "ab".repeat(32) } }], predicateType: "https://licet.dev/test/v1", predicate: { said: "so" } });
  const { payloadType, payload, signatures } = statement;
  const envelope = { payloadType, payload, signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })) };
  const index = await product.append({ body: { statement: envelope } });
  const checkpoint = await product.log.publish();
  const size = product.log.size;
  const proof = (await product.log.inclusionProof(index, size)).map((hash) => new Uint8Array(hash));
  const tlogProof = formatTlogProof({ index, proof, checkpoint });
  const entry = parsePackEntry((await product.export()).get(`entries/${index}.json`) ?? new Uint8Array(0));
  if (!entry.ok || entry.value.payload === undefined || !("key" in entry.value.payload)) throw new Error("the export shows no payload for the entry");
  const { ciphertext, key } = entry.value.payload;
  const { leaf } = entry.value;
  return [
    single("statement", bytesOf(envelope), (bundle) => verifyBundleFile({ bundle, trust }), "json"),
    single("bundle", bytesOf({ statement: envelope, leaf, tlogProof, payload: { ciphertext, key } }), (bundle) => verifyBundleFile({ bundle, trust }), "json"),
    single("proof", new TextEncoder().encode(tlogProof), (bytes) => verifyProofFile({ proof: bytes, entry: new TextEncoder().encode(leaf), trust }), "signers"),
  ];
}

async function subjects(product: ProductLog): Promise<readonly Subject[]> {
  for (let seq = 1; seq <= 300; seq += 1) {
    await product.append(seq % 3 === 0 ? {} : decision(Math.ceil((seq * 2) / 3)));
    if (seq % 100 === 0) await product.log.publish();
  }
  const others = await loose(product);
  return [await exported(), await published(product), ...others];
}

const told = ({ verified, findings }: Report) => canonicalize({ verified, findings: findings.map((finding) => ({ ...finding })) });

/** Each with what its verification answers while nothing was changed. */
type Original = Subject & { readonly answer: string };

async function originals(product: ProductLog): Promise<readonly Original[]> {
  return Promise.all((await subjects(product)).map(async (subject) => {
    const report = await subject.verify(subject.files);
    if (!report.verified) throw new Error(`the unchanged ${subject.name} is rejected, so rejecting its mutants proves nothing: ${told(report)}`);
    return { ...subject, answer: told(report) };
  }));
}

async function verdictOn(subject: Original, mutant: FileMutant): Promise<"rejected" | "excused" | "accepted"> {
  const report = await subject.verify(mutant.files);
  if (!report.verified) return "rejected";
  return told(report) === subject.answer && subject.excused(mutant) ? "excused" : "accepted";
}

export const packMutants: Proof = {
  name: "pack-mutants",
  promise: "the verifier rejects every changed export, log, statement, bundle and proof, or answers to the letter what it answers to the unchanged one and the change lies in a documented class",
  covers: ["packages/evidence/src"],
  async run({ seed, goOn }) {
    const random = seeded(seed);
    const product = await productLog();
    const counts = new Map<string, number>([["mutants", 0]]);
    const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
    const losses: string[] = [];
    try {
      const all = await originals(product);
      do {
        const subject = all[Math.floor(random() * all.length)];
        const mutant = subject && mutantOf(subject.files, random);
        if (subject === undefined || mutant === undefined) continue;
        const verdict = await verdictOn(subject, mutant);
        for (const name of ["mutants", subject.name, verdict]) count(name);
        if (verdict === "accepted") losses.push(`seed ${seed}, mutant ${counts.get("mutants")}: ${subject.name}, ${mutant.path} ${mutant.kind} was accepted`);
      } while (goOn() || counts.get("mutants") === 0);
      return { figures: Object.fromEntries(counts), losses };
    } finally {
      await product.close();
    }
  },
};
