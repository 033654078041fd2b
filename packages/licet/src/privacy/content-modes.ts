import { contentModes, dataClasses, type ContentMode, type ContentModes } from "@licet/contract";

/** Of several modes the one that records least. */
export function leastOf(modes: readonly ContentMode[]): ContentMode {
  return contentModes.find((mode) => modes.includes(mode)) ?? "none";
}

/**
 * What may be recorded of a call's words. Detectors prove that a class is there, never that it is not: so a message
 * counts as every class that its system may touch and every class that was found in it, and the least of their modes holds.
 */
export function modeFor(modes: ContentModes, classes: readonly string[]): ContentMode {
  const named = dataClasses.filter((each) => classes.includes(each));
  const all = named.length === classes.length && named.length > 0 ? named : dataClasses;
  return leastOf(all.map((each) => modes[each]));
}
