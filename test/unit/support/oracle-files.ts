import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../shared/assurance/", import.meta.url));

/** Tests against the shared oracle figures run where that folder is, and say so where it is not. */
export const oraclesPresent = existsSync(root);
export const oraclesAbsent = "the oracle figures in ../shared/assurance are not on this machine";

export function oraclePath(path: string): string {
  return `${root}${path}`;
}

export function oracleBytes(path: string): Uint8Array {
  return readFileSync(oraclePath(path));
}

/** Tests read figures by name from files of known shape, so the parsed value is deliberately loose. */
export function oracleJson<T>(path: string, parse: (value: unknown) => T): T {
  return parse(JSON.parse(readFileSync(oraclePath(path), "utf8")));
}
