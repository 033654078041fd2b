import { equalBytes } from "../bytes.ts";
import { parseEnvelope, verifyEnvelope } from "../dsse.ts";
import { manifestBytesMax, manifestEnvelopePath, manifestPath, packPayloadType, parseJsonFile, parseManifest, type PackManifest } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { keysAt, type Trust } from "../trust.ts";
import { count, fail, pass, verdict, type Finding } from "./report.ts";
import { readListed, type PackSource } from "./source.ts";

/** Reads `pack.json` and proves that a trusted statement key, valid at export, has signed exactly its bytes. */
export async function readManifest(source: PackSource, trust: Trust): Promise<Parsed<PackManifest>> {
  const bytes = await source.read(manifestPath, manifestBytesMax);
  if (bytes === undefined) return refused("pack_missing", "there is no readable pack.json: is this an export?");
  const manifest = parseManifest(bytes);
  if (!manifest.ok) return manifest;
  const sealed = await source.read(manifestEnvelopePath, manifestBytesMax * 2);
  if (sealed === undefined) return refused("pack_unsigned", "there is no readable pack.dsse.json");
  const signature = await checkSignature({ bytes, sealed, manifest: manifest.value, trust });
  if (!signature.ok) return signature;
  const origin = manifest.value.shards[0]?.origin ?? "";
  return origin === trust.origin ? manifest : refused("pack_origin", `the export is of the log \`${origin}\`, not of \`${trust.origin}\``);
}

async function checkSignature(of: { readonly bytes: Uint8Array; readonly sealed: Uint8Array; readonly manifest: PackManifest; readonly trust: Trust }): Promise<Parsed<true>> {
  const json = parseJsonFile(of.sealed);
  if (!json.ok) return json;
  const envelope = parseEnvelope(json.value);
  if (!envelope.ok) return envelope;
  const verified = await verifyEnvelope(envelope.value, keysAt(of.trust, of.manifest.exportedAt));
  if (!verified.ok) return verified;
  // An ignored signature would be bytes that anybody can change.
  if (verified.value.signers.length !== envelope.value.signatures.length) return refused("pack_signature_unknown", "a key that is not trusted has signed the pack as well");
  if (verified.value.payloadType !== packPayloadType) return refused("pack_payload_type", "the envelope in pack.dsse.json does not hold a pack");
  return equalBytes(verified.value.payload, of.bytes) ? parsed(true) : refused("pack_differs", "pack.json is not what pack.dsse.json signs");
}

/** Missing, extra and changed files. */
export async function checkFiles(source: PackSource, manifest: PackManifest): Promise<readonly Finding[]> {
  const listed = new Set([manifestPath, manifestEnvelopePath, ...manifest.files.map((file) => file.path)]);
  const failures: Finding[] = [];
  for (const file of await source.list()) {
    if (!listed.has(file.path)) failures.push(fail("files", "file_extra", `\`${file.path}\` is not listed in pack.json`));
    else if (file.size === null) failures.push(fail("files", "file_not_plain", `\`${file.path}\` is not a plain file`));
  }
  for (const file of manifest.files) {
    const bytes = await readListed(source, file);
    if (!bytes.ok) failures.push(fail("files", bytes.code, bytes.message));
  }
  return verdict(failures, pass("files", `${count(manifest.files.length, "file")} as listed, none missing, none extra`));
}
