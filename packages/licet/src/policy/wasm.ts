import { createRequire } from "node:module";
import type { ContextJson, EntityJson, EntityUidJson, PolicyJson, PolicySetJson, SchemaJson } from "@licet/cedar";

interface WasmMessage {
  readonly message: string;
}

interface WasmFailure {
  readonly type: "failure";
  readonly errors: readonly WasmMessage[];
}

interface WasmFinding {
  readonly policyId: string;
  readonly error: WasmMessage;
}

export interface WasmResponse {
  readonly decision: "allow" | "deny";
  readonly diagnostics: { readonly reason: readonly string[]; readonly errors: readonly WasmFinding[] };
}

interface WasmCall {
  readonly principal: EntityUidJson;
  readonly action: EntityUidJson;
  readonly resource: EntityUidJson;
  readonly context: ContextJson;
  readonly entities: readonly EntityJson[];
  readonly preparsedSchemaName: string;
  readonly preparsedPolicySetId: string;
  readonly validateRequest: boolean;
}

/** The part of cedar-wasm that Licet uses, over the JSON forms of `@licet/cedar`. */
export interface CedarWasm {
  getCedarVersion(): string;
  policySetTextToParts(text: string): WasmFailure | { readonly type: "success"; readonly policies: readonly string[]; readonly policy_templates: readonly string[] };
  policyToJson(policy: string): WasmFailure | { readonly type: "success"; readonly json: PolicyJson };
  policyToText(policy: PolicyJson): WasmFailure | { readonly type: "success"; readonly text: string };
  schemaToJsonWithResolvedTypes(schema: string): WasmFailure | { readonly type: "success"; readonly json: SchemaJson };
  validate(call: { readonly schema: string; readonly policies: PolicySetJson; readonly validationSettings: { readonly mode: "strict" } }):
    | WasmFailure
    | { readonly type: "success"; readonly validationErrors: readonly WasmFinding[]; readonly validationWarnings: readonly WasmFinding[] };
  preparseSchema(name: string, schema: string): WasmFailure | { readonly type: "success" };
  preparsePolicySet(name: string, policies: PolicySetJson): WasmFailure | { readonly type: "success" };
  statefulIsAuthorized(call: WasmCall): WasmFailure | { readonly type: "success"; readonly response: WasmResponse };
}

/** Owned by `cedarWasm`. */
let loaded: CedarWasm | undefined;

/**
 * Loads Cedar's own implementation when it is first asked for: it costs 4 MB of module and some 60 ms, which a process
 * that only decides does not pay. Its parser can overflow its stack and is then lost, so foreign text goes to a worker.
 */
export function cedarWasm(): CedarWasm {
  if (loaded !== undefined) return loaded;
  const module: CedarWasm = createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs");
  loaded = module;
  return module;
}

export function isCedarWasmLoaded(): boolean {
  return loaded !== undefined;
}
