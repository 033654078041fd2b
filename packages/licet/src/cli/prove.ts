import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, resolve, sep } from "node:path";
import { LicetError } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** The text that a verifier reads; its fingerprint does not depend on the spelling. */
export function writeTrust(file: string, trust: Readonly<Record<string, unknown>>): void {
  writeFileSync(file, `${JSON.stringify(trust, null, 2)}\n`);
}

export async function runTrustExport(options: ServerOptions & { readonly out: string; readonly force?: boolean }, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(options.out) && options.force !== true) throw new LicetError("already_exists", { message: `\`${options.out}\` exists already` });
  const { client, space } = connect(options);
  const log = await client("showLog", { params: { space } });
  writeTrust(options.out, log.trust);
  terminal.out(`wrote ${options.out}`);
  terminal.out(`fingerprint ${log.trustFingerprint}`);
  terminal.out("compare it over another channel with what the server printed when it first started");
  return exitCodes.fine;
}

/** The server names the paths: none may lead out of the folder. */
function insideFolder(folder: string, path: string): string {
  const target = resolve(folder, normalize(path));
  if (!target.startsWith(resolve(folder) + sep)) throw new LicetError("internal", { message: `the server named a path outside the export: \`${path}\`` });
  return target;
}

export async function runAuditExport(options: ServerOptions & { readonly out: string; readonly system?: string }, terminal: Terminal): Promise<ExitCode> {
  if (existsSync(options.out)) throw new LicetError("already_exists", { message: `\`${options.out}\` exists already` });
  const { client, space } = connect(options);
  const { files } = await client("exportAudit", { params: { space }, body: options.system === undefined ? {} : { system: options.system } });
  let bytes = 0;
  for (const file of files) {
    const path = insideFolder(options.out, file.path);
    const content = Buffer.from(file.content, "base64");
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    bytes += content.length;
  }
  terminal.out(`wrote ${files.length} files, ${bytes} bytes, to ${options.out}`);
  terminal.out(`verify it anywhere: node licet-verify.mjs ${options.out} --trust TRUST.json`);
  terminal.out(`the trust file is not in it: \`licet trust export --out TRUST.json\`, by another way than ${join(options.out, "")}`);
  return exitCodes.fine;
}
