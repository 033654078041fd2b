import { readDecisionBatch, verifyDecisionBatch, outcomeKind, type DecisionBatch } from "../decision-batch.ts";
import { leafBytes } from "../leaf.ts";
import { parseJsonFile, type PackManifest } from "../pack.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { verifyStatement } from "../statement.ts";
import { keysAt, type Trust } from "../trust.ts";
import type { OpenedEntry, ProvedEntry } from "./entries.ts";
import { count, fail, pass, verdict, type Finding } from "./report.ts";
import { readListed, type PackSource } from "./source.ts";

const pathPattern = /^batches\/(0|[1-9]\d{0,5})\.json$/;

export interface BatchContext {
  readonly manifest: PackManifest;
  readonly trust: Trust;
  readonly entries: readonly ProvedEntry[];
  readonly opened: readonly OpenedEntry[];
}

/** Each statement over a gateway's decisions: signed, and over exactly the records that are in the pack. One for each sequence, or none at all. */
export async function checkBatches(source: PackSource, context: BatchContext): Promise<readonly Finding[]> {
  const files = context.manifest.files.filter(({ path }) => path.startsWith("batches/"));
  if (files.length === 0) return [];
  const failures: Finding[] = [];
  const batches: DecisionBatch[] = [];
  for (const file of files) {
    const bytes = await readListed(source, file);
    const batch = bytes.ok ? await checkBatch(bytes.value, file.path, context) : bytes;
    if (batch.ok) batches.push(batch.value);
    else failures.push(fail("decision", batch.code, `\`${file.path}\`: ${batch.message}`));
  }
  for (const { gateway, from, to } of context.manifest.sequences) {
    const found = batches.filter((batch) => batch.gateway === gateway && batch.from === from && batch.to === to).length;
    if (found !== 1 && failures.length === 0) failures.push(fail("decision", "batch_missing", `${count(found, "statement is", "statements are")} over \`${gateway}\` ${from} to ${to}, and there must be one`));
  }
  const records = batches.reduce((sum, batch) => sum + batch.count, 0);
  return verdict(failures, pass("decision", `${count(batches.length, "signed statement covers", "signed statements cover")} ${count(records, "numbered record")} by one root for each gateway run`));
}

async function checkBatch(bytes: Uint8Array, path: string, { manifest, trust, entries, opened }: BatchContext): Promise<Parsed<DecisionBatch>> {
  const json = parseJsonFile(bytes);
  if (!json.ok) return json;
  if (!pathPattern.test(path)) return refused("batch_path", "the file's name is not a number");
  const verified = await verifyStatement(json.value, keysAt(trust, manifest.exportedAt));
  if (!verified.ok) return verified;
  const batch = readDecisionBatch(verified.value.statement);
  if (!batch.ok) return batch;
  const { space, origin, gateway, from, to, at } = batch.value;
  if (space !== manifest.space || origin !== manifest.origin || at > manifest.exportedAt) return refused("batch_other_pack", "it is about another space, another log or a later time than the export");
  const inRange = ({ leaf }: ProvedEntry): boolean => leaf.gateway === gateway && leaf.seq !== undefined && from <= leaf.seq && leaf.seq <= to;
  const records = entries.filter(inRange).toSorted((left, right) => (left.leaf.seq ?? 0) - (right.leaf.seq ?? 0));
  const whole = verifyDecisionBatch(batch.value, records.map(({ leaf }) => leafBytes(leaf)));
  if (!whole.ok) return whole;
  const indices = records.map(({ index }) => index);
  const [first, last] = [indices.reduce((left, right) => Math.min(left, right), Infinity), indices.reduce((left, right) => Math.max(left, right), -1)];
  if (first !== batch.value.firstIndex || last !== batch.value.lastIndex) return refused("batch_place", "its records do not stand where it says");
  return countsFit(batch.value, opened.filter(inRange)) ? parsed(batch.value) : refused("batch_decisions", "it counts other decisions than the export shows");
}

/** What was erased before or after the statement may be shown by its leaf only; more than was counted may not be shown. */
function countsFit({ decisions, outcomes, count: total }: DecisionBatch, opened: readonly OpenedEntry[]): boolean {
  const said = opened.filter(({ leaf }) => leaf.kind !== outcomeKind).map(({ plaintext }) => plaintext.body["decision"]);
  const allow = said.filter((decision) => decision === "allow").length;
  const deny = said.filter((decision) => decision === "deny").length;
  const closed = total - outcomes - said.length;
  const most = { allow: decisions.allow + decisions.unknown, deny: decisions.deny + decisions.unknown };
  return allow + deny === said.length && allow <= most.allow && deny <= most.deny && allow + closed >= decisions.allow && deny + closed >= decisions.deny;
}
