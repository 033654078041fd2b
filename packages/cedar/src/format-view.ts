import { CedarError } from "./errors.ts";
import type { CedarValueJson, ExprJson, PatternElem, TypeAndId, Var } from "./json.ts";

export type UnaryOperator = "!" | "neg" | "isEmpty";
export type OperatorName = "==" | "!=" | "in" | "<" | "<=" | ">" | ">=" | "&&" | "||" | "+" | "-" | "*" | "contains" | "containsAll" | "containsAny" | "getTag" | "hasTag";

/** One level of an expression, told apart by `kind`; the JSON form tells by its only key. */
export type ExprView =
  | { readonly kind: "value"; readonly value: CedarValueJson }
  | { readonly kind: "var"; readonly name: Var }
  | { readonly kind: "slot"; readonly name: string }
  | { readonly kind: "unary"; readonly op: UnaryOperator; readonly arg: ExprJson }
  | { readonly kind: "binary"; readonly op: OperatorName; readonly left: ExprJson; readonly right: ExprJson }
  | { readonly kind: "attr"; readonly left: ExprJson; readonly attr: string }
  | { readonly kind: "has"; readonly left: ExprJson; readonly path: readonly string[] }
  | { readonly kind: "like"; readonly left: ExprJson; readonly pattern: readonly PatternElem[] }
  | { readonly kind: "is"; readonly left: ExprJson; readonly type: string; readonly in: ExprJson | undefined }
  | { readonly kind: "if"; readonly guard: ExprJson; readonly yes: ExprJson; readonly no: ExprJson }
  | { readonly kind: "set"; readonly items: readonly ExprJson[] }
  | { readonly kind: "record"; readonly fields: readonly (readonly [string, ExprJson])[] }
  | { readonly kind: "call"; readonly fn: string; readonly args: readonly ExprJson[] };

/** Reads one level; throws `policy_invalid` for what is no expression. */
export function viewExpr(expr: ExprJson): ExprView {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(expr);
  const [only] = entries;
  if (only === undefined || entries.length !== 1) throw invalid("an expression is an object with one key");
  const [op, body] = only;
  const read = readers.get(op);
  if (read !== undefined) return read(body);
  return { kind: "call", fn: op, args: exprs(body) };
}

export type ViewOf<Kind extends ExprView["kind"]> = Extract<ExprView, { readonly kind: Kind }>;

/** What to do with each kind of expression. */
export type Visitor<Result> = { readonly [Kind in ExprView["kind"]]: (view: ViewOf<Kind>) => Result };

export function visit<Result>(view: ExprView, to: Visitor<Result>): Result {
  if (view.kind === "value") return to.value(view);
  if (view.kind === "var") return to.var(view);
  if (view.kind === "slot") return to.slot(view);
  if (view.kind === "unary") return to.unary(view);
  if (view.kind === "binary") return to.binary(view);
  if (view.kind === "attr") return to.attr(view);
  if (view.kind === "has") return to.has(view);
  return visitRest(view, to);
}

function visitRest<Result>(view: ViewOf<"like" | "is" | "if" | "set" | "record" | "call">, to: Visitor<Result>): Result {
  if (view.kind === "like") return to.like(view);
  if (view.kind === "is") return to.is(view);
  if (view.kind === "if") return to.if(view);
  if (view.kind === "set") return to.set(view);
  return view.kind === "record" ? to.record(view) : to.call(view);
}

/** The JSON form of one operator over its body. */
export function makeExpr(op: string, body: unknown): ExprJson {
  return expr(Object.fromEntries([[op, body]]));
}

export function infixExpr(op: string, left: ExprJson, right: ExprJson): ExprJson {
  return makeExpr(op, { left, right });
}

const branches = ["if", "then", "else"] as const;

export function choiceExpr(guard: ExprJson, yes: ExprJson, no: ExprJson): ExprJson {
  const parts = [guard, yes, no];
  return makeExpr("if-then-else", Object.fromEntries(branches.map((name, index) => [name, parts[index]])));
}

/** `left.a.b` for the names in order. */
export function accessExpr(left: ExprJson, path: readonly string[]): ExprJson {
  return path.reduce<ExprJson>((from, attr) => ({ ".": { left: from, attr } }), left);
}

export type MarkView =
  | { readonly kind: "entity"; readonly uid: TypeAndId }
  | { readonly kind: "call"; readonly fn: string; readonly args: readonly CedarValueJson[] }
  | { readonly kind: "record"; readonly fields: readonly (readonly [string, CedarValueJson])[] };

