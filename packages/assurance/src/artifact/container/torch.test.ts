import { describe, expect, test } from "vitest";
import type { ArtifactRule } from "../rules.ts";
import { bytes, u32, u64 } from "../samples/bytes-fixture.ts";
import * as p from "../samples/pickle-fixture.ts";
import { scanned, verdictOf } from "../samples/scan-fixture.ts";
import { zip, type ZipSample } from "../samples/zip-fixture.ts";

const { text, imported, called, int } = p;
const state = (key = "0", elements = 4): Uint8Array => p.pickle(p.dict([text("w"), p.tensor(key, elements)]));
const weights = Uint8Array.from({ length: 16 }, (_, index) => 0x80 + index);
const version = { name: "archive/version", data: bytes("3\n") };

function model(entries: readonly ZipSample[], prefix = "archive"): Uint8Array {
  return zip([{ name: `${prefix}/data.pkl`, data: state() }, { name: `${prefix}/data/0`, data: weights }, ...entries]);
}

/** Five streams, then each storage with its number of elements. */
function legacy(object: Uint8Array, keys: Uint8Array, storages: Uint8Array): Uint8Array {
  const magic = bytes(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, ".");
  return bytes(magic, bytes(0x80, 2, "M", 0xe9, 3, "."), p.pickle(p.dict([text("little_endian"), p.yes])), object, keys, storages);
}

const oldState = p.pickle(p.dict([text("w"), p.tensor("0", 4)]));
const oldKeys = p.pickle(p.list(text("0")));

const hostile: readonly (readonly [string, Uint8Array, ArtifactRule])[] = [
  ["a call in data.pkl", zip([{ name: "archive/data.pkl", data: p.pickle(p.payload) }, version]), "pickle.call"],
  ["data.pkl in another folder", zip([{ name: "deep/er/data.pkl", data: p.pickle(p.payload) }, version]), "pickle.call"],
  ["a second data.pkl", model([{ name: "other/data.pkl", data: p.pickle(p.payload) }]), "pickle.call"],
  ["a pickle beside data.pkl", model([{ name: "archive/extra.bin", data: p.pickle(p.payload) }]), "pickle.call"],
  ["constants.pkl with a call", model([{ name: "archive/constants.pkl", data: p.pickle(p.payload) }]), "pickle.call"],
  ["a storage whose bytes are a pickle", zip([{ name: "archive/data.pkl", data: state() }, { name: "archive/data/0", data: bytes("cos\ngetpid\n(tR..") }]), "pickle.shadow"],
  ["a storage that hides a pickle behind millions of opcodes", zip([{ name: "archive/data.pkl", data: state("0", 600_000) }, { name: "archive/data/0", data: bytes("N0".repeat(1_199_990), "cos\ngetpid\n(tR.", "    ") }]), "pickle.shadow"],
  ["a storage that is too short", zip([{ name: "archive/data.pkl", data: state() }, { name: "archive/data/0", data: weights.subarray(0, 8) }]), "torch.storage"],
  ["a storage that is not there", zip([{ name: "archive/data.pkl", data: state() }]), "torch.storage"],
  ["a storage key that leads upward", zip([{ name: "archive/data.pkl", data: state("../../x") }]), "pickle.persistent"],
  ["a persistent id of another kind", zip([{ name: "archive/data.pkl", data: p.pickle(bytes(p.tuple(text("module"), imported("os", "system")), "Q")) }]), "pickle.persistent"],
  ["a storage type that is none", zip([{ name: "archive/data.pkl", data: p.pickle(bytes(p.tuple(text("storage"), imported("numpy", "float64"), text("0"), text("cpu"), int(4)), "Q")) }]), "pickle.persistent"],
  ["a tensor made of something else", zip([{ name: "archive/data.pkl", data: p.pickle(called(imported("torch._utils", "_rebuild_tensor_v2"), text("x"), int(0), p.tuple(), p.tuple(), p.no, p.none)) }]), "pickle.call.arguments"],
  ["TorchScript that reads files", model([{ name: "archive/constants.pkl", data: p.pickle(p.tuple()) }, { name: "archive/code/__torch__.py", data: bytes("class Net(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return torch.from_file(\"/etc/passwd\", False, 10)\n") }]), "torch.script.operator"],
  ["TorchScript with operators of a library", model([{ name: "archive/constants.pkl", data: p.pickle(p.tuple()) }, { name: "archive/code/__torch__.py", data: bytes("class Net(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return ops.evil.run(x)\n") }]), "torch.script.operator"],
  ["a call in the fourth stream of an old file", legacy(p.pickle(p.payload), oldKeys, bytes(u64(4), weights)), "pickle.call"],
  ["a call in the list of keys of an old file", legacy(oldState, p.pickle(p.payload), bytes(u64(4), weights)), "pickle.call"],
  ["a sixth stream in an old file", legacy(oldState, oldKeys, bytes(u64(4), weights, p.pickle(p.payload))), "pickle.trailing"],
  ["an old file whose storage has another length", legacy(oldState, oldKeys, bytes(u64(3), weights)), "torch.storage"],
  ["an old file that ends in its storage", legacy(oldState, oldKeys, bytes(u64(4), weights.subarray(0, 3))), "torch.storage"],
  ["a model server archive whose handler runs commands", zip([{ name: "MAR-INF/MANIFEST.json", data: bytes("{\"model\":{\"handler\":\"handler.py\"}}") }, { name: "handler.py", data: bytes("import os\n\ndef handle(data, context):\n    return os.getpid()\n") }]), "script.unsafe"],
];

