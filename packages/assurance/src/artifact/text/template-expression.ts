import { Damaged } from "../source.ts";
import type { Token } from "./template-tokens.ts";

/** Jinja's expressions, as far as they matter: what is reached, by which name, and what is called. */
export type Expression =
  | { readonly kind: "text"; readonly text: string; readonly at: number }
  | { readonly kind: "number" | "constant"; readonly at: number }
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | { readonly kind: "attribute"; readonly target: Expression; readonly name: string; readonly at: number }
  | { readonly kind: "item"; readonly target: Expression; readonly index: Expression; readonly at: number }
  | { readonly kind: "call"; readonly target: Expression; readonly args: readonly Argument[]; readonly at: number }
  | { readonly kind: "filter" | "test"; readonly target: Expression; readonly name: string; readonly args: readonly Argument[]; readonly at: number }
  | { readonly kind: "operator"; readonly operator: string; readonly parts: readonly Expression[]; readonly at: number }
  | { readonly kind: "group" | "slice" | "choice"; readonly parts: readonly Expression[]; readonly at: number };

export interface Argument {
  readonly name?: string;
  readonly value: Expression;
}

const depthMax = 200;
const comparisons = new Set(["==", "!=", "<", ">", "<=", ">="]);
const sums = new Set(["+", "-"]);
const products = new Set(["*", "/", "//", "%"]);

