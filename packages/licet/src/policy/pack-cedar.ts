import { join } from "node:path";
import { LicetError, type PackSource } from "@licet/contract";
import { diagnostic, type Diagnostic } from "../inventory/diagnostic.ts";
import { sourceText } from "../inventory/source-text.ts";
import { capPolicyText, capSchemaText, nestingMax } from "./caps.ts";
import type { OpenedPacks } from "./pack-folder.ts";
import type { Finding } from "./pack-span.ts";

/** One Cedar file of a folder. */
export interface PolicyFile {
  readonly pack: PackSource;
  readonly file: string;
  readonly text: string;
}

export function filesOf(opened: OpenedPacks): readonly PolicyFile[] {
  return opened.packs.flatMap((pack) => pack.policies.map(({ path, text }): PolicyFile => ({ pack, file: fileOf(opened, pack, path), text })));
}

export function fileOf(opened: OpenedPacks, pack: PackSource, path: string): string {
  return join(opened.folders.get(pack.name) ?? opened.folder, path);
}

interface NamedSource {
  readonly file: string;
  readonly text: string;
}

export function cedarDiagnostic({ message, help, start, end }: Finding, { file, text }: NamedSource): Diagnostic {
  return diagnostic({ code: "policy_invalid", message: plain(message), path: [], ...(help === null ? {} : { fix: plain(help) }) }, [start, end], { ...sourceText(text), file });
}

function plain(message: string): string {
  const first = message.replace(/^failed to parse policies from string: /u, "");
  return `${first.charAt(0).toLowerCase()}${first.slice(1)}`.replace(/\.$/u, "");
}

const openers = new Set(["(", "[", "{"]);
const closers = new Set([")", "]", "}"]);

/** Where a text is more than the parser could bear. */
export function capProblem({ file, text }: NamedSource): readonly Diagnostic[] {
  try {
    (file.endsWith(".cedarschema") ? capSchemaText : capPolicyText)(text);
    return [];
  } catch (error) {
    if (!(error instanceof LicetError)) throw error;
    const at = steepest(text);
    return [diagnostic({ code: error.code, message: error.message, path: [] }, [at, at + 1], { ...sourceText(text), file })];
  }
}

/** Where brackets first nest too deep, else the beginning. */
function steepest(text: string): number {
  const bare = text.replaceAll(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*/gu, (part) => " ".repeat(part.length));
  let depth = 0;
  for (let at = 0; at < bare.length; at++) {
    const sign = bare.charAt(at);
    if (openers.has(sign) && ++depth > nestingMax) return at;
    if (closers.has(sign)) depth--;
  }
  return 0;
}
