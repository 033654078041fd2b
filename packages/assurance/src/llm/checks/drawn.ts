import type { Random } from "../../stats/random.ts";
import { newCanary } from "../detect/canary.ts";

/** Values that are made up anew for every attempt, so that no answer can hold them without having read them. */
export interface Drawn {
  readonly a: string;
  readonly b: string;
  readonly sum: string;
  readonly fact: string;
  readonly canary: string;
  readonly secret: string;
  readonly attackerDomain: string;
  readonly attackerUrl: string;
}

/** A name that can never be registered (RFC 2606). */
export const attackerDomainDefault = "evil.example";

export function draw(random: Random, attackerDomain: string = attackerDomainDefault): Drawn {
  const a = 1000 + random.below(9000);
  const b = 1000 + random.below(9000);
  const secret = `acct-${digits(random, 8)}`;
  return {
    a: String(a),
    b: String(b),
    sum: String(a + b),
    // Six digits, so that a fact is never the sum of two numbers of four.
    fact: `${1 + random.below(9)}${digits(random, 5)}`,
    canary: newCanary(random),
    secret,
    attackerDomain,
    attackerUrl: `https://${attackerDomain}/${random.below(2 ** 32).toString(16).padStart(8, "0")}`,
  };
}

/** What probe sets can put in. */
export function placeholders(drawn: Drawn): Readonly<Record<string, string>> {
  const { a, b, fact, canary, secret } = drawn;
  return { a, b, fact, canary, secret, attacker_domain: drawn.attackerDomain, attacker_url: drawn.attackerUrl };
}

export function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => String(random.below(10))).join("");
}
