import type { Dice } from "./cedar-dice.ts";

/** What a value is meant to be; the generators now and then make another. */
export const kinds = ["long", "bool", "string", "entity", "set", "record", "datetime", "duration", "ip", "decimal"] as const;
export type Kind = (typeof kinds)[number];

export const entityTypes = ["A", "B", "N::C"] as const;
export const ids = ["0", "1", "2", "", "x y", '"q"', "__proto__", "é\u{1F600}"] as const;
export const tagNames = ["a", "b", "s", "__proto__"] as const;
export const actionIds = ["x", "y", "g"] as const;

export const attributeKinds: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["a", "long"],
  ["b", "bool"],
  ["flag", "bool"],
  ["n", "long"],
  ["s", "string"],
  ["e", "entity"],
  ["set", "set"],
  ["rec", "record"],
  ["dt", "datetime"],
  ["du", "duration"],
  ["ip", "ip"],
  ["dec", "decimal"],
  ["__proto__", "long"],
  ["constructor", "string"],
  ["toString", "bool"],
  ["hasOwnProperty", "long"],
  ["a b", "string"],
  ["", "long"],
  ["é\u{1F600}", "record"],
]);
export const attributeNames: readonly string[] = [...attributeKinds.keys()];

export const longs: readonly bigint[] = [
  0n, 1n, -1n, 2n, 7n, 100n, 86_400_000n, 9007199254740991n, 9007199254740992n, -9007199254740991n, -9007199254740993n,
  4611686018427387904n, 9223372036854775807n, -9223372036854775808n, 3037000500n, -3037000500n,
];
export const strings: readonly string[] = [
  "", "a", "ab", "abc", "*", "a*b", "é", "e\u0301", "\u{1F600}", "\u{1F601}", "x\ny", "__proto__", "10.0.0.1", "1.5", "foo/bar/baz", "\0", "\u200f", "\uffff", "ﬀ",
];

/** Texts for the constructors, good ones and bad ones. */
export const literals = {
  decimal: [
    "0.0", "1.5", "-1.5", "1.50", "922337203685477.5807", "-922337203685477.5808", "922337203685477.5808", "-922337203685477.5809", "-0.0001", "-0.0", "1.23456", ".5", "1.", "00.10", "1,5", "+1.0",
    "1.0 ", "0001.0", "922337203685478.0", "١.٥", "1.0\n", "", "-", "99999999999999999999.0",
  ],
  datetime: [
    "2024-10-15", "2024-02-29", "2023-02-29", "0000-01-01", "9999-12-31T23:59:59.999Z", "2024-10-15T11:38:02Z", "2024-10-15T11:38:02.101+1134", "2024-10-15T11:38:02-2359", "1969-12-31T23:59:59.999Z",
    "1970-01-01", "2016-12-31T23:59:60Z", "2024-10-15Z", "0001-01-01T00:00:00+2359", "2024-1-1", "1900-02-29", "2000-02-29", "2024-10-15T24:00:00Z", "2024-10-15T11:38:02+2400", "2024-10-15T11:38:02+0060",
    "2024-10-15T11:38:02.1Z", "2024-10-15T11:38:02", "2024-13-01", "2024-00-10", "2024-04-31", "2024-10-15t11:38:02z", "", "2024-10-15\n", "-2024-10-15", "0000-01-01T00:00:00.000+2359",
  ],
  duration: [
    "1d2h3m4s5ms", "-1d", "0ms", "", "-", "1h", "90m", "9223372036854775807ms", "-9223372036854775808ms", "9223372036854775808ms", "106751991167d", "106751991168d", "1ms1s", "-12h", "18446744073709551616ms",
    "86400s", "1d1d", "1.5h", "+1h", "1h ", "d", "-106751991168d", "106751991167d7h12m55s807ms", "106751991167d7h12m55s808ms", "-106751991167d7h12m55s808ms", "00000000000000000000000001h", "1D", "1h\n",
  ],
  ip: [
    "10.0.0.1", "10.0.0.0/8", "127.0.0.1", "127.0.0.0/7", "224.0.0.1/4", "224.0.0.0/3", "ff00::/7", "::1", "::1/127", "ff00::/8", "ff02::1", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7::8", "::ffff:10.0.0.1",
    "10.0.0.1/33", "10.0.0.1/032", "01.2.3.4", "256.1.1.1", "fe80::1%eth0", "0.0.0.0/0", "::/0", "1.2.3.4/", "::10.0.0.1/128", "2001:db8::/32", "2001:0DB8::1", "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789/128",
    "1::2::3", ":::", "12345::", "::", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4/-1", "1.2.3.4/+1", "::1/129", "1.2.3.4/08", "0x1.2.3.4", "", "/8", "1:2:3:4:5:6:7:8:9", "::1\n", "[::1]",
    "127.255.255.255/8", "128.0.0.0/1", "239.255.255.255/32", "2001:db8:0:0:0:0:0:1/64",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type LiteralFunction = keyof typeof literals;

/** By the kind of value, the function that makes one of a text. */
export const constructorOf = { decimal: "decimal", datetime: "datetime", duration: "duration", ip: "ip" } as const;

/** Texts that each constructor takes, as cedar-wasm says; found out once. */
export type GoodLiterals = Readonly<Record<LiteralFunction, readonly string[]>>;

/** Some that are good for sure, for those who have no cedar-wasm at hand. */
export const goodEnough: GoodLiterals = {
  decimal: ["0.0", "1.5", "-1.5", "922337203685477.5807"],
  datetime: ["2024-10-15", "2024-10-15T11:38:02Z", "1970-01-01", "9999-12-31T23:59:59.999Z"],
  duration: ["1d2h3m4s5ms", "-1d", "0ms", "90m"],
  ip: ["10.0.0.1", "10.0.0.0/8", "::1", "ff00::/8"],
};

export function literal(dice: Dice, good: GoodLiterals, fn: LiteralFunction, badness: number): string {
  return dice.pick(dice.chance(badness) ? literals[fn] : good[fn]);
}

/** An object with these own properties, `__proto__` among them where it is named. */
export function objectOf<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.fromEntries(entries);
}
