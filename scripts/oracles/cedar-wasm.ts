import { createRequire } from "node:module";
import type * as Cedar from "@cedar-policy/cedar-wasm/nodejs";

const require = createRequire(import.meta.url);
const module = "@cedar-policy/cedar-wasm/nodejs";

type Wasm = typeof Cedar;

/** What cedar-wasm says of one request: an answer, or that it does not take policies, entities or request. */
export type WasmAnswer =
  | { readonly kind: "answer"; readonly decision: string; readonly reasons: readonly string[]; readonly errors: readonly string[] }
  | { readonly kind: "refused"; readonly message: string };

export interface Call {
  readonly principal: unknown;
  readonly action: unknown;
  readonly resource: unknown;
  readonly context: unknown;
  readonly entities: unknown;
}

/** cedar-wasm, started anew when a call kills its instance. Policies and schemas it keeps by name; a name is used again. */
export class CedarWasm {
  #wasm: Wasm = require(module);
  deaths = 0;

  setPolicies(policies: unknown): string | undefined {
    return this.#refusal(() => this.#wasm.preparsePolicySet("p", forWasm(policies) as Cedar.PolicySet));
  }

  setSchema(schema: unknown): string | undefined {
    return this.#refusal(() => this.#wasm.preparseSchema("s", forWasm(schema) as Cedar.Schema));
  }

  decide(call: Call, options: { readonly schema: boolean }): WasmAnswer {
    const named = options.schema ? { preparsedPolicySetId: "p", preparsedSchemaName: "s" } : { preparsedPolicySetId: "p" };
    return this.#living(() => {
      const answer = this.#wasm.statefulIsAuthorized({ ...(forWasm(call) as Omit<Cedar.StatefulAuthorizationCall, "preparsedPolicySetId">), ...named });
      if (answer.type === "failure") return { kind: "refused", message: messages(answer.errors) };
      const { decision, diagnostics } = answer.response;
      return { kind: "answer", decision, reasons: diagnostics.reason, errors: diagnostics.errors.map(({ policyId }) => policyId) };
    }, (message) => ({ kind: "refused", message }));
  }

  schemaJson(text: string): unknown {
    const answer = this.#wasm.schemaToJson(text);
    if (answer.type === "failure") throw new Error(messages(answer.errors));
    return answer.json;
  }

  resolvedSchemaJson(text: string): unknown {
    const answer = this.#wasm.schemaToJsonWithResolvedTypes(text);
    if (answer.type === "failure") throw new Error(messages(answer.errors));
    return answer.json;
  }

  /** Policies of a text in the order in which cedar-wasm numbers them. */
  policyTexts(text: string): { readonly policies: readonly string[]; readonly templates: readonly string[] } {
    const parts = this.#wasm.policySetTextToParts(text);
    if (parts.type === "failure") throw new Error(messages(parts.errors));
    return { policies: parts.policies, templates: parts.policy_templates };
  }

  /** The JSON form, with longs beyond 2^53 as bigints: the glue of cedar-wasm would round them. */
  policyJson(text: string): unknown {
    const answer = exactly(() => this.#wasm.policyToJson(text));
    if (answer.type === "failure") throw new Error(messages(answer.errors));
    return answer.json;
  }

  #refusal(parse: () => Cedar.CheckParseAnswer): string | undefined {
    return this.#living(() => {
      const answer = parse();
      return answer.type === "failure" ? messages(answer.errors) : undefined;
    }, (message) => message);
  }

  #living<T>(call: () => T, dead: (message: string) => T): T {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) return dead(String(error));
      this.deaths += 1;
      delete require.cache[require.resolve(module)];
      this.#wasm = require(module);
      return dead(`the instance died: ${error.message}`);
    }
  }
}

/**
 * Whether the JSON itself was refused, for half of a surrogate pair in any place: cedar-wasm never saw what it says.
 * The library refuses such texts where they mean something, and does not look at what has no meaning.
 */
export function isUnreadable(refusal: string | undefined): boolean {
  return refusal?.includes("hex escape") === true;
}

function messages(errors: readonly Cedar.DetailedError[]): string {
  return errors.map(({ message }) => message).join("; ");
}

/** A bigint goes in as text, as cedar-wasm is given what JSON.stringify makes. */
export function forWasm(value: unknown): unknown {
  if (typeof value === "bigint") return rawJson(String(value));
  if (Array.isArray(value)) return value.map(forWasm);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, forWasm(each)]));
}

function rawJson(text: string): unknown {
  if (!("rawJSON" in JSON) || typeof JSON.rawJSON !== "function") throw new Error("this needs a Node.js that has JSON.rawJSON");
  return JSON.rawJSON(text);
}

/** Of a number beyond 2^53, the engine tells how it was written. */
function digits(_name: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source ?? "";
  return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/u.test(source) ? BigInt(source) : value;
}

const { parse } = JSON;

/** JSON with every digit of a long kept, as a bigint. */
export function parseExactly(text: string): unknown {
  return parse(text, digits);
}

function exactly<T>(call: () => T): T {
  const original = JSON.parse;
  JSON.parse = parseExactly as typeof JSON.parse;
  try {
    return call();
  } finally {
    JSON.parse = original;
  }
}
