/**
 * Writes the generated parts of docs/*.md from the code; docs/errors.md is made by docs-errors.ts:
 *
 *   node --conditions=source scripts/docs-reference.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withBlock } from "./docs/block.ts";
import { commandReference } from "./docs/commands.ts";
import { limitTable } from "./docs/limits.ts";
import { manifestReference } from "./docs/manifest.ts";
import { requirementTable, runtimeTable } from "./docs/requirements.ts";
import { roleTable } from "./docs/roles.ts";

const docs = join(import.meta.dirname, "..", "docs");

/** Page, block, and what the code says today. */
export const blocks = [
  { page: "cli.md", name: "commands", content: commandReference },
  { page: "manifest.md", name: "fields", content: manifestReference },
  { page: "gates.md", name: "requirements", content: requirementTable },
  { page: "gates.md", name: "limits", content: limitTable },
  { page: "gateway.md", name: "policies", content: runtimeTable },
  { page: "identity.md", name: "roles", content: roleTable },
] as const;

if (import.meta.main) {
  for (const { page, name, content } of blocks) {
    const path = join(docs, page);
    writeFileSync(path, withBlock(readFileSync(path, "utf8"), name, content()));
  }
}
