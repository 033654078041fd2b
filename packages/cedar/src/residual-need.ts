import { formatExpr } from "./format.ts";
import { accessExpr, infixExpr, viewExpr, visit, type ViewOf } from "./format-view.ts";
import type { ExprJson } from "./json.ts";
import { conjunction } from "./residual-condition.ts";
import { evaluatePart } from "./residual-evaluate.ts";
import { asCondition, assuming, errs, plain } from "./residual-logic.ts";
import { exprOf, type Part } from "./residual-part.ts";
import type { Scene } from "./residual-scene.ts";
import { tell } from "./residual-sentence.ts";

export interface NeedCondition {
  readonly kind: "condition";
  /** Has to be true. */
  readonly expr: ExprJson;
  readonly text: string;
  readonly sentence: string;
  /** What it is now, such as `1`, `"revoked"` or `absent`; undefined when that is not known. */
  readonly actual: string | undefined;
}

export interface NeedAnyOf {
  readonly kind: "anyOf";
  /** All of one of these. */
  readonly options: readonly (readonly Need[])[];
  readonly expr: ExprJson;
  readonly text: string;
  readonly sentence: string;
}

/** Nothing that is asked about could change it. */
export interface NeedNever {
  readonly kind: "never";
  readonly expr: ExprJson;
  readonly text: string;
  readonly sentence: string;
}

export type Need = NeedCondition | NeedAnyOf | NeedNever;

export interface Asking {
  readonly scene: Scene;
  /** Conditions that may still be taken apart; the rest are told whole, which is as true and less readable. */
  readonly budget: { left: number };
}

/** Of one policy, and of all together. */
const partsPerPolicyMax = 300;
const partsMax = 3_000;

export class Budgets {
  #left = partsMax;

