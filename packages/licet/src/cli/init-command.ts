import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { LicetError, manifestFileName } from "@licet/contract";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { manifestTemplate } from "./manifest-template.ts";

export interface InitOptions {
  readonly dir: string;
  /** Default: made from the folder's name. */
  readonly name?: string;
  /** Overwrite a manifest that is already there. */
  readonly force?: boolean;
  readonly stdout: (text: string) => void;
}

/** Writes a commented licet.yaml. Never overwrites one unless told to. */
export function runInit({ dir, name, force = false, stdout }: InitOptions): ExitCode {
  const chosen = name ?? nameFrom(basename(resolve(dir)));
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/u.test(chosen)) throw new UsageError(`the name \`${chosen}\` is not lower-case letters, digits and hyphens; give one with --name`);
  const file = join(dir, manifestFileName);
  try {
    mkdirSync(dir, { recursive: true });
    // `wx` fails on an existing file, so that two runs cannot overwrite each other.
    writeFileSync(file, manifestTemplate(chosen), { flag: force ? "w" : "wx" });
  } catch (cause) {
    if (!force && cause instanceof Error && "code" in cause && cause.code === "EEXIST") throw new UsageError(`\`${file}\` exists; overwrite it with --force`);
    throw new LicetError("manifest_unreadable", { message: `\`${file}\` cannot be written`, cause });
  }
  stdout(`wrote ${file}; fill in what is marked, then run: licet validate ${file}`);
  return exitCodes.fine;
}

function nameFrom(folder: string): string {
  const slug = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, "-")
    .replace(/^-+|-+$/gu, "")
    .slice(0, 63);
  return slug === "" ? "my-system" : slug;
}
