import { describe, expect, test } from "vitest";
import type { ArtifactRule } from "../rules.ts";
import { bytes, u16, u32, u64 } from "../samples/bytes-fixture.ts";
import * as m from "../samples/model-fixture.ts";
import * as p from "../samples/pickle-fixture.ts";
import { scanned, verdictOf } from "../samples/scan-fixture.ts";
import { zip } from "../samples/zip-fixture.ts";

const weights = m.hdf5([]);

function keras(config: unknown, more = "{\"keras_version\":\"3.0.0\"}"): Uint8Array {
  return zip([{ name: "metadata.json", data: bytes(more) }, { name: "config.json", data: Buffer.from(JSON.stringify(config)) }, { name: "model.weights.h5", data: weights }]);
}

function model(...layers: readonly unknown[]): unknown {
  return { module: "keras", class_name: "Sequential", registered_name: null, config: { name: "s", layers } };
}

const dense = { module: "keras.layers", class_name: "Dense", registered_name: null, config: { name: "d", units: 2, activation: { module: "builtins", class_name: "function", config: "relu", registered_name: "function" } } };

const archive = zip([{ name: "data.pkl", data: p.pickle(p.payload) }]);

function safe(header: unknown, data: Uint8Array): Uint8Array {
  return m.safetensors(JSON.stringify(header), data);
}

const tensor = (start: number, end: number, shape = [(end - start) / 4]): unknown => ({ dtype: "F32", shape, data_offsets: [start, end] });
const template = (source: string): Uint8Array => m.gguf({ pairs: [["tokenizer.chat_template", 8, m.ggufText(source)]] });
const external = (values: Readonly<Record<string, string>>): Uint8Array => m.onnx([m.onnxNode("MatMul"), m.field(5, m.onnxTensor({ external: values }))]);

