import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ArtifactRule } from "../rules.ts";
import { bytes, u16, u32 } from "../samples/bytes-fixture.ts";
import * as p from "../samples/pickle-fixture.ts";
import { scanned, verdictOf } from "../samples/scan-fixture.ts";
import { paxRecord, tar } from "../samples/tar-fixture.ts";
import { zip } from "../samples/zip-fixture.ts";
import { bunzip2 } from "./bzip2.ts";
import { unlz4 } from "./lz4.ts";
import { unlzma } from "./lzma.ts";
import { Window } from "./window.ts";
import { unxz } from "./xz.ts";
import { ByteReader, bytesSource } from "../source.ts";

const bad = p.pickle(p.payload);
const good = p.pickle(p.estimator);
const note = bytes("name: model\n");
const zeros = new Uint8Array(4_000_000);

function nested(depth: number, inner: Uint8Array): Uint8Array {
  return depth === 0 ? inner : zip([{ name: `level-${depth}.zip`, data: nested(depth - 1, inner) }]);
}

const hostile: readonly (readonly [string, Uint8Array, ArtifactRule])[] = [
  ["a pickle under any name", zip([{ name: "readme.txt", data: bad }]), "pickle.call"],
  ["a deflated pickle", zip([{ name: "a", data: bad, deflate: true }]), "pickle.call"],
  ["an archive in an archive", nested(3, bad), "pickle.call"],
  ["an archive nested deeper than the bound", nested(7, good), "limit.depth"],
  ["a wrong checksum before a payload", zip([{ name: "a", data: bad, crc: 1 }]), "pickle.call"],
  ["the encrypted flag on data that inflate", zip([{ name: "a", data: bad, deflate: true, flags: 1 }]), "zip.encrypted.flag"],
  ["the encrypted flag on stored data", zip([{ name: "a", data: bad, flags: 1 }]), "pickle.call"],
  ["another name in the local header", zip([{ name: "a.txt", localName: "data.pkl", data: note }]), "zip.mismatch"],
  ["an entry that the directory leaves out", zip([{ name: "hidden.pkl", data: bad, hidden: true }, { name: "a", data: note }]), "zip.hidden"],
  ["a hidden entry is read as well", zip([{ name: "hidden.pkl", data: bad, deflate: true, hidden: true }, { name: "a", data: note }]), "pickle.call"],
  ["another name in an extra field", zip([{ name: "a", data: note, extra: bytes(u16(0x7075), u16(9), 1, u32(0), "evil") }]), "zip.mismatch"],
  ["bytes between entries", zip([{ name: "a", data: note, after: bytes("secret bytes") }, { name: "b", data: note }]), "zip.hidden"],
  ["bytes before the directory", zip([{ name: "a", data: note }], { beforeDirectory: bad }), "zip.hidden"],
  ["bytes before the archive", zip([{ name: "a", data: note }], { prefix: bytes("\u007fELF and more") }), "zip.hidden"],
  ["bytes behind the compressed data of an entry", zip([{ name: "a", data: note, deflate: true, tail: bytes("hidden tail") }]), "zip.hidden"],
  ["a comment that is no text", zip([{ name: "a", data: note }], { comment: bad }), "zip.hidden"],
  ["bytes behind the archive", bytes(zip([{ name: "a", data: note }]), "behind the end"), "zip.hidden"],
  ["the same name twice", zip([{ name: "config.json", data: bytes("{}") }, { name: "config.json", data: bytes("[]") }]), "zip.duplicate"],
  ["a size that is not the size", zip([{ name: "a", data: note, deflate: true, size: 3 }]), "zip.mismatch"],
  ["an upward path", zip([{ name: "../../evil", data: note }]), "zip.path"],
  ["an absolute path", zip([{ name: "/etc/passwd", data: note }]), "zip.path"],
  ["a path of another drive", zip([{ name: "C:\\evil", data: note }]), "zip.path"],
  ["a symbolic link", zip([{ name: "a", data: bytes("/etc/passwd"), mode: 0o120777 }]), "zip.link"],
  ["an archive without a directory", zip([{ name: "a.pkl", data: bad }]).subarray(0, 100), "zip.malformed"],
  ["broken deflate", zip([{ name: "a", data: note, method: 8 }]), "zip.malformed"],
  ["entries that share bytes", overlapping(), "zip.overlap"],
  ["zip64 fields", zip([{ name: "a", data: bad, zip64: true }]), "pickle.call"],
  ["a bomb", zip([{ name: "a", data: zeros, deflate: true }]), "limit.ratio"],
  ["a bomb of gzip", gzipSync(zeros), "limit.ratio"],
  ["zstandard around a pickle", zstdCompressSync(bad), "pickle.call"],
  ["a tar archive", tar([{ name: "model.pkl", data: bad }]), "pickle.call"],
  ["gzip around tar around zip", gzipSync(tar([{ name: "m", data: zip([{ name: "x", data: bad }]) }])), "pickle.call"],
  ["a link out of a tar archive", tar([{ name: "a", type: "2", link: "/etc/passwd" }]), "tar.link"],
  ["a hard link", tar([{ name: "a", type: "1", link: "../../x" }]), "tar.link"],
  ["a device", tar([{ name: "a", type: "3" }]), "tar.special"],
  ["an upward name in tar", tar([{ name: "../x", data: note }]), "tar.path"],
  ["a GNU long name that leads upward", tar([{ name: "././@LongLink", type: "L", data: bytes("../../evil", 0) }, { name: "ok", data: note }]), "tar.path"],
  ["a pax path that leads upward", tar([{ name: "x", type: "x", data: paxRecord("path", "../../evil") }, { name: "ok", data: note }]), "tar.path"],
  ["a pax record of a broken length", tar([{ name: "x", type: "x", data: bytes("99 path=a\n") }]), "tar.malformed"],
  ["bytes in the padding of tar", tar([{ name: "a", data: note, padding: bytes("hidden") }]), "tar.malformed"],
  ["bytes behind the end of tar", bytes(tar([{ name: "a", data: note }]), bad), "tar.malformed"],
  ["the same name twice in tar", tar([{ name: "a", data: note }, { name: "./a", data: bad }]), "tar.duplicate"],
  ["a name in tar that is a pickle", tar([{ name: "cos\ngetpid\n(tR.", data: note }]), "polyglot"],
  ["an archive behind a pickle", bytes(good, zip([{ name: "data.pkl", data: bad }])), "polyglot"],
  ["an archive behind a text", bytes("name: model\n", zip([{ name: "data.pkl", data: bad }])), "zip.hidden"],
];

