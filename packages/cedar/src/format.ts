import { CedarError } from "./errors.ts";
import { formatPattern, formatString, isIdentifier } from "./format-text.ts";
import { accessExpr, viewExpr, viewMark, visit, type OperatorName, type ViewOf, type Visitor } from "./format-view.ts";
import type { ActionScopeJson, CedarValueJson, ExprJson, PolicyJson, ReferenceJson, ScopeJson, TypeAndId, EntityUidJson } from "./json.ts";

/** How tightly a form binds, as in Cedar's grammar: an operand that binds less tightly than its place asks for stands in brackets. */
const level = { expr: 0, or: 1, and: 2, relation: 3, sum: 4, product: 5, unary: 6, member: 7 } as const;
type Level = (typeof level)[keyof typeof level];

interface Formed {
  readonly text: string;
  readonly level: Level;
}

interface Infix {
  readonly own: Level;
  readonly left: Level;
  readonly right: Level;
}

/** What left and right operand must bind at least as tightly as. */
const infix: ReadonlyMap<OperatorName, Infix> = new Map<OperatorName, Infix>([
  ["||", { own: level.or, left: level.or, right: level.and }],
  ["&&", { own: level.and, left: level.and, right: level.relation }],
  ["+", { own: level.sum, left: level.sum, right: level.product }],
  ["-", { own: level.sum, left: level.sum, right: level.product }],
  ["*", { own: level.product, left: level.product, right: level.unary }],
  ...(["==", "!=", "in", "<", "<=", ">", ">="] as const).map((op) => [op, { own: level.relation, left: level.sum, right: level.sum }] as const),
]);

/** Extension functions that are written before their arguments; all others are methods. */
const constructors = new Set(["ip", "decimal", "datetime", "duration", "unknown"]);

/** Wider than this, a policy's head or a condition is broken into lines. */
const columnsMax = 110;

/**
 * The Cedar text of an expression's JSON form, on one line, with no brackets that the grammar does not need.
 *
 * Parsing the text gives the same JSON but for forms that no text has: a set, record or extension value inside `Value`
 * becomes `Set`, `Record` or a call; `has` with several names of which one is no identifier becomes a chain of `has` with `&&`;
 * a method without a receiver, which always errors, is called on `true`, which always errors too; a pattern of `like` is
 * split by character; text that is not well-formed Unicode becomes U+FFFD. Throws `CedarError("policy_invalid")` for what is no expression, or has a name that no text can have.
 */
export function formatExpr(expr: ExprJson): string {
  return formed(expr).text;
}

/**
 * The Cedar text of a policy's or template's JSON form, laid out for reading.
 * Parsing it gives the same JSON, with the exceptions named at `formatExpr`.
 */
export function formatPolicy(policy: PolicyJson): string {
  const annotations = Object.entries(policy.annotations ?? {}).map(([name, value]) => `@${annotationName(name)}${value === null ? "" : `(${formatString(value)})`}`);
  const scopes = [scope("principal", policy.principal), actionScope(policy.action), scope("resource", policy.resource)];
  const head = `${policy.effect} (${scopes.join(", ")})`;
  const broken = head.length > columnsMax ? `${policy.effect} (\n  ${scopes.join(",\n  ")}\n)` : head;
  const conditions = policy.conditions.map(({ kind, body }) => clause(kind, body));
  return `${[...annotations, broken, ...conditions].join("\n")};\n`;
}

/** An entity's name as text: `Type::"id"`. */
export function formatUid(uid: EntityUidJson): string {
  const { type, id } = typeAndId(uid);
  return `${typeName(type)}::${formatString(id)}`;
}

function typeAndId(uid: EntityUidJson): TypeAndId {
  return "__entity" in uid ? uid.__entity : uid;
}

function typeName(name: string): string {
  if (name.split("::").every(isIdentifier)) return name;
  throw new CedarError("policy_invalid", "", `\`${name}\` is no name of an entity type`);
}

function annotationName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/u.test(name)) return name;
  throw new CedarError("policy_invalid", "", `\`${name}\` is no name of an annotation`);
}

function reference(given: ReferenceJson): string {
  return "slot" in given ? slot(given.slot) : formatUid(given.entity);
}

function slot(name: string): string {
  if (name === "?principal" || name === "?resource") return name;
  throw new CedarError("policy_invalid", "", `\`${name}\` is no slot`);
}

function scope(name: "principal" | "resource", given: ScopeJson): string {
  if (given.op === "All") return name;
  if (given.op === "is") return `${name} is ${typeName(given.entity_type)}${given.in === undefined ? "" : ` in ${reference(given.in)}`}`;
  return `${name} ${given.op} ${reference(given)}`;
}

function actionScope(given: ActionScopeJson): string {
  if (given.op === "All") return "action";
  return "entities" in given ? `action in [${given.entities.map(formatUid).join(", ")}]` : `action ${given.op} ${formatUid(given.entity)}`;
}

function clause(kind: "when" | "unless", body: ExprJson): string {
  const line = `${kind} { ${formatExpr(body)} }`;
  return line.length <= columnsMax ? line : `${kind} {\n  ${operands(body).join("\n  ")}\n}`;
}

