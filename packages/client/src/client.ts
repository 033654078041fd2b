import { LicetError, routeNamed, type Route, type RouteAnswer, type RouteInput, type RouteName } from "@licet/contract";
import { problemToError } from "./api-error.ts";

/** What a route takes; routes that take nothing are called with their name alone. */
export type Input<N extends RouteName> = object extends RouteInput<N> ? [input?: RouteInput<N>] : [input: RouteInput<N>];

export interface ClientOptions {
  /** Where the server listens, such as `http://127.0.0.1:4400`; empty in its own page. */
  readonly baseUrl: string;
  /** A session token, sent as `Authorization: Bearer`; without one the browser's cookie counts. */
  readonly token?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Gives up after this time; 60 s unless named. */
  readonly timeoutMilliseconds?: number | undefined;
}

/** Calls one route of the contract, typed by it. Throws `ApiError`, or `LicetError("unreachable")`. */
export type Call = <N extends RouteName>(name: N, ...input: Input<N>) => Promise<RouteAnswer<N>>;

export interface Client extends Call {
  /** Exchanges e-mail address and password for a session token (12 hours). In a browser the cookie is set and the token is empty. */
  signIn(email: string, password: string): Promise<string>;
  /** Ends the session. */
  signOut(): Promise<void>;
}

interface Loose {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

interface Outgoing {
  readonly method: string;
  readonly url: string;
  readonly type: string | undefined;
  readonly body: BodyInit | undefined;
}

function scalar(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

function pathOf(route: Route, input: Loose): string {
  const path = route.path.replaceAll(/:([a-z]+)/giu, (_, name: string) => encodeURIComponent(scalar(input.params?.[name])));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) query.set(name, scalar(value));
  }
  const asked = query.toString();
  return asked === "" ? path : `${path}?${asked}`;
}

function outgoing(baseUrl: string, route: Route, input: Loose): Outgoing {
  const start = { method: route.method, url: baseUrl + pathOf(route, input) };
  // A copy: fetch takes only views of plain array buffers.
  if (input.body instanceof Uint8Array) return { ...start, type: "application/octet-stream", body: new Uint8Array(input.body) };
  if (input.body === undefined) return { ...start, type: undefined, body: undefined };
  return { ...start, type: "application/json", body: JSON.stringify(input.body) };
}

async function bodyOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}

/** Asserted rather than compared: the answers of all routes together are more than the compiler compares. */
function typedCall(call: unknown): Call {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server validates every answer against the contract before it leaves
  return call as Call;
}

/**
 * A client of Licet's API, typed by the contract; works in Node and in browsers.
 *
 * @example
 * const client = createClient({ baseUrl: "http://127.0.0.1:4400", token });
 * const board = await client("listSystems", { params: { space: "main" }, query: {} });
 */
export function createClient(options: ClientOptions): Client {
  const baseUrl = options.baseUrl.replace(/\/+$/u, "");
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const timeout = options.timeoutMilliseconds ?? 60_000;

  async function exchange(request: Outgoing): Promise<unknown> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (request.type !== undefined) headers["content-type"] = request.type;
    if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
    const response = await send(request.url, {
      method: request.method,
      headers,
      redirect: "error",
      signal: AbortSignal.timeout(timeout),
      ...(request.body === undefined ? {} : { body: request.body }),
    }).catch((cause: unknown) => {
      throw new LicetError("unreachable", { message: `no answer from \`${baseUrl}\``, cause });
    });
    const body = await bodyOf(response);
    if (!response.ok) throw problemToError(response.status, body);
    if (body === undefined) throw problemToError(response.status, { detail: "the server's answer is not JSON" });
    return body;
  }

  const call = typedCall((name: RouteName, given: Loose = {}) => exchange(outgoing(baseUrl, routeNamed(name), given)));

  async function auth(path: string, body: object): Promise<unknown> {
    return exchange({ method: "POST", url: `${baseUrl}/api/auth${path}`, type: "application/json", body: JSON.stringify(body) });
  }

  return Object.assign(call, {
    async signIn(email: string, password: string): Promise<string> {
      const answer = await auth("/sign-in/email", { email, password });
      return typeof answer === "object" && answer !== null && "token" in answer && typeof answer.token === "string" ? answer.token : "";
    },
    async signOut(): Promise<void> {
      await auth("/sign-out", {});
    },
  });
}
