import { z } from "zod";

const name = z.string().min(1).max(256);
const id = z.string().min(1).max(2048);
const properties = z.record(z.string(), z.unknown()).optional();
const Context = z.record(z.string(), z.unknown());

/** Unknown members are allowed (section 10.1.1) and kept: a pack may read them where an older draft had them. */
const Entity = z.looseObject({ type: name, id, properties });
const Action = z.looseObject({ name, properties });
/** The searched-for side of a search: an id there is ignored. */
const Sought = z.looseObject({ type: name, id: z.unknown().optional(), properties });

/** OpenID AuthZEN Authorization API 1.0, section 6: one evaluation. */
export const Evaluation = z.object({ subject: Entity, action: Action, resource: Entity, context: Context.optional() });
export type Evaluation = z.output<typeof Evaluation>;

export const evaluationsMax = 1000;

export const semantics = ["execute_all", "deny_on_first_deny", "permit_on_first_permit"] as const;
export type Semantic = (typeof semantics)[number];

const Options = z.looseObject({ evaluations_semantic: z.enum(semantics).default("execute_all") });

/** Section 7: several evaluations; each is read by itself, so that one that is wrong leaves the others. */
export const Evaluations = z.object({
  subject: z.looseObject({}).optional(),
  action: z.looseObject({}).optional(),
  resource: z.looseObject({}).optional(),
  context: Context.optional(),
  evaluations: z.array(z.unknown()).max(evaluationsMax).optional(),
  options: Options.default({ evaluations_semantic: "execute_all" }),
});
export type Evaluations = z.output<typeof Evaluations>;

export const Page = z.looseObject({ token: z.string().max(8000).optional(), limit: z.int().min(0).optional(), properties: z.record(z.string(), z.unknown()).optional() });
export type Page = z.output<typeof Page>;

const searching = { context: Context.optional(), page: Page.optional() };
export const SubjectSearch = z.object({ subject: Sought, action: Action, resource: Entity, ...searching });
export const ResourceSearch = z.object({ subject: Entity, action: Action, resource: Sought, ...searching });
export const ActionSearch = z.object({ subject: Entity, resource: Entity, ...searching });
export type SubjectSearch = z.output<typeof SubjectSearch>;
export type ResourceSearch = z.output<typeof ResourceSearch>;
export type ActionSearch = z.output<typeof ActionSearch>;

/** What is wrong with a body, in one line: the first places and what was expected there. */
export function wrongWith(error: z.ZodError): string {
  const [first] = error.issues;
  const place = first?.path.join(".") ?? "";
  return `\`${place === "" ? "body" : place}\`: ${first?.message ?? "not in its form"}`;
}
