import type { Answer, PolicySetJson } from "@licet/cedar";
import { LicetError } from "@licet/contract";
import { actionGroups, actionKey, actionScope, inScope } from "./action-scope.ts";
import type { Bundle } from "./bundle-form.ts";
import { cedarEntity, RequestRefused, wholeRequest, type Engine } from "./engine.ts";
import { advisorySet, enforcedSet } from "./requirement.ts";
import type { EntityUid, PolicyRequest } from "./request.ts";
import { cedarRecord } from "./value.ts";
import { cedarWasm } from "./wasm.ts";

/** Which names of this process's wasm instance hold the policies for an action. */
interface Parsed {
  readonly schema: string;
  readonly enforced: (action: EntityUid) => string;
  readonly advisory: (action: EntityUid) => string | undefined;
}

/** Owned by `parsedOf`, as `count` is. */
const parsed = new WeakMap<object, Parsed>();
let count = 0;

/** Owned by `schemaNameOf`: bundles mostly differ in their policies alone. */
const schemas = new Map<string, string>();

/** The same bundle decided by Cedar's own implementation: a hundred times slower, and the judge of the other. */
export function wasmEngine(bundle: Pick<Bundle, "schema" | "schemaJson" | "policies">): Engine {
  const { schema, enforced, advisory } = parsedOf(bundle);
  return {
    answers(request, base) {
      const whole = wholeRequest(request, base);
      const tried = advisory(request.action);
      return { enforced: ask(whole, schema, enforced(request.action)), advisory: tried === undefined ? undefined : ask(whole, schema, tried) };
    },
  };
}

function parsedOf(bundle: Pick<Bundle, "schema" | "schemaJson" | "policies">): Parsed {
  const before = parsed.get(bundle);
  if (before !== undefined) return before;
  const name = `bundle ${++count}`;
  const schema = schemaNameOf(bundle.schema);
  const groups = actionGroups(bundle.schemaJson);
  const tried = bundle.policies.some(({ mode }) => mode !== "enforce");
  const enforced = slices(enforcedSet(bundle.policies), { name: `${name} enforced`, groups });
  const advisory = slices(advisorySet(bundle.policies), { name: `${name} advisory`, groups });
  const made = { schema, enforced, advisory: (action: EntityUid) => (tried ? advisory(action) : undefined) };
  parsed.set(bundle, made);
  return made;
}

function schemaNameOf(text: string): string {
  const before = schemas.get(text);
  if (before !== undefined) return before;
  const name = `schema ${schemas.size}`;
  accepted(cedarWasm().preparseSchema(name, text));
  schemas.set(text, name);
  return name;
}

/**
 * For each action the policies whose heads let it in, parsed when it is first asked for: cedar-wasm copies and walks the
 * whole set at each question, which is two thirds of what an answer costs. The others could not say anything.
 */
function slices({ staticPolicies = {} }: PolicySetJson, { name, groups }: { readonly name: string; readonly groups: ReturnType<typeof actionGroups> }): (action: EntityUid) => string {
  const all = Object.entries(staticPolicies).map(([id, json]) => ({ id, json, scope: actionScope(json) }));
  const known = new Map<string, string>();
  return (action) => {
    const asked = actionKey(action);
    const above = groups.get(asked);
    // An action that the schema lacks is refused whatever the policies say; it may have any name, so it gets no slice.
    const slice = above === undefined ? "" : asked;
    const before = known.get(slice);
    if (before !== undefined) return before;
    const made = `${name} ${known.size}`;
    const chosen = above === undefined ? [] : all.filter(({ scope }) => inScope(scope, asked, above));
    accepted(cedarWasm().preparsePolicySet(made, { staticPolicies: Object.fromEntries(chosen.map(({ id, json }) => [id, json])) }));
    known.set(slice, made);
    return made;
  };
}

function ask({ principal, action, resource, context, entities }: PolicyRequest, schema: string, policies: string): Answer {
  const answer = cedarWasm().statefulIsAuthorized({
    principal: { ...principal },
    action: { ...action },
    resource: { ...resource },
    context: cedarRecord(context),
    entities: entities.map(cedarEntity),
    preparsedSchemaName: schema,
    preparsedPolicySetId: policies,
    validateRequest: true,
  });
  if (answer.type === "failure") throw new RequestRefused(answer.errors.map((error) => error.message).join("; "));
  const { decision, diagnostics } = answer.response;
  return { decision, reasons: diagnostics.reason, errors: diagnostics.errors.map(({ policyId, error }) => ({ policy: policyId, message: error.message })) };
}

function accepted(answer: { readonly type: "success" } | { readonly type: "failure"; readonly errors: readonly { readonly message: string }[] }): void {
  if (answer.type === "failure") throw new LicetError("policy_invalid", { message: answer.errors.slice(0, 5).map((error) => error.message).join("; ") });
}
