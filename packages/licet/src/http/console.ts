import { errorInfo, isErrorCode, LicetError } from "@licet/contract";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Authenticator, RunAuthenticator } from "./access.ts";
import { bindRoutes } from "./bind.ts";
import { guard } from "./guard.ts";
import type { Handlers } from "./handlers.ts";
import { readJsonBodies } from "./json-body.ts";
import { failureFields, type ServerLog } from "./log.ts";
import { openApiDocument } from "./openapi.ts";
import { servePage } from "./page.ts";
import { problemType, toLicetError, toProblem } from "./problem.ts";

/** A request to the sign-in endpoints under `/api/auth`, its body parsed as JSON where it has one. */
export interface AuthRequest {
  readonly method: string;
  /** Path and query, such as `/api/auth/sign-in/email`. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: unknown;
  readonly ip: string;
}

export interface ConsoleOptions {
  readonly handlers: Handlers;
  readonly authenticator: Authenticator & RunAuthenticator;
  /** Answers `/api/auth/*`; throws `LicetError` for everything that is not a success. */
  readonly auth: (request: AuthRequest) => Promise<Response>;
  /** The address that people use, such as `http://localhost:4400`: its host and origin are accepted beside loopback's. */
  readonly baseUrl: string;
  /** The folder of the built page. */
  readonly pageFolder?: string | undefined;
  readonly log: ServerLog;
  readonly version: string;
  readonly newRequestId: () => string;
  /** Addresses of a reverse proxy whose `X-Forwarded-For` is believed. */
  readonly trustedProxies?: readonly string[] | undefined;
}

/** The console's listener: page and API on one origin. */
export interface Console {
  /** Resolves with the address that it listens on. `port` 0 picks a free one. */
  listen(at: { readonly host: string; readonly port: number }): Promise<string>;
  /** Finishes running requests, then closes; idle connections are closed at once. */
  close(): Promise<void>;
}

const authBodyBytesMax = 65_536;
/** Long enough for 64 MiB over a slow line, short enough that a stalled upload does not stay. */
const requestMillisecondsMax = 120_000;
const headersMillisecondsMax = 20_000;

function sendFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, log: ServerLog): FastifyReply {
  const failure = toLicetError(error);
  const problem = toProblem(failure, request.id);
  if (problem.status >= 500) log.error({ request: request.id, code: problem.code, ...failureFields(failure) }, "request failed");
  const retry = failure.at["retryAfterSeconds"];
  if (typeof retry === "number") reply.header("retry-after", String(retry));
  return reply.code(problem.status).type(problemType).send(JSON.stringify(problem));
}

function logRequests(app: FastifyInstance, log: ServerLog): void {
  app.addHook("onResponse", async (request, reply) => {
    const { method } = request;
    // The route's pattern, not the address: names and tokens stay out of the log.
    const fields = { request: request.id, method, route: request.routeOptions.url ?? "none", status: reply.statusCode };
    log.info({ ...fields, ms: Math.round(reply.elapsedTime * 10) / 10 }, "request");
  });
}

function parseBodies(app: FastifyInstance): void {
  app.removeContentTypeParser("text/plain");
  readJsonBodies(app);
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) => {
    done(null, body);
  });
}

/** Owned by `documentOf`: the same for every console of a process. */
const documents = new Map<string, string>();

function documentOf(version: string): string {
  const document = documents.get(version) ?? JSON.stringify(openApiDocument(version));
  documents.set(version, document);
  return document;
}

function serveDocuments(app: FastifyInstance, version: string): void {
  const document = documentOf(version);
  app.get("/api/openapi.json", async (_request, reply) => reply.type("application/json; charset=utf-8").send(document));
  app.get<{ Params: { code: string } }>("/errors/:code", async (request, reply) => {
    const { code } = request.params;
    if (!isErrorCode(code)) throw new LicetError("not_found");
    const info = errorInfo(code);
    return reply.type("text/plain; charset=utf-8").send(`${code} (${String(info.status)})\n\n${info.what}\n\nwhy: ${info.why}\nfix: ${info.fix}\n`);
  });
}

function headersOf(request: FastifyRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !name.startsWith("x-forwarded-")) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}

function mountAuth(app: FastifyInstance, auth: ConsoleOptions["auth"]): void {
  app.route({
    method: ["GET", "POST"],
    url: "/api/auth/*",
    exposeHeadRoute: false,
    bodyLimit: authBodyBytesMax,
    handler: async (request, reply) => {
      const { method, url, body, ip } = request;
      const answer = await auth({ method, url, headers: headersOf(request), body, ip });
      for (const cookie of answer.headers.getSetCookie()) reply.header("set-cookie", cookie);
      return reply.code(answer.status).type("application/json; charset=utf-8").send(await answer.text());
    },
  });
}

/** The Fastify application behind the console; it does not listen yet. Throws when a route has no handler. */
export async function buildConsole(options: ConsoleOptions): Promise<Console> {
  const app = fastify({
    logger: false,
    genReqId: options.newRequestId,
    requestTimeout: requestMillisecondsMax,
    connectionTimeout: requestMillisecondsMax,
    http: { headersTimeout: headersMillisecondsMax },
    forceCloseConnections: "idle",
    return503OnClosing: true,
    trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
    frameworkErrors: (error, request, reply) => void sendFailure(error, request, reply, options.log),
  });
  app.setErrorHandler((error, request, reply) => sendFailure(error, request, reply, options.log));
  guard(app, { baseUrl: options.baseUrl });
  logRequests(app, options.log);
  parseBodies(app);
  serveDocuments(app, options.version);
  mountAuth(app, options.auth);
  bindRoutes(app, { handlers: options.handlers, authenticator: options.authenticator });
  await servePage(app, options.pageFolder);
  await app.ready();
  return {
    listen: ({ host, port }) => app.listen({ host, port }),
    close: async () => {
      await app.close();
    },
  };
}
