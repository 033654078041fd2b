import { formatExpr, viewExpr, type ExprJson, type ExprView, type PolicyJson } from "@licet/cedar";
import type { BundlePolicy } from "./bundle-form.ts";
import { both, factsOf, keyOf, nothing, type Facts } from "./lint-facts.ts";
import type { PolicyFinding } from "./lint-form.ts";
import { computedRange, isLongRange } from "./lint-range.ts";
import { SchemaKinds, type Environment, type Kind } from "./lint-types.ts";
import { plainUid } from "./requirement.ts";

/**
 * Finds what strict validation lets pass and evaluation would not: a policy that errors is skipped by Cedar, and a
 * skipped forbid is an open door. Licet denies on any error besides; these findings are about not needing that.
 */
export function lintPolicies(policies: readonly BundlePolicy[], kinds: SchemaKinds): readonly PolicyFinding[] {
  const environments = kinds.environments();
  return policies.flatMap((policy) => {
    const found = new Map<string, PolicyFinding>();
    for (const environment of environments.filter((each) => mayApply(policy.json, each))) {
      for (const finding of new Walk(policy, kinds, environment).findings()) found.set(`${finding.rule} ${finding.place}`, finding);
    }
    return [...found.values()];
  });
}

/** Parsing rounds whole numbers beyond 2^53, and what was rounded is not what was written. */
export function roundedNumbers(policies: readonly { readonly id: string; readonly pack: string; readonly json: PolicyJson }[]): readonly PolicyFinding[] {
  return policies.filter(({ json }) => holdsRounded(json)).map(({ id, pack }) => ({ severity: "error", rule: "rounded-number", policy: id, pack, place: "", why: "a number beyond 2^53 would be rounded", fix: "use a larger unit of measure or a smaller bound" }));
}

function holdsRounded(value: unknown): boolean {
  if (typeof value === "number") return !Number.isSafeInteger(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsRounded);
}

function mayApply({ principal, action, resource }: PolicyJson, environment: Environment): boolean {
  const typed = (scope: PolicyJson["principal"], type: string) => scope.op !== "is" || scope.entity_type === type;
  const equal = (scope: PolicyJson["principal"], type: string) => scope.op !== "==" || !("entity" in scope) || plainUid(scope.entity).type === type;
  const acts = action.op !== "==" || named(plainUid(action.entity)) === environment.action;
  return acts && [[principal, environment.principal] as const, [resource, environment.resource] as const].every(([scope, type]) => typed(scope, type) && equal(scope, type));
}

