import { isAuthorized, type AuthorizationCall } from "@cedar-policy/cedar-wasm/nodejs";
import { forWasm } from "./format-wasm-fixture.ts";
import { randomRecord, randomValue, recordOf, type Kind, type Random, type World } from "./format-fixture.ts";
import { accessExpr, choiceExpr, infixExpr, viewExpr } from "./format-view.ts";
import type { CedarValueJson, EntityJson, ExprJson, PolicyJson, TypeAndId } from "./json.ts";
import type { PartialRequest } from "./residual.ts";
import type { Unknown } from "./residual-unknown.ts";

export type Status = "satisfied" | "unsatisfied" | "error";

/** How each policy fares in a world, by cedar-wasm: effects are left out, so that every policy is told apart. */
export function statuses(policies: ReadonlyMap<string, PolicyJson>, world: World): ReadonlyMap<string, Status> {
  const staticPolicies = Object.fromEntries([...policies].map(([id, policy]) => [id, { ...policy, effect: "permit" }]));
  const call: unknown = forWasm({ ...world, policies: { staticPolicies } });
  if (!isCall(call)) throw new Error("no call");
  const answer = isAuthorized(call);
  if (answer.type === "failure") throw new Error(answer.errors.map((error) => error.message).join("; "));
  const { reason, errors } = answer.response.diagnostics;
  const failed = new Set(errors.map(({ policyId }) => policyId));
  return new Map([...policies.keys()].map((id) => [id, failed.has(id) ? "error" : reason.includes(id) ? "satisfied" : "unsatisfied"]));
}

function isCall(value: unknown): value is AuthorizationCall {
  return typeof value === "object" && value !== null;
}

export function permitWhen(body: ExprJson): PolicyJson {
  return { effect: "permit", principal: { op: "All" }, action: { op: "All" }, resource: { op: "All" }, conditions: [{ kind: "when", body }] };
}

/** Something unknown, and how a completion of the world fills it. */
export interface Gap {
  readonly unknown?: Unknown;
  readonly absentEntities?: "unknown";
  readonly principal?: { readonly unknown: true; readonly type?: string };
  readonly fill: (world: World, random: Random) => World;
}

const names = ["a", "flag", "n", "s", "e", "set", "rec", "dt", "ip", "a b", "if", "", "__proto__"];
const kinds: readonly Kind[] = ["long", "bool", "str", "ent", "set", "rec", "dt", "ip", "dec"];

export function randomGaps(random: Random, world: World): readonly Gap[] {
  return random.times(1 + random.below(3), () => random.pick(gapMakers)(random, world));
}

type GapMaker = (random: Random, world: World) => Gap;

const someValue = (random: Random) => randomValue(random, random.pick(kinds), 1);

const gapMakers: readonly GapMaker[] = [contextGap, contextGap, entityGap, entityGap, contextRest, entityRest, absentGap, principalGap];

function contextGap(random: Random): Gap {
  const path = random.chance(0.3) ? ["rec", random.pick(names)] : [random.pick(names)];
  const form = random.pick(["optional", "present"] as const);
  return { unknown: { of: "context", path, form }, fill: (world, dice) => ({ ...world, context: setAt(world.context, path, { form, dice }) }) };
}

function entityGap(random: Random, world: World): Gap {
  const path = random.chance(0.3) ? ["rec", random.pick(names)] : [random.pick(names)];
  const form = random.pick(["optional", "present"] as const);
  const of = random.pick(["principal", "resource"] as const);
  return { unknown: { of, path, form }, fill: (filled, dice) => withEntity(filled, world[of], (entity) => ({ ...entity, attrs: setAt(entity.attrs, path, { form, dice }) })) };
}

function contextRest(): Gap {
  return { unknown: "context.*", fill: (world, dice) => ({ ...world, context: recordOf([...Object.entries(randomRecord(dice, 0.8)), ...Object.entries(world.context)]) }) };
}

function entityRest(random: Random, world: World): Gap {
  const uid = random.pick([world.principal, world.resource, random.uid()]);
  return { unknown: { of: uid, path: [], form: "rest" }, fill: (filled, dice) => withEntity(filled, uid, (entity) => opened(entity, dice)) };
}

function opened(entity: EntityJson, dice: Random): EntityJson {
  return { ...grown(entity, dice), attrs: recordOf([...Object.entries(randomRecord(dice, 0.8)), ...Object.entries(entity.attrs)]) };
}

