import { asBoolean, compute, condition, dynamic, test, type Compiled } from "./compiled.ts";

/** `left && right`: the right side is not looked at when the left one is false. */
export function conjunction(left: Compiled, right: Compiled): Compiled {
  const first = condition(left);
  if (first.kind === "failing") return first;
  if (first.kind === "constant") return first.value === true ? condition(right) : first;
  const second = condition(right);
  if (second.kind === "constant" && second.value === true) return first;
  const runFirst = first.run;
  const runSecond = second.run;
  return test((query) => runFirst(query) === true && runSecond(query) === true);
}

/** `left || right`: the right side is not looked at when the left one is true. */
export function disjunction(left: Compiled, right: Compiled): Compiled {
  const first = condition(left);
  if (first.kind === "failing") return first;
  if (first.kind === "constant") return first.value === true ? first : condition(right);
  const second = condition(right);
  if (second.kind === "constant" && second.value === false) return first;
  const runFirst = first.run;
  const runSecond = second.run;
  return test((query) => runFirst(query) === true || runSecond(query) === true);
}

export function negation(arg: Compiled): Compiled {
  const checked = condition(arg);
  if (checked.kind !== "dynamic") return checked.kind === "failing" ? checked : compute(() => !asBoolean(checked.value));
  const { run } = checked;
  return test((query) => run(query) === false);
}

/** Only the branch that is taken is evaluated. */
export function choice(guard: Compiled, yes: Compiled, no: Compiled): Compiled {
  const checked = condition(guard);
  if (checked.kind === "failing") return checked;
  if (checked.kind === "constant") return checked.value === true ? yes : no;
  const runGuard = checked.run;
  const runYes = yes.run;
  const runNo = no.run;
  return dynamic((query) => (runGuard(query) === true ? runYes(query) : runNo(query)));
}

