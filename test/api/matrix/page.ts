import { table } from "../../../scripts/docs/block.ts";
import { endpointRows, endpoints, type Endpoint, type EndpointRow } from "./endpoints.ts";
import { storeColumns, storeRows, type StoreColumn, type StoreRow } from "./files.ts";
import type { Row } from "./measure.ts";
import { callerRows } from "./rows-caller.ts";
import { detectionRows, toolRows } from "./rows-detection.ts";
import { fullRows, gatewayRows } from "./rows-gateway.ts";
import { providerRows } from "./rows-provider.ts";
import { askingRows, standingRows } from "./rows-standing.ts";
import { columns, type Column } from "./surfaces.ts";

export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

export const sections: readonly Section[] = [
  { title: "Standing of the caller", rows: standingRows },
  { title: "What the call asks for", rows: askingRows },
  { title: "What is found", rows: detectionRows },
  { title: "Tools that the answer calls", rows: toolRows },
  { title: "Faults of the provider", rows: providerRows },
  { title: "Faults of the caller", rows: callerRows },
  { title: "Faults of the gateway, and changes under way", rows: [...gatewayRows, ...fullRows] },
];

/** What happened, by case and column. */
export interface Measured {
  readonly cells: Map<Row, Map<Column, string>>;
  readonly others: Map<EndpointRow, Map<Endpoint, string>>;
  readonly stored: Map<StoreRow, Map<StoreColumn, string>>;
  /** Without file descriptors: what was asked, and what happened. */
  readonly fewFiles: Map<string, string>;
}

/** What a cell should say; undefined for a case that a surface does not have. */
export function expected({ expect, on, variant }: Row, column: Column): string | undefined {
  const { surface, stream } = column;
  if (on?.(column) === false || (variant !== undefined && surface.variants[variant] === undefined)) return undefined;
  if (typeof expect === "string") return expect;
  const mode = stream ? "stream" : "json";
  const keys = [surface.id, ...(surface.speaks ? ["speaks"] : []), mode, "any"];
  const key = keys.find((each) => expect[each] !== undefined);
  return key === undefined ? undefined : expect[key];
}

const absent = "–";

export function page({ cells, others, stored, fewFiles }: Measured): string {
  const count = [...cells.values(), ...others.values(), ...stored.values(), fewFiles].reduce((sum, row) => sum + row.size, 0);
  const titles = columns.map(({ title }) => title);
  const parts = sections.map(({ title, rows }) => `## ${title}\n\n${table(["case", ...titles], rows.map((row) => [row.title, ...columns.map((column) => cells.get(row)?.get(column) ?? absent)]))}\n`);
  const rest = table(["case", ...endpoints.map((endpoint) => endpoint.title)], endpointRows.map((row) => [row.title, ...endpoints.map((endpoint) => others.get(row)?.get(endpoint) ?? absent)]));
  const files = table(["case", ...storeColumns.map(({ title }) => title)], storeRows.map((row) => [row.title, ...storeColumns.map((column) => stored.get(row)?.get(column) ?? absent)]));
  return [intro(count), ...parts, `## Files and batches\n\n${filesIntro}\n\n${files}\n`, `## Endpoints that call no model\n\n${rest}\n`, `## Out of file descriptors\n\n${fewFilesIntro}\n\n${table(["case", "what happens"], [...fewFiles])}\n`].join("\n");
}

const filesIntro = `Below \`/openai/v1\`. What an operation uses was stored a moment before, by the same system.`;

const fewFilesIntro = `A gateway process of its own that may open few files, with connections held open until no more are to be had. Every
request that its provider got has its durable decision here too.`;

function intro(count: number): string {
  return `# What the gateway does in every case

Each of these ${count} cells was measured: a real gateway on sockets, before a provider that behaves as the case says, with a
real evidence log and the policies that come with Licet. The page is written by the test that measures it, and the test
fails where the page says something else: \`npx vitest run --project api test/api/gateway-matrix.test.ts\`, with
\`LICET_WRITE_DOCS=1\` to write it anew.

For every cell it is checked besides that

- every request that the provider got had its decision in the log, durable, before a byte of it was sent
- every allowed decision has exactly one outcome, and no other decision has one (where the log itself fails, at most one)
- an answer ends cleanly only when its outcome says \`complete\`; a stream that is broken off has the surface's own error event
  last, lacks its last event, and its connection is destroyed
- a refusal is in the form of its own surface, and the decision that it names stands in the log
- of a value that was stopped neither the value nor its beginning reaches the other side, and no record holds it
- the caller's credential does not reach the provider, nor the provider's key the caller or a record
- when the caller goes, the provider is let go

How to read a cell: \`403 \`code\`\` is an error answer; "stream broken off" an answer that had begun; "flag: goes out, comes
back" says what detection did, and what became of the value on its way out and back; "${absent}" a case that a surface does not have.
A code is explained in [errors.md](errors.md#gateway).
`.replace("`403 `code``", "403 `code`");
}
