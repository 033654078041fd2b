import { Damaged } from "../source.ts";
import { type Expression, ExpressionParser } from "./template-expression.ts";
import { templateParts, type TemplatePart } from "./template-tokens.ts";

/** What stands in a template: expressions, names that are set to them, and statements that load other templates. */
export interface Template {
  readonly expressions: readonly Expression[];
  readonly assigned: readonly { readonly name: string; readonly value: Expression }[];
  readonly loads: readonly { readonly statement: string; readonly at: number }[];
}

const ending = /^(?:end\w*|else|break|continue|generation|autoescape|trans|pluralize|debug)$/u;
const loading = new Set(["include", "import", "from", "extends"]);

/** Reads a Jinja template. Throws `Damaged` where Jinja would refuse it, or where this reader does not follow. */
export function parseTemplate(source: string): Template {
  const found: Found = { expressions: [], assigned: [], loads: [] };
  for (const part of templateParts(source)) {
    const parser = new ExpressionParser(part.tokens);
    if (part.kind === "output") found.expressions.push(parser.list());
    else statement(parser, part, found);
    if (!parser.done) throw new Damaged(`\`${parser.next.text}\` is not expected`, parser.next.at);
  }
  return found;
}

interface Found {
  readonly expressions: Expression[];
  readonly assigned: { name: string; value: Expression }[];
  readonly loads: { statement: string; at: number }[];
}

function statement(parser: ExpressionParser, part: TemplatePart, found: Found): void {
  const word = parser.identifier();
  const read = statements.get(word);
  if (read !== undefined) read(parser, found);
  else if (loading.has(word) || ending.test(word)) {
    if (loading.has(word)) found.loads.push({ statement: word, at: part.at });
    skipRest(parser);
  } else throw new Damaged(`the statement \`${word}\` is unknown`, part.at);
}

type ReadStatement = (parser: ExpressionParser, found: Found) => void;

const condition: ReadStatement = (parser, found) => void found.expressions.push(parser.list());
const statements: ReadonlyMap<string, ReadStatement> = new Map<string, ReadStatement>([
  ["if", condition],
  ["elif", condition],
  ["do", condition],
  ["for", (parser, found) => loop(parser, found)],
  ["set", (parser, found) => assign(parser, found)],
  ["with", (parser, found) => { while (!parser.done) pair(parser, found); }],
  ["macro", (parser, found) => macro(parser, "macro", found)],
  ["call", (parser, found) => macro(parser, "call", found)],
  ["filter", (parser, found) => void found.expressions.push(filterBlock(parser))],
  ["block", (parser) => skipRest(parser)],
]);

function skipRest(parser: ExpressionParser): void {
  while (!parser.done) parser.take();
}

function targets(parser: ExpressionParser): readonly string[] {
  const names: string[] = [];
  do {
    const open = parser.takes("(");
    names.push(parser.identifier());
    while (parser.takes(".")) names.push(parser.identifier());
    if (open) names.push(...closing(parser));
  } while (parser.takes(","));
  return names;
}

function closing(parser: ExpressionParser): readonly string[] {
  const names: string[] = [];
  while (!parser.takes(")")) if (!parser.takes(",")) names.push(parser.identifier());
  return names;
}

function loop(parser: ExpressionParser, found: Found): void {
  const names = targets(parser);
  parser.needs("in");
  const over = parser.or();
  found.expressions.push(over);
  for (const name of names) found.assigned.push({ name, value: over });
  if (parser.isMark(",")) while (parser.takes(",")) found.expressions.push(parser.or());
  if (parser.takes("if")) found.expressions.push(parser.expression());
  if (parser.takes("else")) found.expressions.push(parser.expression());
  parser.takes("recursive");
}

function assign(parser: ExpressionParser, found: Found): void {
  const names = targets(parser);
  if (parser.takes("=")) {
    const value = parser.list();
    found.expressions.push(value);
    for (const name of names) found.assigned.push({ name, value });
    return;
  }
  const [name] = names;
  const empty: Expression = { kind: "name", name: name ?? "", at: parser.next.at };
  found.expressions.push(filtered(parser, empty));
}

function pair(parser: ExpressionParser, found: Found): void {
  const name = parser.identifier();
  parser.needs("=");
  const value = parser.expression();
  found.expressions.push(value);
  found.assigned.push({ name, value });
  parser.takes(",");
}

function macro(parser: ExpressionParser, word: string, found: Found): void {
  if (word === "call" && !parser.isMark("(")) {
    found.expressions.push(parser.expression());
    return;
  }
  if (word === "macro") parser.identifier();
  parser.needs("(");
  while (!parser.takes(")")) {
    const name = parser.identifier();
    if (parser.takes("=")) {
      const value = parser.expression();
      found.expressions.push(value);
      found.assigned.push({ name, value });
    }
    if (!parser.takes(",") && !parser.isMark(")")) throw new Damaged("`)` is missing", parser.next.at);
  }
  if (word === "call") found.expressions.push(parser.expression());
}

function filterBlock(parser: ExpressionParser): Expression {
  const { at } = parser.next;
  return filtered(parser, { kind: "constant", at }, true);
}

/** `{% set x | upper %}` and `{% filter upper %}`: filters over a block. */
function filtered(parser: ExpressionParser, target: Expression, first = false): Expression {
  let value = target;
  let open = first;
  while (open || parser.takes("|")) {
    open = false;
    const { at } = parser.next;
    const name = parser.identifier();
    if (parser.isMark("(")) {
      const args = parser.expression();
      value = { kind: "filter", target: value, name, args: [{ value: args }], at };
    } else value = { kind: "filter", target: value, name, args: [], at };
  }
  return value;
}
