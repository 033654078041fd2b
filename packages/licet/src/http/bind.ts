import { routeNamed, routes, LicetError, type Route, type RouteName } from "@licet/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { admit, type Authenticator, type RunAuthenticator } from "./access.ts";
import { clientAddress } from "./guard.ts";
import { unserved, type Caller, type Cookies, type Handlers, type RunCaller, type Visitor } from "./handlers.ts";
import { invalidRequest, placesOf, type Place } from "./problem.ts";

const bodyBytesMax = 1_048_576;
const nothing = z.strictObject({});

type AnyHandler = (request: object, caller: Visitor | Caller | RunCaller, cookies: Cookies) => Promise<unknown>;

/** Who asks, from the hook that admitted them to the handler. */
const admitted = new WeakMap<FastifyRequest, Visitor | Caller | RunCaller>();

function isRouteName(name: string): name is RouteName {
  return Object.hasOwn(routes, name);
}

function handlerNamed(handlers: Handlers, name: RouteName): AnyHandler {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table is typed route by route; a loop over it cannot be
  return handlers[name] as AnyHandler;
}

function parsed(part: "params" | "query" | "body", schema: z.ZodType, value: unknown): { value: unknown; places: readonly Place[] } {
  const result = schema.safeParse(value);
  return result.success ? { value: result.data, places: [] } : { value: undefined, places: placesOf(result.error, part) };
}

function bodySchema(route: Route): z.ZodType {
  if (route.raw !== undefined) return z.instanceof(Uint8Array, { error: "send the bytes as application/octet-stream" });
  return route.body ?? z.undefined({ error: "this route takes no body" });
}

/** All places that do not fit, in one answer. */
function requestFor(route: Route, request: FastifyRequest): object {
  const params = parsed("params", route.params?.strict() ?? nothing, request.params);
  const query = parsed("query", route.query?.strict() ?? nothing, request.query);
  const body = parsed("body", bodySchema(route), request.body);
  const places = [...params.places, ...query.places, ...body.places];
  if (places.length > 0) throw invalidRequest(places);
  return {
    ...(route.params === undefined ? {} : { params: params.value }),
    ...(route.query === undefined ? {} : { query: query.value }),
    ...(route.body === undefined && route.raw === undefined ? {} : { body: body.value }),
  };
}

function refuseWrongType(route: Route, request: FastifyRequest): void {
  const given = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  const wanted = route.raw === undefined ? "application/json" : "application/octet-stream";
  const takesBody = route.raw !== undefined || route.body !== undefined;
  if (given === undefined ? takesBody : given !== wanted) {
    throw new LicetError("content_type_refused", { message: `this route takes \`${wanted}\`${given === undefined ? "" : `, not \`${given}\``}` });
  }
}

function spaceOf(request: FastifyRequest): string | undefined {
  const { params } = request;
  return typeof params === "object" && params !== null && "space" in params && typeof params.space === "string" ? params.space : undefined;
}

function answerFor(name: string, route: Route, answer: unknown): unknown {
  const checked = route.response.safeParse(answer);
  if (checked.success) return checked.data;
  throw new LicetError("internal", { cause: new Error(`the answer of ${name} does not fit the contract: ${z.prettifyError(checked.error)}`) });
}

function bindRoute(app: FastifyInstance, name: RouteName, options: BindOptions): void {
  const route = routeNamed(name);
  const handle = handlerNamed(options.handlers, name);
  app.route({
    method: route.method,
    url: route.path,
    exposeHeadRoute: false,
    bodyLimit: route.raw?.bytesMax ?? route.bodyBytesMax ?? bodyBytesMax,
    onRequest: async (request) => {
      const knock = { headers: request.headers, ip: clientAddress(request), space: spaceOf(request) };
      admitted.set(request, await admit(options.authenticator, route, knock));
      if (route.method !== "GET") refuseWrongType(route, request);
    },
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const asking = admitted.get(request);
      if (asking === undefined) throw new LicetError("internal");
      const cookies: Cookies = { add: (value) => void reply.header("set-cookie", value) };
      const answer = answerFor(name, route, await handle(requestFor(route, request), asking, cookies));
      return reply.code(route.created === true ? 201 : 200).type("application/json; charset=utf-8").send(JSON.stringify(answer));
    },
  });
}

export interface BindOptions {
  readonly handlers: Handlers;
  readonly authenticator: Authenticator & RunAuthenticator;
}

/** Binds every route of the contract; refuses to start with one that nobody serves or that names no space to be a member of. */
export function bindRoutes(app: FastifyInstance, options: BindOptions): void {
  const missing = unserved(options.handlers);
  if (missing.length > 0) throw new LicetError("internal", { message: `no handler serves ${missing.join(", ")}` });
  for (const name of Object.keys(routes).filter(isRouteName)) {
    const route = routeNamed(name);
    if (route.permission !== "public" && !route.path.includes("/:space")) {
      throw new LicetError("internal", { message: `the route ${name} needs a space in its path` });
    }
    bindRoute(app, name, options);
  }
}
