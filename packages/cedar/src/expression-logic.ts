import { asBoolean, compute, condition, conjunctionOf, dynamic, test, testOf, type Compiled } from "./compiled.ts";
import type { Test } from "./query.ts";

/** `left && right`: the right side is not looked at when the left one is false. */
export function conjunction(left: Compiled, right: Compiled): Compiled {
  const first = condition(left);
  if (first.kind === "failing") return first;
  if (first.kind === "constant") return first.value === true ? condition(right) : first;
  const second = condition(right);
  if (second.kind === "constant" && second.value === true) return first;
  return conjunctionOf([...conjuncts(first), ...conjuncts(second)]);
}

function conjuncts(condition: Compiled): readonly Test[] {
  return condition.kind === "dynamic" && condition.boolean && condition.all !== undefined ? condition.all : [testOf(condition)];
}

/** `left || right`: the right side is not looked at when the left one is true. */
export function disjunction(left: Compiled, right: Compiled): Compiled {
  const first = condition(left);
  if (first.kind === "failing") return first;
  if (first.kind === "constant") return first.value === true ? first : condition(right);
  const second = condition(right);
  if (second.kind === "constant" && second.value === false) return first;
  const holdsFirst = testOf(first);
  const holdsSecond = testOf(second);
  return test((query) => holdsFirst(query) || holdsSecond(query));
}

export function negation(arg: Compiled): Compiled {
  const checked = condition(arg);
  if (checked.kind !== "dynamic") return checked.kind === "failing" ? checked : compute(() => !asBoolean(checked.value));
  const holds = testOf(checked);
  return test((query) => !holds(query));
}

/** Only the branch that is taken is evaluated. */
export function choice(guard: Compiled, yes: Compiled, no: Compiled): Compiled {
  const checked = condition(guard);
  if (checked.kind === "failing") return checked;
  if (checked.kind === "constant") return checked.value === true ? yes : no;
  const holds = testOf(checked);
  const runYes = yes.run;
  const runNo = no.run;
  return dynamic((query) => (holds(query) ? runYes(query) : runNo(query)));
}

