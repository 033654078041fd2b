import type { z } from "zod";
import type { Permission } from "../roles.ts";

/** One route of the control plane's API: the server binds it, the client and the OpenAPI document come from it. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Fastify form: `/api/spaces/:space/systems/:system`. */
  readonly path: string;
  readonly permission: Permission;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** A raw body is bytes, not JSON. */
  readonly raw?: { readonly bytesMax: number };
  /** The answer with status 200 (201 where `created`). */
  readonly response: z.ZodType;
  readonly created?: true;
  /** A one-run credential of CI opens it too, for its own system. */
  readonly run?: true;
  /** Largest JSON body in bytes; 1 MiB unless named. */
  readonly bodyBytesMax?: number;
}

export type Routes = Readonly<Record<string, Route>>;
