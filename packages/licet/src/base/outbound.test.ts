import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startUpstream, type Upstream } from "../../../../test/unit/support/upstream.ts";
import { classifyAddress, mayDial } from "./address.ts";
import { fetchOutbound, openOutbound, type OutboundOptions } from "./outbound.ts";

const byte = fc.integer({ min: 0, max: 255 });
const dotted = (a: number, b: number, c: number, d: number) => [a, b, c, d].join(".");
const ipv4 = fc.tuple(byte, byte, byte, byte).map((parts) => dotted(...parts));
const group = fc.integer({ min: 0, max: 65_535 }).map((value) => value.toString(16));

type Octets = readonly [number, number, number];

/** Written anew from RFC 1918, 6598, 3927, 1122 and 5771, by arithmetic instead of ranges. */
const closed: readonly ((octets: Octets) => boolean)[] = [
  ([a]) => a === 0 || a === 10 || a === 127 || a >= 224,
  ([a, b]) => a === 100 && b >= 64 && b < 128,
  ([a, b]) => a === 169 && b === 254,
  ([a, b]) => a === 172 && b >= 16 && b < 32,
  ([a, b]) => a === 192 && b === 168,
  ([a, b, c]) => a === 192 && ((b === 0 && (c === 0 || c === 2)) || (b === 88 && c === 99)),
  ([a, b, c]) => a === 198 && (b === 18 || b === 19 || (b === 51 && c === 100)),
  ([a, b, c]) => a === 203 && b === 0 && c === 113,
];

function openIpv4(address: string): boolean {
  const [a = 0, b = 0, c = 0] = address.split(".").map(Number);
  const clouds = ["100.100.100.200", "168.63.129.16"];
  return !closed.some((holds) => holds([a, b, c])) && !clouds.includes(address);
}

describe("an address", () => {
  test("is public exactly where the registries say so", () => {
    const near = fc.tuple(fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 224, 8), byte, byte, byte).map((parts) => dotted(...parts));
    fc.assert(
      fc.property(fc.oneof(ipv4, near), (address) => {
        expect(classifyAddress(address) === "public").toBe(openIpv4(address));
      }),
      { numRuns: 5000 },
    );
  });

  test("inside of IPv6 counts as the IPv4 address that it reaches, in every notation", () => {
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), (parts) => {
        const address = dotted(...parts);
        const [a, b, c, d] = parts;
        const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
        const forms = [`::ffff:${address}`, `::ffff:${hex}`, `0:0:0:0:0:ffff:${hex}`, `64:ff9b::${hex}`, `2002:${hex}::1`];
        expect(forms.map(classifyAddress)).toEqual(forms.map(() => classifyAddress(address)));
      }),
      { numRuns: 2000 },
    );
  });

  test("in unique-local, link-local, multicast and unassigned IPv6 space is never public", () => {
    const prefix = fc.constantFrom("fc00", "fd12", "fe80", "febf", "fec0", "ff02", "100", "4000", "2001:db8", "3fff");
    fc.assert(
      fc.property(prefix, fc.array(group, { minLength: 3, maxLength: 3 }), (start, rest) => {
        expect(classifyAddress(`${start}::${rest.join(":")}`)).not.toBe("public");
      }),
    );
  });

  test.each([
    ["8.8.8.8", "public"],
    ["2606:4700:4700::1111", "public"],
    ["127.0.0.1", "loopback"],
    ["::1", "loopback"],
    ["::", "reserved"],
    ["10.1.2.3", "private"],
    ["fd00:ec2::254", "metadata"],
    ["169.254.169.254", "metadata"],
    ["::ffff:169.254.169.254", "metadata"],
    ["localhost", "reserved"],
    ["0x7f.1", "reserved"],
    ["fe80::1%eth0", "metadata"],
  ])("%s is %s", (address, expected) => {
    expect(classifyAddress(address)).toBe(expected);
  });

  test.each([
    ["127.0.0.1", ["loopback"], true],
    ["127.0.0.1", ["private"], false],
    ["10.1.2.3", ["private"], true],
    ["10.1.2.3", ["10.1.0.0/16"], true],
    ["10.2.2.3", ["10.1.0.0/16"], false],
    ["169.254.169.254", ["private", "loopback", "0.0.0.0/0", "169.254.0.0/16"], false],
    ["169.254.169.254", ["169.254.169.254"], true],
    ["10.1.2.3", ["10.1.0.0/x", "10.1.0.0/99", "nonsense"], false],
  ])("%s with %j allowed may be dialled: %s", (address, allow, expected) => {
    expect(mayDial(address, allow)).toBe(expected);
  });
});

