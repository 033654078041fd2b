/** A token of an expression; a text's value is unescaped already. */
export type CelToken =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly value: string }
  | { readonly kind: "sign"; readonly value: string }
  | { readonly kind: "end"; readonly value: "" };

/** What is wrong with an expression, or with what it was asked about. */
export class CelError extends Error {
  override readonly name = "CelError";
}

export const expressionCharactersMax = 2000;

const blank = /\s+/uy;
const number = /(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)u?/uy;
const name = /[A-Za-z_]\w*/uy;
const text = /'(?:[^'\\\n]|\\[^\n])*'|"(?:[^"\\\n]|\\[^\n])*"/uy;
const sign = /\.\?|\[\?|==|!=|<=|>=|&&|\|\||[-+*/%!<>?:.,()[\]{}]/uy;

export function celTokens(source: string): readonly CelToken[] {
  if (source.length > expressionCharactersMax) throw new CelError(`an expression has at most ${expressionCharactersMax} characters`);
  const tokens: CelToken[] = [];
  for (let at = 0; at < source.length; ) {
    const read = nextToken(source, at);
    if (read === undefined) throw new CelError(`unexpected \`${source.slice(at, at + 10)}\``);
    if (read.token !== undefined) tokens.push(read.token);
    at = read.next;
  }
  return [...tokens, { kind: "end", value: "" }];
}

function nextToken(source: string, at: number): { readonly token: CelToken | undefined; readonly next: number } | undefined {
  const found = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const space = found(blank);
  if (space !== undefined) return { token: undefined, next: at + space.length };
  const digits = found(number);
  if (digits !== undefined) return { token: { kind: "number", value: Number(digits.replace(/u$/u, "")) }, next: at + digits.length };
  const quoted = found(text);
  if (quoted !== undefined) return { token: { kind: "text", value: unescaped(quoted.slice(1, -1)) }, next: at + quoted.length };
  const word = found(name);
  if (word !== undefined) return { token: { kind: "name", value: word }, next: at + word.length };
  const mark = found(sign);
  return mark === undefined ? undefined : { token: { kind: "sign", value: mark }, next: at + mark.length };
}

const escapes: Readonly<Record<string, string | undefined>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?" };

function unescaped(body: string): string {
  return body.replaceAll(/\\(?:u([0-9a-fA-F]{4})|([^u]))/gu, (_whole: string, code: string | undefined, plain: string | undefined) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    const value = plain === undefined ? undefined : escapes[plain];
    if (value === undefined) throw new CelError(`unknown escape \`\\${plain ?? ""}\``);
    return value;
  });
}
