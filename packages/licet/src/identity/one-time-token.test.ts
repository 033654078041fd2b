import { describe, expect, test } from "vitest";
import { isLoopback, newToken, tokenDigest } from "./one-time-token.ts";

describe("loopback", () => {
  test.each(["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])("%s is this machine", (ip) => {
    expect(isLoopback(ip)).toBe(true);
  });
  test.each(["192.0.2.1", "10.0.0.1", "::", "::ffff:192.0.2.1", "127.0.0.1.example.org", "fe80::1", "", "localhost", "1127.0.0.1"])("%j is not", (ip) => {
    expect(isLoopback(ip)).toBe(false);
  });
});

test("tokens have 256 bits, differ, and are not what is stored", () => {
  const [one, two] = [newToken(), newToken()];
  expect(Buffer.from(one, "base64url")).toHaveLength(32);
  expect(one).not.toBe(two);
  expect(tokenDigest(one)).toMatch(/^[0-9a-f]{64}$/u);
  expect(tokenDigest(one)).not.toContain(one);
});
