const [quotation, comma, colon, backslash, opens, closes, begins, ends] = [34, 44, 58, 92, 123, 125, 91, 93] as const;

export interface Members {
  /** Of each of the names the member's value as it stands in the text; undefined where there is none. */
  readonly texts: readonly (string | undefined)[];
  /** Behind the object. */
  readonly end: number;
}

/**
 * Finds members of the object in compact JSON that begins at `from`, and reads nothing: for one object of many members
 * that costs a tenth of parsing it. Undefined where no object stands there. A name that is written with an escape is not found.
 */
export function membersIn(text: string, names: readonly string[], from = 0): Members | undefined {
  if (text.charCodeAt(from) !== opens) return undefined;
  const texts: (string | undefined)[] = Array.from(names, () => undefined);
  let at = from + 1;
  while (text.charCodeAt(at) === quotation) {
    const nameEnd = stringEnd(text, at);
    const end = text.charCodeAt(nameEnd) === colon ? valueEnd(text, nameEnd + 1) : -1;
    if (end < 0) return undefined;
    const place = names.indexOf(text.slice(at + 1, nameEnd - 1));
    if (place >= 0) texts[place] = text.slice(nameEnd + 1, end);
    at = text.charCodeAt(end) === comma ? end + 1 : end;
  }
  return text.charCodeAt(at) === closes ? { texts, end: at + 1 } : undefined;
}

/** Behind the string that begins here; beyond the text where it does not end. */
function stringEnd(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end > 0; end = text.indexOf('"', end + 1)) {
    let before = end;
    while (text.charCodeAt(before - 1) === backslash) before--;
    if ((end - before) % 2 === 0) return end + 1;
  }
  return text.length + 1;
}

/** Behind the value that begins here: at the comma or bracket that follows; -1 where it does not end. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quotation) at = stringEnd(text, at) - 1;
    else if (unit === opens || unit === begins) depth++;
    else if (unit === comma && depth === 0) return at;
    else if ((unit === closes || unit === ends) && depth-- === 0) return at;
  }
  return -1;
}
