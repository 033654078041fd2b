import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LicetError, Slug } from "@licet/contract";
import { quoted } from "../inventory/diagnostic.ts";
import { builtinBundle } from "../policy/builtin.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { applicationPack, licetPack, type ScaffoldFile } from "./policy-scaffold.ts";
import type { Terminal } from "./terminal.ts";

interface NewOptions {
  readonly name: string;
  readonly folder: string;
  readonly kind: "baseline" | "team" | "application";
  readonly system?: readonly string[];
  readonly json?: boolean;
}

/** Writes a pack that passes `licet policy check` and `licet policy test` as it stands. Never writes over anything. */
export async function runPolicyNew(options: NewOptions, terminal: Terminal): Promise<ExitCode> {
  const { name, kind, system } = options;
  if (!Slug.safeParse(name).success) throw new UsageError(`${quoted(name)} is not a pack's name: lower-case letters, digits and hyphens`);
  if (kind === "team" && system === undefined) throw new UsageError("a team pack tightens named systems: give --system NAME");
  if (kind !== "team" && system !== undefined) throw new UsageError("--system goes with --kind team");
  const bundle = builtinBundle();
  if (bundle.packs.some((pack) => pack.name === name)) throw new UsageError(`the installation has a pack ${quoted(name)}: choose another name`);
  const folder = join(options.folder, "packs", name);
  if (existsSync(folder)) throw new LicetError("already_exists", { message: `${quoted(folder)} exists` });
  const files = kind === "application" ? applicationPack(name) : licetPack({ name, kind, systems: system ?? [], bundle });
  for (const file of files) write(folder, file);
  if (options.json === true) terminal.out(JSON.stringify({ folder, files: files.map(({ path }) => path) }, null, 2));
  else terminal.out([...files.map(({ path }) => `wrote ${join(folder, path)}`), `next: licet policy check${shown(options.folder)} && licet policy test${shown(options.folder)}`].join("\n"));
  return exitCodes.fine;
}

function shown(folder: string): string {
  return folder === "policies" ? "" : ` ${folder}`;
}

function write(folder: string, { path, text }: ScaffoldFile): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { flag: "wx" });
}
