const pickles = new Set(["pickle", "joblib"]);

/** A compressed pickle is what joblib writes. */
export function hasPickleInside(format: string): boolean {
  return pickles.has(format);
}
