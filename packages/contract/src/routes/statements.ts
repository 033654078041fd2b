import { z } from "zod";
import { Digest, Envelope, Id, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";

const inSpace = z.object({ space: Slug });

/** How a statement may leave: as it is signed, as others' tools read it, or derived and signed on request. */
export const statementFormats = ["dsse", "sigstore", "svr", "vsa", "test-result", "tlog-proof"] as const;
export const StatementFormat = z.enum(statementFormats).meta({ id: "StatementFormat" });
export type StatementFormat = z.output<typeof StatementFormat>;

export const StatementExport = z
  .strictObject({
    entry: Id,
    index: z.int().describe("the entry's number in the log"),
    kind: z.string(),
    format: StatementFormat,
    mediaType: z.string(),
    content: z.string().describe("the file, exactly"),
    leaf: z.string().nullable().describe("with a proof: the leaf that it proves, exactly as logged"),
  })
  .meta({ id: "StatementExport" });
export type StatementExport = z.output<typeof StatementExport>;

const count = z.int().nonnegative();

/** What the log knows of a model's calls on one UTC day. */
export const UsageRow = z
  .strictObject({
    day: Time.describe("00:00 UTC"),
    provider: z.string().nullable(),
    model: z.string().describe("as the provider was asked for it"),
    calls: count.describe("allowed calls, each of which may have reached the provider"),
    answered: count.describe("calls whose end is recorded"),
    tokensUnknown: count.describe("calls of which the provider said no token counts, as in a stream that was cut"),
    inputTokens: count.describe("of the calls that have counts"),
    outputTokens: count,
  })
  .meta({ id: "UsageRow" });
export type UsageRow = z.output<typeof UsageRow>;

const size = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const time = z.coerce.number().int().min(0).max(8_640_000_000_000_000);
/** A year of days, and some. */
export const usageDaysMax = 400;
const Gateway = z.string().min(1).max(200);

export const statementRoutes = {
  exportStatement: { method: "GET", path: "/api/spaces/:space/log/entries/:entry/statement", permission: "log.read", summary: "The signed statement in an entry, in a format that others read; an entry by its id or number, or an authorization by its id", params: z.object({ space: Slug, entry: z.string().min(1).max(80) }), query: z.object({ format: StatementFormat.default("dsse") }), response: StatementExport },
  proveConsistency: { method: "GET", path: "/api/spaces/:space/log/consistency", permission: "log.read", summary: "The proof that a later tree begins with an earlier one", params: inSpace, query: z.object({ from: size, to: size.optional().describe("default: that of the current checkpoint"), origin: z.string().max(300).optional().describe("of an earlier shard; default: the current log") }), response: z.strictObject({ origin: z.string(), from: z.int(), to: z.int(), proof: z.array(z.string()).describe("base64 hashes, RFC 6962 section 2.1.2"), checkpoint: z.string().nullable().describe("the signed checkpoint of that log, the newest there is") }) },
  signDecisions: { method: "POST", path: "/api/spaces/:space/gateways/:gateway/statement", permission: "audit.export", summary: "One signed statement over the numbered records of a gateway run", params: z.object({ space: Slug, gateway: Gateway }), body: z.strictObject({ from: z.int().min(1).optional(), to: z.int().min(1).optional() }), response: z.strictObject({ statement: Envelope, root: Digest, from: z.int(), to: z.int() }) },
  showUsage: { method: "GET", path: "/api/spaces/:space/usage", permission: "audit.export", summary: "What the log knows of calls and tokens, per model and UTC day", params: inSpace, query: z.object({ from: time, to: time.describe("exclusive"), provider: Slug.optional() }), response: z.strictObject({ items: z.array(UsageRow), erasures: count.describe("erasures that may have taken calls of the period with them: such a call is in no row, and cannot be told from one that was never logged") }) },
} as const satisfies Routes;
