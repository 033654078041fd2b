import { CedarError } from "./errors.ts";

/** What the engine tells a reviver of the text a primitive was read from. Not in older engines, nor in TypeScript's library. */
interface SourceContext {
  readonly source?: string;
}

/**
 * `JSON.parse` for Cedar: a long beyond ±(2^53 − 1) becomes a `bigint` where `JSON.parse` alone would round it.
 * Throws `SyntaxError` as `JSON.parse` does, and `CedarError` (`value_invalid`) in an engine that would round (Node before 22, Safari before 18.4).
 *
 * ```ts
 * parseJson('{"max": 9223372036854775807}'); // { max: 9223372036854775807n }
 * ```
 */
export function parseJson(text: string): unknown {
  // typescript's library declares revivers without their third parameter, which is how engines pass the source.
  const revive: (this: unknown, key: string, value: unknown, context?: SourceContext) => unknown = (_, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) ? exact(value, context?.source) : value;
  return JSON.parse(text, revive);
}

function exact(rounded: number, source: string | undefined): number | bigint {
  if (source === undefined) throw new CedarError("value_invalid", "", "this engine rounds numbers beyond 2^53 when it reads JSON: use a newer one");
  return /^-?[0-9]+$/u.test(source) ? BigInt(source) : rounded;
}
