import { viewExpr, type ExprJson, type ExprView } from "@licet/cedar";

/** What is known where an expression is evaluated, by the JSON text of the expressions that it is about. */
export interface Facts {
  /** Entities that are in the store: something was found at them. */
  readonly present: ReadonlySet<string>;
  /** Entities whose type was asked for, which says nothing of their presence. */
  readonly typed: ReadonlySet<string>;
  readonly low: ReadonlyMap<string, bigint>;
  readonly high: ReadonlyMap<string, bigint>;
}

export const nothing: Facts = { present: new Set(), typed: new Set(), low: new Map(), high: new Map() };

export function keyOf(expr: ExprJson): string {
  return JSON.stringify(expr, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

export function both(a: Facts, b: Facts): Facts {
  if (a === nothing) return b;
  if (b === nothing) return a;
  return { present: new Set([...a.present, ...b.present]), typed: new Set([...a.typed, ...b.typed]), low: tighter(a.low, b.low, (x, y) => x > y), high: tighter(a.high, b.high, (x, y) => x < y) };
}

function tighter(a: ReadonlyMap<string, bigint>, b: ReadonlyMap<string, bigint>, wins: (x: bigint, y: bigint) => boolean): ReadonlyMap<string, bigint> {
  const all = new Map(a);
  for (const [key, value] of b) {
    const before = all.get(key);
    if (before === undefined || wins(value, before)) all.set(key, value);
  }
  return all;
}

/** What holds once `expr` has come out as `truth`. What is not understood says nothing, which is the careful side. */
export function factsOf(expr: ExprJson, truth: boolean): Facts {
  const view = viewExpr(expr);
  if (view.kind === "unary" && view.op === "!") return factsOf(view.arg, !truth);
  if (view.kind === "binary") return binaryFacts(view, truth);
  if (!truth) return nothing;
  if (view.kind === "has") return presence(view.left, view.path);
  if (view.kind === "is") return { ...nothing, typed: new Set([keyOf(view.left)]) };
  return nothing;
}

type Binary = Extract<ExprView, { kind: "binary" }>;

function binaryFacts({ op, left, right }: Binary, truth: boolean): Facts {
  if (op === (truth ? "&&" : "||")) return both(factsOf(left, truth), factsOf(right, truth));
  if (op === "hasTag" && truth) return presence(left, []);
  const told = truth ? op : opposite.get(op);
  return told === undefined ? nothing : both(bound(told, left, right), bound(mirrored.get(told) ?? told, right, left));
}

const opposite: ReadonlyMap<string, string> = new Map([["<", ">="], ["<=", ">"], [">", "<="], [">=", "<"], ["!=", "=="]]);
const mirrored: ReadonlyMap<string, string> = new Map([["<", ">"], ["<=", ">="], [">", "<"], [">=", "<="]]);

/** `left op literal`. */
function bound(op: string, left: ExprJson, right: ExprJson): Facts {
  const limit = longOf(right);
  if (limit === undefined) return nothing;
  const key = keyOf(left);
  const low = op === ">" ? limit + 1n : limit;
  const high = op === "<" ? limit - 1n : limit;
  return {
    ...nothing,
    low: op === ">" || op === ">=" || op === "==" ? new Map([[key, low]]) : nothing.low,
    high: op === "<" || op === "<=" || op === "==" ? new Map([[key, high]]) : nothing.high,
  };
}

export function longOf(expr: ExprJson): bigint | undefined {
  const view = viewExpr(expr);
  if (view.kind === "unary" && view.op === "neg") {
    const inside = longOf(view.arg);
    return inside === undefined ? undefined : -inside;
  }
  if (view.kind !== "value") return undefined;
  const { value } = view;
  return typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value)) ? BigInt(value) : undefined;
}

/** `left has a.b`: what `a` is looked up in is there, and so is what `b` is. */
function presence(left: ExprJson, path: readonly string[]): Facts {
  const present = [keyOf(left)];
  let at = left;
  for (const attr of path.slice(0, -1)) {
    at = { ".": { left: at, attr } };
    present.push(keyOf(at));
  }
  return { ...nothing, present: new Set(present) };
}
