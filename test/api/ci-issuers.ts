import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from "jose";

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function listening(listener: Listener): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** The little of oidc-provider (which has no types) that these tests use. */
type ProviderClass = new (issuer: string, configuration: object) => { callback(): Listener };

export interface RealIssuer {
  readonly url: string;
  /** A token of the real provider, by the client credentials grant, with these claims beside its own. */
  token(claims: Readonly<Record<string, unknown>>, audience: string): Promise<string>;
  /** From now on it signs with a new key, and publishes that one alone. */
  rotate(): Promise<void>;
  readonly discoveries: number;
  close(): Promise<void>;
}

const client = { id: "runner", secret: "a secret that only this test knows" };

async function signingKey(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" };
}

/** The npm package oidc-provider on a socket of its own: discovery, keys, token endpoint and signatures are its own. */
export async function realIssuer(): Promise<RealIssuer> {
  const name = "oidc-provider";
  const { default: Provider } = (await import(name)) as { readonly default: ProviderClass };
  let extra: Readonly<Record<string, unknown>> = {};
  let current: Listener = (_request, response) => response.writeHead(503).end();
  let keys = 0;
  let discoveries = 0;
  const server = await listening((request, response) => {
    if (request.url?.includes("openid-configuration") === true) discoveries += 1;
    current(request, response);
  });
  async function rotate(): Promise<void> {
    keys += 1;
    const provider = new Provider(server.url, {
      clients: [{ client_id: client.id, client_secret: client.secret, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] }],
      jwks: { keys: [await signingKey(`key-${String(keys)}`)] },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_context: unknown, audience: string) => ({ scope: "", audience, accessTokenFormat: "jwt", accessTokenTTL: 300, jwt: { sign: { alg: "RS256" } } }),
        },
      },
      extraTokenClaims: () => extra,
    });
    current = provider.callback();
  }
  await rotate();
  return {
    url: server.url,
    get discoveries() {
      return discoveries;
    },
    rotate,
    async token(claims, audience) {
      extra = claims;
      const response = await fetch(`${server.url}/token`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${client.id}:${encodeURIComponent(client.secret)}`)}` },
        body: new URLSearchParams({ grant_type: "client_credentials", resource: audience }),
      });
      const body = (await response.json()) as { readonly access_token?: string };
      if (body.access_token === undefined) throw new Error(`the provider gave no token: ${JSON.stringify(body)}`);
      return body.access_token;
    },
    close: () => server.close(),
  };
}

export interface OwnIssuers {
  /** Of an issuer that behaves as its name says; `good` signs rightly and publishes its key. */
  url(name: keyof typeof behaviours): string;
  /** Bytes that the endless answer has been asked for. */
  readonly sent: number;
  readonly publicJwk: JWK;
  readonly privateKey: CryptoKey;
  sign(claims: JWTPayload, as?: { readonly key?: CryptoKey; readonly kid?: string }): Promise<string>;
  close(): Promise<void>;
}

interface Served {
  readonly base: string;
  readonly jwk: JWK;
  readonly response: ServerResponse;
}

const json = (response: ServerResponse, value: unknown): void => void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
const discovered = ({ base, response }: Served): void => json(response, { issuer: base, jwks_uri: `${base}/jwks` });
const keyed = ({ jwk, response }: Served): void => json(response, { keys: [jwk] });

let sent = 0;

/** 50 MB, unless the other side goes before. */
function endless({ response }: Served): void {
  response.writeHead(200, { "content-type": "application/json" });
  sent = 0;
  const more = (): void => {
    while (sent < 50_000_000 && !response.destroyed) {
      sent += 65_536;
      if (!response.write(" ".repeat(65_536))) return void response.once("drain", more);
    }
    response.end("{}");
  };
  more();
}

const behaviours = {
  good: { discovery: discovered, jwks: keyed },
  other: { discovery: discovered, jwks: keyed },
  crowded: { discovery: discovered, jwks: ({ jwk, response }: Served) => json(response, { keys: [jwk, ...Array.from({ length: 9_999 }, (_, index) => ({ kty: "EC", kid: String(index) }))] }) },
  huge: { discovery: discovered, jwks: endless },
  moved: { discovery: discovered, jwks: ({ base, response }: Served) => void response.writeHead(302, { location: `${base.replace("/moved", "/good")}/jwks` }).end() },
  "moved-discovery": { discovery: ({ base, response }: Served) => void response.writeHead(301, { location: `${base.replace("/moved-discovery", "/good")}/.well-known/openid-configuration` }).end(), jwks: keyed },
  pretender: { discovery: ({ base, response }: Served) => json(response, { issuer: base.replace("/pretender", "/good"), jwks_uri: `${base}/jwks` }), jwks: keyed },
  elsewhere: { discovery: ({ base, response }: Served) => json(response, { issuer: base, jwks_uri: `${base.replace("127.0.0.1", "localhost").replace("/elsewhere", "/good")}/jwks` }), jwks: keyed },
  metadata: { discovery: ({ base, response }: Served) => json(response, { issuer: base, jwks_uri: "http://169.254.169.254/latest/meta-data" }), jwks: keyed },
  symmetric: { discovery: discovered, jwks: ({ response }: Served) => json(response, { keys: [{ kty: "oct", k: "c2VjcmV0", kid: "own", alg: "HS256" }] }) },
  broken: { discovery: discovered, jwks: ({ response }: Served) => void response.writeHead(200).end("<html>sorry</html>") },
  failing: { discovery: ({ response }: Served) => void response.writeHead(500).end(), jwks: keyed },
} as const;

/** Issuers of our own, which can lie and fail as a real one does not. */
export async function ownIssuers(): Promise<OwnIssuers> {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid: "own", alg: "ES256", use: "sig" };
  const server = await listening((request, response) => {
    const [, name = "", rest = ""] = /^\/([a-z-]+)\/(.*)$/u.exec(request.url ?? "") ?? [];
    const behaviour = Object.entries(behaviours).find(([each]) => each === name)?.[1];
    const served = { base: `${server.url}/${name}`, jwk: publicJwk, response };
    if (behaviour === undefined) response.writeHead(404).end();
    else if (rest === "jwks") behaviour.jwks(served);
    else behaviour.discovery(served);
  });
  return {
    url: (name) => `${server.url}/${name}`,
    get sent() {
      return sent;
    },
    publicJwk,
    privateKey,
    sign: (claims, { key = privateKey, kid = "own" } = {}) => new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid }).sign(key),
    close: () => server.close(),
  };
}
