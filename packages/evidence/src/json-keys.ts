/** JSON text in which no key holds an escape, and what its keys were. */
export interface PlainKeys {
  readonly text: string;
  /** The keys that cannot be written without an escape; they stand in the text as `nameOf` their place in this list. */
  readonly hidden: readonly string[];
}

/** Nobody who writes JSON knows it, so no key of theirs begins with it. */
const nonce = `key ${Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16)).join("")} `;

/**
 * Engines from V8 12.8 on (Node 22 to 26) take a key with an escape in it for another key once they have met one that holds
 * a backslash: behind `{"a":0,"\\":0}`, `{"a":0,"\n":0}` has the keys `a` and `\`. So whoever is read first decides what
 * the next one said (nodejs/node#63785). No such key may reach `JSON.parse`: here they are written out, and those that
 * cannot be go under a name of ours. Undefined where the text, which must be JSON, has none.
 */
export function withPlainKeys(text: string): PlainKeys | undefined {
  const hidden = new Map<string, string>();
  const parts: string[] = [];
  let done = 0;
  let end = 0;
  // What JSON says has its backslashes in strings, and no quotation mark between one and the beginning of its string.
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", end)) {
    end = stringEnd(text, at);
    if (!isBeforeColon(text, end)) continue;
    const start = text.lastIndexOf('"', at);
    parts.push(text.slice(done, start), plainKey(text.slice(start, end), hidden));
    done = end;
  }
  return done === 0 ? undefined : { text: parts.join("") + text.slice(done), hidden: [...hidden.keys()] };
}

/** Gives an object its own keys again, in their order; anything else comes back as it is. */
export function withOwnKeys(value: unknown, hidden: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  if (!entries.some(([key]) => key.startsWith(nonce))) return value;
  return Object.fromEntries(entries.map(([key, child]) => [key.startsWith(nonce) ? (hidden[Number(key.slice(nonce.length))] ?? key) : key, child]));
}

function plainKey(written: string, hidden: Map<string, string>): string {
  const key = String(JSON.parse(written));
  const rewritten = JSON.stringify(key);
  if (!rewritten.includes("\\")) return rewritten;
  const name = hidden.get(key) ?? JSON.stringify(`${nonce}${hidden.size}`);
  hidden.set(key, name);
  return name;
}

/** Behind the quotation mark that ends the string that this place is in. */
function stringEnd(text: string, within: number): number {
  for (let end = text.indexOf('"', within); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text[before - 1] === "\\") before -= 1;
    if ((end - before) % 2 === 0) return end + 1;
  }
  return text.length;
}

function isBeforeColon(text: string, end: number): boolean {
  let at = end;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at += 1;
  return text[at] === ":";
}
