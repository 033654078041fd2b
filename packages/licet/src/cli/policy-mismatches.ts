import type { PolicyMismatch } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

interface MismatchesOptions extends ServerOptions {
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

/** 0: none was ever found; 1: there are some. */
export async function runPolicyMismatches(options: MismatchesOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const page = await client("listMismatches", { params: { space }, query: { limit: options.limit ?? 50, cursor: options.cursor } });
  if (options.json === true) terminal.out(JSON.stringify(page, null, 2));
  else terminal.out(pageText(page));
  return page.items.length === 0 ? exitCodes.fine : exitCodes.findings;
}

function pageText({ items, next }: { readonly items: readonly PolicyMismatch[]; readonly next: string | null }): string {
  if (items.length === 0) return "no sampled decision ever came out differently";
  const rows = columns([["FOUND", "BUNDLE", "OURS", "CEDAR-WASM", "REQUEST", "ENTRY"], ...items.map(row)]);
  return next === null ? rows : `${rows}\nmore: --cursor ${next}`;
}

function row({ foundAt, bundle, active, ours, reference, request, entry }: PolicyMismatch): readonly string[] {
  return [timeText(foundAt), `${bundle.slice("sha256:".length, "sha256:".length + 12)}${active ? " (active)" : ""}`, JSON.stringify(ours), JSON.stringify(reference), request.slice(0, "sha256:".length + 12), entry];
}
