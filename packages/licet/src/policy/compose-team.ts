import { formatPolicy, type ExprJson, type PolicyJson, type SchemaJson } from "@licet/cedar";
import { rule, type ParsedPolicy } from "./compose-rules.ts";
import { SchemaKinds, type Environment } from "./lint-types.ts";
import { plainUid } from "./requirement.ts";

/** Where an environment says which system is meant, and how it says it. */
type Place =
  | { readonly kind: "itself"; readonly variable: "principal" | "resource" }
  | { readonly kind: "attribute"; readonly variable: "principal" | "resource"; readonly entity: boolean };

/**
 * Puts a guard before everything else that a team's forbid asks: it holds for the pack's systems alone. A workload whose
 * system cannot be found out counts as the team's, because a forbid that does not apply is an open door.
 */
export function guarded(policy: ParsedPolicy, schema: SchemaJson): ParsedPolicy {
  const { systems } = policy.pack.source.manifest;
  if (policy.pack.kind !== "team" || systems === undefined) return policy;
  const kinds = new SchemaKinds(schema);
  const actions = scopedActions(policy.json.action, schema);
  const found = new Map<string, ExprJson>();
  for (const environment of kinds.environments().filter(({ action }) => actions.has(action))) {
    const place = placeOf(environment, kinds);
    if (place === undefined) throw rule(`\`${policy.id}\` is about ${environment.action} of \`${environment.principal}\`, where no system is named: a team pack tightens what its systems do`);
    found.set(`${place.kind} ${place.variable} ${environment[place.variable]}`, guard(place, environment[place.variable], systems));
  }
  const [first, ...rest] = found.values();
  if (first === undefined) throw rule(`\`${policy.id}\` is about no action that the schema has`);
  const body = rest.reduce<ExprJson>((left, right) => ({ "||": { left, right } }), first);
  const json: PolicyJson = { ...policy.json, conditions: [{ kind: "when", body }, ...policy.json.conditions] };
  return { ...policy, json, text: formatPolicy(json) };
}

function placeOf(environment: Environment, kinds: SchemaKinds): Place | undefined {
  for (const variable of ["principal", "resource"] as const) {
    if (environment[variable] === "Licet::System") return { kind: "itself", variable };
    const attribute = kinds.systemAttribute(environment[variable]);
    if (attribute !== undefined) return { kind: "attribute", variable, entity: attribute === "entity" };
  }
  return undefined;
}

function guard(place: Place, type: string, systems: readonly string[]): ExprJson {
  const variable: ExprJson = { Var: place.variable };
  const entities: ExprJson = { Set: systems.map((id) => ({ Value: { __entity: { type: "Licet::System", id } } })) };
  const isType: ExprJson = { is: { left: variable, entity_type: type } };
  if (place.kind === "itself") return and(isType, { contains: { left: entities, right: variable } });
  const names: ExprJson = place.entity ? entities : { Set: systems.map((id) => ({ Value: id })) };
  const unknown: ExprJson = { "!": { arg: { has: { left: variable, attr: "system" } } } };
  return and(isType, { "||": { left: unknown, right: { contains: { left: names, right: { ".": { left: variable, attr: "system" } } } } } });
}

function and(left: ExprJson, right: ExprJson): ExprJson {
  return { "&&": { left, right } };
}

/** The actions that a head names, with all below a named group, as environments write them. */
function scopedActions(scope: PolicyJson["action"], schema: SchemaJson): ReadonlySet<string> {
  if (scope.op === "All") return new Set();
  const named = "entities" in scope ? scope.entities : [scope.entity];
  const found = new Set(named.map((uid) => actionName(plainUid(uid))));
  if (scope.op === "==") return found;
  const edges = Object.entries(schema).flatMap(([namespace, { actions }]) =>
    Object.entries(actions).flatMap(([id, { memberOf }]) => (memberOf ?? []).map((group) => ({ child: actionName({ type: `${namespace}::Action`, id }), group: actionName({ type: group.type ?? `${namespace}::Action`, id: group.id }) }))),
  );
  for (let before = -1; before < found.size; ) {
    before = found.size;
    for (const { child, group } of edges) if (found.has(group)) found.add(child);
  }
  return found;
}

function actionName({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}::${JSON.stringify(id)}`;
}
