import type { Layer } from "../layer.ts";
import { Damaged } from "../source.ts";
import type { Argument, Expression } from "./template-expression.ts";
import { parseTemplate, type Template } from "./template-statements.ts";

/** Names of Python's object model: from any of them a template reaches modules and functions. */
const special = /^_|^(?:mro|func_\w+|im_\w+|gi_\w+|cr_\w+|ag_\w+|tb_\w+|f_(?:globals|locals|builtins|code|back)|co_\w+|subclasses|format_map)$/u;
const specialWord = /__(?:class|globals?|builtins?|import|init|subclasses|mro|bases?|dict|getattribute|getattr|self|loader|spec|call|code|func|reduce\w*|new|module|name|doc|qualname|annotations|closure|defaults)__/u;
/** Filters that reach attributes by a name that is a value. */
const reaching = new Set(["attr", "map", "selectattr", "rejectattr", "groupby", "sum", "sort", "unique", "min", "max"]);
/** Filters and methods that make new texts out of others, by which a name can be hidden. */
const building = new Set(["join", "format", "replace", "reverse", "truncate", "center", "b64decode", "decode", "encode", "translate", "urlize", "indent"]);
/** These keep a text what it is: they hide nothing that was not hidden before. */
const recasing = new Set(["lower", "upper", "trim", "string", "list", "strip", "title", "capitalize", "swapcase", "first", "last"]);
const engineNames = new Set(["lipsum", "cycler", "joiner", "self", "get_flashed_messages", "url_for"]);
const joining = new Set(["+", "%", "*"]);
const depthMax = 400;
const templateCharactersMax = 1 << 20;

/**
 * Judges a chat template by its syntax tree: nothing in it may reach Python's own attributes, by a point, a subscript,
 * a filter or a text put together from pieces, and it may load no other template. Source: CVE-2024-34359 and Jinja's
 * sandbox (`jinja2.sandbox.is_internal_attribute`).
 */
export function judgeTemplate(layer: Layer, source: string, name: string): void {
  try {
    if (source.length > templateCharactersMax) throw new Damaged("the template is longer than any real one", 0);
    const template = parseTemplate(source);
    new TemplateJudge(layer, name, template).run();
  } catch (fault) {
    if (!(fault instanceof Damaged)) throw fault;
    const unsafe = specialWord.exec(source);
    if (unsafe === null) layer.report("template.unreadable", `\`${name}\`: ${fault.message}`);
    else layer.report("template.unsafe", `\`${name}\` names \`${unsafe[0]}\` and cannot be parsed`);
  }
}

class TemplateJudge {
  readonly #layer: Layer;
  readonly #name: string;
  readonly #template: Template;
  readonly #built = new Set<string>();
  #told = 0;

  constructor(layer: Layer, name: string, template: Template) {
    this.#layer = layer;
    this.#name = name;
    this.#template = template;
  }

  run(): void {
    for (const { statement } of this.#template.loads) this.#refuse(`loads another template with \`${statement}\``);
    for (const { name, value } of this.#template.assigned) if (this.#isBuilt(value, 0)) this.#built.add(name);
    for (const expression of this.#template.expressions) this.#visit(expression, 0);
  }

  #refuse(what: string): void {
    this.#told += 1;
    if (this.#told <= 5) this.#layer.report("template.unsafe", `\`${this.#name}\` ${what}`);
  }

  #visit(expression: Expression, depth: number): void {
    if (depth > depthMax) {
      this.#refuse("is nested deeper than any real template");
      return;
    }
    this.#judge(expression);
    for (const part of partsOf(expression)) this.#visit(part, depth + 1);
  }

  #judge(expression: Expression): void {
    const written = specialWord.exec(folded(expression, 0) ?? "");
    if (written !== null) this.#refuse(`writes the name \`${written[0]}\``);
    if (expression.kind === "attribute") this.#judgeAttribute(expression.target, expression.name);
    else if (expression.kind === "item") this.#judgeIndex(expression.target, expression.index);
    else if (expression.kind === "filter") this.#judgeFilter(expression.name, expression.args);
    else if (expression.kind === "call") this.#judgeCall(expression.target);
    else if (expression.kind === "name" && expression.name.startsWith("__")) this.#refuse(`uses the name \`${expression.name}\``);
  }

  #judgeAttribute(target: Expression, name: string): void {
    if (special.test(name)) this.#refuse(`reaches the attribute \`${name}\``);
    if (target.kind === "name") this.#judgeFramework(target.name);
  }

