const small = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"];
const tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const wordsMax = 999_999;

/** English words of a whole number up to 999,999, without "and" and hyphens; undefined beyond. */
export function numberInWords(value: number): string | undefined {
  if (!Number.isInteger(value) || value < 0 || value > wordsMax) return undefined;
  if (value < 1000) return belowThousand(value);
  const rest = value % 1000;
  const thousands = `${belowThousand(Math.floor(value / 1000))} thousand`;
  return rest === 0 ? thousands : `${thousands} ${belowThousand(rest)}`;
}

function belowThousand(value: number): string {
  if (value < 20) return small[value] ?? "";
  if (value < 100) return [tens[Math.floor(value / 10)], value % 10 === 0 ? "" : small[value % 10]].join(" ").trim();
  const rest = value % 100;
  const hundreds = `${small[Math.floor(value / 100)] ?? ""} hundred`;
  return rest === 0 ? hundreds : `${hundreds} ${belowThousand(rest)}`;
}