/** An object among values: an entity's name, an extension value, or a record. */
export function viewMark(value: object): MarkView {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === "__entity") return { kind: "entity", uid: { type: text(field(only[1], "type")), id: text(field(only[1], "id")) } };
  if (entries.length === 1 && only?.[0] === "__extn") return extension(only[1]);
  return { kind: "record", fields: entries.map(([name, each]) => [name, cedarValue(each)] as const) };
}

function extension(call: unknown): MarkView {
  const args = field(call, "args");
  return { kind: "call", fn: text(field(call, "fn")), args: args === undefined ? [cedarValue(field(call, "arg"))] : list(args).map(cedarValue) };
}

const variables: ReadonlySet<unknown> = new Set(["principal", "action", "resource", "context"]);
const unaries: readonly UnaryOperator[] = ["!", "neg", "isEmpty"];
const binaries: readonly OperatorName[] = ["==", "!=", "in", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*", "contains", "containsAll", "containsAny", "getTag", "hasTag"];

const readers: ReadonlyMap<string, (body: unknown) => ExprView> = new Map<string, (body: unknown) => ExprView>([
  ["Value", (body) => ({ kind: "value", value: cedarValue(body) })],
  ["Var", (body) => ({ kind: "var", name: variable(body) })],
  ["Slot", (body) => ({ kind: "slot", name: text(body) })],
  ...unaries.map((op) => [op, (body: unknown): ExprView => ({ kind: "unary", op, arg: expr(field(body, "arg")) })] as const),
  ...binaries.map((op) => [op, (body: unknown): ExprView => ({ kind: "binary", op, left: expr(field(body, "left")), right: expr(field(body, "right")) })] as const),
  [".", (body) => ({ kind: "attr", left: expr(field(body, "left")), attr: text(field(body, "attr")) })],
  ["has", (body) => ({ kind: "has", left: expr(field(body, "left")), path: path(field(body, "attr")) })],
  ["like", (body) => ({ kind: "like", left: expr(field(body, "left")), pattern: list(field(body, "pattern")).map(patternElement) })],
  ["is", isView],
  ["if-then-else", (body) => ({ kind: "if", guard: expr(field(body, "if")), yes: expr(field(body, "then")), no: expr(field(body, "else")) })],
  ["Set", (body) => ({ kind: "set", items: exprs(body) })],
  ["Record", (body) => ({ kind: "record", fields: Object.entries(object(body)).map(([name, value]) => [name, expr(value)] as const) })],
]);

function isView(body: unknown): ExprView {
  const within = field(body, "in");
  return { kind: "is", left: expr(field(body, "left")), type: text(field(body, "entity_type")), in: within === undefined ? undefined : expr(within) };
}

function variable(value: unknown): Var {
  if (isVar(value)) return value;
  throw invalid("a variable is principal, action, resource or context");
}

function isVar(value: unknown): value is Var {
  return variables.has(value);
}

function path(value: unknown): readonly string[] {
  const names = typeof value === "string" ? [value] : list(value).map(text);
  if (names.length === 0) throw invalid("`has` names an attribute");
  return names;
}

function patternElement(value: unknown): PatternElem {
  return value === "Wildcard" ? value : { Literal: text(field(value, "Literal")) };
}

function exprs(value: unknown): readonly ExprJson[] {
  return list(value).map(expr);
}

/** One level only: what stands below is read when it is viewed. */
function expr(value: unknown): ExprJson {
  if (isExprObject(value)) return value;
  throw invalid("an expression is an object with one key");
}

function isExprObject(value: unknown): value is ExprJson {
  return isObject(value);
}

function cedarValue(value: unknown): CedarValueJson {
  if (isCedarValue(value)) return value;
  throw invalid("a value is a boolean, a long, a string, a set or a record");
}

function isCedarValue(value: unknown): value is CedarValueJson {
  return ["boolean", "number", "bigint", "string"].includes(typeof value) || (typeof value === "object" && value !== null);
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid("a list is needed");
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw invalid("a text is needed");
}

function field(value: unknown, name: string): unknown {
  const given = object(value);
  return Object.hasOwn(given, name) ? given[name] : undefined;
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value;
  throw invalid("an object is needed");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): CedarError {
  return new CedarError("policy_invalid", "", message);
}
