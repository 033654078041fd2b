import { describe, expect, test } from "vitest";
import { byLicet, byWasm, permitWhen, world } from "../wasm-fixture.ts";

const literals: Readonly<Record<string, readonly string[]>> = {
  decimal: [
    "0.0", "1.0", "-1.0", "1.2345", "1.23456", "1.", ".5", "1", "-0.5", "-0.0", "+1.0", "01.50", "00000000000000000000000000000001.0", "1.0 ", " 1.0", "1.0\n", "", "-", "1..0", "1.0.0", "1e3.0", "१.०",
    "922337203685477.5807", "922337203685477.5808", "-922337203685477.5808", "-922337203685477.5809", "922337203685478.0", "9999999999999999999999.0",
  ],
  duration: [
    "", "-", "0ms", "-0ms", "1d", "1d2h3m4s5ms", "-1d2h3m4s5ms", "1h1d", "1d1d", "1", "1x", "1.5h", " 1d", "1d ", "1d\n", "+1d", "00001d", "000000000000000000000000000000000001ms",
    "9223372036854775807ms", "9223372036854775808ms", "-9223372036854775808ms", "-9223372036854775809ms", "106751991167d", "106751991168d", "-106751991167d", "-106751991168d", "106751991167d7h12m55s807ms", "106751991167d7h12m55s808ms",
    "-106751991167d7h12m55s808ms", "-106751991167d7h12m55s809ms", "18446744073709551615ms", "18446744073709551616ms", "99999999999999999999999999999ms", "9223372036854775807d",
  ],
  datetime: [
    "2026-01-31", "2026-1-31", "2026-02-29", "2024-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "0000-02-29", "9999-12-31", "10000-01-01", "2026-00-01", "2026-13-01", "2026-04-31", "2026-01-00", "",
    "2026-01-31T00:00:00Z", "2026-01-31T23:59:59Z", "2026-01-31T24:00:00Z", "2026-01-31T23:60:00Z", "2026-01-31T23:59:60Z", "2026-01-31T12:00Z", "2026-01-31T12:00:00", "2026-01-31T12:00:00z", "2026-01-31t12:00:00Z", "2026-01-31 12:00:00Z",
    "2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500Z", "2026-01-31T12:00:00.5000Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+0100", "2026-01-31T12:00:00-0100", "2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00+2359", "2026-01-31T12:00:00+2360", "2026-01-31T12:00:00+2400",
    "2026-01-31T12:00:00.123-1234", "2026-01-31T12:00:00.123", "2026-01-31T12:00:00Z ", "2026-01-31T12:00:00Z\n", "-2026-01-31", "+2026-01-31", "0000-01-01T00:00:00+2359", "9999-12-31T23:59:59-2359", "0099-01-01",
  ],
  ip: [
    "1.2.3.4", "1.2.3.4/32", "1.2.3.4/0", "1.2.3.4/33", "1.2.3.4/08", "1.2.3.4/", "1.2.3.4/8/8", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3.4\n", " 1.2.3.4", "1.2.3.-4", "1..2.3",
    "127.0.0.1", "127.0.0.1/8", "127.0.0.1/7", "224.0.0.1", "224.0.0.0/4", "224.0.0.0/3", "239.255.255.255", "240.0.0.0", "10.0.0.0/8", "10.1.2.3/8",
    "::", "::1", "::1/128", "::1/127", "::/0", "1::", "1::/129", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1::2::3", ":::", ":1", "1:", "12345::", "g::", "ABCD::abcd", "ff00::/8", "ff00::/7", "ff02::1",
    "::ffff:1.2.3.4", "::1.2.3.4", "0:0:0:0:0:0:0:1", "1:2:3:4:5:6:7:8/128", "1:2:3:4:5:6:7:8/0128", "fe80::1%eth0", "[::1]", "", "/8", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/1288", "::1/1", "1.2.3.4/1 ", "１.2.3.4",
  ],
};

