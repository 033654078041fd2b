/**
 * Decides by Cedar policies, exactly as Cedar 4.13 does, without WebAssembly.
 * `compilePolicySet`, `entityStore` and `prepareRequest` read Cedar's JSON forms once; `authorize` decides.
 */
export { authorize, type Answer, type PolicyError } from "./authorize.ts";
export type { Entity, EntityStore } from "./entities.ts";
export { entityStore, type EntityStoreOptions } from "./entity-store.ts";
export { CedarError, type CedarErrorCode } from "./errors.ts";
export { formatExpr, formatPolicy } from "./format.ts";
export { viewExpr, type ExprView } from "./format-view.ts";
export type * from "./json.ts";
export { expressionDepthMax, valueDepthMax } from "./limits.ts";
export { parseJson } from "./parse-json.ts";
export type { Policy } from "./policy.ts";
export { compilePolicySet, type CompileOptions, type PolicySet } from "./policy-set.ts";
export { prepareRequest, type PrepareOptions, type PreparedRequest } from "./request.ts";
export { residual, type PartialRequest, type Residual, type ResidualPolicy, type UnknownEntity } from "./residual.ts";
export type { Unmet } from "./residual-needs.ts";
export type { Unknown } from "./residual-unknown.ts";
export { compileSchema, type Schema } from "./schema.ts";
export type { Scope } from "./scope.ts";
