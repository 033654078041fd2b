import type { DetectionAction, DetectionSection } from "@licet/contract";
import { detectionOf, type Detection } from "../../../packages/licet/src/gateway/detect/rules.ts";
import type { Chance } from "./chance.ts";

type Kind = "personal" | "card" | "secret" | "canary" | "project" | "staff";

/** What a case hides somewhere, as it was written there. */
export interface Plant {
  readonly kind: Kind;
  readonly value: string;
  /** The value, escaped or encoded. */
  readonly written: string;
  readonly writing: string;
  readonly action: DetectionAction;
}

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = upper.toLowerCase();
const digits = "0123456789";

function luhnDigit(number: string): string {
  let sum = 0;
  for (const [at, digit] of number.split("").toReversed().entries()) {
    const doubled = at % 2 === 0 ? Number(digit) * 2 : Number(digit);
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

function germanIban(account: string): string {
  const check = 98n - (BigInt(`${account}131400`) % 97n);
  return `DE${String(check).padStart(2, "0")}${account}`;
}

function privateKey(chance: Chance): string {
  const line = () => chance.characters(`${upper}${lower}${digits}+/`, 64);
  return ["-----BEGIN PRIVATE KEY-----", line(), line(), `${line().slice(0, 40)}==`, "-----END PRIVATE KEY-----"].join("\n");
}

/** Several, so that what one plant shows says nothing of another. */
const canaries: readonly string[] = Array.from({ length: 40 }, (_, at) => `zebra-canary-${5521 + at * 37}-lantern`);
const projects: readonly string[] = ["Nachtfalter", "Eisvogel", "Brombeere", "Donnerkeil", "Kieselstein", "Zaunkönig"].map((name) => `Operation ${name}`);

const makers: readonly (readonly [Kind, (chance: Chance) => string])[] = [
  ["personal", (chance) => `${chance.characters(lower, 6)}.${chance.characters(lower, 7)}@${chance.characters(lower, 6)}.example`],
  ["personal", (chance) => germanIban(chance.characters(digits, 18))],
  ["card", (chance) => {
    const number = `4${chance.characters(digits, 14)}`;
    return number + luhnDigit(number);
  }],
  ["secret", (chance) => `sk-${chance.characters(`${upper}${lower}`, 20)}7${chance.characters(`${upper}${lower}${digits}`, 20)}`],
  ["secret", (chance) => `AKIA${chance.characters(`${upper}${digits}`, 16)}`],
  ["secret", (chance) => `ghp_${chance.characters(`${upper}${lower}${digits}`, 36)}`],
  ["secret", privateKey],
  ["canary", (chance) => chance.one(canaries)],
  ["project", (chance) => chance.one(projects)],
  ["staff", (chance) => `EMP-${chance.characters(digits, 8)}`],
];

const everything = ["public", "internal", "confidential", "personal", "special"];
const declared: DetectionSection = {
  canaries,
  dictionaries: [{ type: "project-name", class: "confidential", terms: projects }],
  patterns: [{ type: "staff-number", class: "internal", pattern: "EMP-[0-9]{8}", matchMax: 12 }],
};

/** What an organisation has declared, and what follows from that for each kind: told here once more, not asked of the code. */
export interface Ruling {
  readonly name: string;
  readonly boundary: readonly string[];
  readonly detection: Detection;
  readonly actions: Readonly<Record<Kind, DetectionAction>>;
}

function ruling(name: string, boundary: readonly string[], rules: NonNullable<DetectionSection["actions"]>, actions: Ruling["actions"]): Ruling {
  return { name, boundary, detection: detectionOf([{ pack: "fuzz", section: { ...declared, actions: rules } }]), actions };
}

export const rulings: readonly Ruling[] = [
  ruling("strict", ["public", "internal"], [], { personal: "block", card: "block", secret: "block", canary: "block", project: "block", staff: "flag" }),
  ruling("redacting", everything, [{ of: "personal", action: "redact" }, { of: "special", action: "mask" }, { of: "staff-number", action: "redact" }, { of: "project-name", action: "mask" }], { personal: "redact", card: "mask", secret: "block", canary: "block", project: "mask", staff: "redact" }),
  ruling("masking", everything, [{ of: "secret", action: "redact" }, { of: "personal", action: "mask" }, { of: "card-number", action: "redact" }, { of: "project-name", action: "redact" }], { personal: "mask", card: "redact", secret: "redact", canary: "block", project: "redact", staff: "flag" }),
  ruling("holding", everything, [{ of: "secret", action: "block", hold: "message" }, { of: "staff-number", action: "block" }], { personal: "flag", card: "flag", secret: "block", canary: "block", project: "flag", staff: "block" }),
];

function jsonEscaped(chance: Chance, value: string): string {
  return value.split("").map((each) => (chance.maybe(0.3) ? `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}` : each === "\n" ? "\\n" : each)).join("");
}

function urlEscaped(chance: Chance, value: string): string {
  return value.split("").map((each) => (/[^A-Za-z0-9.]/u.test(each) || chance.maybe(0.2) ? `%${each.charCodeAt(0).toString(16).padStart(2, "0")}` : each)).join("");
}

const writings: Readonly<Record<string, (chance: Chance, value: string) => string>> = {
  plain: (_, value) => value,
  json: jsonEscaped,
  url: urlEscaped,
  base64: (_, value) => Buffer.from(value).toString("base64"),
  "base64 in words": (chance, value) => Buffer.from(`${"x".repeat(chance.below(4))} it says ${value} there`).toString("base64"),
  base64url: (_, value) => Buffer.from(value).toString("base64url"),
  hex: (_, value) => Buffer.from(value).toString("hex"),
};

export function newPlant(chance: Chance, { actions }: Ruling, plain = false): Plant {
  const [kind, make] = chance.one(makers);
  const value = make(chance);
  const writing = plain || chance.maybe(0.5) ? "plain" : chance.one(Object.keys(writings));
  return { kind, value, written: writings[writing]?.(chance, value) ?? value, writing, action: actions[kind] };
}
