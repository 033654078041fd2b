import { formatExpr } from "./format.ts";
import { formatPattern } from "./format-text.ts";
import { accessExpr, viewExpr, type ExprView, type ViewOf } from "./format-view.ts";
import type { ExprJson } from "./json.ts";
import { evaluatePart } from "./residual-evaluate.ts";
import { literalOf } from "./residual-part.ts";
import type { Scene } from "./residual-scene.ts";
import type { Value } from "./values.ts";

/** One atomic condition as people read it, such as `context.approvals.people is 1, must be >= 2`. */
export interface Told {
  readonly sentence: string;
  /** What it is now; undefined when that is not known. */
  readonly actual: string | undefined;
}

interface Wanted {
  /** What has another value than it must have. */
  readonly subject: ExprJson;
  /** Such as `be >= 2`. */
  readonly phrase: string;
}

export function tell(expr: ExprJson, want: boolean, scene: Scene): Told {
  const view = viewExpr(expr);
  if (view.kind === "has") return presence(view, want, scene);
  const { subject, phrase } = wanted(view, expr, { want, scene });
  const actual = actualOf(subject, scene);
  const text = shortened(formatExpr(subject));
  return { actual, sentence: actual === undefined ? `${text} must ${phrase}` : `${text} is ${actual}, must ${phrase}` };
}

function presence(view: ViewOf<"has">, want: boolean, scene: Scene): Told {
  const path = accessExpr(view.left, view.path);
  const part = evaluatePart({ has: { left: view.left, attr: view.path } }, scene);
  const actual = part.kind === "value" ? (part.value === true ? "present" : "absent") : part.kind === "failing" ? "not there" : undefined;
  const must = want ? "must be present" : "must be absent";
  const text = shortened(formatExpr(path));
  return { actual, sentence: actual === undefined ? `${text} ${must}` : `${text} is ${actual}, ${must}` };
}

interface Asked {
  readonly want: boolean;
  readonly scene: Scene;
}

function wanted(view: ExprView, expr: ExprJson, asked: Asked): Wanted {
  if (view.kind === "binary") return binary(view, expr, asked);
  if (view.kind === "call") return call(view, expr, asked);
  if (view.kind === "like") return { subject: view.left, phrase: `${asked.want ? "match" : "not match"} ${formatPattern(view.pattern)}` };
  if (view.kind === "is") return { subject: view.left, phrase: `${be(asked.want)} a ${view.type}${view.in === undefined ? "" : ` in ${other(view.in, asked.scene)}`}` };
  return view.kind === "unary" && view.op === "isEmpty" ? { subject: view.arg, phrase: `${be(asked.want)} empty` } : truth(expr, asked.want);
}

function truth(subject: ExprJson, want: boolean): Wanted {
  return { subject, phrase: `be ${want}` };
}

function be(want: boolean): string {
  return want ? "be" : "not be";
}

const opposite: Readonly<Record<string, string>> = { "==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<" };
const mirrored: Readonly<Record<string, string>> = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" };
const decimals: Readonly<Record<string, string>> = { lessThan: "<", lessThanOrEqual: "<=", greaterThan: ">", greaterThanOrEqual: ">=" };

function binary(view: ViewOf<"binary">, expr: ExprJson, { want, scene }: Asked): Wanted {
  const { op, left, right } = view;
  if (opposite[op] !== undefined) return comparison(op, { left, right }, { want, scene });
  if (op === "in") return { subject: left, phrase: `${be(want)} in ${other(right, scene)}` };
  const phrases = membership[op];
  if (phrases === undefined) return truth(expr, want);
  // A set that the policy lists is what the other side is measured by.
  const turned = isFixed(left);
  const [yes, no] = turned ? phrases.listed : phrases.held;
  return { subject: turned ? right : left, phrase: `${want ? yes : no} ${other(turned ? left : right, scene)}` };
}

type Phrases = readonly [string, string];

const membership: Readonly<Record<string, { readonly listed: Phrases; readonly held: Phrases }>> = {
  contains: { listed: ["be one of", "be none of"], held: ["contain", "not contain"] },
  containsAll: { listed: ["lie within", "not lie within"], held: ["contain all of", "not contain all of"] },
  containsAny: { listed: ["contain one of", "contain none of"], held: ["contain one of", "contain none of"] },
};

function call({ fn, args }: ViewOf<"call">, expr: ExprJson, asked: Asked): Wanted {
  const [left, right] = args;
  const op = decimals[fn];
  if (left === undefined || right === undefined) return truth(expr, asked.want);
  if (op !== undefined) return comparison(op, { left, right }, asked);
  return fn === "isInRange" ? { subject: left, phrase: `${be(asked.want)} in the range ${other(right, asked.scene)}` } : truth(expr, asked.want);
}

function comparison(op: string, { left, right }: { readonly left: ExprJson; readonly right: ExprJson }, { want, scene }: Asked): Wanted {
  const turned = isFixed(left) && !isFixed(right);
  const asked = want ? op : (opposite[op] ?? op);
  const sign = turned ? (mirrored[asked] ?? asked) : asked;
  const bound = other(turned ? left : right, scene);
  const phrase = sign === "==" ? `be ${bound}` : sign === "!=" ? `not be ${bound}` : `be ${sign} ${bound}`;
  return { subject: turned ? right : left, phrase };
}

/** Whether the request has no part in it. */
export function isFixed(expr: ExprJson): boolean {
  const view = viewExpr(expr);
  if (view.kind === "set") return view.items.every(isFixed);
  if (view.kind === "record") return view.fields.every(([, field]) => isFixed(field));
  return view.kind === "call" ? view.args.every(isFixed) : view.kind === "value";
}

/** What something is compared with: as it is written, with its value if that is known and not written there. */
function other(expr: ExprJson, scene: Scene): string {
  const text = shortened(formatExpr(expr));
  if (isFixed(expr)) return text;
  const actual = actualOf(expr, scene);
  return actual === undefined ? text : `${text} (${actual})`;
}

function actualOf(expr: ExprJson, scene: Scene): string | undefined {
  const part = evaluatePart(expr, scene);
  if (part.kind === "value") return shown(part.value);
  if (part.kind === "open") return undefined;
  return viewExpr(expr).kind === "attr" ? "absent" : `not to be computed (${part.message})`;
}

function shown(value: Value): string {
  const literal = literalOf(value);
  return literal === undefined ? "too large to show" : shortened(formatExpr(literal));
}

const charactersMax = 200;

function shortened(text: string): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`;
}
