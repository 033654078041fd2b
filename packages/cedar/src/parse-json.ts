import { CedarError } from "./errors.ts";
import { withOwnKeys, withPlainKeys } from "./json-keys.ts";

/** What the engine tells a reviver of the text a primitive was read from. Not in older engines, nor in TypeScript's library. */
interface SourceContext {
  readonly source?: string;
}

/**
 * `JSON.parse` for Cedar: a long beyond ±(2^53 − 1) becomes a `bigint` where `JSON.parse` alone would round it, and a key
 * with an escape in it is read as what it says, which engines from V8 12.8 on do not always do (`withPlainKeys`).
 * Throws `SyntaxError` as `JSON.parse` does, and `CedarError` (`value_invalid`) in an engine that would round (Node before 22, Safari before 18.4).
 *
 * ```ts
 * parseJson('{"max": 9223372036854775807}'); // { max: 9223372036854775807n }
 * ```
 */
export function parseJson(text: string): unknown {
  const plain = text.includes("\\") ? withPlainKeys(text) : undefined;
  // A text that is none must not become JSON by being written anew.
  if (plain !== undefined) JSON.parse(text);
  // typescript's library declares revivers without their third parameter, which is how engines pass the source.
  const revive: (this: unknown, key: string, value: unknown, context?: SourceContext) => unknown = (_, value, context) => {
    if (typeof value === "number") return Number.isSafeInteger(value) ? value : exact(value, context?.source);
    return plain === undefined ? value : withOwnKeys(value, plain.hidden);
  };
  return JSON.parse(plain?.text ?? text, revive);
}

function exact(rounded: number, source: string | undefined): number | bigint {
  if (source === undefined) throw new CedarError("value_invalid", "", "this engine rounds numbers beyond 2^53 when it reads JSON: use a newer one");
  return /^-?[0-9]+$/u.test(source) ? BigInt(source) : rounded;
}