function named({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}::${JSON.stringify(id)}`;
}

const other: Kind = { kind: "other" };
const constructors: ReadonlySet<string> = new Set(["decimal", "ip", "datetime", "duration"]);
const texts = {
  absent: "the entity may be missing from the store, and looking at it then errors",
  typedOnly: "`is` asks for the type and not for the presence: where the entity is missing this errors, and only Licet's rule that any error denies still holds the door",
  overflow: "the result may lie outside 64 bits, and then this errors",
  constructed: "the constructor errors on text that is not in its form",
} as const;

/** One policy in one environment. */
class Walk {
  readonly #policy: BundlePolicy;
  readonly #kinds: SchemaKinds;
  readonly #environment: Environment;
  readonly #found: PolicyFinding[] = [];

  constructor(policy: BundlePolicy, kinds: SchemaKinds, environment: Environment) {
    this.#policy = policy;
    this.#kinds = kinds;
    this.#environment = environment;
  }

  findings(): readonly PolicyFinding[] {
    let facts = nothing;
    for (const { kind, body } of this.#policy.json.conditions) {
      this.#visit(body, facts);
      facts = both(facts, factsOf(body, kind === "when"));
    }
    return this.#found;
  }

  /** The kind of what `expr` yields, where it is evaluated under `facts`. */
  #visit(expr: ExprJson, facts: Facts): Kind {
    const view = viewExpr(expr);
    if (view.kind === "value") return this.#value(view.value);
    if (view.kind === "var") return this.#variable(view.name);
    if (view.kind === "attr") return this.#attribute(view, facts);
    if (view.kind === "binary") return this.#binary(view, { expr, facts });
    if (view.kind === "if") return this.#conditional(view, facts);
    if (view.kind === "call") return this.#call(view, { expr, facts });
    for (const inside of insideOf(view)) this.#visit(inside, facts);
    if (view.kind === "unary" && view.op === "neg") this.#arithmetic(expr, facts);
    return other;
  }

  #value(value: unknown): Kind {
    if (typeof value !== "object" || value === null || !("__entity" in value)) return other;
    const uid = value.__entity;
    return typeof uid === "object" && uid !== null && "type" in uid ? { kind: "entity", type: String(uid.type) } : other;
  }

  #variable(name: string): Kind {
    const { principal, resource, context } = this.#environment;
    if (name === "context") return context;
    return name === "principal" ? { kind: "entity", type: principal } : name === "resource" ? { kind: "entity", type: resource } : other;
  }

  #attribute({ left, attr }: Extract<ExprView, { kind: "attr" }>, facts: Facts): Kind {
    const kind = this.#visit(left, facts);
    if (kind.kind === "entity" && !facts.present.has(keyOf(left))) this.#unguarded({ left, attr }, facts);
    return this.#kinds.attribute(kind, attr);
  }

  #unguarded({ left, attr }: { readonly left: ExprJson; readonly attr: string }, facts: Facts): void {
    const fix = `write \`${formatExpr({ has: { left, attr } })} && …\` before it`;
    const typed = facts.typed.has(keyOf(left));
    this.#report("missing-guard", { ".": { left, attr } }, { why: typed ? texts.typedOnly : texts.absent, fix, ...(typed && { severity: "warning" }) });
  }

  #binary(view: Extract<ExprView, { kind: "binary" }>, at: { readonly expr: ExprJson; readonly facts: Facts }): Kind {
    const { op, left, right } = view;
    if (op === "&&" || op === "||") {
      const goesOn = op === "&&";
      this.#visit(left, at.facts);
      if (this.#constant(left) !== !goesOn) this.#visit(right, both(at.facts, factsOf(left, goesOn)));
      return other;
    }
    const kind = this.#visit(left, at.facts);
    this.#visit(right, at.facts);
    if (op === "+" || op === "-" || op === "*") this.#arithmetic(at.expr, at.facts);
    if (op === "getTag" && !at.facts.present.has(keyOf(left))) this.#report("missing-guard", at.expr, { why: texts.absent, fix: `write \`${formatExpr({ hasTag: { left, right } })} && …\` before it` });
    return op === "getTag" && kind.kind === "entity" ? this.#kinds.tags(kind.type) : other;
  }

  /** The kind of a path, without a look at its guards. */
  #kind(expr: ExprJson): Kind {
    const view = viewExpr(expr);
    if (view.kind === "var") return this.#variable(view.name);
    return view.kind === "attr" ? this.#kinds.attribute(this.#kind(view.left), view.attr) : other;
  }

  /** `is` and `has` where the schema answers them; the side that Cedar never evaluates is not looked at. */
  #constant(expr: ExprJson): boolean | undefined {
    const view = viewExpr(expr);
    if (view.kind === "unary" && view.op === "!") return negation(this.#constant(view.arg));
    if (view.kind === "binary" && (view.op === "&&" || view.op === "||")) return connected(view.op, [this.#constant(view.left), this.#constant(view.right)]);
    if (view.kind === "has") return this.#kinds.lacks(this.#kind(view.left), view.path[0] ?? "") ? false : undefined;
    return view.kind === "is" ? this.#isType(view) : undefined;
  }

  #isType(view: Extract<ExprView, { kind: "is" }>): boolean | undefined {
    const left = viewExpr(view.left);
    const type = left.kind === "var" && (left.name === "principal" || left.name === "resource") ? this.#environment[left.name] : undefined;
    if (type === undefined) return undefined;
    if (type !== view.type) return false;
    return view.in === undefined ? true : undefined;
  }

  #conditional(view: Extract<ExprView, { kind: "if" }>, facts: Facts): Kind {
    this.#visit(view.guard, facts);
    const known = this.#constant(view.guard);
    const kinds = [true, false].filter((truth) => known !== !truth).map((truth) => this.#visit(truth ? view.yes : view.no, both(facts, factsOf(view.guard, truth))));
    return kinds[0] ?? other;
  }

  #call({ fn, args }: Extract<ExprView, { kind: "call" }>, at: { readonly expr: ExprJson; readonly facts: Facts }): Kind {
    const kinds = args.map((arg) => this.#visit(arg, at.facts));
    if (constructors.has(fn) && args.some((arg) => viewExpr(arg).kind !== "value")) this.#report("constructor-not-literal", at.expr, { why: texts.constructed, fix: "give the value its type in the schema, so that it is read before the policies are asked" });
    if (fn === "offset" && !(kinds[0]?.kind === "datetime" && args[1] !== undefined && isShort(args[1]))) this.#report("can-overflow", at.expr, { why: texts.overflow, fix: "move a time of the request by a literal duration of less than a thousand years" });
    return fn === "datetime" ? { kind: "datetime" } : other;
  }

  #arithmetic(expr: ExprJson, facts: Facts): void {
    const range = computedRange(expr, facts);
    if (range !== undefined && !isLongRange(range)) this.#report("can-overflow", expr, { why: texts.overflow, fix: "compare each operand with a literal first, from below and from above" });
  }

  /** A permit that errors opens nothing; it is listed because Licet then denies what other permits would allow. */
  #report(rule: PolicyFinding["rule"], place: ExprJson, told: Pick<PolicyFinding, "why" | "fix"> & { readonly severity?: "warning" }): void {
    const { id, pack, effect, mode } = this.#policy;
    const grave = effect === "forbid" && mode === "enforce";
    this.#found.push({ rule, policy: id, pack, place: formatExpr(place), severity: told.severity ?? (grave ? "error" : "warning"), why: told.why, fix: told.fix });
  }
}

function negation(inside: boolean | undefined): boolean | undefined {
  return inside === undefined ? undefined : !inside;
}

function connected(op: "&&" | "||", sides: readonly (boolean | undefined)[]): boolean | undefined {
  const ends = op === "||";
  if (sides.includes(ends)) return ends;
  return sides.includes(undefined) ? undefined : !ends;
}

/** Times come with four digits of a year, so only a literal of millennia could leave 64 bits. */
function isShort(expr: ExprJson): boolean {
  const view = viewExpr(expr);
  const [literal] = view.kind === "call" && view.fn === "duration" ? view.args : [];
  if (literal === undefined) return false;
  const text = viewExpr(literal);
  return text.kind === "value" && typeof text.value === "string" && !/\d{9}/u.test(text.value);
}

function insideOf(view: ExprView): readonly ExprJson[] {
  if (view.kind === "unary") return [view.arg];
  if (view.kind === "has" || view.kind === "like") return [view.left];
  if (view.kind === "is") return view.in === undefined ? [view.left] : [view.left, view.in];
  if (view.kind === "set") return view.items;
  return view.kind === "record" ? view.fields.map(([, value]) => value) : [];
}