  /** What `work` does not spend of the policy's share is left for others. */
  spend<Result>(work: (budget: { left: number }) => Result): Result {
    const share = Math.min(partsPerPolicyMax, this.#left);
    const budget = { left: share };
    const result = work(budget);
    this.#left -= share - Math.max(budget.left, 0);
    return result;
  }
}

export function never(sentence: string): NeedNever {
  return { kind: "never", expr: { Value: false }, text: "false", sentence };
}

/** The needs as one condition. */
export function allOf(list: readonly Need[]): ExprJson {
  return conjunction(list.map(({ expr }) => expr));
}

/**
 * What still has to hold for the condition to be `want`: empty when it is so in every completion.
 * INVARIANT: where all the needs are true, the condition evaluates to `want`.
 */
export function needs(expr: ExprJson, want: boolean, ask: Asking): readonly Need[] {
  const part = asCondition(evaluatePart(expr, ask.scene));
  if (part.kind === "value" && part.value === want) return [];
  const view = viewExpr(expr);
  if (ask.budget.left-- <= 0) return [atom(expr, want, { part, ask })];
  if (view.kind === "unary" && view.op === "!") return needs(view.arg, !want, ask);
  if (view.kind === "if") return choice(view, want, ask);
  if (view.kind === "value") return [never("a constant of the policy decides")];
  if (view.kind === "binary" && (view.op === "&&" || view.op === "||")) return inChain(chainOf(expr, view.op), { op: view.op, want }, ask);
  return [atom(expr, want, { part, ask })];
}

function inChain(chain: readonly ExprJson[], { op, want }: { readonly op: "&&" | "||"; readonly want: boolean }, ask: Asking): readonly Need[] {
  if ((op === "&&") === want) return together(chain, want, ask);
  return anyOf(options(chain, op === "||", ask));
}

/** `a && b && c` and `a || b || c` as lists. */
function chainOf(expr: ExprJson, op: "&&" | "||"): readonly ExprJson[] {
  const view = viewExpr(expr);
  return view.kind === "binary" && view.op === op ? [...chainOf(view.left, op), ...chainOf(view.right, op)] : [expr];
}

function together(chain: readonly ExprJson[], want: boolean, ask: Asking): readonly Need[] {
  let { scene } = ask;
  const list: Need[] = [];
  for (const expr of chain) {
    list.push(...needs(expr, want, { ...ask, scene }));
    if (want) scene = assuming(asCondition(evaluatePart(expr, scene)), scene);
  }
  return withoutImplied(list);
}

/** Ways for a conjunction to be false. */
export function optionsFalse(chain: readonly ExprJson[], ask: Asking): readonly (readonly Need[])[] {
  return options(chain, false, ask);
}

/** One way for each operand to decide the chain; what stands before it must then not err. */
function options(chain: readonly ExprJson[], decisive: boolean, ask: Asking): readonly (readonly Need[])[] {
  let { scene } = ask;
  const before: Need[] = [];
  return chain.map((expr) => {
    const now = { ...ask, scene };
    const option = [...before, ...needs(expr, decisive, now)];
    const part = asCondition(evaluatePart(expr, scene));
    if (errs(part, scene)) before.push(...needs(expr, !decisive, now));
    if (!decisive) scene = assuming(part, scene);
    return option;
  });
}

function choice(view: ViewOf<"if">, want: boolean, ask: Asking): readonly Need[] {
  const guard = asCondition(evaluatePart(view.guard, ask.scene));
  if (guard.kind === "value") return needs(guard.value === true ? view.yes : view.no, want, ask);
  const yes = [...needs(view.guard, true, ask), ...needs(view.yes, want, { ...ask, scene: assuming(guard, ask.scene) })];
  return anyOf([yes, [...needs(view.guard, false, ask), ...needs(view.no, want, ask)]]);
}

/** One need of several ways; ways that only wait for what is unknown come before those that would change what is known. */
export function anyOf(given: readonly (readonly Need[])[]): readonly Need[] {
  const possible = given.filter((option) => !option.some(({ kind }) => kind === "never"));
  const waiting = possible.filter((option) => option.every(isOpen));
  const ways = waiting.length > 0 ? waiting : possible;
  const [first, ...more] = ways;
  if (first === undefined) return [never("a constant of the policy decides")];
  if (more.length === 0) return first;
  const expr = ways.map(allOf).reduce((left, right) => infixExpr("||", left, right));
  const sentence = `one of: ${ways.map((way) => way.map((need) => need.sentence).join(" and ")).join("; or ")}`;
  return [{ kind: "anyOf", options: ways, expr, text: formatExpr(expr), sentence }];
}

function isOpen(need: Need): boolean {
  if (need.kind === "condition") return need.actual === undefined;
  return need.kind === "anyOf" && need.options.some((option) => option.every(isOpen));
}

function atom(expr: ExprJson, want: boolean, { part, ask }: { readonly part: Part; readonly ask: Asking }): Need {
  const left = plain(part.kind === "open" ? exprOf(part) : expr);
  const wanted = want ? left : negated(left);
  return { kind: "condition", expr: wanted, text: formatExpr(wanted), ...tell(expr, want, ask.scene) };
}

/** True exactly where the condition is false. */
function negated(expr: ExprJson): ExprJson {
  const view = viewExpr(expr);
  if (view.kind === "unary" && view.op === "!") return view.arg;
  if (view.kind !== "binary") return { "!": { arg: expr } };
  const op = opposites.get(view.op);
  return op === undefined ? { "!": { arg: expr } } : infixExpr(op, view.left, view.right);
}

const opposites: ReadonlyMap<string, string> = new Map([["==", "!="], ["!=", "=="], ["<", ">="], ["<=", ">"], [">", "<="], [">=", "<"]]);

/** Without the `has` that another need implies, as it cannot be true where the attribute is missing. */
function withoutImplied(list: readonly Need[]): readonly Need[] {
  return list.filter((need, index) => {
    const view = need.kind === "condition" ? viewExpr(need.expr) : undefined;
    if (view?.kind !== "has") return true;
    const access = formatExpr(accessExpr(view.left, view.path));
    return !list.some((other, at) => at !== index && other.kind === "condition" && reaches(other.expr, access));
  });
}

/** Whether evaluating the expression to the end takes the access; false where it might not. */
function reaches(expr: ExprJson, access: string): boolean {
  const never = () => false;
  return visit<boolean>(viewExpr(expr), {
    value: never,
    var: never,
    slot: never,
    if: never,
    attr: ({ left }) => formatExpr(expr) === access || reaches(left, access),
    has: ({ left }) => reaches(left, access),
    like: ({ left }) => reaches(left, access),
    is: ({ left }) => reaches(left, access),
    unary: ({ arg }) => reaches(arg, access),
    binary: ({ op, left, right }) => reaches(left, access) || (op !== "&&" && op !== "||" && reaches(right, access)),
    set: ({ items }) => items.some((item) => reaches(item, access)),
    record: ({ fields }) => fields.some(([, field]) => reaches(field, access)),
    call: ({ args }) => args.some((arg) => reaches(arg, access)),
  });
}
