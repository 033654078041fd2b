import { choiceExpr, infixExpr, viewExpr, type ViewOf } from "./format-view.ts";
import type { ExprJson } from "./json.ts";
import { exprOf, valuePart, type OpenPart, type Part } from "./residual-part.ts";
import { accessText, type Scene } from "./residual-scene.ts";

/** A part where Cedar asks for a boolean: a value of another type fails there. */
export function asCondition(part: Part): Part {
  if (part.kind !== "value" || typeof part.value === "boolean") return part;
  return { kind: "failing", message: "type error: expected bool", expr: part.expr };
}

function isValue(part: Part, value: boolean): boolean {
  return part.kind === "value" && part.value === value;
}

/** The scene to the right of `left &&`: what `left` asks for with `has` is there. */
export function assuming(left: Part, scene: Scene): Scene {
  if (left.kind !== "open") return scene;
  const sure = new Set(scene.assumed);
  for (const text of accesses(left.expr)) sure.add(text);
  return sure.size === scene.assumed.size ? scene : { ...scene, assumed: sure, memo: new WeakMap() };
}

function* accesses(expr: ExprJson): Generator<string> {
  const view = viewExpr(expr);
  if (view.kind === "binary" && view.op === "&&") {
    yield* accesses(view.left);
    yield* accesses(view.right);
  }
  if (view.kind !== "has") return;
  let owner = view.left;
  for (const attr of view.path) {
    yield accessText(owner, attr);
    owner = { ".": { left: owner, attr } };
  }
}

interface Sides {
  readonly left: ExprJson;
  readonly right: ExprJson;
}

/** Handed in, as evaluation and logic ask each other. */
export type EvaluatePart = (expr: ExprJson, scene: Scene) => Part;

/**
 * `left && right`. An open operand that could err stays, even beside one that decides:
 * where it errs the policy errs, and where it is false the right side, errors and all, is not looked at.
 */
export function conjoin(sides: Sides, scene: Scene, evaluate: EvaluatePart): Part {
  const left = asCondition(evaluate(sides.left, scene));
  if (left.kind === "failing" || isValue(left, false)) return left;
  const right = asCondition(evaluate(sides.right, assuming(left, scene)));
  if (isValue(left, true)) return checked(right, true, scene);
  if (isValue(right, true) && left.kind === "open") return checked(left, true, scene);
  if (isValue(right, false) && left.kind === "open" && !errs(left, scene)) return right;
  return join("&&", { left, right }, scene);
}

export function disjoin(sides: Sides, scene: Scene, evaluate: EvaluatePart): Part {
  const left = asCondition(evaluate(sides.left, scene));
  if (left.kind === "failing" || isValue(left, true)) return left;
  const right = asCondition(evaluate(sides.right, scene));
  if (isValue(left, false)) return checked(right, false, scene);
  if (isValue(right, false) && left.kind === "open") return checked(left, false, scene);
  if (isValue(right, true) && left.kind === "open" && !errs(left, scene)) return right;
  return join("||", { left, right }, scene);
}

/** `true && x` and `false || x` are x, but err where x is no boolean. */
function checked(part: Part, neutral: boolean, { typed }: Scene): Part {
  if (part.kind !== "open" || part.isBoolean || typed) return part;
  const expr = infixExpr(neutral ? "&&" : "||", { Value: neutral }, part.expr);
  return { ...withoutRecord(part), expr, canError: true, isBoolean: true };
}

function withoutRecord({ kind, expr, canError, isBoolean }: OpenPart): OpenPart {
  return { kind, expr, canError, isBoolean };
}

function join(op: "&&" | "||", { left, right }: { readonly left: Part; readonly right: Part }, scene: Scene): OpenPart {
  const expr = infixExpr(op, plain(exprOf(left)), plain(exprOf(right)));
  return { kind: "open", expr, canError: errs(left, scene) || errs(right, scene), isBoolean: true };
}

/** Whether the part could err where a boolean is asked for. */
export function errs(part: Part, { typed }: Scene): boolean {
  return part.kind === "failing" || (part.kind === "open" && (part.canError || !(part.isBoolean || typed)));
}

/** Where a boolean is asked for anyway, the check that `checked` put there says nothing. */
export function plain(expr: ExprJson): ExprJson {
  const view = viewExpr(expr);
  if (view.kind !== "binary" || (view.op !== "&&" && view.op !== "||")) return expr;
  const left = viewExpr(view.left);
  return left.kind === "value" && left.value === (view.op === "&&") ? plain(view.right) : expr;
}

export function invert(given: Part, expr: ExprJson, scene: Scene): Part {
  const arg = asCondition(given);
  if (arg.kind === "failing") return { ...arg, expr };
  if (arg.kind === "value") return valuePart(arg.value === false, expr);
  return { kind: "open", expr: { "!": { arg: plain(arg.expr) } }, canError: errs(arg, scene), isBoolean: true };
}

/** Only the branch that is taken can err. */
export function choose(view: ViewOf<"if">, scene: Scene, evaluate: EvaluatePart): Part {
  const guard = asCondition(evaluate(view.guard, scene));
  if (guard.kind === "failing") return guard;
  if (guard.kind === "value") return evaluate(guard.value === true ? view.yes : view.no, scene);
  const yes = evaluate(view.yes, assuming(guard, scene));
  const no = evaluate(view.no, scene);
  const canError = errs(guard, scene) || [yes, no].some((part) => part.kind === "failing" || (part.kind === "open" && part.canError));
  const isBoolean = [yes, no].every((part) => (part.kind === "open" ? part.isBoolean : part.kind === "failing" || typeof part.value === "boolean"));
  return { kind: "open", expr: choiceExpr(plain(guard.expr), exprOf(yes), exprOf(no)), canError, isBoolean };
}