/** More parents, of types and ids later in their order, so that no cycle arises; other tags. */
function grown(entity: EntityJson, dice: Random): EntityJson {
  const uid = entity.uid;
  const self = "type" in uid ? `${uid.type} ${uid.id}` : "";
  const parents = dice.times(dice.below(2), () => dice.uid()).filter((parent) => orderOf(parent) > order(self));
  return { ...entity, parents: [...entity.parents, ...parents], tags: recordOf(["a", "b", "s"].filter(() => dice.chance(0.7)).map((tag) => [tag, someValue(dice)] as const)) };
}

const allTypes = ["A", "B", "N::C"];
const allIds = ["0", "1", "2", "", "x y", '"q"', "__proto__", "é\u{1F600}"];
const ranks = new Map(allTypes.flatMap((type) => allIds.map((id) => `${type} ${id}`)).map((name, index) => [name, index]));
const order = (name: string) => ranks.get(name) ?? ranks.size;
const orderOf = ({ type, id }: TypeAndId) => order(`${type} ${id}`);

function absentGap(): Gap {
  return {
    absentEntities: "unknown",
    fill: (world, dice) => {
      const there = new Set(world.entities.map(({ uid }) => ("type" in uid ? `${uid.type} ${uid.id}` : "")));
      const absent = allTypes.flatMap((type) => allIds.map((id) => ({ type, id }))).filter(({ type, id }) => !there.has(`${type} ${id}`));
      const added = absent.filter(() => dice.chance(0.7)).map((uid) => opened({ uid, attrs: {}, parents: [] }, dice));
      return { ...world, entities: [...world.entities, ...added] };
    },
  };
}

function principalGap(random: Random): Gap {
  const type = random.chance(0.5) ? random.pick(allTypes) : undefined;
  return {
    principal: { unknown: true, ...(type !== undefined && { type }) },
    fill: (world, dice) => ({ ...world, principal: { ...dice.uid(), ...(type !== undefined && { type }) } }),
  };
}

interface Filling {
  readonly form: "optional" | "present";
  readonly dice: Random;
}

/** Sets or removes what is at the path; where the way there is missing it is made, or not. */
function setAt(given: Readonly<Record<string, CedarValueJson>>, path: readonly string[], filling: Filling): Readonly<Record<string, CedarValueJson>> {
  const [name = "", ...rest] = path;
  const others = Object.entries(given).filter(([other]) => other !== name);
  const here = Object.hasOwn(given, name) ? given[name] : undefined;
  if (rest.length > 0) return isRecord(here) ? recordOf([...others, [name, setAt(here, rest, filling)]]) : given;
  if (filling.form === "optional" && filling.dice.chance(0.4)) return recordOf(others);
  return recordOf([...others, [name, someValue(filling.dice)]]);
}

function isRecord(value: CedarValueJson | undefined): value is Readonly<Record<string, CedarValueJson>> {
  return typeof value === "object" && !Array.isArray(value) && !("__entity" in value) && !("__extn" in value);
}

function withEntity(world: World, wanted: TypeAndId, change: (entity: EntityJson) => EntityJson): World {
  const same = ({ uid }: EntityJson) => "type" in uid && uid.type === wanted.type && uid.id === wanted.id;
  const entity = world.entities.find(same);
  if (entity === undefined) return { ...world, entities: [...world.entities, change({ uid: wanted, attrs: {}, parents: [] })] };
  return { ...world, entities: world.entities.map((each) => (same(each) ? change(each) : each)) };
}

export function partialOf(world: World, gaps: readonly Gap[]): PartialRequest {
  const { principal, action, resource, context } = world;
  return {
    principal: gaps.find((gap) => gap.principal !== undefined)?.principal ?? principal,
    action,
    resource,
    context,
    unknown: gaps.flatMap(({ unknown }) => (unknown === undefined ? [] : [unknown])),
    ...(gaps.some(({ absentEntities }) => absentEntities !== undefined) && { absentEntities: "unknown" as const }),
  };
}

export function complete(world: World, gaps: readonly Gap[], random: Random): World {
  return gaps.reduce((filled, gap) => gap.fill(filled, random), world);
}

type Atom = (random: Random, place: ExprJson) => ExprJson;

const one: ExprJson = { Value: 1 };
const erring: ExprJson = { "==": { left: { "+": { left: one, right: { Value: "a" } } }, right: one } };
const anyEntity = (random: Random): ExprJson => ({ Value: { __entity: random.uid() } });

