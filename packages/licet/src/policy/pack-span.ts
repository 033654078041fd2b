/** Work on foreign Cedar text. Its texts have passed `capPolicyText`. */
export type PackJob =
  | { readonly kind: "format"; readonly texts: readonly string[] }
  | { readonly kind: "schema"; readonly text: string }
  | { readonly kind: "examine"; readonly schema: string; readonly texts: readonly string[] };

/** What Cedar says about a place of a text, in UTF-16 offsets. */
export interface Finding {
  readonly message: string;
  readonly help: string | null;
  readonly start: number;
  readonly end: number;
}

export interface ExaminedPolicy {
  readonly id: string | null;
  readonly start: number;
  readonly end: number;
}

/** For one text. */
export interface Examined {
  readonly findings: readonly Finding[];
  readonly policies: readonly ExaminedPolicy[];
  readonly formatted?: string;
}

export type PackAnswer = readonly Examined[];

/** Cedar counts bytes. */
export function spanOf(text: string, place: { readonly start: number; readonly end: number } | undefined): { readonly start: number; readonly end: number } {
  if (place === undefined) return { start: 0, end: 0 };
  const bytes = Buffer.from(text);
  const units = (end: number) => bytes.subarray(0, end).toString().length;
  return { start: units(place.start), end: units(place.end) };
}
