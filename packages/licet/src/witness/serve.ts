import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Clock } from "../base/clock.ts";
import { type DirectoryLock, lockDirectory } from "../base/directory-lock.ts";
import { LicetError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import { licetVersion } from "../base/version.ts";
import { failureFields, type ServerLog } from "../http/log.ts";
import { type Cosigner, type Cosigning, openCosigner } from "./cosigner.ts";
import { type WitnessKey, ensureWitnessKey } from "./key.ts";
import { listLogs } from "./known-logs.ts";
import { type RateLimit, rateBounds, rateLimit } from "./rate.ts";

/** Bounds of the listener: whoever reaches it may send anything. */
export interface WitnessLimits {
  /** A proof of 63 hashes and a checkpoint with 20 post-quantum signatures. */
  readonly bodyBytesMax: number;
  readonly headerBytesMax: number;
  readonly connectionsMax: number;
  readonly headersMs: number;
  /** To receive a whole request. */
  readonly requestMs: number;
  readonly keepAliveMs: number;
  /** Requests a minute from one address. */
  readonly addressMax: number;
  /** Requests a minute in all. */
  readonly overallMax: number;
}

export const witnessLimits: WitnessLimits = {
  bodyBytesMax: 128 * 1024,
  headerBytesMax: 8192,
  connectionsMax: 1024,
  headersMs: 5000,
  requestMs: 10_000,
  keepAliveMs: 65_000,
  addressMax: rateBounds.addressMax,
  overallMax: rateBounds.overallMax,
};

export interface WitnessOptions {
  /** One folder: the key, and the state of each log. */
  readonly folder: string;
  /** Names a new witness; an existing one must have this name. */
  readonly name?: string | undefined;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: ServerLog;
  /** PEM; without it the listener speaks plain HTTP, for a reverse proxy in front. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly limits?: Partial<WitnessLimits>;
}

export interface RunningWitness {
  readonly name: string;
  readonly vkeys: readonly string[];
  /** Where it listens: the submission and the monitoring prefix. */
  readonly url: string;
  /** Finishes what runs, then lets go of the folder. */
  close(): Promise<void>;
}

/** Serves C2SP tlog-witness on one folder. Throws `witness_locked`, `witness_key_missing`, `witness_damaged`, `keys_exposed`, `port_taken`. */
export async function serveWitness(options: WitnessOptions): Promise<RunningWitness> {
  const { folder, name, clock, host, port } = options;
  const key = await ensureWitnessKey(folder, { name, now: clock.now() });
  const lock = lockWitness(folder);
  try {
    const app = witnessApp(options, { key, cosigner: openCosigner({ folder, key, clock }) });
    const url = await listening(app, { host, port });
    return {
      name: key.name,
      vkeys: key.vkeys,
      url,
      close: async () => {
        await app.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

function lockWitness(folder: string): DirectoryLock {
  try {
    return lockDirectory(folder);
  } catch (error) {
    if (!(error instanceof LicetError) || error.code !== "data_locked") throw error;
    const pid = error.at["pid"];
    const who = typeof pid === "number" ? `process ${pid}` : "another process";
    throw new LicetError("witness_locked", { message: `\`${folder}\` is served by ${who}`, at: { folder, pid } });
  }
}

async function listening(app: FastifyInstance, at: { readonly host: string; readonly port: number }): Promise<string> {
  try {
    return await app.listen(at);
  } catch (cause) {
    await app.close();
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "EADDRINUSE") throw new LicetError("port_taken", { message: `port ${at.port} is taken by another program`, cause });
    throw cause;
  }
}

interface Serving {
  readonly key: WitnessKey;
  readonly cosigner: Cosigner;
}

function witnessApp(options: WitnessOptions, serving: Serving): FastifyInstance {
  const limits = { ...witnessLimits, ...options.limits };
  const { clock, log, tls } = options;
  const { headersMs } = limits;
  // Node looks for requests out of time only so often; by default every 30 seconds.
  const sockets = { headersTimeout: headersMs, maxHeaderSize: limits.headerBytesMax, connectionsCheckingInterval: Math.min(1000, headersMs) };
  const app: FastifyInstance = fastify({
    logger: false,
    genReqId: () => newId("req", clock.now()),
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.requestMs + limits.keepAliveMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: sockets,
    forceCloseConnections: "idle",
    return503OnClosing: true,
    ...(tls && { https: { ...tls, ...sockets } }),
    frameworkErrors: (error, request, reply) => void sendFailure(error, { request, reply, log }),
  });
  app.server.maxConnections = limits.connectionsMax;
  app.setErrorHandler((error, request, reply) => sendFailure(error, { request, reply, log }));
  app.setNotFoundHandler(async (_request, reply) => plain(reply, 404, "there is nothing here: POST /add-checkpoint\n"));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  limitRate(app, rateLimit(() => clock.now(), { windowMs: rateBounds.windowMs, addressMax: limits.addressMax, overallMax: limits.overallMax }));
  addRoutes(app, options, serving);
  return app;
}

function limitRate(app: FastifyInstance, rate: RateLimit): void {
  app.addHook("onRequest", async (request, reply) => {
    // The specification names no content type: a body is what it is, whatever the client calls it.
    request.raw.headers["content-type"] = "text/plain";
    const wait = rate.take(request.ip);
    if (wait !== undefined) return plain(reply.header("retry-after", String(wait)), 429, "too many requests\n");
    return undefined;
  });
}

function addRoutes(app: FastifyInstance, { folder, log }: WitnessOptions, { key, cosigner }: Serving): void {
  app.post("/add-checkpoint", async (request, reply) => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array(0);
    const answer = await cosigner.addCheckpoint(body);
    // The operator may want to keep what a misbehaving log has signed; nothing of it is secret.
    if (answer.is === "inconsistent") log.error({ request: request.id, submission: Buffer.from(body).toString("utf8") }, "a signed checkpoint contradicts the last one");
    return sendCosigning(reply, answer);
  });
  app.get<{ Params: { originHash: string } }>("/:originHash/checkpoint", async (request, reply) => {
    const note = await cosigner.checkpoint(request.params.originHash);
    return note === undefined ? plain(reply, 404, "no checkpoint of this log was cosigned\n") : plain(reply.header("cache-control", "no-cache"), 200, note);
  });
  app.get("/", async (_request, reply) => {
    const logs = await listLogs(folder);
    const status = { witness: key.name, vkeys: key.vkeys, version: licetVersion, logs: logs.filter(({ active }) => active).length };
    return reply.header("x-content-type-options", "nosniff").header("cache-control", "no-store").type("application/json; charset=utf-8").send(JSON.stringify(status));
  });
}

const refusals = { malformed: 400, forbidden: 403, "unknown-log": 404, inconsistent: 422, busy: 503 } as const;

function sendCosigning(reply: FastifyReply, answer: Cosigning): FastifyReply {
  if (answer.is === "cosigned") return plain(reply, 200, answer.lines.join(""));
  if (answer.is === "conflict") return sent(reply.header("content-type", "text/x.tlog.size"), 409, `${answer.size}\n`);
  if (answer.is === "busy") reply.header("retry-after", "1");
  return plain(reply, refusals[answer.is], `${answer.why}\n`);
}

function plain(reply: FastifyReply, status: number, body: string): FastifyReply {
  return sent(reply.type("text/plain; charset=utf-8"), status, body);
}

function sent(reply: FastifyReply, status: number, body: string): FastifyReply {
  if (!reply.hasHeader("cache-control")) reply.header("cache-control", "no-store");
  // As bytes: to a text the framework would add a character set of its own.
  return reply.code(status).header("x-content-type-options", "nosniff").send(Buffer.from(body));
}

function sendFailure(error: unknown, { request, reply, log }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly log: ServerLog }): FastifyReply {
  const status = error instanceof Error && "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status >= 400 && status < 500) return plain(reply, status, "the request was not taken\n");
  log.error({ request: request.id, ...failureFields(error) }, "request failed");
  return plain(reply, error instanceof LicetError ? 503 : 500, "the witness could not do its work\n");
}
