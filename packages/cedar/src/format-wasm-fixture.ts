import { policyToJson, type PolicyJson as WasmPolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const corpus = fileURLToPath(new URL("../../../../shared/policy/cedar-corpus.tar.gz", import.meta.url));
export const corpusIsHere = existsSync(corpus);
export const domain = fileURLToPath(new URL("../../../../shared/policy/domain/licet.cedar", import.meta.url));

/** Files of the corpus whose name ends so, by name; a reader of plain tar, which is all that the archive is. */
export function* corpusFiles(ending: string): Generator<readonly [string, string]> {
  const tar = gunzipSync(readFileSync(corpus));
  const field = (from: number, to: number) => tar.toString("latin1", from, to).replace(/\0.*$/su, "");
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = field(at, at + 100);
    const size = Number.parseInt(field(at + 124, at + 136), 8) || 0;
    if (name.endsWith(ending)) yield [name, tar.toString("utf8", at + 512, at + 512 + size)];
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** What cedar-wasm must be given for a long that no number holds: text that JSON.stringify copies. */
export function forWasm(value: unknown): unknown {
  if (typeof value === "bigint") return rawJson(String(value));
  if (Array.isArray(value)) return value.map(forWasm);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, forWasm(each)]));
}

function rawJson(text: string): unknown {
  return "rawJSON" in JSON && typeof JSON.rawJSON === "function" ? JSON.rawJSON(text) : Number(text);
}

/** The JSON form that cedar-wasm reads from a text. Its glue calls the global JSON.parse, which would round long numbers. */
export function wasmPolicyJson(text: string): WasmPolicyJson | string {
  const { parse } = JSON;
  JSON.parse = (json: string) => exactly(parse, json);
  try {
    const answer = policyToJson(text);
    return answer.type === "success" ? answer.json : answer.errors.map((error) => error.message).join("; ");
  } finally {
    JSON.parse = parse;
  }
}

function exactly(parse: typeof JSON.parse, json: string): unknown {
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }) => (typeof value === "number" && !Number.isSafeInteger(value) ? BigInt(context?.source ?? value) : value);
  return parse(json, revive);
}