describe("files of PyTorch that must not be loaded", () => {
  test.each(hostile)("%s is refused for that reason", async (_, data, rule) => {
    const { verdict, rules } = await verdictOf(data);
    expect(verdict).toBe("fail");
    expect(rules).toContain(rule);
  });
});

const parameter = called(imported("torch._utils", "_rebuild_parameter"), p.tensor("0", 4), p.yes, called(imported("collections", "OrderedDict")));
const layer = p.built(p.made(imported("torch.nn.modules.linear", "Linear")), p.dict([text("_parameters"), p.dict([text("weight"), parameter])], [text("training"), p.yes]));

describe("files of PyTorch that pass", () => {
  test.each([
    ["a state", model([version, { name: "archive/byteorder", data: bytes("little") }])],
    ["a state in a folder of another name", model([], "my model")],
    ["a module saved whole", zip([{ name: "archive/data.pkl", data: p.pickle(layer) }, { name: "archive/data/0", data: weights }, version])],
    ["an old file", legacy(oldState, oldKeys, bytes(u64(4), weights))],
  ])("%s", async (_, data) => {
    expect(await scanned(data)).toMatchObject({ verdict: "pass", findings: [] });
  });
});

describe("programs in archives", () => {
  const script = "class Net(Module):\n  __parameters__ = [\"w\", ]\n  def forward(self: __torch__.Net,\n    x: Tensor) -> Tensor:\n    _0 = getattr(self, \"0\")\n    return torch.addmm(x, self.w, x)\n";
  const torchScript = zip([
    { name: "net/data.pkl", data: p.pickle(p.built(p.made(imported("__torch__", "Net")), p.dict([text("w"), p.tensor("0", 4)]))) },
    { name: "net/data/0", data: weights },
    { name: "net/constants.pkl", data: p.pickle(p.tuple()) },
    { name: "net/code/__torch__.py", data: bytes(script) },
  ]);

  test("a TorchScript program is left to a person", async () => {
    expect(await verdictOf(torchScript)).toEqual({ verdict: "insufficient_evidence", rules: ["torch.script"] });
  });

  test("a class of TorchScript outside of a TorchScript archive is refused", async () => {
    expect((await verdictOf(p.pickle(p.made(imported("__torch__", "Net"))))).verdict).toBe("fail");
  });

  test("a handler that reaches nothing is left to a person", async () => {
    const archive = zip([{ name: "MAR-INF/MANIFEST.json", data: bytes("{}") }, { name: "handler.py", data: bytes("import torch\n\ndef handle(data, context):\n    return data\n") }]);
    expect(await verdictOf(archive)).toEqual({ verdict: "insufficient_evidence", rules: ["script"] });
  });
});

test("a storage that no tensor names is not passed", async () => {
  expect(await verdictOf(model([{ name: "archive/data/1", data: bytes(u32(0xdeadbeef)) }]))).toEqual({ verdict: "insufficient_evidence", rules: ["unknown"] });
});
