import { LicetError } from "@licet/contract";
import type { FastifyInstance, FastifyRequest } from "fastify";

export interface GuardOptions {
  /** What people type to get here, such as `https://licet.example.org`; loopback names always count. */
  readonly baseUrl: string;
}

const loopback = ["localhost", "127.0.0.1", "[::1]"];

/** Mantine writes style attributes; scripts come from our own files only. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const headers: Readonly<Record<string, string>> = {
  "content-security-policy": contentSecurityPolicy,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
};

function hostnameOf(host: string | undefined): string {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?$/iu.exec(host ?? "");
  return match?.[1]?.toLowerCase() ?? "";
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(",") : value;
}

/**
 * Where a request comes from; empty where that cannot be known. A proxy on this machine would make everybody look
 * local, so only a direct request to a loopback name is taken for a local one.
 */
export function clientAddress(request: FastifyRequest): string {
  const believed = request.ips !== undefined;
  const forwarded = ["x-forwarded-for", "x-real-ip", "forwarded", "via"].some((name) => header(request, name) !== undefined);
  if (forwarded) return believed ? request.ip : "";
  return loopback.includes(hostnameOf(header(request, "host"))) ? request.ip : "";
}

/** The origins whose pages may act with a cookie: the base URL's, and the loopback name that the request came by. */
export function ownOrigins(request: FastifyRequest, baseUrl: string): readonly string[] {
  const host = header(request, "host") ?? "";
  const own = new URL(baseUrl).origin;
  return loopback.includes(hostnameOf(host)) ? [own, `http://${host.toLowerCase()}`] : [own];
}

/**
 * A browser names the origin of whoever makes it write; without either header the caller is no browser,
 * and then a cookie has no business here.
 */
function refuseForeignOrigin(request: FastifyRequest, baseUrl: string): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const origin = header(request, "origin");
  const site = header(request, "sec-fetch-site");
  if (origin !== undefined) {
    if (!ownOrigins(request, baseUrl).includes(origin.toLowerCase())) throw new LicetError("origin_refused");
    return;
  }
  if (site !== undefined && site !== "same-origin" && site !== "none") throw new LicetError("origin_refused");
  if (site === undefined && header(request, "cookie") !== undefined && header(request, "authorization") === undefined) {
    throw new LicetError("origin_refused", { message: "a request that writes with a cookie must name its origin" });
  }
}

/** Security headers on every answer; foreign host names and foreign origins are refused before anything is read. */
export function guard(app: FastifyInstance, options: GuardOptions): void {
  const hosts = new Set([...loopback, new URL(options.baseUrl).hostname]);
  const secure = new URL(options.baseUrl).protocol === "https:";
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headers);
    if (secure) reply.header("strict-transport-security", "max-age=31536000");
    reply.header("x-request-id", request.id);
    if (request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
    if (!hosts.has(hostnameOf(header(request, "host")))) throw new LicetError("host_refused");
    refuseForeignOrigin(request, options.baseUrl);
  });
}
