import { isAuthorized, type AuthorizationCall } from "@cedar-policy/cedar-wasm/nodejs";
import { authorize } from "./authorize.ts";
import { outcome } from "./corpus-fixture.ts";
import { entityStore } from "./entity-store.ts";
import { CedarError } from "./errors.ts";
import { forWasm } from "./format-wasm-fixture.ts";
import type { EntityJson, PolicySetJson, RequestJson, SchemaJson } from "./json.ts";
import { compilePolicySet } from "./policy-set.ts";
import { prepareRequest } from "./request.ts";
import { compileSchema } from "./schema.ts";

/** One authorization as both take it; parts may be malformed on purpose. */
export interface Case {
  readonly policies: unknown;
  readonly request: { readonly principal: unknown; readonly action: unknown; readonly resource: unknown; readonly context: unknown };
  readonly entities: unknown;
  /** JSON form. */
  readonly schema?: unknown;
}

export const refused = "refused";

/** Decision, reasons and erroring policies of cedar-wasm, or `refused`. */
export function byWasm({ policies, request, entities, schema }: Case): string {
  const call = forWasm({ ...request, policies, entities, ...(schema === undefined ? {} : { schema, validateRequest: true }) });
  if (!isCall(call)) throw new Error("there is no case");
  try {
    const answer = isAuthorized(call);
    if (answer.type === "failure") return refused;
    const { decision, diagnostics } = answer.response;
    return outcome(decision, diagnostics.reason, diagnostics.errors.map(({ policyId }) => policyId));
  } catch (error) {
    // What its glue cannot even read is thrown; a trap is thrown too, and no refusal.
    if (error instanceof WebAssembly.RuntimeError) throw error;
    return refused;
  }
}

// Cases may be malformed on purpose, which the types of the real interfaces do not let through: these predicates take everything.
const isCall = (json: unknown): json is AuthorizationCall => json !== undefined;
const isPolicySet = (json: unknown): json is PolicySetJson => json !== undefined;
const isRequest = (json: unknown): json is RequestJson => json !== undefined;
const areEntities = (json: unknown): json is readonly EntityJson[] => json !== undefined;
const isSchema = (json: unknown): json is SchemaJson => json !== undefined;

/** The same of this package. Anything thrown but a `CedarError` is a defect. */
export function byLicet({ policies, request, entities, schema }: Case): string {
  if (!isPolicySet(policies) || !isRequest(request) || !areEntities(entities)) throw new Error("a case has policies, a request and entities");
  try {
    const compiled = isSchema(schema) ? compileSchema(schema) : undefined;
    const store = entityStore(entities, { schema: compiled });
    const { decision, reasons, errors } = authorize(compilePolicySet(policies), prepareRequest(request, { schema: compiled }), store);
    return outcome(decision, reasons, errors.map(({ policy }) => policy));
  } catch (error) {
    if (error instanceof CedarError) return refused;
    throw error;
  }
}

export const everything = { principal: { op: "All" }, action: { op: "All" }, resource: { op: "All" } } as const;

/** A permit for everything under one condition. */
export function permitWhen(body: unknown): unknown {
  return { effect: "permit", ...everything, conditions: [{ kind: "when", body }] };
}

const user = { type: "User", id: "ann" };

/** A request by `User::"ann"` under `Action::"read"` on `File::"plan"`; ann is in `Team::"blue"`, which is in `Team::"all"`. */
export const world: Omit<Case, "policies"> = {
  request: {
    principal: user,
    action: { type: "Action", id: "read" },
    resource: { type: "File", id: "plan" },
    context: {
      one: 1,
      text: "naïve 😀 text",
      yes: true,
      list: [1, "1", true, { __entity: user }],
      nested: { inner: { deep: "value" } },
      when: { __extn: { fn: "datetime", arg: "2026-11-20T17:00:00Z" } },
      span: { __extn: { fn: "duration", arg: "1d2h" } },
      price: { __extn: { fn: "decimal", arg: "12.5" } },
      from: { __extn: { fn: "ip", arg: "10.1.2.3" } },
      who: { __entity: user },
      max: 9223372036854775807n,
      min: -9223372036854775808n,
    },
  },
  entities: [
    { uid: user, attrs: { level: 3, team: { __entity: { type: "Team", id: "blue" } } }, parents: [{ type: "Team", id: "blue" }], tags: { role: "writer", "": "empty" } },
    { uid: { type: "Team", id: "blue" }, attrs: { name: "Blue" }, parents: [{ type: "Team", id: "all" }] },
    { uid: { type: "File", id: "plan" }, attrs: { owner: { __entity: user }, labels: ["a", "b"] }, parents: [{ type: "Folder", id: "root" }] },
    { uid: { type: "Action", id: "read" }, attrs: {}, parents: [{ type: "Action", id: "view" }] },
  ],
};
