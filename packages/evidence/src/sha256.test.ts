import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toHex, utf8 } from "./bytes.ts";
import { digestOfBytes, isDigest, sha256, sha256Hex, sha256Portable } from "./sha256.ts";

test("the portable hash gives the values of FIPS 180-4", () => {
  expect(toHex(sha256Portable(utf8("abc")))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(toHex(sha256Portable(utf8("")))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(toHex(sha256Portable(utf8("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")))).toBe("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  expect(toHex(sha256Portable(new Uint8Array(1_000_000).fill(0x61)))).toBe("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
});

test("the portable hash and Node's agree on any bytes, and on every length around a block", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const expected = createHash("sha256").update(bytes).digest("hex");
      expect(toHex(sha256Portable(bytes))).toBe(expected);
      expect(toHex(sha256(bytes))).toBe(expected);
    }),
  );
  for (let length = 0; length <= 200; length += 1) {
    const bytes = new Uint8Array(length).fill(length);
    expect(toHex(sha256Portable(bytes))).toBe(createHash("sha256").update(bytes).digest("hex"));
  }
});

test("a digest is `sha256:` and 64 lower-case hex digits, of bytes or of a text's utf-8", () => {
  expect(digestOfBytes("é")).toBe(`sha256:${sha256Hex(utf8("é"))}`);
  expect(isDigest(digestOfBytes("x"))).toBe(true);
  expect(isDigest(digestOfBytes("x").toUpperCase())).toBe(false);
  expect(isDigest(`${digestOfBytes("x")}\n`)).toBe(false);
});