function overlapping(): Uint8Array {
  const archive = Buffer.from(zip([{ name: "a", data: note }, { name: "b", data: note }]));
  const second = archive.lastIndexOf("PK\u0001\u0002");
  archive.writeUInt32LE(0, second + 42);
  return archive;
}

describe("archives that must not be loaded", () => {
  test.each(hostile)("%s is refused for that reason", async (_, data, rule) => {
    const { verdict, rules } = await verdictOf(data);
    expect(rules).toContain(rule);
    expect(verdict).toBe("fail");
  });
});

const benign: readonly (readonly [string, Uint8Array])[] = [
  ["stored and deflated entries", zip([{ name: "a.pkl", data: good }, { name: "dir/b.pkl", data: good, deflate: true }])],
  ["folders, a comment, padding and known extra fields", zip([{ name: "dir/", data: bytes() }, { name: "a", data: note, extra: bytes(u16(0x4246), u16(4), "ZZZZ"), after: new Uint8Array(7) }], { comment: bytes("made by us") })],
  ["zip64 fields", zip([{ name: "a", data: good, zip64: true }])],
  ["an archive without entries", zip([])],
  ["tar with long names", tar([{ name: "././@LongLink", type: "L", data: bytes("d/".repeat(80), "a", 0) }, { name: "short", data: good }, { name: "x", type: "x", data: paxRecord("path", "b".repeat(150)) }, { name: "short", data: note }, { name: "dir/", type: "5" }])],
  ["tar that ends with an archive", tar([{ name: "config.yaml", data: note }, { name: "model.ckpt", data: zip([{ name: "a", data: good }]) }])],
  ["gzip with a name and two members of text", bytes(gzipSync(note), gzipSync(note))],
  ["zstandard", zstdCompressSync(good)],
];

describe("archives of harmless content", () => {
  test.each(benign)("%s pass", async (_, data) => {
    expect(await scanned(data)).toMatchObject({ verdict: "pass", findings: [] });
  });
});

