import { expect } from "vitest";
import { call, raw, type Got } from "./caller.ts";
import { bodiesOf, key, type Place, type Standing } from "./place.ts";

/** An endpoint of the data plane that calls no model, or that nobody governs. */
export interface Endpoint {
  readonly title: string;
  readonly method: "GET" | "POST" | "DELETE" | "CONNECT" | "UPGRADE";
  readonly path: string;
  readonly form: "openai" | "anthropic" | "oip";
  /** On a good day. */
  readonly usual: string;
  /** False where nothing is decided: an endpoint that nobody governs says so to everybody. */
  readonly decides: boolean;
}

const denied = (title: string, method: Endpoint["method"], path: string, more: Pick<Endpoint, "form" | "usual">): Endpoint => ({ title, method, path, decides: false, ...more });

export const endpoints: readonly Endpoint[] = [
  { title: "`GET /openai/v1/models`", method: "GET", path: "/openai/v1/models", form: "openai", usual: "200", decides: true },
  { title: "`GET /anthropic/v1/models`", method: "GET", path: "/anthropic/v1/models", form: "anthropic", usual: "200", decides: true },
  { title: "`GET …/models/other`", method: "GET", path: "/openai/v1/models/other", form: "openai", usual: "404 `model_undeclared`", decides: true },
  denied("OpenAI uploads in parts", "POST", "/openai/v1/uploads", { form: "openai", usual: "403 `files_denied`" }),
  denied("Anthropic files", "POST", "/anthropic/v1/files", { form: "anthropic", usual: "403 `files_denied`" }),
  denied("Anthropic batches", "POST", "/anthropic/v1/messages/batches", { form: "anthropic", usual: "403 `files_denied`" }),
  denied("stored response", "GET", "/openai/v1/responses/resp_1", { form: "openai", usual: "404 `endpoint_unsupported`" }),
  denied("unknown, Anthropic", "POST", "/anthropic/v1/complete", { form: "anthropic", usual: "404 `endpoint_unsupported`" }),
  denied("unknown, OIP", "POST", "/oip/v2/repository/models/m/load", { form: "oip", usual: "404 `endpoint_unsupported`" }),
  denied("wrong method", "DELETE", "/openai/v1/chat/completions", { form: "openai", usual: "404 `endpoint_unsupported`" }),
  denied("WebSocket", "UPGRADE", "/openai/v1/responses", { form: "openai", usual: "403 `websocket_denied`" }),
  denied("`CONNECT`", "CONNECT", "169.254.169.254:80", { form: "openai", usual: "404 `endpoint_unsupported`" }),
];

export interface EndpointRow {
  readonly title: string;
  readonly standing?: Standing;
  readonly credential?: string;
  readonly before?: (place: Place) => void;
  readonly after?: (place: Place) => void;
  /** In place of what is usual, where the endpoint decides. */
  readonly expect?: string;
  /** In place of what is usual, where it does not. */
  readonly refused?: string;
  /** Whether the refusal of a known caller is in the log. */
  readonly recorded: boolean;
}

export const endpointRows: readonly EndpointRow[] = [
  { title: "all is in order", recorded: true },
  { title: "no or unknown credential", credential: "lic_nobody0123456789", expect: "401 `credential_invalid`", recorded: false },
  { title: "no heartbeat of the change feed", before: ({ clock }) => clock.advance(1000), expect: "503 `snapshot_stale`", recorded: false },
  { title: "clock ten minutes behind the log", before: ({ clock }) => clock.advance(-600_000), after: ({ clock }) => clock.advance(600_000), expect: "503 `clock_regressed`", recorded: false },
  { title: "log takes nothing", before: ({ disk }) => void (disk.behind = true), after: ({ disk }) => void (disk.behind = false), refused: "503 `evidence_unavailable`", recorded: false },
];

/** What a cell should say. */
export function expectedOf({ expect: decided, refused }: EndpointRow, { decides, usual }: Endpoint): string {
  const denies = usual !== "200";
  return (decides ? decided : undefined) ?? (denies ? refused : undefined) ?? usual;
}

function asked(origin: string, { method, path }: Endpoint, credential: string): Promise<Got> {
  const upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  const head = (verb: string, more: string) => `${verb} ${path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${credential}\r\n${more}\r\n`;
  if (method === "UPGRADE") return raw(origin, head("GET", upgrade));
  if (method === "CONNECT") return raw(origin, head("CONNECT", ""));
  const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
  return call({ origin, method, path, headers, ...(method === "POST" && { body: "{}" }) }).got;
}

/** Runs one cell; the provider is asked in none. */
export async function measureEndpoint(place: Place, row: EndpointRow, endpoint: Endpoint): Promise<string> {
  const { provider, entries, clock } = place;
  clock.advance(5000);
  place.stand(row.standing);
  const from = entries.length;
  row.before?.(place);
  const got = await asked(place.origins.patient, endpoint, row.credential ?? key);
  row.after?.(place);
  expect(provider.received, "nothing leaves").toHaveLength(0);
  expect(place.failures).toEqual([]);
  expect(got.whole).toBe(true);
  if (got.status === 200) return "200";
  const body = JSON.parse(got.text) as Record<string, unknown>;
  const error = body["error"] as { readonly code: string };
  expect(body["type"]).toBe(endpoint.form === "anthropic" ? "error" : undefined);
  const { code } = endpoint.form === "oip" ? (body["licet"] as { readonly code: string }) : error;
  if (row.recorded) expect(bodiesOf(entries.slice(from), "gateway.decision"), "a known caller's try stands in the log").toMatchObject([{ decision: "deny", code, credential: "crd_1" }]);
  return `${got.status} \`${code}\``;
}
