import type { Dice } from "./cedar-dice.ts";
import type { DataMaker, Json } from "./cedar-data.ts";
import type { ExpressionMaker } from "./cedar-expression.ts";
import { entityTypes } from "./cedar-world.ts";

export interface PolicyOptions {
  readonly dice: Dice;
  readonly data: DataMaker;
  readonly expressions: ExpressionMaker;
  /** How many policies a set has. */
  readonly policies: number;
}

/** Policies that are nothing but their heads: which of them apply is all that there is to say. */
export function headsOnly(dice: Dice, data: DataMaker, policies: number): Json {
  const head = (make: () => Json) => (dice.chance(0.4) ? { op: "All" } : make());
  const policy = () => ({ effect: "permit", principal: head(() => narrow(dice, data)), action: head(() => narrowAction(dice, data)), resource: head(() => narrow(dice, data)), conditions: [] });
  return { staticPolicies: Object.fromEntries(Array.from({ length: policies }, (_, index) => [`p${index}`, policy()])) };
}

type Slot = "?principal" | "?resource";

/** A policy set: all permits half of the time, as then the reasons show every policy that applies. */
export function policySet({ dice, data, expressions, policies }: PolicyOptions): Json {
  const onlyPermits = dice.chance(0.5);
  const policy = (scopes: { readonly principal: Json; readonly resource: Json }) => ({
    effect: onlyPermits || dice.chance(0.7) ? "permit" : "forbid",
    principal: scopes.principal,
    action: actionScope(dice, data),
    resource: scopes.resource,
    conditions: dice.times(2, () => ({ kind: dice.chance(0.8) ? "when" : "unless", body: expressions.condition() })),
    ...(dice.chance(0.1) ? { annotations: { id: "x", "in": null } } : {}),
  });
  const fixed = Array.from({ length: policies }, (_, index) => [`p${index}`, policy({ principal: scope(dice, data), resource: scope(dice, data) })]);
  const staticPolicies: Json = Object.fromEntries(fixed);
  if (!dice.chance(0.3)) return { staticPolicies };
  const slots: readonly (readonly Slot[])[] = [["?principal"], ["?resource"], ["?principal", "?resource"]];
  const templates = slots.map((slots, index) => ({ id: `t${index}`, slots, json: policy({ principal: slotted(dice, data, slots.find((each) => each === "?principal")), resource: slotted(dice, data, slots.find((each) => each === "?resource")) }) }));
  const links = templates.flatMap(({ id, slots }) => dice.times(2, () => ({ templateId: id, values: Object.fromEntries(slots.map((slot) => [slot, dice.chance(0.3) ? { __entity: data.uid() } : data.uid()])) })));
  return {
    staticPolicies,
    templates: Object.fromEntries(templates.map(({ id, json }) => [id, json])),
    templateLinks: links.map((link, index) => ({ ...link, newId: `l${index}` })),
  };
}

function scope(dice: Dice, data: DataMaker): Json {
  return dice.chance(0.6) ? { op: "All" } : narrow(dice, data);
}

function narrow(dice: Dice, data: DataMaker): Json {
  return dice.pick<() => Json>([
    () => ({ op: "==", entity: data.uid() }),
    () => ({ op: "in", entity: dice.chance(0.3) ? { __entity: data.uid() } : data.uid() }),
    () => ({ op: "is", entity_type: dice.pick(entityTypes) }),
    () => ({ op: "is", entity_type: dice.pick(entityTypes), in: { entity: data.uid() } }),
  ])();
}

function slotted(dice: Dice, data: DataMaker, slot: Slot | undefined): Json {
  if (slot === undefined) return scope(dice, data);
  return dice.pick<() => Json>([() => ({ op: "==", slot }), () => ({ op: "in", slot }), () => ({ op: "is", entity_type: dice.pick(entityTypes), in: { slot } })])();
}

function actionScope(dice: Dice, data: DataMaker): Json {
  return dice.chance(0.75) ? { op: "All" } : narrowAction(dice, data);
}

function narrowAction(dice: Dice, data: DataMaker): Json {
  return dice.pick<() => Json>([
    () => ({ op: "==", entity: data.action() }),
    () => ({ op: "in", entity: data.action() }),
    () => ({ op: "in", entities: dice.times(2, () => data.action()) }),
  ])();
}