/** The operands of the outermost chain of one operator, each with the operator that follows it. */
function operands(expr: ExprJson): readonly string[] {
  const view = viewExpr(expr);
  if (view.kind !== "binary" || (view.op !== "&&" && view.op !== "||")) return [formatExpr(expr)];
  const right = at(view.right, view.op === "&&" ? level.relation : level.and);
  const left = viewExpr(view.left);
  const before = left.kind === "binary" && left.op === view.op ? operands(view.left) : [at(view.left, view.op === "&&" ? level.and : level.or)];
  return [...before.slice(0, -1), `${before.at(-1) ?? ""} ${view.op}`, right];
}

function at(expr: ExprJson, least: Level): string {
  const { text, level: own } = formed(expr);
  return own < least ? `(${text})` : text;
}

function member(text: string): Formed {
  return { text, level: level.member };
}

function formed(expr: ExprJson): Formed {
  return visit(viewExpr(expr), forms);
}

const forms: Visitor<Formed> = {
  value: (view) => value(view.value),
  var: (view) => member(view.name),
  slot: (view) => member(slot(view.name)),
  unary,
  binary,
  attr: (view) => member(`${receiver(view.left)}${isIdentifier(view.attr) ? `.${view.attr}` : `[${formatString(view.attr)}]`}`),
  has: (view) => has(view.left, view.path),
  like: (view) => ({ text: `${at(view.left, level.sum)} like ${formatPattern(view.pattern)}`, level: level.relation }),
  is: (view) => ({ text: `${at(view.left, level.sum)} is ${typeName(view.type)}${view.in === undefined ? "" : ` in ${at(view.in, level.sum)}`}`, level: level.relation }),
  if: (view) => ({ text: `if ${formatExpr(view.guard)} then ${formatExpr(view.yes)} else ${formatExpr(view.no)}`, level: level.expr }),
  set: (view) => member(`[${view.items.map(formatExpr).join(", ")}]`),
  record: (view) => member(record(view.fields.map(([name, field]) => [name, formatExpr(field)]))),
  call: (view) => member(call(view.fn, view.args.map(formed))),
};

function unary({ op, arg }: ViewOf<"unary">): Formed {
  if (op === "isEmpty") return member(`${receiver(arg)}.isEmpty()`);
  const operand = formed(arg);
  // `-5` is a literal and at most four signs may follow each other: an operand that is either is bracketed.
  const bare = operand.level === level.member && !(op === "neg" && isNumber(arg));
  return { text: `${op === "neg" ? "-" : "!"}${bare ? operand.text : `(${operand.text})`}`, level: level.unary };
}

function binary({ op, left, right }: ViewOf<"binary">): Formed {
  const place = infix.get(op);
  if (place === undefined) return member(`${receiver(left)}.${op}(${formatExpr(right)})`);
  return { text: `${at(left, place.left)} ${op} ${at(right, place.right)}`, level: place.own };
}

function receiver(expr: ExprJson): string {
  return received(formed(expr), isNumber(expr));
}

function received({ text, level: own }: Formed, isNumeric: boolean): string {
  return own < level.member || isNumeric ? `(${text})` : text;
}

function isNumber(expr: ExprJson): boolean {
  const view = viewExpr(expr);
  return view.kind === "value" && (typeof view.value === "number" || typeof view.value === "bigint");
}

function has(left: ExprJson, path: readonly string[]): Formed {
  const [first = "", ...rest] = path;
  const base = at(left, level.sum);
  if (rest.length === 0) return { text: `${base} has ${isIdentifier(first) ? first : formatString(first)}`, level: level.relation };
  if (path.every(isIdentifier)) return { text: `${base} has ${path.join(".")}`, level: level.relation };
  const steps = path.map((name, index) => has(accessExpr(left, path.slice(0, index)), [name]));
  return { text: steps.map((step) => step.text).join(" && "), level: level.and };
}

function call(fn: string, args: readonly Formed[]): string {
  if (!isIdentifier(fn)) throw new CedarError("policy_invalid", "", `\`${fn}\` is no name of a function`);
  if (constructors.has(fn)) return `${fn}(${args.map(({ text }) => text).join(", ")})`;
  const [first = member("true"), ...rest] = args;
  return `${received(first, /^\d/u.test(first.text))}.${fn}(${rest.map(({ text }) => text).join(", ")})`;
}

function record(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([name, text]) => `${isIdentifier(name) ? name : formatString(name)}: ${text}`).join(", ")}}`;
}

/** The text of a value: entities by name, extension values as the call that makes them. */
function value(given: CedarValueJson): Formed {
  if (typeof given === "string") return member(formatString(given));
  if (typeof given === "boolean") return member(String(given));
  if (typeof given === "number" || typeof given === "bigint") return long(given);
  if (isList(given)) return member(`[${given.map((item) => value(item).text).join(", ")}]`);
  return member(marked(given));
}

function long(given: number | bigint): Formed {
  if (typeof given === "number" && !Number.isSafeInteger(given)) throw new CedarError("policy_invalid", "", `\`${given}\` is no exact whole number`);
  return { text: String(given), level: given < 0 ? level.unary : level.member };
}

function isList(given: CedarValueJson): given is readonly CedarValueJson[] {
  return Array.isArray(given);
}

function marked(given: Exclude<CedarValueJson, boolean | number | bigint | string | readonly CedarValueJson[]>): string {
  const view = viewMark(given);
  if (view.kind === "entity") return formatUid(view.uid);
  if (view.kind === "call") return call(view.fn, view.args.map(value));
  return record(view.fields.map(([name, field]) => [name, value(field).text]));
}
