/** A value cut out of JSON text, and the text with 0 in its place. */
export interface Cut {
  readonly value: string;
  readonly rest: string;
}

/**
 * Cuts the first object or list of this name out of compact JSON text. Whoever parses the rest sees by the 0 whether the
 * value stood where it was looked for; undefined where there is none.
 */
export function cutOut(text: string, name: string, opening: "{" | "["): Cut | undefined {
  const start = `"${name}":`;
  const at = text.indexOf(start + opening);
  const from = at + start.length;
  const end = at < 0 ? -1 : valueEnd(text, from);
  return end < 0 ? undefined : { value: text.slice(from, end), rest: `${text.slice(0, from)}0${text.slice(end)}` };
}

const [quotation, backslash, opens, closes, begins, ends] = [34, 92, 123, 125, 91, 93] as const;

/** Behind the object or list that begins here; -1 where it does not end. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quotation) at = stringEnd(text, at);
    else if (unit === opens || unit === begins) depth++;
    else if ((unit === closes || unit === ends) && --depth === 0) return at + 1;
  }
  return -1;
}

/** The quotation mark that ends the string that begins here; beyond the text where none does. */
function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === backslash) before--;
    if ((end - before) % 2 === 0) return end;
  }
  return text.length;
}