describe("an outbound connection", () => {
  let upstream: Upstream;
  const get = { method: "GET", path: "/x", headers: {} } as const;

  beforeEach(async () => {
    upstream = await startUpstream();
  });

  afterEach(async () => {
    await upstream[Symbol.asyncDispose]();
  });

  async function refusedWith(options: OutboundOptions): Promise<string> {
    return openOutbound(options).then(
      () => "opened",
      (error: unknown) => (error as { code: string }).code,
    );
  }

  test.each([
    ["a loopback address that nobody allowed", { baseUrl: "http://127.0.0.1:9/" }],
    ["the same in other clothes", { baseUrl: "http://2130706433:9/" }],
    ["the same as IPv6", { baseUrl: "http://[::ffff:127.0.0.1]:9/" }],
    ["instance metadata", { baseUrl: "http://169.254.169.254/", allow: ["private", "loopback"] }],
    ["a public address without TLS", { baseUrl: "http://8.8.8.8/" }],
    ["a private address without TLS, even when allowed", { baseUrl: "http://10.0.0.1/", allow: ["private"] }],
    ["another scheme", { baseUrl: "file:///etc/passwd" }],
    ["credentials in the URL", { baseUrl: "https://user:pass@example.com/" }],
    ["a name that leads to a private address", { baseUrl: "https://internal.example/", resolve: async () => ["10.0.0.1"] }],
    ["a name with one private address among public ones", { baseUrl: "https://rebind.example/", resolve: async () => ["8.8.8.8", "127.0.0.1"] }],
  ])("%s is refused", async (_, options) => {
    expect(await refusedWith(options)).toBe("outbound_refused");
  });

  test("a name without an address is unreachable", async () => {
    expect(await refusedWith({ baseUrl: "https://nowhere.example/", resolve: async () => [] })).toBe("unreachable");
    expect(await refusedWith({ baseUrl: "https://nowhere.example/", resolve: async () => Promise.reject(new Error("ENOTFOUND")) })).toBe("unreachable");
  });

  test("a name is resolved once, however often it is called", async () => {
    let asked = 0;
    const baseUrl = upstream.baseUrl.replace("127.0.0.1", "provider.example");
    const resolve = async () => {
      asked++;
      return asked === 1 ? ["127.0.0.1"] : ["10.0.0.1"];
    };
    const outbound = await openOutbound({ baseUrl, allow: ["loopback"], resolve, limits: { idleMs: 1000 } });
    await fetchOutbound(outbound, get);
    upstream.mode = { kind: "status", status: 200, headers: { connection: "close" } };
    await fetchOutbound(outbound, get);
    await fetchOutbound(outbound, get);
    expect([asked, outbound.address, upstream.received.length]).toEqual([1, "127.0.0.1", 3]);
    await outbound.close();
  });

  test("a redirect is an answer like any other and is not followed", async () => {
    upstream.mode = { kind: "status", status: 302, headers: { location: `${upstream.baseUrl}/elsewhere` } };
    const outbound = await openOutbound({ baseUrl: upstream.baseUrl, allow: ["loopback"] });
    expect((await fetchOutbound(outbound, get)).status).toBe(302);
    expect(upstream.received.map(({ path }) => path)).toEqual(["/v1/x"]);
    await outbound.close();
  });

  test("an exchange that was aborted before it began never reaches the other side, and holds no connection", async () => {
    const outbound = await openOutbound({ baseUrl: upstream.baseUrl, allow: ["loopback"] });
    const failures: string[] = [];
    const ended = Promise.withResolvers<void>();
    const call = outbound.send(get, {
      onHead: () => undefined,
      onData: () => false,
      onEnd: () => ended.reject(new Error("ended")),
      onError: (failure) => {
        failures.push(failure);
        ended.resolve();
      },
    });
    call.abort();
    await ended.promise;
    expect(failures).toEqual(["aborted"]);
    expect(upstream.received).toHaveLength(0);
    expect((await fetchOutbound(outbound, get)).status).toBe(200);
    await outbound.close();
  });

  test.each([
    ["hang", { kind: "hang" }, "timeout"],
    ["reset", { kind: "reset" }, "reset"],
    ["100 MB", { kind: "large", bytes: 100 * 1024 * 1024 }, "too_large"],
  ] as const)("%s ends in %s", async (_, mode, failure) => {
    upstream.mode = mode;
    const limits = { headersMs: 200, answerBytesMax: 1024 * 1024 };
    const outbound = await openOutbound({ baseUrl: upstream.baseUrl, allow: ["loopback"], limits });
    await expect(fetchOutbound(outbound, get)).rejects.toMatchObject({ code: "unreachable", at: { failure } });
    await outbound.close();
  });

  test("the whole exchange is bounded though every piece comes in time", async () => {
    upstream.mode = { kind: "paced", pieces: Array.from({ length: 500 }, () => "a"), intervalMs: 20 };
    const outbound = await openOutbound({ baseUrl: upstream.baseUrl, allow: ["loopback"], limits: { totalMs: 300 } });
    await expect(fetchOutbound(outbound, get)).rejects.toMatchObject({ at: { failure: "timeout" } });
    await outbound.close();
  });
});
