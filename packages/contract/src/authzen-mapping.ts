import { z } from "zod";

/** A Cedar namespace: identifiers joined by `::`. */
export const CedarNamespace = z.string().max(200).regex(/^[A-Za-z_][A-Za-z0-9_]*(?:::[A-Za-z_][A-Za-z0-9_]*)*$/u, "a Cedar namespace, such as `Shop` or `Acme::Shop`");

const CedarName = z.string().max(100).regex(/^[A-Za-z_][A-Za-z0-9_]*$/u, "a Cedar name");
/** Where a value stands: `properties.owner`, or `owner` beside `type` and `id` as drafts before 1.0 had it. */
const MemberPath = z.string().max(200).regex(/^[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*){0,4}$/u, "names joined by dots, such as `properties.owner`");
const AttributeName = z.string().min(1).max(100);
const AuthzenName = z.string().min(1).max(256);

/** Where a caller may give a value and what becomes of it. */
export const SuppliedValue = z
  .strictObject({
    from: z.union([MemberPath, z.array(MemberPath).min(1).max(4)]).optional().describe("where it stands; the first place that has one counts; by its own name where left out"),
    as: z.enum(["datetime", "decimal", "duration", "ip"]).optional().describe("a string that is read as this Cedar type"),
    entity: CedarName.optional().describe("a string that is the id of an entity of this type"),
  })
  .refine(({ as, entity }) => as === undefined || entity === undefined, { message: "`as` and `entity` do not go together" })
  .meta({ id: "SuppliedValue" });
export type SuppliedValue = z.output<typeof SuppliedValue>;

const Supplied = z.record(AttributeName, SuppliedValue);

/** One of AuthZEN's subject or resource types. */
export const MappedType = z
  .strictObject({
    entity: CedarName.describe("the Cedar entity type in the pack's namespace"),
    unknown: z.enum(["deny", "ask"]).default("deny").describe("an id that the data does not hold: denied, or asked about with what the caller gives"),
    properties: Supplied.default({}).describe("attributes that a caller may give; one that the data holds always wins"),
  })
  .meta({ id: "MappedType" });
export type MappedType = z.output<typeof MappedType>;

/** How an application's AuthZEN requests are read: what is not named here never reaches a policy. */
export const PackAuthzen = z
  .strictObject({
    namespace: CedarNamespace.describe("namespace of the application's entity types and actions"),
    types: z.record(AuthzenName, MappedType).default({}).describe("AuthZEN's `type` to Cedar's; any other type is unknown, which denies"),
    actions: z.record(AuthzenName, z.string().min(1).max(256)).default({}).describe("AuthZEN's action names where they differ from Cedar's"),
    actionProperties: Supplied.default({}).describe("attributes of Cedar's context that come from `action.properties`"),
    context: Supplied.default({}).describe("attributes of Cedar's context that come from `context`"),
    now: AttributeName.optional().describe("the context attribute that gets the server's time"),
    approved: AttributeName.optional().describe("the context attribute that is true where an approval covers exactly this request"),
  })
  .meta({ id: "PackAuthzen" });
export type PackAuthzen = z.output<typeof PackAuthzen>;