const undecided: readonly (readonly [string, Uint8Array, ArtifactRule])[] = [
  ["an entry that is really encrypted", zip([{ name: "a", data: bytes(0xfa, 0x00, 0xfe, 0x13, 0x88), flags: 1, crc: 7 }]), "zip.encrypted"],
  ["a method that is not undone here", zip([{ name: "a", data: note, method: 9 }]), "zip.method"],
  ["7z", bytes("7z\u00bc\u00af'\u001c", new Uint8Array(40)), "container.unsupported"],
  ["rar", bytes("Rar!\u001a\u0007\u0001\u0000", new Uint8Array(40)), "container.unsupported"],
  ["bytes of no known format", bytes(0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3), "unknown"],
  ["unknown bytes in an archive", zip([{ name: "weights.bin", data: bytes(0xde, 0xad, 0xbe, 0xef, 0, 1) }]), "unknown"],
  ["an empty file", bytes(), "empty"],
  ["a text of no format", bytes("just some words"), "unknown"],
];

describe("what cannot be read", () => {
  test.each(undecided)("%s is neither passed nor refused", async (_, data, rule) => {
    const { verdict, rules } = await verdictOf(data);
    expect(verdict).toBe("insufficient_evidence");
    expect(rules).toContain(rule);
  });
});

describe("bounds of a scan", () => {
  test("more entries than the bound are refused", async () => {
    const many = zip(Array.from({ length: 30 }, (_, index) => ({ name: `${index}`, data: note })));
    const { verdict, rules } = await verdictOf(many, { entriesMax: 20 });
    expect([verdict, rules.includes("limit.entries")]).toEqual(["fail", true]);
  });

  test("more expanded bytes than the bound leave the artifact undecided", async () => {
    const noise = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 2_654_435_761) >>> 24);
    expect((await verdictOf(zip([{ name: "a", data: noise, deflate: true }]), { expandedBytesMax: 10_000 })).rules).toContain("limit.expanded");
  });

  test("what is larger than the memory bound goes through a temporary file and gives the same result", async () => {
    const large = p.pickle(p.list(...Array.from({ length: 40 }, (_, index) => p.array(Uint8Array.from({ length: 40_000 }, (_, at) => (at * (index + 7) * 2_654_435_761) >>> 24)))));
    const archive = zip([{ name: "a", data: large, deflate: true }]);
    const [held, spilled] = [await scanned(archive), await scanned(archive, { memoryBytesMax: 1000 })];
    expect(held.verdict).toBe("pass");
    expect(spilled).toEqual(held);
  });

  test("a finding beyond the bound of the list still decides the verdict", async () => {
    const many = zip([...Array.from({ length: 12 }, (_, index) => ({ name: `${index}`, data: note, crc: 5 })), { name: "z", data: bad }]);
    const { verdict, findings, counts } = await scanned(many, { findingsMax: 3 });
    expect([verdict, counts.advisory, findings.some(({ severity }) => severity === "block")]).toEqual(["fail", 12, true]);
  });
});

/** Written by Python's `bz2` and `lzma`: the text `licet licet licet licet`, and what follows each stream. */
const streams: readonly (readonly [string, (reader: ByteReader, out: Window) => void, string])[] = [
  ["bzip2", bunzip2, "QlpoOTFBWSZTWWabxI8AAAeRgEAACiQEACAAMMACqBpK40hvVDxdyRThQkGabxI8"],
  ["xz", unxz, "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AAWAAxdADYaSI1KvzUtawmAAADIV4T94Yx6qQABKBdGngj+H7bzfQEAAAAABFla"],
  ["lzma", unlzma, "XQAAgAD//////////wA2GkiNSr81LXhcef//+bxgAA=="],
];

describe("decoders of our own", () => {
  test.each(streams.filter(([, , data]) => data !== ""))("%s gives back what Python packed", (_, decode, data) => {
    const reader = new ByteReader(bytesSource(Buffer.from(data, "base64")));
    const out = new Window(() => 1_000_000);
    decode(reader, out);
    expect([Buffer.from(out.bytes.subarray(0, out.size)).toString(), reader.left]).toEqual(["licet licet licet licet", 0]);
  });

  test("lz4 copies what it refers back to", () => {
    const block = bytes(0x67, "licet ", 6, 0);
    const frame = bytes(u32(0x184d2204), 0x60, 0x40, 0x82, u32(block.length), block, u32(0));
    const out = new Window(() => 1000);
    unlz4(new ByteReader(bytesSource(frame)), out);
    expect(Buffer.from(out.bytes.subarray(0, out.size)).toString()).toBe("licet licet licet");
  });

  test("a payload that deflate keeps small is found whatever the level", async () => {
    for (const level of [0, 1, 9]) expect((await verdictOf(bytes(0x78, 0x9c, deflateRawSync(bad, { level }), u32(0)))).verdict).toBe("fail");
  });
});
