import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LicetError, PackSources, type PackSource } from "@licet/contract";
import { stringify } from "yaml";
import { packFileName } from "../policy/pack-folder.ts";
import { readBundle } from "../policy/bundle.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface PullOptions extends ServerOptions {
  readonly file: string;
  readonly digest?: string;
  readonly packs?: string;
}

/** Saves a bundle after proving it: its content has its digest, and its golden decisions come out as recorded. */
export async function runPolicyPull({ file, digest, packs: folder, ...server }: PullOptions, terminal: Terminal): Promise<ExitCode> {
  const asked = digest ?? "active";
  if (asked !== "active" && !/^sha256:[0-9a-f]{64}$/u.test(asked)) throw new UsageError("--digest takes `sha256:` and 64 hexadecimal digits");
  const { client, space } = connect(server);
  const view = await client("showBundle", { params: { space, digest: asked } });
  if (digest !== undefined && view.digest !== digest) throw new LicetError("policy_bundle_changed");
  readBundle(JSON.stringify(view.bundle), view.digest);
  const text = JSON.stringify(view, null, 2);
  if (file === "-") terminal.out(text);
  else writeFileSync(file, `${text}\n`);
  if (folder !== undefined) for (const pack of PackSources.parse(view.packs)) writePack(folder, pack);
  terminal.err(`${view.digest}${file === "-" ? "" : ` in \`${file}\``}${folder === undefined ? "" : `; ${view.packs.length} own packs below \`${folder}\``}`);
  return exitCodes.fine;
}

/** File names were checked against their form by the contract: none leads out of the folder. */
function writePack(folder: string, { name, manifest, schema, policies, scenarios }: PackSource): void {
  const at = join(folder, "packs", name);
  const files = [{ path: packFileName, text: stringify(manifest, { lineWidth: 120 }) }, ...(schema === undefined ? [] : [{ path: `${name}.cedarschema`, text: schema }]), ...policies, ...scenarios];
  for (const { path, text } of files) {
    mkdirSync(dirname(join(at, path)), { recursive: true });
    writeFileSync(join(at, path), text);
  }
}
