import { formatExpr } from "./format.ts";
import type { Effect, ExprJson } from "./json.ts";
import type { Policy } from "./policy.ts";
import { always, conditionsOf, wholeCondition, type Conditions } from "./residual-condition.ts";
import { evaluatePart } from "./residual-evaluate.ts";
import { asCondition, errs } from "./residual-logic.ts";
import { allOf, anyOf, Budgets, needs, never, optionsFalse, type Asking, type Need } from "./residual-need.ts";
import type { Part } from "./residual-part.ts";
import type { Scene } from "./residual-scene.ts";

/** What stands between the request and an allow: one forbid, or that no permit holds. */
export interface Unmet {
  readonly effect: Effect;
  /** The forbid, or the permits of which one has to hold. */
  readonly policies: readonly string[];
  /** All of these have to hold. */
  readonly needs: readonly Need[];
  /** The needs as one Cedar condition. */
  readonly text: string;
  readonly expr: ExprJson;
  /** The needs as one sentence. */
  readonly sentence: string;
}

interface Result {
  readonly policy: Policy;
  readonly part: Part;
}

/** In the order of the policies; the one about permits, if there is one, comes last. */
export function needsOf(results: readonly Result[], scene: Scene, errorsDeny: boolean): readonly Unmet[] {
  const budgets = new Budgets();
  const within = <Result>(work: (ask: Asking) => Result) => budgets.spend((budget) => work({ scene, budget }));
  const forbids = results.filter(({ policy, part }) => policy.effect === "forbid" && (isTrue(part) || part.kind === "open" || (errorsDeny && part.kind === "failing")));
  const permits = results.filter(({ policy }) => policy.effect === "permit");
  // Where errors deny, a permit that may err is in the way like a forbid, even beside one that holds.
  const shaky = errorsDeny ? permits.filter(({ part }) => errs(part, scene)) : [];
  const held = permits.some(({ part }) => isTrue(part));
  return [
    ...forbids.map(({ policy }) => unmet("forbid", [policy.id], within((ask) => avoid(conditionsOf(policy), ask)))),
    ...shaky.map(({ policy }) => unmet("permit", [policy.id], within((ask) => needs(wholeCondition(conditionsOf(policy)), true, ask)))),
    ...(held ? [] : [within((ask) => permitted(permits, ask))]),
  ];
}

function isTrue(part: Part): boolean {
  return part.kind === "value" && part.value === true;
}

function unmet(effect: Effect, policies: readonly string[], list: readonly Need[]): Unmet {
  const whole = allOf(list);
  return { effect, policies, needs: list, expr: whole, text: formatExpr(whole), sentence: list.map(({ sentence }) => sentence).join("; and ") };
}

/** What has to hold for a forbid not to. */
function avoid(conditions: Conditions, ask: Asking): readonly Need[] {
  const scopes = [conditions.principal, conditions.action, conditions.resource];
  const whens = conditions.clauses.flatMap(({ kind, condition }) => (kind === "when" ? [condition] : []));
  const unlesses = conditions.clauses.flatMap(({ kind, condition }) => (kind === "unless" ? [condition] : []));
  const holds = (parts: readonly ExprJson[]) => parts.every((part) => isTrue(asCondition(evaluatePart(part, ask.scene))));
  const applies = holds([...scopes, ...whens]);
  // `when` says where a rule applies and `unless` what it asks for: where it applies, what it asks for is the answer.
  if (applies && unlesses.length > 0) return anyOf(optionsFalse(unlesses, ask));
  if (holds(scopes)) return conditions.clauses.length === 0 ? [never("nothing can lift a forbid without conditions")] : anyOf(optionsFalse(conditions.clauses.map(({ condition }) => condition), ask));
  return anyOf(optionsFalse([...scopes.filter((part) => part !== always), ...conditions.clauses.map(({ condition }) => condition)], ask));
}

/** What has to hold for one of the permits to. */
function permitted(permits: readonly Result[], ask: Asking): Unmet {
  const forAction = permits.filter(({ policy }) => !isFalse(evaluatePart(conditionsOf(policy).action, ask.scene)));
  const open = forAction.filter(({ part }) => part.kind === "open");
  const candidates = (open.length > 0 ? open : forAction).slice(0, candidatesMax);
  const options = candidates.map(({ policy }) => needs(wholeCondition(conditionsOf(policy)), true, ask));
  const list = candidates.length === 0 ? [never(`no policy permits ${actionText(ask.scene)}`)] : anyOf(options);
  return unmet("permit", candidates.map(({ policy }) => policy.id), list);
}

/** Of a thousand permits that all do not hold, a reader needs the first. */
const candidatesMax = 20;

function isFalse(part: Part): boolean {
  return part.kind === "value" && part.value === false;
}

function actionText({ action }: Scene): string {
  return formatExpr({ Value: { __entity: { type: action.type, id: action.id } } });
}

export type { Need } from "./residual-need.ts";
