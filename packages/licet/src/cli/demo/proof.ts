import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { writeTrust } from "../prove.ts";
import { space } from "./cast.ts";
import { runExample, type Stage } from "./stage.ts";

/** The verifier is one file without dependencies; in a checkout it lies where the build put it. */
function verifierFile(): string | undefined {
  for (let at = import.meta.dirname; dirname(at) !== at; at = dirname(at)) {
    const file = join(at, "evidence", "dist", "licet-verify.mjs");
    if (existsSync(file)) return file;
  }
  return undefined;
}

function flipOneByte(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

export async function proofStory(stage: Stage): Promise<void> {
  const { cast, say, folder } = stage;
  say.title("Proof for somebody who does not trust us");
  const pack = join(folder, "audit");
  const trust = join(folder, "trust.json");
  say.command("licet trust export --out trust.json && licet audit export --out audit");
  const { files } = await cast.auditor.client("exportAudit", { params: { space }, body: {} });
  for (const file of files) {
    mkdirSync(dirname(join(pack, file.path)), { recursive: true });
    writeFileSync(join(pack, file.path), Buffer.from(file.content, "base64"));
  }
  const log = await cast.auditor.client("showLog", { params: { space } });
  writeTrust(trust, log.trust);
  say.good(`${files.length} files; trust fingerprint ${log.trustFingerprint}`);
  const verifier = verifierFile();
  if (verifier === undefined) {
    say.refused("the verifier is not built: npm run build");
    return;
  }
  say.command("node licet-verify.mjs audit --trust trust.json");
  const verified = await runExample(verifier, [pack, "--trust", trust], {});
  for (const line of verified.output.split("\n").slice(-14)) say.item(line);
  if (verified.code !== 0) throw new Error("the export does not verify");
  say.text("One byte of it changed:");
  const victim = files.find((file) => file.path.startsWith("entries/"));
  if (victim === undefined) return;
  flipOneByte(join(pack, victim.path));
  const broken = await runExample(verifier, [pack, "--trust", trust], {});
  say.refused(`exit ${broken.code}: ${broken.output.split("\n").find((line) => line.includes("FAIL")) ?? "rejected"}`);
  writeFileSync(join(pack, victim.path), Buffer.from(victim.content, "base64"));
}
