import { callExtension, extensionFunctions } from "./extension/functions.ts";
import { infixExpr, viewExpr, visit, type ViewOf } from "./format-view.ts";
import type { ExprJson, Var } from "./json.ts";
import { computed, isEmpty, matches, negate, operationOf } from "./residual-apply.ts";
import { attributeOf, hasPath, membership, tagOf } from "./residual-entity.ts";
import { choose, conjoin, disjoin, invert } from "./residual-logic.ts";
import { exprOf, valuePart, type OpenPart, type Part } from "./residual-part.ts";
import type { Scene } from "./residual-scene.ts";
import { readValue } from "./value-json.ts";
import { EntityUid, Fields, RecordValue, SetValue, type Value } from "./values.ts";

/** What the expression is with what is known: folded as far as no completion of the unknowns could tell the difference. */
export function evaluatePart(expr: ExprJson, scene: Scene): Part {
  const known = scene.memo.get(expr);
  if (known !== undefined) return known;
  const part = evaluated(expr, scene);
  scene.memo.set(expr, part);
  return part;
}

function evaluated(expr: ExprJson, scene: Scene): Part {
  return visit<Part>(viewExpr(expr), {
    value: (view) => computed(expr, () => readValue(view.value)),
    var: (view) => variable(view.name, expr, scene),
    slot: () => ({ kind: "failing", message: "a slot stands only in the scope of a template", expr }),
    unary: (view) => unary(view, expr, scene),
    binary: (view) => binary(view, expr, scene),
    attr: (view) => attributeOf(evaluatePart(view.left, scene), view.attr, { expr, scene }),
    has: (view) => hasPath(evaluatePart(view.left, scene), view.path, { expr, scene }),
    like: (view) => likePart(view, expr, scene),
    is: (view) => isPart(view, expr, scene),
    if: (view) => choose(view, scene, evaluatePart),
    set: (view) => setPart(view.items, expr, scene),
    record: (view) => recordPart(view.fields, expr, scene),
    call: (view) => callPart(view, expr, scene),
  });
}

function variable(name: Var, expr: ExprJson, scene: Scene): Part {
  if (name === "context") return scene.context.tree.isKnown ? valuePart(new RecordValue(scene.context.fields), expr) : openRecord(expr, scene);
  if (name === "action") return valuePart(scene.action, expr);
  const party = scene[name];
  return party instanceof EntityUid ? valuePart(party, expr) : { kind: "open", expr, canError: false, isBoolean: false, entity: party };
}

function openRecord(expr: ExprJson, { context }: Scene): OpenPart {
  return { kind: "open", expr, canError: false, isBoolean: false, record: context };
}

function unary(view: ViewOf<"unary">, expr: ExprJson, scene: Scene): Part {
  if (view.op === "!") return invert(evaluatePart(view.arg, scene), expr, scene);
  const arg = evaluatePart(view.arg, scene);
  if (arg.kind === "failing") return { ...arg, expr };
  const operation = view.op === "neg" ? negate : isEmpty;
  if (arg.kind === "value") return computed(expr, () => operation(arg.value));
  if (view.op === "neg") return { kind: "open", expr: { neg: { arg: arg.expr } }, canError: true, isBoolean: false };
  return { kind: "open", expr: { isEmpty: { arg: arg.expr } }, canError: arg.canError || !scene.typed, isBoolean: true };
}

function binary(view: ViewOf<"binary">, expr: ExprJson, scene: Scene): Part {
  if (view.op === "&&") return conjoin(view, scene, evaluatePart);
  if (view.op === "||") return disjoin(view, scene, evaluatePart);
  const left = evaluatePart(view.left, scene);
  const right = evaluatePart(view.right, scene);
  // Both operands are always evaluated: if one fails, so does the whole.
  if (left.kind === "failing") return { ...left, expr };
  if (right.kind === "failing") return { ...right, expr };
  if (view.op === "in") return membership(left, right, { expr, scene });
  if (view.op === "hasTag" || view.op === "getTag") return tagOf(view.op, { left, right }, { expr, scene });
  const operation = operationOf(view.op);
  if (operation !== undefined && left.kind === "value" && right.kind === "value") return computed(expr, () => operation(left.value, right.value));
  return openBinary(view.op, left, right, scene);
}

const neverErr = new Set(["==", "!="]);
const arithmetic = new Set(["+", "-", "*"]);

function openBinary(op: string, left: Part, right: Part, { typed }: Scene): Part {
  const own = !neverErr.has(op) && (arithmetic.has(op) || !typed);
  const expr = infixExpr(op, exprOf(left), exprOf(right));
  return { kind: "open", expr, canError: own || mayErr(left) || mayErr(right), isBoolean: !arithmetic.has(op) };
}

