import { z } from "zod";
import { parse } from "yaml";

/** The types that the AuthZEN Obligations Profile registers, with the members that each must have. */
const forms = {
  "step-up": z.looseObject({ acr_value: z.string().min(1), amr_values: z.array(z.string()).optional() }),
  notification: z.looseObject({ to: z.string().min(1), body: z.string(), topic: z.string().optional() }),
  session_termination: z.looseObject({ subject: z.string().min(1) }),
  custom: z.looseObject({}),
} as const;

type ObligationType = keyof typeof forms;

export const obligationTypes: readonly string[] = Object.keys(forms);

/** As a policy says it, before anybody is asked about. */
const WrittenObligation = z.strictObject({ type: z.enum(["step-up", "notification", "session_termination", "custom"]), properties: z.record(z.string(), z.json()).default({}) });
export type WrittenObligation = z.output<typeof WrittenObligation>;

const obligationCharactersMax = 4000;
const obligationsPerPolicyMax = 10;

/**
 * The obligations of a policy's annotation `@obligation("{type: step-up, properties: {acr_value: 'urn:x'}}")`: one, or a
 * list, in JSON or in YAML's flow form. Undefined where it is in no known form: such a policy is not published, and one
 * that was published before denies.
 */
export function readObligations(annotation: string): readonly WrittenObligation[] | undefined {
  if (annotation.length > obligationCharactersMax) return undefined;
  const parsed = z.array(WrittenObligation).max(obligationsPerPolicyMax).safeParse([yamlValue(annotation)].flat());
  if (!parsed.success) return undefined;
  return parsed.data.every(fits) ? parsed.data : undefined;
}

function fits({ type, properties }: WrittenObligation): boolean {
  const form: (typeof forms)[ObligationType] = forms[type];
  return form.safeParse(properties).success;
}

function yamlValue(text: string): unknown {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    return value;
  } catch {
    return undefined;
  }
}
