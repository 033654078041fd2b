import { Datetime } from "./extension/datetime.ts";
import { Decimal } from "./extension/decimal.ts";
import { Duration } from "./extension/duration.ts";
import { IpAddress } from "./extension/ipaddr.ts";
import type { ExprJson } from "./json.ts";
import type { UnknownTree } from "./residual-unknown.ts";
import { EntityUid, RecordValue, SetValue, type ReadonlyFields, type Value } from "./values.ts";

/**
 * What an expression is while some of the request is unknown.
 * INVARIANT: in every completion of the unknowns `value` evaluates to that value, `failing` to an error, and `open` to whatever
 * its own `expr` evaluates to, errors included.
 */
export type Part =
  | { readonly kind: "value"; readonly value: Value; readonly expr: ExprJson }
  | { readonly kind: "failing"; readonly message: string; readonly expr: ExprJson }
  | OpenPart;

export interface OpenPart {
  readonly kind: "open";
  readonly expr: ExprJson;
  /** False only if no completion makes it err. */
  readonly canError: boolean;
  /** True if it is a boolean wherever it does not err. */
  readonly isBoolean: boolean;
  /** Of a record of which only some attributes are unknown. */
  readonly record?: PartialRecord;
  /** The entity type, of an unknown principal or resource. */
  readonly entity?: { readonly type: string | undefined };
}

export interface PartialRecord {
  readonly fields: ReadonlyFields;
  readonly tree: UnknownTree;
}

export function valuePart(value: Value, expr: ExprJson): Part {
  return { kind: "value", value, expr };
}

/** Larger values stay as they were written: nobody would read them. */
const nodesMax = 200;

/** The expression to show and to evaluate instead of the original one: known values as literals. */
export function exprOf(part: Part): ExprJson {
  if (part.kind !== "value") return part.expr;
  return literalOf(part.value) ?? part.expr;
}

/** The literal of a value, or undefined if it is too large to be one. */
export function literalOf(value: Value): ExprJson | undefined {
  const budget = { nodes: nodesMax };
  const expr = literal(value, budget);
  return budget.nodes < 0 ? undefined : expr;
}

function literal(value: Value, budget: { nodes: number }): ExprJson {
  budget.nodes--;
  if (budget.nodes < 0) return { Value: false };
  if (typeof value !== "object") return { Value: value };
  if (value instanceof EntityUid) return { Value: { __entity: { type: value.type, id: value.id } } };
  if (value instanceof SetValue) return { Set: items(value, budget) };
  if (value instanceof RecordValue) return { Record: Object.fromEntries(Object.entries(value.fields).map(([name, each]) => [name, literal(each, budget)])) };
  return extension(value);
}

function items(set: SetValue, budget: { nodes: number }): readonly ExprJson[] {
  if (set.size > budget.nodes) budget.nodes = -1;
  return budget.nodes < 0 ? [] : [...set].map((each) => literal(each, budget));
}

function extension(value: Datetime | Decimal | Duration | IpAddress): ExprJson {
  if (value instanceof Decimal) return { decimal: [{ Value: value.toString() }] };
  if (value instanceof Duration) return { duration: [{ Value: value.toString() }] };
  if (value instanceof IpAddress) return { ip: [{ Value: value.toString().replace(value.version === 4 ? /\/32$/u : /\/128$/u, "") }] };
  return datetime(value);
}

const firstMoment = Date.parse("0000-01-01T00:00:00.000Z");
const lastMoment = Date.parse("9999-12-31T23:59:59.999Z");

function datetime({ milliseconds }: Datetime): ExprJson {
  if (typeof milliseconds === "number" && milliseconds >= firstMoment && milliseconds <= lastMoment) {
    const text = new Date(milliseconds).toISOString();
    return { datetime: [{ Value: text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : text }] };
  }
  return { offset: [{ datetime: [{ Value: "1970-01-01" }] }, { duration: [{ Value: `${milliseconds}ms` }] }] };
}
