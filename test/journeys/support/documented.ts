import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.ts";

export interface DocumentedCommand {
  readonly file: string;
  readonly command: string;
  /** What the document says about it on the same line. */
  readonly comment: string;
}

const starts = /^(?:[A-Z_]+=\S+ +)*(?:npx|npm|node|licet|curl|export) /u;

/** Every command line in a document's code blocks, fenced or indented, with continued lines joined. */
export function commandsIn(file: string): readonly DocumentedCommand[] {
  const found: DocumentedCommand[] = [];
  let fenced = false;
  let pending = "";
  for (const line of readFileSync(join(root, file), "utf8").split("\n")) {
    if (line.startsWith("```")) fenced = !fenced;
    if (!fenced && !/^ {4,}\S/u.test(line)) continue;
    const text = `${pending}${line.trim()}`;
    pending = "";
    if (text.endsWith("\\")) {
      pending = `${text.slice(0, -1).trimEnd()} `;
      continue;
    }
    if (!starts.test(text)) continue;
    const [command = "", comment = ""] = text.split(/ {2,}# |\s+# /u, 2);
    found.push({ file, command: command.trim().replaceAll(/ {2,}/gu, " "), comment: comment.trim() });
  }
  return found;
}

/** The documents that tell a reader to type something; which of them exist is not this module's business. */
export function documents(): readonly string[] {
  const inDocs = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  const others = ["CONTRIBUTING.md", "SECURITY.md", "ARCHITECTURE.md", "examples/helpdesk-assistant/README.md", "examples/tumour-classifier/README.md", "packages/evidence/README.md"];
  return [...inDocs, ...others.filter((file) => existsSync(join(root, file)))];
}
