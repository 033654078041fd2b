import { describe, expect, test } from "vitest";
import { entityStore } from "./entity-store.ts";
import { formatExpr } from "./format.ts";
import { viewExpr } from "./format-view.ts";
import type { CedarValueJson, ExprJson, TypeAndId } from "./json.ts";
import { compilePolicySet } from "./policy-set.ts";
import { evaluatePart } from "./residual-evaluate.ts";
import { statuses } from "./residual-fixture.ts";
import { assigned, domainPolicies, Drafts, firstCondition, pathOf, uidOf, withParent, type Draft } from "./residual-repair-fixture.ts";
import { noFields } from "./residual-scene.ts";
import { UnknownTree } from "./residual-unknown.ts";
import { residual, type Residual } from "./residual.ts";
import { prepareRequest } from "./request.ts";
import { compileSchema } from "./schema.ts";
import { writeValue } from "./value-json.ts";

const { policies, schema: schemaJson } = domainPolicies();
const schema = compileSchema(schemaJson);
const set = compilePolicySet({ staticPolicies: Object.fromEntries(policies) });
/** `LICET_CEDAR_ROUNDS=20` for a longer run. */
const rounds = Number(process.env["LICET_CEDAR_ROUNDS"] ?? 1);
const stepsMax = 150;

function storeOf(draft: Draft) {
  return entityStore([...draft.entities.values()]);
}

function explained(draft: Draft): Residual {
  return residual(set, { ...draft.request, onError: "deny" }, storeOf(draft));
}

/** What an expression is now, in JSON. */
function valueOf(expr: ExprJson, draft: Draft): CedarValueJson | undefined {
  const { principal, action, resource, context } = prepareRequest(draft.request);
  const tree = new UnknownTree();
  const scene = { principal, action, resource, context: { fields: context.fields ?? noFields, tree }, store: storeOf(draft), trees: new Map(), absentAreUnknown: false, typed: false, assumed: new Set<string>(), memo: new WeakMap() };
  const part = evaluatePart(expr, scene);
  return part.kind === "value" ? writeValue(part.value) : undefined;
}

const millisecond = { duration: [{ Value: "1ms" }] };

/** One more or one less, of a long or a moment. */
function moved(expr: ExprJson, by: 1 | -1, draft: Draft): CedarValueJson | undefined {
  const value = valueOf(expr, draft);
  if (value === undefined || typeof value === "number") return value === undefined ? undefined : value + by;
  return valueOf({ offset: [expr, by === 1 ? millisecond : { duration: [{ Value: "-1ms" }] }] }, draft);
}

type Mend = (drafts: Drafts, draft: Draft, sides: { readonly left: ExprJson; readonly right: ExprJson }) => Draft | undefined;

/** Gives `target` the value, if it is a place and the value is known; makes up one where the other side has none either. */
function give(drafts: Drafts, draft: Draft, target: ExprJson, value: CedarValueJson | undefined): Draft | undefined {
  const path = pathOf(target);
  return path === undefined || value === undefined ? undefined : assigned(drafts, draft, path, value);
}

function invent(drafts: Drafts, draft: Draft, target: ExprJson): Draft | undefined {
  const path = pathOf(target);
  const type = path === undefined ? undefined : drafts.typeAt(draft, path.root, path.names);
  return path === undefined || type === undefined ? undefined : assigned(drafts, draft, path, drafts.value(type));
}

const order = (leftBy: 0 | 1 | -1): Mend => (drafts, draft, { left, right }) => {
  const near = (expr: ExprJson, by: 0 | 1 | -1) => (by === 0 ? valueOf(expr, draft) : moved(expr, by, draft));
  const back = leftBy === 0 ? 0 : leftBy === 1 ? -1 : 1;
  const start = (expr: ExprJson) => offsetStart(expr);
  const changeLeft = () => give(drafts, draft, left, near(right, leftBy)) ?? give(drafts, draft, start(left), longBefore(right, draft));
  const changeRight = () => give(drafts, draft, right, near(left, back)) ?? give(drafts, draft, start(right), valueOf(left, draft));
  // Everything is measured by the present moment: changing that would undo what was mended before.
  const first = formatExpr(left) === "context.now" ? (changeRight() ?? changeLeft()) : (changeLeft() ?? changeRight());
  return inventMissing(drafts, draft, [left, right]) ?? first;
};

/** Of `x.offset(y)` the x: what there is to change. */
function offsetStart(expr: ExprJson): ExprJson {
  const view = viewExpr(expr);
  return view.kind === "call" && view.fn === "offset" ? (view.args[0] ?? expr) : expr;
}

