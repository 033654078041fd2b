import { binary, compute, dynamic, failing, test, unary, type Compiled } from "./compiled.ts";
import { CedarError, failType } from "./errors.ts";
import { attribute, getTag, hasPath, hasTag, membership, typeTest } from "./expression-entity.ts";
import { like } from "./expression-like.ts";
import { choice, conjunction, disjunction, negation } from "./expression-logic.ts";
import { readNames, readPattern } from "./expression-read.ts";
import { extensionFunctions, wrongArity } from "./extension/functions.ts";
import { expressionDepthMax } from "./limits.ts";
import { add, multiply, negate, subtract } from "./long.ts";
import type { Evaluate } from "./query.ts";
import { below, inner, isTypeName, onlyKeys, own, readArray, readObject, readText, refuse, type JsonObject, type Place } from "./read.ts";
import { readValue } from "./value-json.ts";
import { Fields, RecordValue, SetValue, equal, less, lessOrEqual, type Value } from "./values.ts";

/** Compiles the body of one form; `spot` is the form's own. */
type Form = (body: unknown, spot: Place) => Compiled;

/** Compiles an expression's JSON form. Throws `CedarError` with the code of the place for what is no expression. */
export function compileExpression(json: unknown, spot: Place): Compiled {
  if (spot.depth > expressionDepthMax) return refuse(spot, `an expression nests at most ${expressionDepthMax} levels`);
  const object = readObject(json, spot);
  const names = Object.keys(object);
  const [operator] = names;
  if (operator === undefined || names.length > 1) return refuse(spot, "an expression is an object with one property, its operator");
  const form = forms.get(operator);
  const body = object[operator];
  return form === undefined ? call(operator, body, below(spot, operator)) : form(body, below(spot, operator));
}

function child(json: JsonObject, name: string, spot: Place): Compiled {
  return compileExpression(own(json, name), inner(spot, name));
}

/** Of a list of expressions. */
function items(json: unknown, spot: Place): readonly Compiled[] {
  return readArray(json, spot).map((item, index) => compileExpression(item, inner(spot, `[${index}]`)));
}

function exactly(body: unknown, names: readonly string[], spot: Place): JsonObject {
  const object = readObject(body, spot);
  onlyKeys(object, names, spot);
  return object;
}

function value(body: unknown, spot: Place): Compiled {
  try {
    return compute(() => readValue(body));
  } catch (error) {
    if (!(error instanceof CedarError)) throw error;
    const message = error.at === "" ? error.message : error.message.slice(error.at.length + 2);
    return refuse(error.at === "" ? spot : below(spot, error.at), message);
  }
}

function variable(body: unknown, spot: Place): Compiled {
  const run = (run: Evaluate, name: "principal" | "action" | "resource" | "context"): Compiled => ({ kind: "dynamic", run, boolean: false, variable: name });
  switch (body) {
    case "principal":
      return run((query) => query.principal, body);
    case "action":
      return run((query) => query.action, body);
    case "resource":
      return run((query) => query.resource, body);
    case "context":
      return run((query) => query.context, body);
    default:
      return refuse(spot, "expected `principal`, `action`, `resource` or `context`");
  }
}

function unaryForm(compile: (arg: Compiled) => Compiled): Form {
  return (body, spot) => {
    const object = exactly(body, ["arg"], spot);
    return compile(child(object, "arg", spot));
  };
}

function binaryForm(compile: (left: Compiled, right: Compiled) => Compiled): Form {
  return (body, spot) => {
    const object = exactly(body, ["left", "right"], spot);
    return compile(child(object, "left", spot), child(object, "right", spot));
  };
}

function comparison(operator: (left: Value, right: Value) => boolean): Form {
  return binaryForm((left, right) => binary(operator, test, [left, right]));
}

function arithmetic(operator: (left: Value, right: Value) => Value): Form {
  return binaryForm((left, right) => binary(operator, dynamic, [left, right]));
}

/** Booleans, longs and strings are equal when they are identical, which is most of what policies compare with. */
function equality(left: Compiled, right: Compiled): Compiled {
  if (left.kind === "dynamic" && right.kind === "constant" && typeof right.value !== "object") {
    const { run } = left;
    const { value } = right;
    return test((query) => run(query) === value);
  }
  return binary(equal, test, [left, right]);
}

function set(value: Value): SetValue {
  return value instanceof SetValue ? value : failType("set");
}

function containsAll(left: Value, right: Value): boolean {
  const outer = set(left);
  return outer.containsAll(set(right));
}

function containsAny(left: Value, right: Value): boolean {
  const outer = set(left);
  return outer.containsAny(set(right));
}

