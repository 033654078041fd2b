import { z } from "zod";
import { Id, Slug, Time } from "../vocabulary.ts";
import type { Routes } from "./route.ts";

const inSpace = z.object({ space: Slug });
const one = z.object({ space: Slug, gateway: z.string().min(1).max(80).describe("its name") });

export const GatewayView = z
  .strictObject({
    id: Id,
    name: Slug,
    state: z.enum(["awaited", "expired", "joined", "removed"]).describe("awaited: its join token is still good"),
    addedBy: z.string(),
    addedAt: Time,
    joinedAt: Time.nullable(),
    removedAt: Time.nullable(),
    log: z.string().nullable().describe("origin of its own log"),
    connected: z.boolean().describe("its feed is open now"),
    taken: z.int().nonnegative().describe("entries of its log that were taken over"),
    seenAt: Time.nullable(),
    entry: Id,
  })
  .meta({ id: "GatewayView" });
export type GatewayView = z.output<typeof GatewayView>;

export const gatewayRoutes = {
  addGateway: { method: "POST", path: "/api/spaces/:space/gateways", permission: "gateway.manage", summary: "Lets a gateway process join: answers a token that works once, for an hour", params: inSpace, body: z.strictObject({ name: Slug }), created: true, response: z.strictObject({ gateway: GatewayView, token: z.string(), expiresAt: Time }) },
  listGateways: { method: "GET", path: "/api/spaces/:space/gateways", permission: "provider.read", summary: "Gateway processes of the space, with how far their records were taken over", params: inSpace, response: z.strictObject({ items: z.array(GatewayView) }) },
  removeGateway: { method: "POST", path: "/api/spaces/:space/gateways/:gateway/remove", permission: "gateway.manage", summary: "Cuts a gateway off: no snapshot reaches it from now on", params: one, body: z.strictObject({ reason: z.string().min(1).max(2000) }), response: GatewayView },
  showGatewayTrust: { method: "GET", path: "/api/spaces/:space/gateways/:gateway/trust", permission: "log.read", summary: "The trust file of a gateway's own log, as it joined", params: one, response: z.strictObject({ trust: z.record(z.string(), z.unknown()), fingerprint: z.string(), entry: Id.describe("the entry `gateway.joined` that holds it") }) },
} as const satisfies Routes;
