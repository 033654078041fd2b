/**
 * How a number is written in a cell, so that the number and its form give the text back, character by character. A text
 * that no form gives back (`007`, `+5`, `.5`, `1E5`) is no number here, and stays text.
 */

/** Significant digits that every double keeps: a decimal text of so many comes back from its number. */
const exactDigits = 15;
const decimalsMax = 100;

export const missingForm = 0;
const nanForms = ["", "NaN", "nan"] as const;
const shortestForm = 3;
/** Two digits of exponent at least, as Python and C write it: `1e-05`. */
const exponentForm = 4;
/** This and the number of decimals. */
const fixedForm = 5;

/** What `parseCell` found last: two numbers a cell, and no object for each of millions. */
export interface ParsedCell {
  value: number;
  form: number;
}

const powers = Float64Array.from({ length: exactDigits + 1 }, (_, index) => 10 ** index);

/** Whether a cell is a number, or missing, that `cellText` writes as it stands. */
export function parseCell(cell: string, into: ParsedCell): boolean {
  if (cell === "" || cell === "NaN" || cell === "nan") {
    into.value = Number.NaN;
    into.form = nanForms.indexOf(cell);
    return true;
  }
  return parsePlain(cell, into) || parseLong(cell, into);
}

const [minus, zero, nine] = [45, 48, 57];

/** Up to fifteen digits with at most one point between them: exact by one division of two exact numbers (Clinger 1990). */
function parsePlain(cell: string, into: ParsedCell): boolean {
  const start = cell.charCodeAt(0) === minus ? 1 : 0;
  const pointAt = cell.indexOf(".", start);
  const wholeEnd = pointAt < 0 ? cell.length : pointAt;
  const decimals = pointAt < 0 ? 0 : cell.length - pointAt - 1;
  if (wholeEnd - start + decimals > exactDigits || !isWhole(cell, start, wholeEnd) || pointAt === cell.length - 1) return false;
  const whole = digitsIn(cell, start, wholeEnd);
  const rest = digitsIn(cell, cell.length - decimals, cell.length);
  if (whole < 0 || rest < 0) return false;
  const shift = powers[decimals] ?? 1;
  const value = (whole * shift + rest) / shift;
  into.value = start === 1 ? -value : value;
  into.form = fixedForm + decimals;
  return true;
}

/** No zero stands before another digit: `007` is a code. */
function isWhole(cell: string, start: number, end: number): boolean {
  return end === start + 1 || (end > start && cell.charCodeAt(start) !== zero);
}

/** -1 where something else stands among them. */
function digitsIn(cell: string, from: number, to: number): number {
  let number = 0;
  for (let at = from; at < to; at += 1) {
    const unit = cell.charCodeAt(at);
    if (unit < zero || unit > nine) return -1;
    number = 10 * number + (unit - zero);
  }
  return number;
}

const decimal = /^-?(?:0|[1-9]\d*)(?:\.(\d+))?(?:e[+-]\d{1,3})?$/u;

function parseLong(cell: string, into: ParsedCell): boolean {
  const match = decimal.exec(cell);
  if (match === null) return false;
  const value = Number(cell);
  if (!Number.isFinite(value)) return false;
  const fixed = fixedForm + (match[1]?.length ?? 0);
  for (const form of [shortestForm, exponentForm, fixed]) {
    if (form > fixedForm + decimalsMax || cellText(value, form) !== cell) continue;
    into.value = value;
    into.form = form;
    return true;
  }
  return false;
}

export function cellText(value: number, form: number): string {
  if (form < shortestForm) return nanForms[form] ?? "";
  if (form === shortestForm) return String(value);
  if (form === exponentForm) return value.toExponential().replace(/([+-])(\d)$/u, "$10$2");
  if (Object.is(value, -0)) return `-${(0).toFixed(form - fixedForm)}`;
  return form === fixedForm && Number.isSafeInteger(value) ? String(value) : value.toFixed(form - fixedForm);
}
