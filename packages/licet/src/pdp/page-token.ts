import { createHash } from "node:crypto";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { canonicalText } from "../ledger/canonical-text.ts";

/** Where a search goes on. It opens nothing: every result is decided again, so it needs no secret. */
const Token = z.tuple([z.string().max(64), z.string().max(4096), z.int().min(0)]);

export function writeToken({ query, after, limit }: { readonly query: unknown; readonly after: string; readonly limit: number }): string {
  return Buffer.from(JSON.stringify([queryDigest(query), after, limit])).toString("base64url");
}

/** Undefined for what is no token, and for that of another search. */
export function readToken(token: string, query: unknown): { readonly after: string; readonly limit: number } | undefined {
  const parsed = Token.safeParse(decoded(token));
  if (!parsed.success) return undefined;
  const [digest, after, limit] = parsed.data;
  return digest === queryDigest(query) ? { after, limit } : undefined;
}

function decoded(token: string): unknown {
  try {
    const value: unknown = parseJson(Buffer.from(token, "base64url").toString("utf8"));
    return value;
  } catch {
    return undefined;
  }
}

function queryDigest(query: unknown): string {
  // A caller's numbers may be ones that canonical JSON refuses, and its texts are compared as they came.
  return createHash("sha256").update(canonicalText(parseJson(JSON.stringify(query)))).digest("base64url");
}
