import { z } from "zod";
import { dataClasses, type DataClass } from "./manifest/boundary.ts";
import { Slug } from "./vocabulary.ts";

/** What a finding belongs to: a class of data, a secret of somebody's, or an attack. */
export const findingClasses = [...dataClasses, "secret", "attack"] as const;
export const FindingClass = z.enum(findingClasses).meta({ id: "FindingClass", description: "public, internal, confidential, personal, special, secret or attack" });
export type FindingClass = DataClass | "secret" | "attack";

/** The types that are looked for everywhere; see docs/detectors.md. */
export const builtinDetectionTypes = [
  "email", "card-number", "iban", "es-dni", "it-codice-fiscale", "fi-hetu", "uk-nino", "de-health-insurance", "us-medicare", "medical-record",
  "fr-nir", "br-cpf", "be-national-number", "pl-pesel", "no-fodselsnummer", "de-tax-id", "se-personnummer", "dk-cpr", "uk-nhs-number", "in-aadhaar",
  "us-ssn", "ca-sin", "nl-bsn", "phone", "ip-address", "private-key", "aws-access-key", "aws-secret-key", "api-key", "github-token", "gitlab-token",
  "google-key", "azure-key", "slack-token", "stripe-key", "npm-token", "pypi-token", "huggingface-token", "sendgrid-key", "jwt", "vendor-token",
  "connection-string", "assigned-secret", "prompt-injection", "invisible-text", "canary",
] as const;

/** From mild to strict. */
export const detectionActions = ["flag", "redact", "mask", "block"] as const;
export const DetectionAction = z.enum(detectionActions).meta({
  id: "DetectionAction",
  description: "flag records it; redact sends a placeholder and puts the value back into the answer; mask sends the type instead; block refuses the call or breaks the answer off",
});
export type DetectionAction = z.output<typeof DetectionAction>;

/** Bounds of what an organisation declares. */
export const detectionActionsMax = 200;
export const detectionPatternsMax = 100;
export const detectionPatternCharactersMax = 500;
export const detectionDictionariesMax = 20;
export const detectionTermsMax = 5000;
export const detectionCanariesMax = 200;
export const detectionExternalMax = 5;
export const detectionMatchCharactersMax = 400;

const DetectionRule = z
  .strictObject({
    of: Slug.describe("a type, such as `email`, or a class, such as `personal` or `secret`; a type counts before its class"),
    action: DetectionAction,
    hold: z.enum(["message"]).optional().describe("of `block`: a streamed answer waits until its end, so that nothing of it leaves beside what is found"),
  })
  .refine(({ action, hold }) => hold === undefined || action === "block", { path: ["hold"], message: "only what is blocked can hold the message" });
export type DetectionRule = z.output<typeof DetectionRule>;

const DetectionPattern = z.strictObject({
  type: Slug.describe("the name under which it is found and recorded"),
  class: FindingClass,
  pattern: z.string().min(1).max(detectionPatternCharactersMax).describe("a regular expression of RE2; a match ends after at most `matchMax` characters"),
  matchMax: z.int().min(1).max(detectionMatchCharactersMax).optional().describe("characters that a match has at most; 100 where absent"),
  ignoreCase: z.boolean().optional(),
});
export type DetectionPattern = z.output<typeof DetectionPattern>;

const DetectionDictionary = z.strictObject({
  type: Slug,
  class: FindingClass,
  terms: z.array(z.string().min(2).max(200)).min(1).max(detectionTermsMax).readonly().describe("found as whole words, in any case"),
});
export type DetectionDictionary = z.output<typeof DetectionDictionary>;

const DetectionExternal = z.strictObject({
  name: Slug,
  url: z.url({ protocol: /^https?$/u }).max(400).describe("asked by POST; see docs/detectors.md for question and answer"),
  classes: z.record(Slug, FindingClass).describe("the types that it may find, each with its class"),
  on: z.array(z.enum(["request", "answer"])).min(1).max(2).readonly().optional().describe("request where absent; a streamed answer then waits until its end"),
  timeoutMs: z.int().min(50).max(10_000).optional().describe("1000 where absent; who does not answer in time is taken to have found something"),
  allow: z.array(z.string().max(60)).max(20).readonly().optional().describe("what may be dialled beside public addresses: loopback, private, an address, a range"),
});
export type DetectionExternal = z.output<typeof DetectionExternal>;

/** `detection:` of a pack: what is done about what is found, and what else is looked for. */
export const DetectionSection = z
  .strictObject({
    actions: z.array(DetectionRule).max(detectionActionsMax).readonly().optional(),
    patterns: z.array(DetectionPattern).max(detectionPatternsMax).readonly().optional(),
    dictionaries: z.array(DetectionDictionary).max(detectionDictionariesMax).readonly().optional(),
    canaries: z.array(z.string().min(8).max(200)).max(detectionCanariesMax).readonly().optional().describe("strings that stand nowhere but in places that nobody should read from; found as they stand, in any case"),
    external: z.array(DetectionExternal).max(detectionExternalMax).readonly().optional(),
  })
  .meta({ id: "DetectionSection" });
export type DetectionSection = z.output<typeof DetectionSection>;

/** What one pack declares; of a team pack for its systems alone. */
export interface PackDetection {
  readonly pack: string;
  readonly systems?: readonly string[];
  readonly section: DetectionSection;
}
