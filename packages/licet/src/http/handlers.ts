import { routes, type Role, type RouteAnswer, type RouteName, type RouteRequest } from "@licet/contract";

/** Somebody who signed in, as one space sees them: the roles are those of the space that the path names. */
export interface Caller {
  readonly personId: string;
  readonly email: string;
  readonly name: string;
  readonly space: string;
  readonly roles: readonly Role[];
  /** Milliseconds since the Unix epoch: when the session of this request began. */
  readonly authenticatedAt: number;
  readonly method: "password" | "passkey";
  readonly ip: string;
}

/** Whoever calls a public route; `signedIn` is set where a session came along. */
export interface Visitor {
  readonly ip: string;
  readonly signedIn: SignedIn | undefined;
}

/** A person with a session, before any space is looked at. */
export interface SignedIn {
  readonly personId: string;
  readonly email: string;
  readonly name: string;
  readonly authenticatedAt: number;
  readonly method: "password" | "passkey";
}

/** The one-run credential of a CI: it opens the routes that say so, for one system, and nothing else. */
export interface RunCaller {
  readonly run: string;
  readonly space: string;
  readonly system: string;
  readonly ip: string;
}

type PermissionOf<N extends RouteName> = (typeof routes)[N]["permission"];

export type Asking<N extends RouteName> = PermissionOf<N> extends "public" ? Visitor : (typeof routes)[N] extends { readonly run: true } ? Caller | RunCaller : Caller;

/** Does a route's work. Headers that the answer needs beyond its body (a session cookie) go into `cookies`. */
export type Handler<N extends RouteName> = (request: RouteRequest<N>, caller: Asking<N>, cookies: Cookies) => Promise<RouteAnswer<N>>;

/** `Set-Cookie` values that the answer carries. */
export interface Cookies {
  add(setCookie: string): void;
}

/** Every route has its handler: compose spreads the features' parts, and the compiler names what is missing. */
export type Handlers = { readonly [N in RouteName]: Handler<N> };

/** The routes that no handler serves; the server does not start while there is one. */
export function unserved(handlers: Partial<Handlers>): readonly string[] {
  const served: Readonly<Record<string, unknown>> = handlers;
  return Object.keys(routes).filter((name) => typeof served[name] !== "function");
}