  #judgeIndex(target: Expression, index: Expression): void {
    const text = folded(index, 0);
    if (text !== undefined) {
      if (special.test(text) && /^_|mro|subclasses|globals/u.test(text)) this.#refuse(`reaches the item \`${text}\``);
    } else if (this.#isBuilt(index, 0)) this.#refuse("reaches an item by a text that it puts together");
    if (target.kind === "name") this.#judgeFramework(target.name);
  }

  #judgeFramework(name: string): void {
    if (engineNames.has(name)) this.#refuse(`reaches into \`${name}\`, an object of the template engine`);
  }

  #judgeFilter(name: string, args: readonly Argument[]): void {
    if (name === "attr") this.#refuse("uses the filter `attr`, which reaches attributes by any name");
    if (!reaching.has(name)) return;
    for (const { value } of args) {
      const text = folded(value, 0);
      if (text === "attr" || (text !== undefined && text.split(".").some((part) => special.test(part)))) this.#refuse(`uses the filter \`${name}\` on \`${text}\``);
      else if (text === undefined && this.#isBuilt(value, 0)) this.#refuse(`uses the filter \`${name}\` with a text that it puts together`);
    }
  }

  /** `'{0.__class__}'.format(x)`: a format text reaches attributes too. */
  #judgeCall(target: Expression): void {
    if (target.kind !== "attribute" || (target.name !== "format" && target.name !== "format_map")) return;
    const text = folded(target.target, 0);
    if (text === undefined ? this.#isBuilt(target.target, 0) : /\{[^{}]*[.[]/u.test(text)) this.#refuse("formats a text that reaches attributes");
  }

  #builds({ name, target }: { readonly name: string; readonly target: Expression }, depth: number): boolean {
    return building.has(name) || (recasing.has(name) && this.#isBuilt(target, depth + 1));
  }

  /** Whether a value is a text put together from pieces, so that its content does not stand in the template. */
  #isBuilt(value: Expression, depth: number): boolean {
    if (depth > depthMax) return true;
    if (value.kind === "name") return this.#built.has(value.name);
    if (value.kind === "operator") return value.operator === "~" || (joining.has(value.operator) && value.parts.some((part) => this.#isBuilt(part, depth + 1)));
    if (value.kind === "text") return depth > 0;
    if (value.kind === "filter") return this.#builds(value, depth);
    if (value.kind === "call") return value.target.kind === "attribute" && this.#builds(value.target, depth);
    return value.kind === "choice" && value.parts.some((part) => part.kind !== "text" && this.#isBuilt(part, depth + 1));
  }
}

function partsOf(expression: Expression): readonly Expression[] {
  if ("parts" in expression) return expression.parts;
  if (expression.kind === "item") return [expression.target, expression.index];
  if ("args" in expression) return [expression.target, ...expression.args.map(({ value }) => value)];
  return expression.kind === "attribute" ? [expression.target] : [];
}

/** The text that an expression of constants gives, or undefined. */
function folded(expression: Expression, depth: number): string | undefined {
  if (depth > depthMax) return undefined;
  if (expression.kind === "text") return expression.text;
  if (expression.kind === "operator" && (expression.operator === "+" || expression.operator === "~")) {
    const parts = expression.parts.map((part) => folded(part, depth + 1));
    return parts.every((part) => part !== undefined) ? parts.join("") : undefined;
  }
  if (expression.kind === "filter") return foldedFilter(expression, depth);
  return undefined;
}

function foldedFilter(expression: Extract<Expression, { kind: "filter" | "test" }>, depth: number): string | undefined {
  if (expression.name === "join" && expression.target.kind === "group") {
    const parts = expression.target.parts.map((part) => folded(part, depth + 1));
    const [between] = expression.args.map(({ value }) => folded(value, depth + 1));
    return parts.every((part) => part !== undefined) ? parts.join(between ?? "") : undefined;
  }
  const text = folded(expression.target, depth + 1);
  if (text === undefined) return undefined;
  if (expression.name === "reverse") return Array.from(text).toReversed().join("");
  if (expression.name === "lower") return text.toLowerCase();
  return expression.name === "trim" || expression.name === "string" ? text.trim() : undefined;
}