const hostile: readonly (readonly [string, Uint8Array, ArtifactRule])[] = [
  ["npy: objects with a call", m.npy("'|O'", "(1,)", p.pickle(p.payload)), "pickle.call"],
  ["npy: an object among fields", m.npy("[('a', '<f8'), ('b', '|O')]", "(1,)", p.pickle(p.payload)), "pickle.call"],
  ["npy: bytes behind the elements", m.npy("'<f8'", "(1,)", new Uint8Array(16)), "npy.malformed"],
  ["npy: a shape that overflows", m.npy("'<f8'", "(4294967296, 4294967296)", new Uint8Array(8)), "npy.malformed"],
  ["npy: a header that is an expression", m.npy("__import__('os')", "(1,)", new Uint8Array(8)), "npy.malformed"],
  ["npz: an object array", zip([{ name: "a.npy", data: m.npy("'|O'", "()", p.pickle(p.payload)) }]), "pickle.call"],
  ["keras: a Lambda layer", keras(model({ module: "keras.layers", class_name: "Lambda", config: { function: { class_name: "__lambda__", config: { code: "x" } } } })), "keras.lambda"],
  ["keras: a Lambda layer deep inside", keras(model({ ...dense, config: { wrapped: [{ deeper: { class_name: "Lambda", config: {} } }] } })), "keras.lambda"],
  ["keras: a module of Python", keras(model({ module: "os", class_name: "function", config: "system", registered_name: "function" })), "keras.module"],
  ["keras: a built-in function of Python", keras(model({ module: "builtins", class_name: "function", config: "eval", registered_name: "function" })), "keras.module"],
  ["keras: a class of somebody", keras(model({ module: "my_package.layers", class_name: "Evil", config: {}, registered_name: "Evil" })), "keras.module"],
  ["keras: a registered class of somebody", keras(model({ module: "keras", class_name: "Evil", config: {}, registered_name: "pkg>Evil" })), "keras.registered"],
  ["keras: a tool of the library that downloads", keras(model({ module: "keras.utils", class_name: "get_file", config: { origin: "http://x" } })), "keras.class"],
  ["keras: a layer that loads a saved model", keras(model({ module: "keras.layers", class_name: "TFSMLayer", config: { filepath: "/x" } })), "keras.class"],
  ["keras: a layer that unpickles", keras(model({ module: "keras.layers", class_name: "TorchModuleWrapper", config: {} })), "keras.class"],
  ["keras: a vocabulary in a file", keras(model({ module: "keras.layers", class_name: "StringLookup", config: { vocabulary: "/etc/passwd" } })), "keras.file"],
  ["keras: one key twice", zip([{ name: "config.json", data: bytes("{\"class_name\":\"Sequential\",\"class_name\":\"Lambda\",\"config\":{}}") }, { name: "metadata.json", data: bytes("{}") }]), "json.duplicate"],
  ["keras: a pickle beside the configuration", zip([{ name: "config.json", data: Buffer.from(JSON.stringify(model(dense))) }, { name: "metadata.json", data: bytes("{}") }, { name: "assets/x", data: p.pickle(p.payload) }]), "pickle.call"],
  ["hdf5: a Lambda layer in an attribute", m.hdf5([m.hdf5Text("model_config", "{\"class_name\": \"Sequential\", \"config\": [{\"class_name\": \"Lambda\"}]}")]), "keras.lambda"],
  ["hdf5: a Lambda layer written with escapes", m.hdf5([m.hdf5Text("model_config", "{\"class_name\": \"\\u004cambda\", \"config\": {}}")]), "keras.lambda"],
  ["hdf5: a Lambda layer that no object reaches", bytes(m.hdf5([]), "\"class_name\": \"Lambda\""), "keras.lambda"],
  ["hdf5: a link into another file", m.hdf5([[0x06, bytes(1, 8, 64, 1, "a", u16(9), 0, "x.h5", 0, "/b", 0)]]), "hdf5.external"],
  ["hdf5: data in other files", m.hdf5([[0x07, new Uint8Array(16)]]), "hdf5.external"],
  ["hdf5: data assembled from other files", m.hdf5([[0x08, bytes(4, 3, new Uint8Array(12))]]), "hdf5.external"],
  ["hdf5: bytes behind its end", bytes(m.hdf5([]), "hidden"), "hdf5.malformed"],
  ["saved model: a file is read", m.savedModel(["Placeholder", "ReadFile"]), "savedmodel.operator"],
  ["saved model: a file is written by a function", m.savedModel(["WriteFile"], { inLibrary: true }), "savedmodel.operator"],
  ["saved model: Python is called", m.savedModel(["PyFunc"]), "savedmodel.operator"],
  ["saved model: Python is called eagerly", m.savedModel(["EagerPyFunc"]), "savedmodel.operator"],
  ["saved model: something is printed", m.savedModel(["PrintV2"]), "savedmodel.operator"],
  ["saved model: a Lambda layer in its metadata", m.savedModel(["Placeholder"], { metadata: "{\"class_name\": \"Lambda\"}" }), "keras.lambda"],
  ["a bare graph that reads a file", bytes(m.field(1, bytes(m.field(1, "a"), m.field(2, "ReadFile")))), "savedmodel.operator"],
  ["onnx: data from an upper folder", external({ location: "../../etc/passwd" }), "onnx.external"],
  ["onnx: data from an absolute path", external({ location: "/etc/passwd" }), "onnx.external"],
  ["onnx: data from another drive", external({ location: "C:\\x" }), "onnx.external"],
  ["onnx: data from an address", external({ location: "http://x/y" }), "onnx.external"],
  ["onnx: data at a negative offset", external({ location: "w.bin", offset: "-8" }), "onnx.external"],
  ["onnx: an unknown key of external data", external({ location: "w.bin", raw_data: "x" }), "onnx.external"],
  ["onnx: a tensor in an attribute from an upper folder", m.onnx([m.onnxNode("Constant", { attributes: [bytes(m.field(1, "value"), m.field(5, m.onnxTensor({ external: { location: "../x" } })))] })]), "onnx.external"],
  ["onnx: a tensor in a branch from an upper folder", m.onnx([m.onnxNode("If", { attributes: [bytes(m.field(1, "then_branch"), m.field(6, m.field(5, m.onnxTensor({ external: { location: "../x" } }))))] })]), "onnx.external"],
  ["onnx: operators of somebody", m.onnx([m.onnxNode("Run", { domain: "com.evil" })]), "onnx.domain"],
  ["onnx: Python of the host", m.onnx([m.onnxNode("PyOp", { domain: "com.microsoft" })]), "onnx.operator"],
  ["onnx: a shape that overflows", m.onnx([m.field(5, m.onnxTensor({ dims: [2 ** 40, 2 ** 40], raw: new Uint8Array(8) }))]), "onnx.malformed"],
  ["onnx: a negative dimension", m.onnx([m.field(5, m.onnxTensor({ dims: [-1], raw: new Uint8Array(8) }))]), "onnx.malformed"],
  ["onnx: fewer bytes than the shape needs", m.onnx([m.field(5, m.onnxTensor({ dims: [100], raw: new Uint8Array(8) }))]), "onnx.malformed"],
  ["safetensors: a header beyond the file", m.safetensors("{\"a\":{}}", new Uint8Array(8), 2 ** 40), "safetensors.malformed"],
  ["safetensors: a header above the bound", m.safetensors("{\"a\":{}}", new Uint8Array(8), 100_000_001), "safetensors.malformed"],
  ["safetensors: one key twice", m.safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", new Uint8Array(4)), "safetensors.malformed"],
  ["safetensors: tensors that overlap", safe({ a: tensor(0, 8), b: tensor(4, 12) }, new Uint8Array(12)), "safetensors.malformed"],
  ["safetensors: a hole", safe({ a: tensor(0, 4), b: tensor(8, 12) }, new Uint8Array(12)), "safetensors.malformed"],
  ["safetensors: bytes behind the tensors", safe({ a: tensor(0, 4) }, new Uint8Array(12)), "safetensors.malformed"],
  ["safetensors: a shape that does not fit", safe({ a: tensor(0, 8, [3]) }, new Uint8Array(8)), "safetensors.malformed"],
  ["safetensors: a shape that overflows", safe({ a: tensor(0, 8, [2 ** 40, 2 ** 40]) }, new Uint8Array(8)), "safetensors.malformed"],
  ["safetensors: an unknown type", safe({ a: { dtype: "PKL", shape: [1], data_offsets: [0, 4] } }, new Uint8Array(4)), "safetensors.malformed"],
  ["safetensors: metadata that are no texts", safe({ __metadata__: { a: 1 } }, new Uint8Array(0)), "safetensors.malformed"],
  ["safetensors: an archive at the end", safe({ a: { dtype: "U8", shape: [archive.length], data_offsets: [0, archive.length] } }, archive), "polyglot"],
  ["gguf: a template that reaches Python", template("{{ ''.__class__.__mro__ }}"), "template.unsafe"],
  ["gguf: a template under another key", m.gguf({ pairs: [["tokenizer.chat_template.tool_use", 8, m.ggufText("{{ x|attr('y') }}")]] }), "template.unsafe"],
  ["gguf: a count of tensors that overflows", m.gguf({ tensorCount: 0xffffffffffffffffn }), "gguf.malformed"],
  ["gguf: a count of pairs that overflows", m.gguf({ pairCount: 2n ** 63n }), "gguf.malformed"],
  ["gguf: a text that overflows", m.gguf({ pairs: [["a", 8, u64(0xffffffffffffffffn)]] }), "gguf.malformed"],
  ["gguf: a list that overflows", m.gguf({ pairs: [["a", 9, bytes(u32(4), u64(2n ** 62n))]] }), "gguf.malformed"],
  ["gguf: lists nested without end", m.gguf({ pairs: [["a", 9, bytes(...Array.from({ length: 20 }, () => bytes(u32(9), u64(1))))]] }), "gguf.malformed"],
  ["gguf: dimensions that overflow", m.gguf({ tensors: [m.ggufTensor("t", [2n ** 40n, 2n ** 40n])], data: new Uint8Array(32) }), "gguf.malformed"],
  ["gguf: five dimensions", m.gguf({ tensors: [m.ggufTensor("t", [1, 1, 1, 1, 1])], data: new Uint8Array(32) }), "gguf.malformed"],
  ["gguf: a tensor outside of the file", m.gguf({ tensors: [m.ggufTensor("t", [8], { offset: 4096 })], data: new Uint8Array(32) }), "gguf.malformed"],
  ["gguf: tensors that share bytes", m.gguf({ tensors: [m.ggufTensor("t", [8]), m.ggufTensor("u", [8])], data: new Uint8Array(32) }), "gguf.malformed"],
  ["gguf: one key twice", m.gguf({ pairs: [["a", 0, bytes(1)], ["a", 0, bytes(1)]] }), "gguf.malformed"],
  ["gguf: an alignment of zero", m.gguf({ pairs: [["general.alignment", 4, u32(0)]] }), "gguf.malformed"],
  ["gguf: bytes behind the tensors", m.gguf({ tensors: [m.ggufTensor("t", [8])], data: bytes(new Uint8Array(32), "hidden") }), "gguf.malformed"],
  ["tflite: an operator that calls Python", m.tflite(["FlexPyFunc"]), "tflite.operator"],
  ["tflite: an operator that reads files", m.tflite(["Mfcc", "FlexReadFile"]), "tflite.operator"],
  ["a program", bytes(0x7f, "ELF", new Uint8Array(60)), "native"],
  ["a program in an archive", zip([{ name: "lib.so", data: bytes(0x7f, "ELF", new Uint8Array(60)) }]), "native"],
  ["a program of Windows", bytes("MZ", new Uint8Array(58), u32(64), "PE\u0000\u0000", new Uint8Array(20)), "native"],
  ["compiled Python", bytes(0xa7, 0x0d, 0x0d, 0x0a, new Uint8Array(12), 0xe3), "bytecode"],
  ["objects of Java", bytes(0xac, 0xed, 0, 5, "sr"), "java.object"],
  ["ubjson: bytes behind the model", bytes("{L", new Uint8Array(7), 7, "learner{}}", "hidden"), "ubjson.malformed"],
];

describe("models that must not be loaded", () => {
  test.each(hostile)("%s: refused for that reason", async (_, data, rule) => {
    const { verdict, rules } = await verdictOf(data);
    expect(rules).toContain(rule);
    expect(verdict).toBe("fail");
  });
});

const chat = "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] | trim }}{% if loop.last and add_generation_prompt %}{{ eos_token }}{% endif %}{% endfor %}";
const benign: readonly (readonly [string, Uint8Array])[] = [
  ["npy: numbers", m.npy("'<f8'", "(2, 3)", new Uint8Array(48))],
  ["npy: fields", m.npy("[('a', '<f8'), ('b', '<i4', (2,)), ('c', '<U3')]", "(1,)", new Uint8Array(28))],
  ["npy: one scalar", m.npy("'<f8'", "()", new Uint8Array(8))],
  ["keras: layers of the library", keras(model(dense, { module: "keras.layers", class_name: "Dropout", config: { rate: 0.5 }, registered_name: null }))],
  ["hdf5: a configuration without Lambda", m.hdf5([m.hdf5Text("model_config", JSON.stringify({ class_name: "Sequential", config: { layers: [{ class_name: "Dense", config: {} }] } })), m.hdf5Text("backend", "tensorflow")])],
  ["saved model: ordinary operators", m.savedModel(["Placeholder", "MatMul", "SaveV2", "RestoreV2"], { metadata: "{\"class_name\": \"Dense\"}" })],
  ["onnx: standard operators", m.onnx([m.onnxNode("MatMul"), m.field(5, m.onnxTensor({ raw: new Uint8Array(8) }))])],
  ["onnx: trees of the classical domain", m.onnx([m.onnxNode("TreeEnsembleClassifier", { domain: "ai.onnx.ml" })])],
  ["onnx: a function that the model brings along", m.onnx([m.onnxNode("Gelu", { domain: "local" })], [m.field(25, bytes(m.field(1, "Gelu"), m.field(10, "local")))])],
  ["safetensors", safe({ __metadata__: { format: "pt" }, b: tensor(8, 16), a: tensor(0, 8) }, new Uint8Array(16))],
  ["safetensors without tensors", safe({}, new Uint8Array(0))],
  ["gguf", m.gguf({ pairs: [["general.architecture", 8, m.ggufText("llama")], ["tokenizer.chat_template", 8, m.ggufText(chat)], ["a", 9, bytes(u32(8), u64(2), m.ggufText("x"), m.ggufText("y"))]], tensors: [m.ggufTensor("t", [8]), m.ggufTensor("u", [32], { type: 8, offset: 32 })], data: new Uint8Array(66) })],
  ["tflite", m.tflite(["TFLite_Detection_PostProcess", "FlexAddV2"])],
  ["core ml", bytes(m.field(1, 4), m.field(2, m.field(1, "x")), m.field(500, m.field(1, m.field(1, "layer"))))],
  ["ubjson of XGBoost", bytes("{L", new Uint8Array(7), 7, "learner{i", 1, "a[$d#i", 2, new Uint8Array(8), "}}")],
  ["text of LightGBM", bytes("tree\nversion=v4\nnum_class=1\n\nend of trees\n")],
  ["json of XGBoost", bytes("{\"learner\":{\"a\":[1,2.5]},\"version\":[1,7,4]}")],
];

describe("models that pass", () => {
  test.each(benign)("%s", async (_, data) => {
    expect(await scanned(data)).toMatchObject({ verdict: "pass", findings: [] });
  });
});

const told: readonly (readonly [string, Uint8Array, string, ArtifactRule])[] = [
  ["onnx: data in a file beside it is told", external({ location: "weights/w.bin", offset: "0", length: "8" }), "pass", "onnx.external.unseen"],
  ["onnx: operators of one runtime are told", m.onnx([m.onnxNode("FusedMatMul", { domain: "com.microsoft" })]), "pass", "onnx.contrib"],
  ["onnx: a branch on a constant is told", m.onnx([m.field(5, m.onnxTensor({ raw: new Uint8Array(8), name: "c" })), m.onnxNode("If", { inputs: ["c"] })]), "pass", "onnx.branch"],
  ["onnx: a field of no version is left undecided", m.onnx([m.onnxNode("MatMul")], [m.field(99, "hidden")]), "insufficient_evidence", "onnx.unknown"],
  ["npy: harmless objects are told", m.npy("'|O'", "(1,)", p.pickle(p.list(p.text("a")))), "pass", "npy.object"],
  ["saved model: a table from an asset is told", m.savedModel(["InitializeTableFromTextFileV2"]), "pass", "savedmodel.asset"],
  ["gguf: big endian is left undecided", m.gguf({ version: 0x03000000 }), "insufficient_evidence", "gguf.unsupported"],
  ["gguf: a tensor of a newer type is left undecided", m.gguf({ tensors: [m.ggufTensor("t", [8], { type: 77 })], data: new Uint8Array(32) }), "insufficient_evidence", "gguf.unsupported"],
  ["hdf5: a dense heap is left undecided", m.hdf5([[0x02, bytes(0, 0, u64(4096), u64(8192))]]), "insufficient_evidence", "hdf5.unsupported"],
  ["tflite: an operator of somebody is left undecided", m.tflite(["MyOperator"]), "insufficient_evidence", "tflite.custom"],
  ["core ml: a custom layer is left undecided", bytes(m.field(1, 4), m.field(2, m.field(1, "x")), m.field(500, m.field(1, m.field(500, m.field(10, "Evil"))))), "insufficient_evidence", "coreml.custom"],
];

describe("what is told without being refused", () => {
  test.each(told)("%s", async (_, data, verdict, rule) => {
    expect(await verdictOf(data)).toEqual({ verdict, rules: [rule] });
  });
});
