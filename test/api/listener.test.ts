import { request } from "node:http";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@licet/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { install, password, type Installation } from "./installation.ts";

let installation: Installation;
let folder: string;
let cookie: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "licet-page-"));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>Licet</title>");
  await writeFile(join(folder, "assets", "app-0a1b.js"), "export {};");
  await writeFile(join(folder, "..", "licet-secret.txt"), "secret");
  installation = await install({
    pageFolder: folder,
    handlers: {
      listHolds: async () => ({ items: [{ id: "hol_1", surplus: true }], next: null }) as never,
      listProviders: async () => {
        throw new Error("password=hunter2");
      },
    },
  });
  const { email } = await installation.person("main", ["administrator"]);
  const response = await fetch(`${installation.baseUrl}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: installation.baseUrl },
    body: JSON.stringify({ email, password }),
  });
  cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
});
afterAll(async () => {
  await installation.close();
  await rm(folder, { recursive: true, force: true });
});

/** Headers exactly as given: fetch would set host and fetch metadata by itself. */
function raw(options: { readonly method?: string; readonly path: string; readonly headers?: Record<string, string>; readonly body?: string }): Promise<{ status: number; body: string; headers: Readonly<Record<string, unknown>> }> {
  const { hostname, port } = new URL(installation.baseUrl);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method: options.method ?? "GET", path: options.path, headers: options.headers ?? {} }, (response) => {
      let body = "";
      response.on("data", (piece: Buffer) => {
        body += piece.toString();
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end(options.body);
  });
}

function add(headers: Record<string, string>): Promise<{ status: number; body: string }> {
  const body = JSON.stringify({ email: `n${String(Math.random())}@example.org`, name: "N" });
  return raw({ method: "POST", path: "/api/spaces/main/people", headers: { "content-type": "application/json", ...headers }, body });
}

describe("a page of another origin cannot act with a visitor's cookie", () => {
  test("writes need the own origin", async () => {
    expect((await add({ cookie, origin: installation.baseUrl })).status).toBe(201);
    expect((await add({ cookie, "sec-fetch-site": "same-origin" })).status).toBe(201);
    const port = new URL(installation.baseUrl).port;
    const foreign: Record<string, string>[] = [
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `http://localhost.evil.example:${port}` },
      { origin: `https://127.0.0.1:${port}` },
      { origin: "http://127.0.0.1:1" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      {},
    ];
    for (const headers of foreign) {
      const { status, body } = await add({ cookie, ...headers });
      expect({ headers, status, code: (JSON.parse(body) as { code: string }).code }).toEqual({ headers, status: 403, code: "origin_refused" });
    }
  });

  test("nor sign a visitor in", async () => {
    const { status } = await raw({ method: "POST", path: "/api/auth/sign-in/email", headers: { "content-type": "application/json", origin: "https://evil.example" }, body: "{}" });
    expect(status).toBe(403);
  });

  test("no answer allows another origin to read it", async () => {
    const { headers } = await raw({ path: "/api/session", headers: { origin: "https://evil.example" } });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("host names", () => {
  test.each(["evil.example", "evil.example:4400", "127.0.0.1.evil.example", "localhost.evil.example", "[::1", "127.0.0.1@evil.example"])("%j is refused, so that a rebound name reaches nothing", async (host) => {
    for (const path of ["/", "/api/session", "/api/openapi.json"]) {
      const { status } = await raw({ path, headers: { host } });
      expect([400, 421]).toContain(status);
    }
  });

  test.each(["localhost", "127.0.0.1", "[::1]"])("%s is served", async (host) => {
    const { status } = await raw({ path: "/api/session", headers: { host: `${host}:${new URL(installation.baseUrl).port}` } });
    expect(status).toBe(200);
  });
});

describe("security headers", () => {
  test.each(["/", "/api/session", "/api/nothing", "/assets/app-0a1b.js", "/api/spaces/main/people"])("%s carries them", async (path) => {
    const { headers } = await raw({ path });
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["referrer-policy"]).toBe("no-referrer");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.match(/'unsafe-[a-z]+'/gu)).toEqual(["'unsafe-inline'"]);
    expect(headers["x-request-id"]).toMatch(/^req_/u);
  });
});

describe("the page", () => {
  test("its own addresses give the page, other files and the API do not", async () => {
    for (const path of ["/", "/systems/helpdesk", "/setup?token=x"]) expect(await raw({ path })).toMatchObject({ status: 200, body: expect.stringContaining("<title>Licet") as string });
    expect((await raw({ path: "/assets/app-0a1b.js" })).headers["cache-control"]).toContain("immutable");
    for (const path of ["/assets/gone.js", "/favicon.ico", "/api", "/api/x", "/../licet-secret.txt", "/%2e%2e/licet-secret.txt", "/..%2flicet-secret.txt", "/%"]) {
      const { status, body } = await raw({ path });
      expect({ path, status }).toEqual({ path, status: 404 });
      expect(body).not.toContain("secret\n");
      expect(body).not.toContain("<title>");
    }
    expect((await raw({ method: "POST", path: "/systems/helpdesk" })).status).toBe(404);
  });
});

describe("what goes wrong inside stays inside", () => {
  test("an answer that does not fit the contract is a 500, and the log says where", async () => {
    const { status, body } = await raw({ path: "/api/spaces/main/holds", headers: { cookie } });
    expect(status).toBe(500);
    expect(body).not.toContain("surplus");
    expect(JSON.stringify(installation.logged)).toContain("the answer of listHolds does not fit the contract");
  });

  test("a failure's message and cause are logged and not sent", async () => {
    const { status, body } = await raw({ path: "/api/spaces/main/providers", headers: { cookie } });
    expect(JSON.parse(body)).toMatchObject({ status: 500, code: "internal", type: "/errors/internal", instance: expect.stringMatching(/^req_/u) as string });
    expect(status).toBe(500);
    expect(body).not.toContain("hunter2");
    expect(JSON.stringify(installation.logged)).toContain("hunter2");
  });

  test("the log holds no token, password, cookie, query or address", async () => {
    await raw({ path: "/api/spaces/main/people?cursor=query-secret", headers: { cookie } });
    await raw({ path: "/setup?token=query-secret" });
    const log = JSON.stringify(installation.logged);
    expect(log).toContain("/api/spaces/:space/people");
    for (const secret of ["query-secret", cookie.slice("licet.session_token=".length), password, "example.org"]) expect(log).not.toContain(secret);
  });
});

test("every code's address answers with what it means", async () => {
  const { status, body } = await raw({ path: "/errors/permission_denied" });
  expect(status).toBe(200);
  expect(body).toContain("fix: ask a person with one of the named roles");
  expect((await raw({ path: "/errors/no_such_code" })).status).toBe(404);
});

test("a server with a route that nobody serves does not start", async () => {
  await expect(install({ handlers: { showLog: undefined } as never })).rejects.toMatchObject({ code: "internal", message: "no handler serves showLog" });
});

test("a client without a server says that it is unreachable", async () => {
  const client = createClient({ baseUrl: "http://127.0.0.1:9" });
  await expect(client("showSession")).rejects.toMatchObject({ name: "LicetError", code: "unreachable" });
});
