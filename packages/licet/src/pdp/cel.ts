import { parseCel, type Cel } from "./cel-parse.ts";
import { CelError } from "./cel-text.ts";

export { CelError } from "./cel-text.ts";

/** What optional selection yields for a key that is not there: the field is left out. */
export const absent: unique symbol = Symbol("absent");

export type Variables = Readonly<Record<string, unknown>>;

const stepsMax = 5000;

/**
 * Evaluates an expression of the Common Expression Language over JSON: selection, optional selection, operators,
 * conditions, lists and maps, `has`, `size`, `string`, `startsWith`, `endsWith`, `contains`, `exists`, `all`, `filter`,
 * `map` and `orValue`. Not the whole language: no timestamps, durations, bytes or regular expressions. Throws `CelError`.
 */
export function evaluateCel(source: string, variables: Variables): unknown {
  return new Run().value(parseCel(source), variables);
}

class Run {
  #steps = 0;

  value(expression: Cel, variables: Variables): unknown {
    if (++this.#steps > stepsMax) throw new CelError(`an expression takes at most ${stepsMax} steps`);
    switch (expression.form) {
      case "value":
        return expression.value;
      case "name":
        return variable(variables, expression.name);
      case "list":
      case "map":
        return this.#collection(expression, variables);
      case "select":
        return selected(this.value(expression.of, variables), this.#present(expression.key, variables), expression.optional);
      case "call":
        return this.#call(expression, variables);
      case "unary":
        return signed(expression.sign, this.#present(expression.of, variables));
      case "binary":
        return this.#binary(expression, variables);
      case "choice":
        break;
    }
    return this.value(truth(this.#present(expression.test, variables)) ? expression.yes : expression.no, variables);
  }

  #collection(expression: Extract<Cel, { form: "list" | "map" }>, variables: Variables): unknown {
    if (expression.form === "list") return expression.items.map((item) => this.#present(item, variables));
    return Object.fromEntries(expression.entries.map(([key, value]) => [text(this.#present(key, variables)), this.#present(value, variables)]));
  }

  #present(expression: Cel, variables: Variables): unknown {
    const value = this.value(expression, variables);
    if (value === absent) throw new CelError("a value that is absent is used");
    return value;
  }

  /** Either side may decide `&&` and `||` alone, whatever the other fails on. */
  #logical(expression: Extract<Cel, { form: "binary" }>, variables: Variables): boolean {
    const decides = expression.sign === "||";
    let failure: unknown;
    for (const side of [expression.left, expression.right]) {
      try {
        if (truth(this.#present(side, variables)) === decides) return decides;
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined) throw failure instanceof Error ? failure : new CelError("an operand failed");
    return !decides;
  }

  #binary(expression: Extract<Cel, { form: "binary" }>, variables: Variables): unknown {
    const { sign } = expression;
    if (sign === "&&" || sign === "||") return this.#logical(expression, variables);
    const left = this.#present(expression.left, variables);
    const right = this.#present(expression.right, variables);
    const operate = operators[sign];
    if (operate === undefined) throw new CelError(`unknown operator \`${sign}\``);
    return operate(left, right);
  }

  #call({ of, name, args }: Extract<Cel, { form: "call" }>, variables: Variables): unknown {
    if (of === undefined) return this.#function(name, args, variables);
    const macro = macros[name];
    const [variableName, body] = args;
    if (macro !== undefined && variableName?.form === "name" && body !== undefined) {
      const items = list(this.#present(of, variables));
      return macro(items, (item) => this.#present(body, { ...variables, [variableName.name]: item }));
    }
    const receiver = this.value(of, variables);
    if (name === "orValue" && args[0] !== undefined) return receiver === absent ? this.#present(args[0], variables) : receiver;
    const method = methods[name];
    if (method === undefined || receiver === absent) throw new CelError(`unknown function \`${name}\``);
    return method(receiver, ...args.map((arg) => this.#present(arg, variables)));
  }

  #function(name: string, args: readonly Cel[], variables: Variables): unknown {
    const [first] = args;
    if (first === undefined || args.length !== 1) throw new CelError(`\`${name}\` takes one argument`);
    if (name === "has") return first.form === "select" && selected(this.value(first.of, variables), this.#present(first.key, variables), true) !== absent;
    const method = methods[name];
    if (method === undefined) throw new CelError(`unknown function \`${name}\``);
    return method(this.#present(first, variables));
  }
}

type Macro = (items: readonly unknown[], each: (item: unknown) => unknown) => unknown;

const macros: Readonly<Record<string, Macro | undefined>> = {
  exists: (items, each) => items.some((item) => truth(each(item))),
  all: (items, each) => items.every((item) => truth(each(item))),
  exists_one: (items, each) => items.filter((item) => truth(each(item))).length === 1,
  filter: (items, each) => items.filter((item) => truth(each(item))),
  map: (items, each) => items.map(each),
};

const methods: Readonly<Record<string, ((receiver: unknown, ...args: readonly unknown[]) => unknown) | undefined>> = {
  size: (receiver) => (typeof receiver === "string" ? Array.from(receiver).length : Array.isArray(receiver) ? receiver.length : Object.keys(record(receiver)).length),
  string: (receiver) => (typeof receiver === "number" || typeof receiver === "boolean" ? String(receiver) : text(receiver)),
  startsWith: (receiver, part) => text(receiver).startsWith(text(part)),
  endsWith: (receiver, part) => text(receiver).endsWith(text(part)),
  contains: (receiver, part) => text(receiver).includes(text(part)),
};

function compared(left: unknown, right: unknown): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  const [a, b] = [text(left), text(right)];
  return a < b ? -1 : Number(a > b);
}

const operators: Readonly<Record<string, ((left: unknown, right: unknown) => unknown) | undefined>> = {
  "==": equal,
  "!=": (left, right) => !equal(left, right),
  "<": (left, right) => compared(left, right) < 0,
  "<=": (left, right) => compared(left, right) <= 0,
  ">": (left, right) => compared(left, right) > 0,
  ">=": (left, right) => compared(left, right) >= 0,
  in: (left, right) => (Array.isArray(right) ? right.some((each: unknown) => equal(left, each)) : Object.hasOwn(record(right), text(left))),
  "+": (left, right) => {
    if (typeof left === "string") return left + text(right);
    return Array.isArray(left) ? [...list(left), ...list(right)] : finite(numeric(left) + numeric(right));
  },
  "-": (left, right) => finite(numeric(left) - numeric(right)),
  "*": (left, right) => finite(numeric(left) * numeric(right)),
  "/": (left, right) => finite(Number.isInteger(left) && Number.isInteger(right) ? Math.trunc(numeric(left) / numeric(right)) : numeric(left) / numeric(right)),
  "%": (left, right) => finite(numeric(left) % numeric(right)),
};

function variable(variables: Variables, name: string): unknown {
  if (!Object.hasOwn(variables, name)) throw new CelError(`no variable \`${name}\``);
  return variables[name];
}

function selected(of: unknown, key: unknown, optional: boolean): unknown {
  // Once a selection is optional, what is selected from it is.
  if (of === absent) return absent;
  if (Array.isArray(of) && typeof key === "number" && Object.hasOwn(of, key)) return list(of)[key];
  const name = typeof key === "string" ? key : undefined;
  const holder = Array.isArray(of) || name === undefined ? undefined : record(of);
  if (holder !== undefined && name !== undefined && Object.hasOwn(holder, name)) return holder[name];
  if (optional) return absent;
  throw new CelError(`no such key \`${String(key)}\``);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new CelError("a map is needed");
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.map((each: unknown) => each);
  throw new CelError("a list is needed");
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new CelError("a string is needed");
}

function numeric(value: unknown): number {
  if (typeof value === "number") return value;
  throw new CelError("a number is needed");
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new CelError("the result is no number");
}

function signed(sign: string, value: unknown): unknown {
  return sign === "!" ? !truth(value) : -numeric(value);
}

function truth(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new CelError("true or false is needed");
}

function equal(left: unknown, right: unknown): boolean {
  return left === right || (typeof left === "object" && typeof right === "object" && left !== null && right !== null && sameJson(left, right));
}

function sameJson(left: object, right: object): boolean {
  const keys = Object.keys(left);
  return Array.isArray(left) === Array.isArray(right) && keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && equal(Reflect.get(left, key), Reflect.get(right, key)));
}
