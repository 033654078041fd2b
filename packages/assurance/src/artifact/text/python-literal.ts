/** A Python literal as `ast.literal_eval` reads it, as far as array headers use it. */
export type Literal =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "name"; readonly name: "True" | "False" | "None" }
  | { readonly kind: "tuple" | "list"; readonly items: readonly Literal[] }
  | { readonly kind: "dict"; readonly entries: readonly (readonly [Literal, Literal])[] };

const token = /\s*(?:(?<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?<number>-?\d+(?:\.\d+)?)L?|(?<name>True|False|None)|(?<mark>[()[\]{},:]))/suy;
const depthMax = 16;

/** Undefined for anything that is not exactly one literal. */
export function parseLiteral(source: string): Literal | undefined {
  const parser = new LiteralParser(source);
  const literal = parser.value(0);
  return literal !== undefined && parser.done() ? literal : undefined;
}

class LiteralParser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  done(): boolean {
    return this.#source.slice(this.#at).trim() === "";
  }

  value(depth: number): Literal | undefined {
    const next = this.#next();
    if (next === undefined || depth > depthMax) return undefined;
    if (next["text"] !== undefined) return { kind: "text", text: next["text"].slice(1, -1).replaceAll(/\\(.)/gsu, "$1") };
    if (next["number"] !== undefined) return { kind: "number", number: Number(next["number"]) };
    if (next["name"] === "True" || next["name"] === "False" || next["name"] === "None") return { kind: "name", name: next["name"] };
    if (next["mark"] === "(") return this.#sequence(")", depth);
    if (next["mark"] === "[") return this.#sequence("]", depth);
    return next["mark"] === "{" ? this.#dict(depth) : undefined;
  }

  #next(): Readonly<Record<string, string | undefined>> | undefined {
    token.lastIndex = this.#at;
    const match = token.exec(this.#source);
    if (match === null) return undefined;
    this.#at = token.lastIndex;
    return match.groups;
  }

  #takes(mark: string): boolean {
    const before = this.#at;
    if (this.#next()?.["mark"] === mark) return true;
    this.#at = before;
    return false;
  }

  #sequence(end: ")" | "]", depth: number): Literal | undefined {
    const items: Literal[] = [];
    while (!this.#takes(end)) {
      const item = this.value(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
      if (this.#takes(",")) continue;
      if (!this.#takes(end)) return undefined;
      // `(x)` is x itself, not a tuple of one.
      return end === ")" && items.length === 1 ? item : { kind: end === ")" ? "tuple" : "list", items };
    }
    return { kind: end === ")" ? "tuple" : "list", items };
  }

  #dict(depth: number): Literal | undefined {
    const entries: (readonly [Literal, Literal])[] = [];
    while (!this.#takes("}")) {
      const key = this.value(depth + 1);
      const value = key !== undefined && this.#takes(":") ? this.value(depth + 1) : undefined;
      if (key === undefined || value === undefined) return undefined;
      entries.push([key, value]);
      if (!this.#takes(",") && !this.#takes("}")) return undefined;
      if (this.#source[this.#at - 1] === "}") break;
    }
    return { kind: "dict", entries };
  }
}
