import { z } from "zod";
import { observeDaysMax } from "../entries/oversight.ts";
import { WaiverKind } from "../predicates/waiver.ts";
import { Id, PageQuery, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";
import { RequestView } from "./systems.ts";

const inSpace = z.object({ space: Slug });

/** One reason for which calls would have been refused, counted. */
export const WaivedReason = z
  .strictObject({ code: z.string(), policy: z.string(), message: z.string().describe("what the code means"), calls: z.int(), lastAt: Time, lastDecision: Id })
  .meta({ id: "WaivedReason" });
export type WaivedReason = z.output<typeof WaivedReason>;

export const WaiverView = z
  .strictObject({
    id: Id,
    kind: WaiverKind,
    system: Slug,
    environment: z.string(),
    state: z.enum(["in-force", "expired", "revoked"]),
    reason: z.string(),
    compensation: z.array(z.string()),
    requestedBy: z.string(),
    request: Id,
    outcome: z.string(),
    notBefore: Time,
    notAfter: Time,
    endedAt: Time.nullable(),
    endedBy: z.string().nullable(),
    endReason: z.string().nullable(),
    refused: z.array(WaivedReason).describe("what would have been refused, the most frequent first; a call counts once for each reason"),
    entry: Id,
  })
  .meta({ id: "WaiverView" });
export type WaiverView = z.output<typeof WaiverView>;

export const waiverRoutes = {
  requestWaiver: {
    method: "POST",
    path: "/api/spaces/:space/systems/:system/waivers",
    permission: "waiver.request",
    summary: "Asks to observe a system before it is enforced: a gate move",
    params: z.object({ space: Slug, system: Slug }),
    body: z.strictObject({
      kind: WaiverKind.default("observe"),
      environment: z.string().min(1).max(63),
      days: z.int().min(1).max(observeDaysMax),
      reason: z.string().min(1).max(2000),
      compensation: z.array(z.string().min(1).max(500)).max(20).default([]),
    }),
    created: true,
    response: z.strictObject({ done: z.boolean(), request: RequestView }),
  },
  listWaivers: {
    method: "GET",
    path: "/api/spaces/:space/waivers",
    permission: "system.read",
    summary: "Waivers in force and over, newest first",
    params: inSpace,
    query: PageQuery.extend({ system: Slug.optional() }),
    response: z.strictObject({ items: z.array(WaiverView), next: z.string().nullable() }),
  },
  showWaiver: { method: "GET", path: "/api/spaces/:space/waivers/:waiver", permission: "system.read", summary: "One waiver, and what would have been refused under it", params: z.object({ space: Slug, waiver: Id }), response: WaiverView },
  endWaiver: { method: "POST", path: "/api/spaces/:space/waivers/:waiver/end", permission: "waiver.end", summary: "Ends a waiver at once: calls are refused again from the next one on", params: z.object({ space: Slug, waiver: Id }), body: z.strictObject({ reason: z.string().min(1).max(2000) }), response: WaiverView },
} as const satisfies Routes;
