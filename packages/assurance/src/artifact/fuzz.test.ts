import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { bytes, u32 } from "./samples/bytes-fixture.ts";
import * as m from "./samples/model-fixture.ts";
import * as p from "./samples/pickle-fixture.ts";
import { scanned } from "./samples/scan-fixture.ts";
import { tar } from "./samples/tar-fixture.ts";
import { zip } from "./samples/zip-fixture.ts";
import { parseJson } from "./text/json.ts";
import { Damaged } from "./source.ts";

const runs = Number(process.env["LICET_FUZZ_RUNS"] ?? 300);
const bad = p.pickle(p.payload);
const good = p.pickle(p.estimator);
/** Bounds that keep one run short: what is larger is left undecided, never passed. */
const short = { stepsMax: 200_000, expandedBytesMax: 1 << 22 };

const hostile: readonly Uint8Array[] = [
  bad,
  bytes("cos\ngetpid\n(tR."),
  zip([{ name: "a", data: bad }]),
  zip([{ name: "archive/data.pkl", data: bad, deflate: true }, { name: "archive/version", data: bytes("3") }]),
  gzipSync(bad),
  tar([{ name: "a", data: bad }]),
  m.npy("'|O'", "(1,)", bad),
  p.pickle(p.wrapped(bad, { code: "O8", count: 1, padding: bytes() })),
];
const seeds: readonly Uint8Array[] = [
  ...hostile,
  good,
  p.pickle(p.wrapped(new Uint8Array(64))),
  zip([{ name: "config.json", data: bytes("{\"class_name\":\"Sequential\",\"config\":{}}") }, { name: "metadata.json", data: bytes("{}") }]),
  m.hdf5([m.hdf5Text("model_config", "{\"class_name\":\"Sequential\"}"), [0x06, bytes(1, 0, 1, "a", new Uint8Array(8))], [0x08, bytes(3, 1, new Uint8Array(16))], [0x11, new Uint8Array(16)]]),
  m.onnx([m.onnxNode("MatMul"), m.field(5, m.onnxTensor({ raw: new Uint8Array(8) }))]),
  m.savedModel(["Placeholder"]),
  m.gguf({ pairs: [["tokenizer.chat_template", 8, m.ggufText("{% for x in y %}{{ x['a'] | trim }}{% endfor %}")]], tensors: [m.ggufTensor("t", [8])], data: new Uint8Array(32) }),
  m.safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", new Uint8Array(8)),
  m.tflite(["Mfcc"]),
  bytes("<?xml version=\"1.0\"?><PMML><a b=\"c\"/></PMML>"),
  bytes("BZh9", 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, new Uint8Array(40)),
  bytes(0xfd, "7zXZ", 0, 0, 4, new Uint8Array(40)),
  bytes("]", 0, 0, 0x80, 0, new Uint8Array(40)),
  bytes(u32(0x184d2204), 0x60, 0x40, 0x82, new Uint8Array(20)),
];

interface Edit {
  readonly at: number;
  readonly value: number;
  readonly kind: "set" | "insert" | "remove" | "cut";
}

const edit: fc.Arbitrary<Edit> = fc.record({ at: fc.nat(4000), value: fc.nat(255), kind: fc.constantFrom("set", "set", "set", "insert", "remove", "cut") });

function edited(data: Uint8Array, edits: readonly Edit[]): Uint8Array {
  let out: Uint8Array = Uint8Array.from(data);
  for (const { at, value, kind } of edits) {
    const place = out.length === 0 ? 0 : at % out.length;
    if (kind === "set") out[place] = value;
    else if (kind === "insert") out = bytes(out.subarray(0, place), value, out.subarray(place));
    else if (kind === "remove") out = bytes(out.subarray(0, place), out.subarray(place + 1));
    else out = out.subarray(0, place);
  }
  return out;
}

/** Whether loading could still reach the payload: its name stands in the bytes, or in what they unpack to. */
async function stillNamesPayload(data: Uint8Array): Promise<boolean> {
  const { globals } = await scanned(data, short);
  return Buffer.from(data).includes("getpid") || globals.some(({ name }) => name.includes("getpid"));
}

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (fault) {
    return fault instanceof Damaged ? "none or its own" : String(fault);
  }
  return "none or its own";
}

describe("bytes that nobody wrote", () => {
  test("random bytes give a verdict, never an error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (data) => {
        expect(["pass", "fail", "insufficient_evidence"]).toContain((await scanned(data, short)).verdict);
      }),
      { numRuns: runs },
    );
  });

  test("random opcodes give a verdict, never an error, and never import what is not told", async () => {
    const opcode = fc.constantFrom(...Array.from("()]}l.0123abdehjopqrstuKMNQRX"), "cos\ngetpid\n", "\u0093", "\u0094", "\u0081", "\u008c\u0002os", "\u0085", "\u008f", "\u0090", "\u0092", "K\u0001", "h\u0000", "q\u0000");
    await fc.assert(
      fc.asyncProperty(fc.array(opcode, { maxLength: 40 }), async (codes) => {
        const { verdict } = await scanned(bytes(0x80, 4, codes.join(""), "."), short);
        expect(codes[0] === "cos\ngetpid\n" ? ["fail"] : ["pass", "fail", "insufficient_evidence"]).toContain(verdict);
      }),
      { numRuns: runs },
    );
  });

  test("changed files give a verdict, never an error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 6 }), async (seed, edits) => {
        const { verdict, counts } = await scanned(edited(seed, edits), short);
        expect(verdict).toBe(counts.block > 0 ? "fail" : counts.insufficient > 0 ? "insufficient_evidence" : "pass");
      }),
      { numRuns: runs * 4 },
    );
  });

  test("a changed hostile file passes only when its payload is gone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...hostile), fc.array(edit, { minLength: 1, maxLength: 3 }), async (seed, edits) => {
        const data = edited(seed, edits);
        expect((await scanned(data, short)).verdict === "pass" && (await stillNamesPayload(data))).toBe(false);
      }),
      { numRuns: runs * 4 },
    );
  });

  test("the reader of JSON reads what the platform writes, and breaks only with its own error", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(JSON.stringify(value)).value).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: runs },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (source) => {
        expect(faultOf(() => parseJson(source))).toBe("none or its own");
      }),
      { numRuns: runs },
    );
  });
});