const attributeForm: Form = (body, spot) => {
  const object = exactly(body, ["left", "attr"], spot);
  return attribute(child(object, "left", spot), readText(own(object, "attr"), below(spot, "attr")));
};

/** Here Cedar does not look at further properties. */
const hasForm: Form = (body, spot) => {
  const object = readObject(body, spot);
  return hasPath(child(object, "left", spot), readNames(own(object, "attr"), below(spot, "attr")));
};

const likeForm: Form = (body, spot) => {
  const object = exactly(body, ["left", "pattern"], spot);
  const pattern = readPattern(own(object, "pattern"), below(spot, "pattern"));
  return unary(like(pattern), test, child(object, "left", spot));
};

const isForm: Form = (body, spot) => {
  const object = exactly(body, ["left", "entity_type", "in"], spot);
  const type = readText(own(object, "entity_type"), below(spot, "entity_type"));
  if (!isTypeName(type)) return refuse(below(spot, "entity_type"), `\`${type}\` is not the name of an entity type`);
  const left = child(object, "left", spot);
  const container = own(object, "in") ?? undefined;
  return typeTest(left, type, container === undefined ? undefined : child(object, "in", spot));
};

const choiceForm: Form = (body, spot) => {
  const object = exactly(body, ["if", "then", "else"], spot);
  return choice(child(object, "if", spot), child(object, "then", spot), child(object, "else", spot));
};

const setForm: Form = (body, spot) => {
  return collect(items(body, spot), (values) => new SetValue(values));
};

const recordForm: Form = (body, spot) => {
  const object = readObject(body, spot);
  const names = Object.keys(object).map((name) => readText(name, spot));
  const members = names.map((name) => child(object, name, spot));
  return collect(members, (values) => {
    const fields = new Fields();
    values.forEach((value, index) => {
      fields[names[index] ?? ""] = value;
    });
    return new RecordValue(fields);
  });
};

/** A value made of several, all of which are evaluated. */
function collect(members: readonly Compiled[], make: (values: readonly Value[]) => Value): Compiled {
  const broken = members.find((member) => member.kind === "failing");
  if (broken !== undefined) return broken;
  const runs = members.map(({ run }) => run);
  const constants = members.flatMap((member) => (member.kind === "constant" ? [member.value] : []));
  if (constants.length === members.length) return compute(() => make(constants));
  return dynamic((query) => make(runs.map((run) => run(query))));
}

function call(name: string, body: unknown, spot: Place): Compiled {
  const fn = extensionFunctions.get(name);
  if (fn === undefined) return refuse(spot, `\`${name}\` is neither an operator nor an extension function`);
  const args = items(body, spot);
  const [first, second] = args;
  // Cedar takes a call with the wrong number of arguments for a policy and errs when it evaluates it.
  if (first === undefined || args.length !== fn.arity) return failing(wrongArity);
  if (fn.arity === 1) return unary(fn.call, dynamic, first);
  return second === undefined ? failing(wrongArity) : binary(fn.call, dynamic, [first, second]);
}

const forms: ReadonlyMap<string, Form> = new Map<string, Form>([
  ["Value", value],
  ["Var", variable],
  ["Slot", (_, spot) => refuse(spot, "a slot stands only in the scope of a template")],
  ["!", unaryForm(negation)],
  ["neg", unaryForm((arg) => unary(negate, dynamic, arg))],
  ["isEmpty", unaryForm((arg) => unary((value) => set(value).size === 0, test, arg))],
  ["==", binaryForm(equality)],
  ["!=", binaryForm((left, right) => negation(equality(left, right)))],
  ["<", comparison(less)],
  ["<=", comparison(lessOrEqual)],
  [">", comparison((left, right) => !lessOrEqual(left, right))],
  [">=", comparison((left, right) => !less(left, right))],
  ["&&", binaryForm(conjunction)],
  ["||", binaryForm(disjunction)],
  ["+", arithmetic(add)],
  ["-", arithmetic(subtract)],
  ["*", arithmetic(multiply)],
  ["in", binaryForm(membership)],
  ["contains", comparison((left, right) => set(left).has(right))],
  ["containsAll", comparison(containsAll)],
  ["containsAny", comparison(containsAny)],
  ["getTag", binaryForm(getTag)],
  ["hasTag", binaryForm(hasTag)],
  [".", attributeForm],
  ["has", hasForm],
  ["like", likeForm],
  ["is", isForm],
  ["if-then-else", choiceForm],
  ["Set", setForm],
  ["Record", recordForm],
]);