/** Conditions about a place that may be unknown; some of them err for most of what can stand there. */
const atoms: readonly Atom[] = [
  () => ({ Value: true }),
  () => ({ Value: false }),
  () => erring,
  (_, place) => place,
  (_, place) => place,
  (random, place) => ({ "==": { left: place, right: { Value: random.pick([true, 0, "a"]) } } }),
  (random, place) => ({ "<": { left: place, right: { Value: random.pick([0, 7, 100]) } } }),
  (_, place) => ({ "<": { left: { "+": { left: place, right: one } }, right: { Value: 7 } } }),
  (_, place) => ({ "==": { left: { ip: [place] }, right: { ip: [{ Value: "10.0.0.0/8" }] } } }),
  (random, place) => ({ in: { left: place, right: anyEntity(random) } }),
  (random, place) => ({ in: { left: place, right: { Set: [anyEntity(random), anyEntity(random)] } } }),
  (random, place) => ({ is: { left: place, entity_type: random.pick(allTypes), ...(random.chance(0.5) && { in: anyEntity(random) }) } }),
  (random, place) => ({ has: { left: place, attr: random.pick(names) } }),
  (random, place) => ({ has: { left: place, attr: [random.pick(["rec", "e"]), random.pick(names)] } }),
  (random, place) => ({ ".": { left: place, attr: random.pick(["flag", "if"]) } }),
  (_, place) => ({ hasTag: { left: place, right: { Value: "a" } } }),
  (_, place) => ({ isEmpty: { arg: place } }),
  (_, place) => ({ like: { left: place, pattern: [{ Literal: "a" }, "Wildcard"] } }),
  (_, place) => ({ contains: { left: { Set: [one, place] }, right: one } }),
  (_, place) => hasOf(place) ?? { Value: true },
  (_, place) => hasOf(place) ?? { Value: true },
];

/** Whether the last step of an access is there. */
function hasOf(place: ExprJson): ExprJson | undefined {
  const view = viewExpr(place);
  return view.kind === "attr" ? { has: { left: view.left, attr: view.attr } } : undefined;
}

function placesOf(random: Random, gaps: readonly Gap[], world: World): readonly ExprJson[] {
  const accessed = gaps.flatMap(({ unknown }): readonly ExprJson[] => {
    if (unknown === undefined || typeof unknown === "string") return [accessExpr({ Var: "context" }, [random.pick(names)])];
    const owner: ExprJson = typeof unknown.of === "string" ? { Var: unknown.of } : { Value: { __entity: world.principal } };
    return [unknown.form === "rest" ? accessExpr(owner, [random.pick(names)]) : accessExpr(owner, unknown.path)];
  });
  const parties: readonly ExprJson[] = [{ Var: "principal" }, { Var: "resource" }, anyEntity(random)];
  return [...accessed, ...accessed, ...parties, accessExpr(random.pick(parties), [random.pick(names)])];
}

/** Small trees of logic over what is unknown, where errors and short-circuits meet. */
export function focusedPolicy(random: Random, gaps: readonly Gap[], world: World): PolicyJson {
  const places = placesOf(random, gaps, world);
  const tree = (depth: number): ExprJson => {
    const roll = random.next();
    if (depth === 0 || roll < 0.15) return random.pick(atoms)(random, random.pick(places));
    if (roll < 0.5) return infixExpr("&&", tree(depth - 1), tree(depth - 1));
    if (roll < 0.8) return infixExpr("||", tree(depth - 1), tree(depth - 1));
    if (roll < 0.9) return { "!": { arg: tree(depth - 1) } };
    return choiceExpr(tree(depth - 1), tree(depth - 1), tree(depth - 1));
  };
  return { ...permitWhen(tree(1 + random.below(3))), effect: random.chance(0.7) ? "permit" : "forbid" };
}

/** A world of a few entities with a few attributes, which cedar-wasm reads quickly. */
export function smallWorld(random: Random): World {
  const uids = allTypes.flatMap((type) => allIds.slice(0, 3).map((id) => ({ type, id })));
  const entities = uids.filter(() => random.chance(0.6)).map((uid): EntityJson => ({ uid, attrs: randomRecord(random, 0.4, 2), parents: random.times(random.below(2), () => random.pick(uids)).filter((parent) => orderOf(parent) > orderOf(uid)) }));
  return { principal: random.pick(uids), action: { type: "Action", id: "x" }, resource: random.pick(uids), context: randomRecord(random, 0.5, 1), entities };
}
