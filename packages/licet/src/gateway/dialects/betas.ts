import type { Need } from "../dialect.ts";
import { refuse, type Refusal } from "../refusal.ts";

/** Bounds of a header that names trial features. */
const betasMax = 32;
const betaPattern = /^[A-Za-z0-9][A-Za-z0-9=._-]{0,127}$/u;

export interface Betas {
  readonly needs: readonly Need[];
  readonly headers: Readonly<Record<string, string>>;
}

/** The trial features that a header asks for: each is a power of its own, but for those that only change the form. */
export function betaHeaders(
  headerName: "openai-beta" | "anthropic-beta",
  header: (name: string) => string | undefined,
  formOnly: ReadonlySet<string> = new Set(),
): Betas | { readonly refusal: Refusal } {
  const asked = (header(headerName) ?? "").split(",").map((name) => name.trim());
  const names = [...new Set(asked.filter((name) => name !== ""))];
  if (names.length > betasMax || names.some((name) => !betaPattern.test(name))) {
    return { refusal: refuse("request_unreadable", { message: `the header \`${headerName}\` is not a list of names`, param: headerName }) };
  }
  const needs = names.filter((name) => !formOnly.has(name)).map((name) => ({ permission: `beta:${name}`, param: headerName }));
  return { needs, headers: names.length === 0 ? {} : { [headerName]: names.join(",") } };
}