/** Recursive descent with Jinja's precedence. Source: Jinja 3.1, `jinja2.parser.Parser`. */
export class ExpressionParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get next(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "", at: 0 };
  }

  get done(): boolean {
    return this.next.kind === "end";
  }

  take(): Token {
    const token = this.next;
    this.#at += 1;
    return token;
  }

  isMark(text: string): boolean {
    return this.next.kind === "mark" && this.next.text === text;
  }

  isName(text: string): boolean {
    return this.next.kind === "name" && this.next.text === text;
  }

  takes(text: string): boolean {
    const here = this.next;
    if ((here.kind !== "mark" && here.kind !== "name") || here.text !== text) return false;
    this.#at += 1;
    return true;
  }

  needs(text: string): void {
    if (!this.takes(text)) throw new Damaged(`\`${text}\` is missing in an expression`, this.next.at);
  }

  /** A name on its own, as for loop variables and macros. */
  identifier(): string {
    const token = this.take();
    if (token.kind !== "name") throw new Damaged("a name is missing", token.at);
    return token.text;
  }

  expression(): Expression {
    this.#depth += 1;
    if (this.#depth > depthMax) throw new Damaged("an expression is nested too deep", this.next.at);
    const value = this.#choice();
    this.#depth -= 1;
    return value;
  }

  /** One or more expressions with commas, as a tuple without brackets. */
  list(): Expression {
    const first = this.expression();
    if (!this.isMark(",")) return first;
    const parts = [first];
    while (this.takes(",")) if (!this.done && !this.isMark("=")) parts.push(this.expression());
    return { kind: "group", parts, at: first.at };
  }

  #choice(): Expression {
    let value = this.or();
    while (this.takes("if")) {
      const condition = this.or();
      const parts = [value, condition];
      if (this.takes("else")) parts.push(this.expression());
      value = { kind: "choice", parts, at: value.at };
    }
    return value;
  }

  /** Without `… if … else`, for the iterable of a loop. */
  or(): Expression {
    return this.#chain(() => this.#and(), (text) => text === "or");
  }

  #and(): Expression {
    return this.#chain(() => this.#not(), (text) => text === "and");
  }

  #not(): Expression {
    const { at } = this.next;
    if (!this.takes("not")) return this.#comparison();
    this.#depth += 1;
    if (this.#depth > depthMax) throw new Damaged("an expression is nested too deep", at);
    const value: Expression = { kind: "operator", operator: "not", parts: [this.#not()], at };
    this.#depth -= 1;
    return value;
  }

  #comparison(): Expression {
    let value = this.#sum();
    for (;;) {
      const { at, text, kind } = this.next;
      const negated = this.isName("not") && this.#tokens[this.#at + 1]?.text === "in";
      if (!(kind === "mark" && comparisons.has(text)) && !this.isName("in") && !negated) return value;
      this.take();
      if (negated) this.take();
      value = { kind: "operator", operator: negated ? "not in" : text, parts: [value, this.#sum()], at };
    }
  }

  #sum(): Expression {
    return this.#chain(() => this.#concatenation(), (text) => sums.has(text));
  }

  #concatenation(): Expression {
    return this.#chain(() => this.#product(), (text) => text === "~");
  }

  #product(): Expression {
    return this.#chain(() => this.#unary(), (text) => products.has(text));
  }

  #chain(part: () => Expression, isOperator: (text: string) => boolean): Expression {
    let value = part();
    while ((this.next.kind === "mark" || this.next.kind === "name") && isOperator(this.next.text)) {
      const { text, at } = this.take();
      value = { kind: "operator", operator: text, parts: [value, part()], at };
    }
    return value;
  }

  #unary(withFilter = true): Expression {
    const { at } = this.next;
    if (this.isMark("-") || this.isMark("+")) {
      this.#depth += 1;
      if (this.#depth > depthMax) throw new Damaged("an expression is nested too deep", at);
      const operator = this.take().text;
      const value: Expression = { kind: "operator", operator, parts: [this.#unary(false)], at };
      this.#depth -= 1;
      return withFilter ? this.#filters(value) : value;
    }
    let value = this.#postfix(this.#primary());
    if (this.takes("**")) value = { kind: "operator", operator: "**", parts: [value, this.#unary()], at };
    return withFilter ? this.#filters(value) : value;
  }

  #primary(): Expression {
    const token = this.take();
    const { at } = token;
    if (token.kind === "text") return this.#text(token);
    if (token.kind === "number") return { kind: "number", at };
    if (token.kind === "name") return /^(?:true|false|none|True|False|None)$/u.test(token.text) ? { kind: "constant", at } : { kind: "name", name: token.text, at };
    if (token.text === "(") return this.#items(")", at);
    if (token.text === "[") return this.#items("]", at);
    if (token.text === "{") return this.#dictionary(at);
    throw new Damaged("an expression is missing", at);
  }

  /** Texts that stand beside each other are one. */
  #text(token: Token): Expression {
    let text = token.text;
    while (this.next.kind === "text") text += this.take().text;
    return { kind: "text", text, at: token.at };
  }

  #items(end: string, at: number): Expression {
    const parts: Expression[] = [];
    let commas = 0;
    while (!this.takes(end)) {
      parts.push(this.expression());
      if (this.takes(",")) commas += 1;
      else if (!this.isMark(end)) throw new Damaged(`\`${end}\` is missing in an expression`, this.next.at);
    }
    const [only] = parts;
    return end === ")" && commas === 0 && only !== undefined ? only : { kind: "group", parts, at };
  }

  #dictionary(at: number): Expression {
    const parts: Expression[] = [];
    while (!this.takes("}")) {
      parts.push(this.expression());
      this.needs(":");
      parts.push(this.expression());
      if (!this.takes(",") && !this.isMark("}")) throw new Damaged("`}` is missing in an expression", this.next.at);
    }
    return { kind: "group", parts, at };
  }

  #postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      const { at } = this.next;
      if (this.takes(".")) value = this.#member(value, at);
      else if (this.takes("[")) value = { kind: "item", target: value, index: this.#subscript(), at };
      else if (this.takes("(")) value = { kind: "call", target: value, args: this.#arguments(), at };
      else return value;
    }
  }

  #member(target: Expression, at: number): Expression {
    const token = this.take();
    if (token.kind === "number") return { kind: "item", target, index: { kind: "number", at }, at };
    if (token.kind !== "name") throw new Damaged("a name is missing behind a point", at);
    return { kind: "attribute", target, name: token.text, at };
  }

  #subscript(): Expression {
    const { at } = this.next;
    const parts: Expression[] = [];
    let slices = false;
    while (!this.takes("]")) {
      if (this.takes(":") || this.takes(",")) slices = true;
      else parts.push(this.expression());
    }
    const [only] = parts;
    return !slices && only !== undefined && parts.length === 1 ? only : { kind: "slice", parts, at };
  }

  #arguments(): readonly Argument[] {
    const args: Argument[] = [];
    while (!this.takes(")")) {
      if (!this.takes("*")) this.takes("**");
      const named = this.next.kind === "name" && this.#tokens[this.#at + 1]?.text === "=" && this.#tokens[this.#at + 1]?.kind === "mark";
      const name = named ? this.identifier() : undefined;
      if (named) this.needs("=");
      const value = this.expression();
      args.push(name === undefined ? { value } : { name, value });
      if (!this.takes(",") && !this.isMark(")")) throw new Damaged("`)` is missing in an expression", this.next.at);
    }
    return args;
  }

  #filters(start: Expression): Expression {
    let value = start;
    for (;;) {
      const { at } = this.next;
      if (this.takes("|")) value = { kind: "filter", target: value, name: this.#dotted(), args: this.takes("(") ? this.#arguments() : [], at };
      else if (this.takes("is")) value = this.#test(value, at);
      else if (this.takes("(")) value = { kind: "call", target: value, args: this.#arguments(), at };
      else return value;
    }
  }

  #test(target: Expression, at: number): Expression {
    this.takes("not");
    const name = this.#dotted();
    if (this.takes("(")) return { kind: "test", target, name, args: this.#arguments(), at };
    const { kind, text } = this.next;
    const follows = kind === "text" || kind === "number" || (kind === "name" && !/^(?:else|or|and|is|if|not|in)$/u.test(text)) || (kind === "mark" && (text === "[" || text === "{"));
    return { kind: "test", target, name, args: follows ? [{ value: this.#postfix(this.#primary()) }] : [], at };
  }

  #dotted(): string {
    let name = this.identifier();
    while (this.takes(".")) name += `.${this.identifier()}`;
    return name;
  }
}
