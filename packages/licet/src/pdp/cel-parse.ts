import { CelError, celTokens, type CelToken } from "./cel-text.ts";

export type Cel =
  | { readonly form: "value"; readonly value: string | number | boolean | null }
  | { readonly form: "name"; readonly name: string }
  | { readonly form: "list"; readonly items: readonly Cel[] }
  | { readonly form: "map"; readonly entries: readonly (readonly [Cel, Cel])[] }
  | { readonly form: "select"; readonly of: Cel; readonly key: Cel; readonly optional: boolean }
  | { readonly form: "call"; readonly of: Cel | undefined; readonly name: string; readonly args: readonly Cel[] }
  | { readonly form: "unary"; readonly sign: string; readonly of: Cel }
  | { readonly form: "binary"; readonly sign: string; readonly left: Cel; readonly right: Cel }
  | { readonly form: "choice"; readonly test: Cel; readonly yes: Cel; readonly no: Cel };

const nestingMax = 40;

/** Weakest first; all of them bind to the left. */
const levels: readonly (readonly string[])[] = [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]];

/** Reads one expression of the Common Expression Language; throws `CelError`. */
export function parseCel(source: string): Cel {
  const reader = new CelReader(celTokens(source));
  const read = reader.choice(0);
  if (!reader.ended()) throw new CelError("something stands after the expression");
  return read;
}

class CelReader {
  readonly #tokens: readonly CelToken[];
  #at = 0;

  constructor(tokens: readonly CelToken[]) {
    this.#tokens = tokens;
  }

  ended(): boolean {
    return this.#now().kind === "end";
  }

  choice(depth: number): Cel {
    if (depth > nestingMax) throw new CelError(`an expression nests at most ${nestingMax} deep`);
    const test = this.#level(0, depth);
    if (!this.#take("?")) return test;
    const yes = this.choice(depth + 1);
    this.#need(":");
    return { form: "choice", test, yes, no: this.choice(depth + 1) };
  }

  #level(level: number, depth: number): Cel {
    const signs = levels[level];
    if (signs === undefined) return this.#unary(depth);
    let left = this.#level(level + 1, depth);
    for (let sign = this.#oneOf(signs); sign !== undefined; sign = this.#oneOf(signs)) left = { form: "binary", sign, left, right: this.#level(level + 1, depth) };
    return left;
  }

  #unary(depth: number): Cel {
    if (depth > nestingMax) throw new CelError(`an expression nests at most ${nestingMax} deep`);
    const sign = this.#oneOf(["!", "-"]);
    return sign === undefined ? this.#member(this.#primary(depth), depth) : { form: "unary", sign, of: this.#unary(depth + 1) };
  }

  #member(start: Cel, depth: number): Cel {
    let of = start;
    for (;;) {
      const sign = this.#oneOf([".", ".?", "[", "[?"]);
      if (sign === undefined) return of;
      if (sign.startsWith("[")) {
        of = { form: "select", of, key: this.choice(depth + 1), optional: sign === "[?" };
        this.#need("]");
      } else {
        of = this.#afterDot(of, sign === ".?", depth);
      }
    }
  }

  #afterDot(of: Cel, optional: boolean, depth: number): Cel {
    const token = this.#next();
    if (token.kind !== "name") throw new CelError("a name is missing after the dot");
    if (!optional && this.#take("(")) return { form: "call", of, name: token.value, args: this.#items(")", depth) };
    return { form: "select", of, key: { form: "value", value: token.value }, optional };
  }

  #primary(depth: number): Cel {
    const token = this.#next();
    if (token.kind === "number" || token.kind === "text") return { form: "value", value: token.value };
    if (token.kind === "name") return this.#named(token.value, depth);
    if (token.value === "(") {
      const inside = this.choice(depth + 1);
      this.#need(")");
      return inside;
    }
    if (token.value === "[") return { form: "list", items: this.#items("]", depth) };
    if (token.value === "{") return { form: "map", entries: this.#entries(depth) };
    throw new CelError(token.kind === "end" ? "the expression ends too early" : `unexpected \`${token.value}\``);
  }

  #named(name: string, depth: number): Cel {
    if (name === "true" || name === "false") return { form: "value", value: name === "true" };
    if (name === "null") return { form: "value", value: null };
    return this.#take("(") ? { form: "call", of: undefined, name, args: this.#items(")", depth) } : { form: "name", name };
  }

  #items(end: string, depth: number): readonly Cel[] {
    const items: Cel[] = [];
    while (!this.#take(end)) {
      if (items.length > 0) this.#need(",");
      items.push(this.choice(depth + 1));
    }
    return items;
  }

  #entries(depth: number): readonly (readonly [Cel, Cel])[] {
    const entries: (readonly [Cel, Cel])[] = [];
    while (!this.#take("}")) {
      if (entries.length > 0) this.#need(",");
      const key = this.choice(depth + 1);
      this.#need(":");
      entries.push([key, this.choice(depth + 1)]);
    }
    return entries;
  }

  #now(): CelToken {
    return this.#tokens[this.#at] ?? { kind: "end", value: "" };
  }

  #next(): CelToken {
    const token = this.#now();
    this.#at++;
    return token;
  }

  #take(sign: string): boolean {
    return this.#oneOf([sign]) !== undefined;
  }

  #oneOf(signs: readonly string[]): string | undefined {
    const token = this.#now();
    const sign = token.kind === "sign" || (token.kind === "name" && token.value === "in") ? token.value : undefined;
    if (sign === undefined || !signs.includes(sign)) return undefined;
    this.#at++;
    return sign;
  }

  #need(sign: string): void {
    if (!this.#take(sign)) throw new CelError(`\`${sign}\` is missing`);
  }
}