function longBefore(expr: ExprJson, draft: Draft): CedarValueJson | undefined {
  return valueOf({ offset: [expr, { duration: [{ Value: "-365d" }] }] }, draft);
}

/** Makes up the first place in the expressions that has no value yet. */
function inventMissing(drafts: Drafts, draft: Draft, exprs: readonly ExprJson[]): Draft | undefined {
  const missing = exprs.flatMap(placesIn).find((place) => valueOf(place, draft) === undefined);
  return missing === undefined ? undefined : invent(drafts, draft, missing);
}

function placesIn(expr: ExprJson): readonly ExprJson[] {
  const view = viewExpr(expr);
  if (view.kind === "attr") return [expr];
  if (view.kind === "binary") return [view.left, view.right].flatMap(placesIn);
  return view.kind === "call" ? view.args.flatMap(placesIn) : [];
}

const inventing = (mend: Mend): Mend => (drafts, draft, sides) => inventMissing(drafts, draft, [sides.left, sides.right]) ?? mend(drafts, draft, sides);

const listOf = (value: CedarValueJson | undefined): readonly CedarValueJson[] => (Array.isArray(value) ? value : []);

const union = (left: ExprJson, more: readonly CedarValueJson[], draft: Draft): CedarValueJson => [...listOf(valueOf(left, draft)), ...more];

const mends: Readonly<Record<string, Mend>> = {
  "==": inventing((drafts, draft, { left, right }) => give(drafts, draft, left, valueOf(right, draft)) ?? give(drafts, draft, right, valueOf(left, draft))),
  "!=": inventing((drafts, draft, { left, right }) => invent(drafts, draft, left) ?? invent(drafts, draft, right)),
  "<": order(-1),
  "<=": order(0),
  ">": order(1),
  ">=": order(0),
  contains: inventing((drafts, draft, { left, right }) => {
    const member = valueOf(right, draft);
    return give(drafts, draft, right, listOf(valueOf(left, draft))[0]) ?? give(drafts, draft, left, member === undefined ? undefined : union(left, [member], draft));
  }),
  containsAll: inventing((drafts, draft, { left, right }) => give(drafts, draft, left, union(left, listOf(valueOf(right, draft)), draft)) ?? give(drafts, draft, right, listOf(valueOf(left, draft)).slice(0, 1))),
  containsAny: inventing((drafts, draft, { left, right }) => give(drafts, draft, left, union(left, listOf(valueOf(right, draft)), draft)) ?? give(drafts, draft, right, valueOf(left, draft))),
  in: inventing((_, draft, { left, right }) => {
    const [child, parent] = [valueOf(left, draft), valueOf(right, draft)];
    const first = Array.isArray(parent) ? listOf(parent)[0] : parent;
    return child === undefined || first === undefined ? undefined : withParent(draft, uidOf(child), uidOf(first));
  }),
};

function mended(drafts: Drafts, draft: Draft, condition: ExprJson): Draft | undefined {
  const view = viewExpr(condition);
  if (view.kind === "binary") return mends[view.op]?.(drafts, draft, view);
  if (view.kind === "unary" && view.op === "isEmpty") return give(drafts, draft, view.arg, []);
  if (view.kind === "has") return invent(drafts, draft, view.path.reduce<ExprJson>((left, attr) => ({ ".": { left, attr } }), view.left));
  const negated = view.kind === "unary" && view.op === "!";
  return negated ? unmended(drafts, draft, view.arg) : give(drafts, draft, condition, true);
}

function unmended(drafts: Drafts, draft: Draft, condition: ExprJson): Draft | undefined {
  const view = viewExpr(condition);
  if (view.kind === "unary" && view.op === "isEmpty") return invent(drafts, draft, view.arg);
  if (view.kind === "binary") return give(drafts, draft, view.left, []) ?? invent(drafts, draft, view.right);
  return give(drafts, draft, condition, false);
}

interface Ending {
  readonly draft: Draft;
  readonly decision: "allow" | "deny" | "depends";
  readonly steps: number;
  readonly stuck: string | undefined;
}

/** Mends what is told first, again and again, as a person would. */
function follow(drafts: Drafts, start: Draft): Ending {
  let draft = start;
  for (let steps = 0; steps < stepsMax; steps++) {
    const { decision, wouldAllowIf } = explained(draft);
    if (decision !== "deny") return { draft, decision, steps, stuck: undefined };
    const next = wouldAllowIf.flatMap(({ needs }) => {
      const condition = firstCondition(needs);
      const mend = condition === undefined ? undefined : mended(drafts, draft, condition);
      return mend === undefined ? [] : [mend];
    });
    const choice = next[steps % Math.max(next.length, 1)];
    if (choice === undefined) return { draft, decision, steps, stuck: wouldAllowIf.map(({ sentence }) => sentence).join("\n") };
    draft = choice;
  }
  return { draft, decision: "deny", steps: stepsMax, stuck: explained(draft).wouldAllowIf.map(({ sentence }) => sentence).join("\n") };
}