const value = (json: unknown) => ({ Value: json });
const call = (fn: string, ...args: readonly unknown[]) => ({ [fn]: args });

/** What tells two values of a type apart. */
const views: Readonly<Record<string, (literal: unknown) => readonly unknown[]>> = {
  decimal: (own) => ["0.0", "1.5", "-0.5", "922337203685477.5807"].map((other) => call("lessThan", own, call("decimal", value(other)))),
  duration: (own) => ["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"].flatMap((fn) => [-1, 0, 1, 93784005].map((limit) => ({ "<": { left: call(fn, own), right: value(limit) } }))),
  datetime: (own) => ["1970-01-01", "2026-01-31", "2026-01-31T12:00:00Z"].flatMap((other) => [{ "<": { left: own, right: call("datetime", value(other)) } }, { "==": { left: call("toDate", own), right: call("datetime", value(other)) } }]),
  ip: (own) => [
    ...["isIpv4", "isIpv6", "isLoopback", "isMulticast"].map((fn) => call(fn, own)),
    ...["10.0.0.0/8", "::/1", "0.0.0.0/0", "::1"].flatMap((other) => [call("isInRange", own, call("ip", value(other))), call("isInRange", call("ip", value(other)), own)]),
  ],
};

describe("literals are read, refused and compared as by cedar-wasm:", () => {
  test.each(Object.keys(literals))("%s", (fn) => {
    const own = (text: string) => call(fn, value(text));
    const bodies = (literals[fn] ?? []).flatMap((text) => [{ "==": { left: own(text), right: own(text) } }, ...(views[fn]?.(own(text)) ?? [])]);
    const policies = { staticPolicies: Object.fromEntries(bodies.map((body, index) => [`p${index}`, permitWhen(body)])) };
    expect(byLicet({ ...world, policies })).toBe(byWasm({ ...world, policies }));
  });

  test("every part of a moment counts for what it is", () => {
    const moments = ["2026-11-20T00:00:00Z", "2026-11-20T00:00:01Z", "2026-11-20T00:01:00Z", "2026-11-20T01:00:00Z", "2026-11-20T00:00:00.001Z", "2026-11-20T00:00:00+0001", "2026-11-20T00:00:00-0100", "2026-11-21", "2026-12-20", "2027-11-20"];
    const since = (text: string) => call("toMilliseconds", call("durationSince", call("datetime", value(text)), call("datetime", value("2026-11-20"))));
    const spans = [0, 1, 1_000, 60_000, -60_000, 3_600_000, 86_400_000, 30 * 86_400_000, 365 * 86_400_000];
    const bodies = moments.flatMap((text) => spans.map((span) => ({ "==": { left: since(text), right: value(span) } })));
    const policies = { staticPolicies: Object.fromEntries(bodies.map((body, index) => [`p${index}`, permitWhen(body)])) };
    const ours = byLicet({ ...world, policies });
    expect(ours).toBe(byWasm({ ...world, policies }));
    expect(ours.match(/p\d+/gu)).toHaveLength(moments.length);
  });

  test("times of day and days far from 1970 in both directions", () => {
    const moments = ["-9223372036854775808ms", "-86400001ms", "-86400000ms", "-86399999ms", "-1ms", "0ms", "1ms", "86399999ms", "86400000ms", "9223372036854775807ms"].map((span) =>
      call("offset", call("datetime", value("1970-01-01")), call("duration", value(span))),
    );
    const bodies = moments.flatMap((moment) => [
      { "==": { left: call("toMilliseconds", call("toTime", moment)), right: value(0) } },
      { "<": { left: call("toDate", moment), right: moment } },
      ...moments.map((other) => ({ "<": { left: call("toMilliseconds", call("durationSince", moment, other)), right: value(1) } })),
    ]);
    const policies = { staticPolicies: Object.fromEntries(bodies.map((body, index) => [`p${index}`, permitWhen(body)])) };
    expect(byLicet({ ...world, policies })).toBe(byWasm({ ...world, policies }));
  });
});
