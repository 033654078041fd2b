import type { Pattern } from "./expression-like.ts";
import { below, isObject, own, readArray, readText, refuse, type Place } from "./read.ts";

/** One attribute or the path of an extended `has`. */
export function readNames(json: unknown, place: Place): readonly string[] {
  if (!Array.isArray(json)) return [readText(json, place)];
  if (json.length === 0) return refuse(place, "expected at least one attribute");
  return json.map((name: unknown, index) => readText(name, below(place, `[${index}]`)));
}

/** The elements of `like`, joined to the texts between wildcards. */
export function readPattern(json: unknown, place: Place): Pattern {
  const texts = [""];
  readArray(json, place).forEach((element, index) => {
    if (element === "Wildcard") texts.push("");
    else texts[texts.length - 1] = `${texts.at(-1)}${readLiteral(element, below(place, `[${index}]`))}`;
  });
  return texts;
}

function readLiteral(json: unknown, place: Place): string {
  if (!isObject(json) || Object.keys(json).length !== 1) return refuse(place, 'expected `"Wildcard"` or `{ "Literal": "…" }`');
  return readText(own(json, "Literal"), place);
}