/** Of every kind some: moves of the gate, run time, people. A longer run takes all. */
const briefly = new Set(["promote", "callModel", "callTool", "exportData", "approve", "recordDeployment", "grantWaiver", "breakGlass"]);

const actions: readonly TypeAndId[] = [...schema.actions.values()].filter(({ principalTypes }) => principalTypes.size > 0).map(({ uid }) => ({ type: uid.type, id: uid.id })).filter(({ id }) => id !== "demand" && (rounds > 1 || briefly.has(id)));

describe("the explanation of a denied request under the product's policies", () => {
  const endings = Array.from({ length: rounds }, (_, seed) => new Drafts(schema, seed + 1)).flatMap((drafts) =>
    actions.flatMap((action) => {
      const draft = drafts.draft(action);
      return draft === undefined ? [] : [{ action: action.id, ending: follow(drafts, draft) }];
    }),
  );

  test("leads to allow when its conditions are made true one by one, and cedar-wasm agrees", () => {
    const allowed = endings.filter(({ ending }) => ending.decision === "allow");
    for (const { action, ending: { draft } } of allowed) {
      const found = statuses(policies, { principal: uidOf(draft.request.principal), action: uidOf(draft.request.action), resource: uidOf(draft.request.resource), context: draft.request.context, entities: [...draft.entities.values()] });
      const ids = [...found].filter(([id, status]) => status === "error" || (status === "satisfied" && policies.get(id)?.effect === "forbid"));
      expect([action, ids]).toEqual([action, []]);
    }
    // Whoever mends without thinking may undo with one change what another one did.
    const stuck = endings.filter(({ ending }) => ending.decision !== "allow");
    expect(stuck.slice(Math.ceil(endings.length / 10)).map(({ action, ending }) => [action, ending.stuck])).toEqual([]);
  });

  test("is never without a condition, and every condition is one that cedar-wasm reads", () => {
    const drafts = new Drafts(schema, 99);
    for (const action of actions) {
      const draft = drafts.draft(action);
      const { decision, wouldAllowIf } = draft === undefined ? { decision: "allow", wouldAllowIf: [] } : explained(draft);
      expect([action.id, decision === "allow" || wouldAllowIf.length > 0]).toEqual([action.id, true]);
      for (const { expr, text } of wouldAllowIf) expect(formatExpr(expr)).toBe(text);
    }
  });

  test("tells values, and what they must be", () => {
    const { request, entities } = gate();
    const { wouldAllowIf } = residual(set, { ...request, schema, onError: "deny" }, entityStore(entities, { schema }));
    const sentences = new Map(wouldAllowIf.map(({ policies: [id], sentence }) => [id, sentence]));
    expect(sentences.get("approval.high")).toBe("context.approvals.people is 1, must be >= 2");
    expect(sentences.get("gate.no-hold")).toBe('context.holds is ["hold_1"], must be empty');
  });

  test("names what is unknown as a condition", () => {
    const { request, entities } = gate();
    const left = residual(set, { ...request, schema, validated: true, onError: "deny", unknown: ["context.approvals.people", "context.holds"] }, entityStore(entities, { schema }));
    const texts = new Map(left.wouldAllowIf.map(({ policies: [id], text }) => [id, text]));
    expect(texts.get("approval.high")).toBe("context.approvals.people >= 2");
    expect(texts.get("gate.no-hold")).toBe("context.holds.isEmpty()");
  });
});

/** A high-risk system on its way to a pilot. */
function gate() {
  const principal = { type: "Licet::System", id: "tumour" };
  const resource = { type: "Licet::Release", id: "r1" };
  const stage = (id: string) => ({ type: "Licet::Stage", id });
  const context = {
    to: stage("pilot"),
    tier: { type: "Licet::Tier", id: "high" },
    known: true,
    environmentDeclared: true,
    declared: [],
    ownersDiffer: true,
    holds: ["hold_1"],
    checks: { declared: [], passed: [], failed: [], kinds: [] },
    approvals: { people: 1, roles: ["risk-owner", "authorizing-official"] },
    evidence: [],
  };
  const entities = [
    { uid: principal, attrs: { stage: stage("experiment") }, parents: [] },
    { uid: resource, attrs: { system: principal }, parents: [] },
  ];
  return { request: { principal, action: { type: "Licet::Action", id: "promote" }, resource, context }, entities };
}
