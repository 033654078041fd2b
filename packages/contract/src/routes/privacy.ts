import { z } from "zod";
import { ErasureTarget, PrivacySettings } from "../entries/privacy.ts";
import { Id, PageQuery, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";
import { RequestView } from "./systems.ts";

const inSpace = z.object({ space: Slug });

export const KeyStatistics = z
  .strictObject({ living: z.int(), destroyed: z.int(), oldest: Time.nullable().describe("when the oldest living key was made") })
  .meta({ id: "KeyStatistics" });

export const PrivacyView = z
  .strictObject({
    ...PrivacySettings.shape,
    setBy: z.string().nullable().describe("null: nobody has changed the defaults"),
    setAt: Time.nullable(),
    keys: z.strictObject({ governance: KeyStatistics, runtime: KeyStatistics, content: KeyStatistics }),
    nextDue: z.strictObject({ runtime: Time.nullable(), content: Time.nullable() }).describe("when the oldest month's keys are destroyed by schedule"),
  })
  .meta({ id: "PrivacyView" });
export type PrivacyView = z.output<typeof PrivacyView>;

/** Whose content, as a caller names it. */
export const ErasureAsked = z
  .strictObject({
    person: Id.optional().describe("a person's id"),
    user: z.string().min(1).max(256).optional().describe("what a calling program gave as `user` or `safety_identifier`"),
    system: Slug.optional(),
    class: z.enum(["runtime", "content"]).optional().describe("with a system"),
    before: Time.optional().describe("only months that ended by then"),
  })
  .meta({ id: "ErasureAsked" });
export type ErasureAsked = z.output<typeof ErasureAsked>;

export const ErasurePreview = z.strictObject({ target: ErasureTarget, keys: z.int(), entries: z.int() }).meta({ id: "ErasurePreview" });

export const ErasureView = z
  .strictObject({
    id: Id,
    occasion: z.enum(["request", "schedule"]),
    state: z.enum(["intended", "done"]).describe("intended: announced, its keys not all destroyed yet"),
    target: ErasureTarget,
    basis: z.string(),
    keys: z.int(),
    entries: z.int(),
    requestedBy: z.string(),
    request: Id.nullable(),
    intendedAt: Time,
    doneAt: Time.nullable(),
    entry: Id,
  })
  .meta({ id: "ErasureView" });
export type ErasureView = z.output<typeof ErasureView>;

const MoveAnswer = z.strictObject({ done: z.boolean().describe("true where the sole operator's request was carried out at once"), request: RequestView });

export const privacyRoutes = {
  showPrivacy: { method: "GET", path: "/api/spaces/:space/privacy", permission: "privacy.read", summary: "What is recorded of calls, how long it is kept, and the keys", params: inSpace, response: PrivacyView },
  setPrivacy: { method: "POST", path: "/api/spaces/:space/privacy", permission: "privacy.manage", summary: "Asks to change content modes and retention: a gate move", params: inSpace, body: PrivacySettings, created: true, response: MoveAnswer },
  previewErasure: { method: "POST", path: "/api/spaces/:space/erasures/preview", permission: "privacy.manage", summary: "How many keys and entries an erasure would touch", params: inSpace, body: ErasureAsked, response: ErasurePreview },
  requestErasure: { method: "POST", path: "/api/spaces/:space/erasures", permission: "privacy.manage", summary: "Asks for an erasure: a gate move", params: inSpace, body: ErasureAsked.extend({ basis: z.string().min(1).max(2000).describe("why; names nobody, because it is kept") }), created: true, response: MoveAnswer },
  listErasures: { method: "GET", path: "/api/spaces/:space/erasures", permission: "privacy.read", summary: "Erasures on request and by schedule, newest first", params: inSpace, query: PageQuery, response: z.strictObject({ items: z.array(ErasureView), next: z.string().nullable() }) },
} as const satisfies Routes;