export function mayErr(part: Part): boolean {
  return part.kind === "failing" || (part.kind === "open" && part.canError);
}

function likePart(view: ViewOf<"like">, expr: ExprJson, scene: Scene): Part {
  const left = evaluatePart(view.left, scene);
  if (left.kind === "failing") return { ...left, expr };
  if (left.kind === "value") return computed(expr, () => matches(left.value, view.pattern));
  return { kind: "open", expr: { like: { left: left.expr, pattern: view.pattern } }, canError: left.canError || !scene.typed, isBoolean: true };
}

function isPart(view: ViewOf<"is">, expr: ExprJson, scene: Scene): Part {
  const left = evaluatePart(view.left, scene);
  if (left.kind === "failing") return { ...left, expr };
  const type = typeOf(left);
  if (type === "none") return { kind: "failing", message: "type error: expected entity", expr };
  if (type.name === undefined) return openIs(view, left, scene);
  if (type.name !== view.type || view.in === undefined) return valuePart(type.name === view.type, expr);
  const within = evaluatePart(view.in, scene);
  return within.kind === "failing" ? { ...within, expr } : membership(left, within, { expr, scene });
}

/** The entity type as far as it is known; `none` for what is no entity. */
function typeOf(part: Exclude<Part, { readonly kind: "failing" }>): "none" | { readonly name: string | undefined } {
  if (part.kind === "open") return { name: part.entity?.type };
  return part.value instanceof EntityUid ? { name: part.value.type } : "none";
}

function openIs(view: ViewOf<"is">, left: Part, scene: Scene): OpenPart {
  const within = view.in === undefined ? undefined : evaluatePart(view.in, scene);
  const surelyEntity = scene.typed || (left.kind === "open" && left.entity !== undefined);
  const canErrWithin = within !== undefined && (mayErr(within) || !scene.typed);
  const body = { left: exprOf(left), entity_type: view.type, ...(within !== undefined && { in: exprOf(within) }) };
  return { kind: "open", expr: { is: body }, canError: mayErr(left) || !surelyEntity || canErrWithin, isBoolean: true };
}

function setPart(items: readonly ExprJson[], expr: ExprJson, scene: Scene): Part {
  const parts = items.map((item) => evaluatePart(item, scene));
  const all = together(parts, expr);
  if (all?.kind === "values") return valuePart(new SetValue(all.values), expr);
  return all ?? { kind: "open", expr: { Set: parts.map(exprOf) }, canError: parts.some(mayErr), isBoolean: false };
}

function recordPart(fields: readonly (readonly [string, ExprJson])[], expr: ExprJson, scene: Scene): Part {
  const parts = fields.map(([name, field]) => [name, evaluatePart(field, scene)] as const);
  const all = together(parts.map(([, part]) => part), expr);
  if (all?.kind === "values") return valuePart(new RecordValue(fieldsOf(fields.map(([name]) => name), all.values)), expr);
  return all ?? { kind: "open", expr: { Record: Object.fromEntries(parts.map(([name, part]) => [name, exprOf(part)])) }, canError: parts.some(([, part]) => mayErr(part)), isBoolean: false };
}

function fieldsOf(names: readonly string[], values: readonly Value[]): Fields {
  const made = new Fields();
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value !== undefined) made[name] = value;
  }
  return made;
}

function callPart({ fn, args }: ViewOf<"call">, expr: ExprJson, scene: Scene): Part {
  const parts = args.map((arg) => evaluatePart(arg, scene));
  const known = extensionFunctions.get(fn);
  const all = together(parts, expr);
  if (known === undefined || args.length !== known.arity) return { kind: "failing", message: `wrong number of arguments provided to extension function \`${fn}\``, expr };
  if (all?.kind === "values") return computed(expr, () => callExtension(known, all.values));
  return all ?? { kind: "open", expr: { [fn]: parts.map(exprOf) }, canError: parts.some(mayErr) || !(scene.typed && neverErrTyped.has(fn)), isBoolean: booleanFunctions.has(fn) };
}

const booleanFunctions = new Set(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "isIpv4", "isIpv6", "isLoopback", "isMulticast", "isInRange"]);
const neverErrTyped = new Set([...booleanFunctions, "toTime", "toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"]);

/** All values, or the failure that the whole then is, or undefined as something is open. */
function together(parts: readonly Part[], expr: ExprJson): Values | (Part & { readonly kind: "failing" }) | undefined {
  const failing = parts.find((part) => part.kind === "failing");
  if (failing !== undefined) return { ...failing, expr };
  const values = parts.flatMap((part) => (part.kind === "value" ? [part.value] : []));
  return values.length === parts.length ? { kind: "values", values } : undefined;
}

interface Values {
  readonly kind: "values";
  readonly values: readonly Value[];
}
