/**
 * Writes docs/schemas/<predicate>-v1.json, the published JSON Schema of each of our predicates, from the contract:
 *
 *   node --conditions=source scripts/docs-schemas.ts [--check]
 *
 * With --check nothing is written: exit 1 names what is not the schema of today.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { predicates, type PublishedPredicate } from "@licet/contract";
import { predicateType } from "@licet/evidence";
import { z } from "zod";

const folder = join(import.meta.dirname, "..", "docs", "schemas");

export interface SchemaFile {
  readonly name: string;
  readonly text: string;
}

function schemaFile(name: string, { schema, what, produced }: PublishedPredicate): SchemaFile {
  const { $schema, ...json } = z.toJSONSchema(schema, { target: "draft-2020-12" });
  const comment = produced ? {} : { $comment: "published ahead of its use: no entry of this version holds such a statement" };
  const document = { $schema, $id: predicateType(name), title: `${name}/v1`, description: `Predicate of an in-toto Statement v1: ${what}.`, ...comment, ...json };
  return { name: `${name}-v1.json`, text: `${JSON.stringify(document, null, 2)}\n` };
}

/** Every schema as it is today. */
export function schemaFiles(): readonly SchemaFile[] {
  return Object.entries<PublishedPredicate>(predicates).map(([name, published]) => schemaFile(name, published));
}

function textAt(name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), "utf8");
  } catch {
    return undefined;
  }
}

/** Files that are missing, old, or no predicate's. */
export function outdatedSchemas(): readonly string[] {
  const today = schemaFiles();
  const known = new Set(today.map(({ name }) => name));
  const found = readdirSync(folder).filter((name) => !known.has(name));
  return [...today.filter(({ name, text }) => textAt(name) !== text).map(({ name }) => name), ...found];
}

if (import.meta.main) {
  if (process.argv.includes("--check")) {
    const outdated = outdatedSchemas();
    for (const name of outdated) process.stderr.write(`docs/schemas/${name} is not the schema of today\n`);
    process.exitCode = outdated.length === 0 ? 0 : 1;
  } else {
    mkdirSync(folder, { recursive: true });
    for (const { name, text } of schemaFiles()) writeFileSync(join(folder, name), text);
  }
}
