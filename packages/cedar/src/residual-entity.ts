import { failType } from "./errors.ts";
import { formatExpr } from "./format.ts";
import { infixExpr, viewExpr } from "./format-view.ts";
import type { ExprJson } from "./json.ts";
import { computed } from "./residual-apply.ts";
import { exprOf, valuePart, type OpenPart, type Part } from "./residual-part.ts";
import { accessText, entityRecord, fieldState, isOpenEntity, treeOf, type FieldState, type Scene } from "./residual-scene.ts";
import { EntityUid, RecordValue, SetValue, type Value } from "./values.ts";

export interface At {
  /** The expression as it was written. */
  readonly expr: ExprJson;
  readonly scene: Scene;
}

/** A path such as `principal.ato` reads better than the entity that it is. */
function ownerExpr(part: Part): ExprJson {
  return part.kind === "value" && isPath(part.expr) ? part.expr : exprOf(part);
}

function isPath(expr: ExprJson): boolean {
  for (let at = viewExpr(expr); ; at = viewExpr(at.left)) {
    if (at.kind === "var") return true;
    if (at.kind !== "attr") return false;
  }
}

/** Of a record or entity whose attributes are known in part: how it stands with one; undefined for what may be of any type. */
function stateOf(owner: Part, name: string, scene: Scene): FieldState | "failing" | undefined {
  if (owner.kind === "failing") return "failing";
  if (owner.kind === "open") return owner.record === undefined ? undefined : fieldState(owner.record, name);
  if (owner.value instanceof RecordValue) return known(owner.value.fields[name]);
  if (!(owner.value instanceof EntityUid)) return "failing";
  const tree = treeOf(scene, owner.value.key);
  if (tree !== undefined) return fieldState(entityRecord(scene, owner.value.key, tree), name);
  return known(scene.store.find(owner.value.key)?.attrs[name]);
}

function known(value: Value | undefined): FieldState {
  return value === undefined ? { state: "absent" } : { state: "value", value };
}

export function attributeOf(owner: Part, name: string, { expr, scene }: At): Part {
  if (owner.kind === "failing") return { ...owner, expr };
  const state = stateOf(owner, name, scene);
  if (state === "failing") return computed(expr, () => failType("record or entity"));
  const access: ExprJson = { ".": { left: ownerExpr(owner), attr: name } };
  const sure = scene.assumed.has(formatExpr(access));
  if (state === undefined) return open(access, !sure);
  if (state.state === "value") return valuePart(state.value, expr);
  if (state.state === "absent") return { kind: "failing", message: `attribute \`${name}\` is not there`, expr };
  if (state.state === "open") return open(access, !state.present && !sure);
  return { ...open(access, false), record: state.record };
}

function open(expr: ExprJson, canError: boolean): OpenPart {
  return { kind: "open", expr, canError, isBoolean: false };
}

/** `has` one name after the other; what is known for sure falls away from the front. */
export function hasPath(owner: Part, path: readonly string[], { expr, scene }: At): Part {
  let at = owner;
  for (const [index, name] of path.entries()) {
    if (at.kind === "failing") return { ...at, expr };
    const state = stateOf(at, name, scene);
    if (state === "failing") return computed(expr, () => failType("record or entity"));
    if (state?.state === "absent") return valuePart(false, expr);
    const next = isPresent(state) || scene.assumed.has(accessText(ownerExpr(at), name)) ? stepInto(at, name, scene) : undefined;
    if (next === undefined || mayFail(at)) return openHas(at, path.slice(index), { state, scene });
    at = next;
  }
  return valuePart(true, expr);
}

function isPresent(state: FieldState | undefined): boolean {
  return state !== undefined && state.state !== "absent" && (state.state !== "open" || state.present);
}

/** The attribute, unless reading it could fail. */
function stepInto(owner: Part, name: string, scene: Scene): Part | undefined {
  const next = attributeOf(owner, name, { expr: { ".": { left: ownerExpr(owner), attr: name } }, scene });
  return mayFail(next) ? undefined : next;
}

function mayFail(part: Part): boolean {
  return part.kind === "failing" || (part.kind === "open" && part.canError);
}

function openHas(at: Part, rest: readonly string[], { state, scene }: { readonly state: FieldState | undefined; readonly scene: Scene }): OpenPart {
  const [first = ""] = rest;
  const expr: ExprJson = { has: { left: ownerExpr(at), attr: rest.length === 1 ? first : rest } };
  const otherType = (state === undefined || rest.length > 1) && !scene.typed;
  return { kind: "open", expr, canError: mayFail(at) || otherType, isBoolean: true };
}

/** `left in right`. */
export function membership(left: Part, right: Part, { expr, scene }: At): Part {
  if (left.kind === "value" && right.kind === "value") {
    const answer = knownMembership(left.value, right.value, scene);
    if (answer === undefined) return openIn(left, right, false);
    return computed(expr, () => answer());
  }
  const rightIsFit = right.kind === "value" ? isEntities(right.value) : right.kind === "open" && right.entity !== undefined;
  const fits = scene.typed || (isEntityPart(left) && rightIsFit);
  return openIn(left, right, !fits || mayFail(left) || mayFail(right));
}

function isEntities(value: Value): boolean {
  return value instanceof EntityUid || (value instanceof SetValue && value.onlyEntities);
}

function openIn(left: Part, right: Part, canError: boolean): OpenPart {
  return { kind: "open", expr: { in: { left: ownerExpr(left), right: exprOf(right) } }, canError, isBoolean: true };
}

/** Undefined when an ancestor that nobody knows could decide. */
function knownMembership(left: Value, right: Value, scene: Scene): (() => Value) | undefined {
  if (!(left instanceof EntityUid)) return () => failType("entity");
  if (!isEntities(right)) return () => failType("set or entity");
  const ancestors = new Set([left.key, ...scene.store.ancestorsOf(left.key)]);
  const wanted = right instanceof SetValue ? [...right.objects.keys()] : right instanceof EntityUid ? [right.key] : [];
  if (wanted.some((key) => ancestors.has(key))) return () => true;
  const climbsOn = wanted.length > 0 && [...ancestors].some((key) => isOpenEntity(treeOf(scene, key)));
  return climbsOn ? undefined : () => false;
}

interface Operands {
  readonly left: Part;
  readonly right: Part;
}

export function tagOf(op: "hasTag" | "getTag", { left, right }: Operands, { expr, scene }: At): Part {
  if (left.kind === "value" && right.kind === "value" && !hasOpenTags(left.value, scene)) return computed(expr, () => tag(op, left.value, { name: right.value, scene }));
  const fits = scene.typed || (isEntityPart(left) && right.kind === "value" && typeof right.value === "string");
  return { kind: "open", expr: infixExpr(op, ownerExpr(left), exprOf(right)), canError: op === "getTag" || !fits || mayFail(left) || mayFail(right), isBoolean: op === "hasTag" };
}

function hasOpenTags(value: Value, scene: Scene): boolean {
  return value instanceof EntityUid && isOpenEntity(treeOf(scene, value.key));
}

/** Whether it is an entity for sure. */
function isEntityPart(part: Part): boolean {
  return part.kind === "value" ? part.value instanceof EntityUid : part.kind === "open" && part.entity !== undefined;
}

function tag(op: "hasTag" | "getTag", owner: Value, { name, scene }: { readonly name: Value; readonly scene: Scene }): Value {
  if (!(owner instanceof EntityUid)) return failType("entity");
  if (typeof name !== "string") return failType("string");
  const value = scene.store.find(owner.key)?.tags?.[name];
  if (op === "hasTag") return value !== undefined;
  return value ?? failType("a tag that is there");
}
