import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { ArtifactRule } from "../rules.ts";
import { bytes, u32, u64 } from "../samples/bytes-fixture.ts";
import * as p from "../samples/pickle-fixture.ts";
import { scanned, verdictOf } from "../samples/scan-fixture.ts";

const { text, imported, called, int, tuple, pickle, none, no } = p;
const nan = bytes("G", new Uint8Array(8));

const hostile: readonly (readonly [string, Uint8Array, ArtifactRule])[] = [
  ["REDUCE on a function of the operating system", pickle(p.payload), "pickle.call"],
  ["STACK_GLOBAL", pickle(called(p.stacked("posix", "getpid"))), "pickle.call"],
  ["protocol 0 without any magic", bytes("cos\ngetpid\n(tR."), "pickle.call"],
  ["INST", bytes("(ios\ngetpid\n."), "pickle.call"],
  ["OBJ", bytes("(cos\ngetpid\no."), "pickle.call"],
  ["NEWOBJ", pickle(p.made(imported("subprocess", "Popen"), text("id"))), "pickle.call"],
  ["NEWOBJ_EX", pickle(bytes(imported("subprocess", "Popen"), ")}", 0x92)), "pickle.call"],
  ["an import that is never called", pickle(p.list(imported("antigravity", "x"))), "pickle.import"],
  ["a name that is put together on the stack", pickle(called(bytes(p.payload, text("x"), 0x93))), "pickle.import.computed"],
  ["a number for a name", pickle(called(bytes(int(5), text("x"), 0x93))), "pickle.import.computed"],
  ["a chain of attributes through an allowed module", pickle(called(p.stacked("sklearn.pipeline", "os.system"), text("id"))), "pickle.import.dotted"],
  ["a module that an allowed module imports", pickle(called(imported("sklearn.utils._testing.os", "system"), text("id"))), "pickle.import"],
  ["getattr, by which any attribute is reached", pickle(called(imported("builtins", "getattr"), imported("builtins", "dict"), text("get"))), "pickle.call"],
  ["eval under the name of Python 2", pickle(called(imported("__builtin__", "eval"), text("1"))), "pickle.call"],
  ["functools.partial", pickle(called(imported("functools", "partial"), imported("builtins", "set"))), "pickle.call"],
  ["operator.attrgetter", pickle(called(called(imported("operator", "attrgetter"), text("system")), imported("numpy", "ndarray"))), "pickle.call"],
  ["numpy.load", pickle(called(imported("numpy", "load"), text("x.npy"))), "pickle.call"],
  ["joblib.load", pickle(called(imported("joblib", "load"), text("x"))), "pickle.call"],
  ["torch.load", pickle(called(imported("torch", "load"), text("x"))), "pickle.call"],
  ["numpy's test helper that runs text", pickle(called(imported("numpy.testing._private.utils", "runstring"), text("1"), p.dict())), "pickle.call"],
  ["a distribution of SciPy, whose state is executed", pickle(p.built(p.made(imported("scipy.stats._continuous_distns", "norm_gen")), p.dict([text("_parse_arg_template"), text("x")]))), "pickle.call"],
  ["a value that is called although it is known as a value only", pickle(called(imported("numpy", "log1p"), text("x"))), "pickle.call"],
  ["the constructor of a layer, which may call its arguments", pickle(called(imported("torch.optim.lr_scheduler", "LambdaLR"), none)), "pickle.call"],
  ["an object that is called", pickle(called(p.made(imported("sklearn.pipeline", "Pipeline")), text("x"))), "pickle.call.value"],
  ["_reconstruct of something that is no array", pickle(called(imported("numpy.core.multiarray", "_reconstruct"), imported("builtins", "list"), tuple(int(0)), p.blob(bytes("b")))), "pickle.call.arguments"],
  ["_reconstruct with a huge shape", pickle(called(imported("numpy.core.multiarray", "_reconstruct"), imported("numpy", "ndarray"), tuple(bytes("J", u32(0x7fffffff))), p.blob(bytes("b")))), "pickle.call.arguments"],
  ["a ufunc of another module", pickle(called(imported("numpy.core", "_ufunc_reconstruct"), text("os"), text("system"))), "pickle.call.arguments"],
  ["a codec that is not latin-1", pickle(called(imported("_codecs", "encode"), text("x"), text("rot13"))), "pickle.call.arguments"],
  ["a default factory that is a function", pickle(called(imported("collections", "defaultdict"), imported("numpy", "log1p"))), "pickle.call.arguments"],
  ["copyreg._reconstructor of a class that is not allowed", pickle(called(imported("copyreg", "_reconstructor"), imported("os", "_wrap_close"), imported("builtins", "object"), none)), "pickle.call.arguments"],
  ["a tensor rebuilt by a function of somebody else", pickle(called(imported("torch._tensor", "_rebuild_from_type_v2"), imported("os", "system"), imported("torch", "Tensor"), tuple(text("id")), p.dict())), "pickle.call.arguments"],
  ["bytes of a huge length", pickle(called(imported("builtins", "bytearray"), bytes("J", u32(0x7fffffff)))), "pickle.call.arguments"],
  ["arguments that are no tuple", pickle(bytes(imported("builtins", "set"), "]R")), "pickle.call.arguments"],
  ["EXT1 without a registry", pickle(bytes(0x82, 1, ")R")), "pickle.extension"],
  ["EXT4 without a registry", pickle(bytes(0x84, u32(70_000))), "pickle.extension"],
  ["a persistent id outside of a tensor file", pickle(bytes(text("x"), "Q")), "pickle.persistent"],
  ["a persistent id in text", bytes("cbuiltins\nset\n0Phostile\n."), "pickle.persistent"],
  ["attributes of a class replaced", pickle(p.built(imported("sklearn.pipeline", "Pipeline"), p.dict([text("predict"), none]))), "pickle.build"],
  ["a callable for a state", pickle(p.built(p.made(imported("sklearn.pipeline", "Pipeline")), imported("numpy", "log1p"))), "pickle.build"],
  ["__setstate__ planted in a state", pickle(p.built(p.made(imported("sklearn.pipeline", "Pipeline")), p.dict([text("__setstate__"), imported("numpy", "log1p")]))), "pickle.build.key"],
  ["__class__ planted in the slots", pickle(p.built(p.made(imported("sklearn.pipeline", "Pipeline")), tuple(none, p.dict([text("__class__"), imported("builtins", "set")])))), "pickle.build.key"],
  ["an item set in an imported object", pickle(bytes(imported("numpy", "ndarray"), text("a"), int(1), "s")), "pickle.mutate"],
  ["append called on an object that is no list", pickle(bytes(p.made(imported("sklearn.pipeline", "Pipeline")), int(1), "a")), "pickle.mutate"],
  ["add called on an object that is no set", pickle(bytes(p.made(imported("sklearn.pipeline", "Pipeline")), "(", int(1), 0x90)), "pickle.mutate"],
  ["a call before the data break off", bytes(p.p4, p.payload, 0x8c, 0xff, "broken"), "pickle.malformed"],
  ["a call before an opcode that does not exist", bytes(p.p4, p.payload, 0xff), "pickle.malformed"],
  ["a stream that ends without STOP", bytes(p.p4, int(1), int(2), int(3)), "pickle.malformed"],
  ["a memo entry that is not there", pickle(bytes(int(1), int(2), "h", 9)), "pickle.malformed"],
  ["a frame that is longer than the file", bytes(p.p4, 0x95, u64(999_999), int(1), p.stop), "pickle.malformed"],
  ["a protocol that does not exist inside of the stream", bytes(p.p4, int(1), int(2), int(3), 0x80, 9, p.stop), "pickle.malformed"],
  ["a second stream", bytes(pickle(p.dict()), pickle(p.payload)), "pickle.streams"],
  ["two harmless streams", bytes(pickle(p.dict()), pickle(p.dict())), "pickle.streams"],
  ["bytes behind the pickle", bytes(pickle(p.dict()), "\u00ff\u0000hidden"), "pickle.trailing"],
  ["memo entries that PUT and MEMOIZE number differently", pickle(bytes(text("os"), "q", 0, "0", text("getpid"), "q", 1, "0", text("collections"), 0x94, "0h", 0, "h", 1, 0x93, ")R")), "pickle.call"],
  ["a name written with escapes", bytes("V\\u006f\\u0073\nVgetpid\n", 0x93, ")R."), "pickle.call"],
  ["a quoted name with escapes", bytes(p.p4, "S'\\x6fs'\nS'getpid'\n", 0x93, ")R."), "pickle.call"],
  ["a pickle inside of a joblib array of objects", pickle(bytes(p.wrapped(pickle(p.payload), { code: "O8", count: 1, padding: bytes() }), "0", none)), "pickle.call"],
  ["an array whose bytes are opcodes for plain pickle", bytes(p.p4, p.built(p.made(imported("joblib.numpy_pickle", "NumpyArrayWrapper")), p.dict([text("shape"), tuple(int(2))], [text("dtype"), p.dtype("f8")])), "0cos\ngetpid\n(tR.", p.stop), "pickle.shadow"],
  ["zlib around it", deflateSync(pickle(p.payload)), "pickle.call"],
  ["gzip around it", gzipSync(pickle(p.payload)), "pickle.call"],
  ["bytes behind zlib", bytes(deflateSync(pickle(p.dict())), "hidden"), "compressed.trailing"],
  ["a second member of gzip", bytes(gzipSync(pickle(p.dict())), gzipSync(pickle(p.payload))), "pickle.call"],
];

describe("pickles that must not be loaded", () => {
  test.each(hostile)("%s is refused for that reason", async (_, data, rule) => {
    const { verdict, rules } = await verdictOf(data);
    expect(verdict).toBe("fail");
    expect(rules).toContain(rule);
  });

  test.each(hostile.filter(([name]) => !name.includes("gzip") && !name.includes("zlib")))("%s keeps being refused inside of zlib", async (_, data) => {
    expect((await verdictOf(deflateSync(data))).verdict).toBe("fail");
  });
});

const benign: readonly (readonly [string, Uint8Array])[] = [
  ["an estimator of scikit-learn with its arrays", pickle(p.estimator)],
  ["the same with one frame", bytes(p.frame(bytes(p.estimator, p.stop)))],
  ["an array under the name that NumPy 2 uses", pickle(called(imported("numpy._core.multiarray", "_reconstruct"), imported("numpy", "ndarray"), tuple(int(0)), p.blob(bytes("b"))))],
  ["an array of protocol 5", bytes(0x80, 5, called(imported("numpy.core.numeric", "_frombuffer"), bytes(0x96, u64(16), new Uint8Array(16)), p.dtype("f8"), tuple(int(2)), text("C")), p.stop)],
  ["a scalar", pickle(called(imported("numpy.core.multiarray", "scalar"), p.dtype("f8"), p.blob(new Uint8Array(8))))],
  ["joblib with two raw arrays", pickle(p.list(p.wrapped(new Uint8Array(64)), p.wrapped(new Uint8Array(16), { padding: bytes(4, "\u00ff\u00ff\u00ff\u00ff") })))],
  ["joblib without padding", pickle(p.built(p.made(imported("joblib.numpy_pickle", "NumpyArrayWrapper")), p.dict([text("shape"), tuple(int(0))], [text("dtype"), p.dtype("f8")])))],
  ["joblib with an array of objects", pickle(p.list(p.wrapped(pickle(p.list(text("a"))), { code: "O8", count: 1, padding: bytes() })))],
  ["plain containers", pickle(p.dict([text("a"), p.list(int(1), nan, none, no)], [text("b"), bytes(0x8f, "(", int(1), 0x90)]))],
  ["an ordered dictionary filled afterwards", pickle(bytes(called(imported("collections", "OrderedDict")), "(", text("a"), int(1), "u"))],
  ["a default dictionary of lists", pickle(called(imported("collections", "defaultdict"), imported("builtins", "list")))],
  ["dates, decimals, identifiers", pickle(p.list(called(imported("datetime", "date"), p.blob(bytes(7, 228, 1, 1))), called(imported("decimal", "Decimal"), text("1.5"))))],
  ["a path", pickle(called(imported("pathlib", "PosixPath"), text("a"), text("b")))],
  ["bytes of protocol 2", bytes(p.p2, called(imported("_codecs", "encode"), bytes("X", u32(1), "x"), bytes("X", u32(6), "latin1")), p.stop)],
  ["a booster of XGBoost", pickle(p.built(p.made(imported("xgboost.core", "Booster")), p.dict([text("handle"), called(imported("builtins", "bytearray"), p.blob(bytes("x")))])))],
  ["a sparse matrix", pickle(p.built(p.made(imported("scipy.sparse._csr", "csr_matrix")), p.dict([text("data"), p.array(new Uint8Array(8))])))],
  ["a table of pandas", pickle(p.built(p.made(imported("pandas.core.frame", "DataFrame")), p.dict([text("_mgr"), called(imported("pandas.core.internals.managers", "BlockManager"))])))],
  ["an index of pandas", pickle(called(imported("pandas.core.indexes.base", "_new_Index"), imported("pandas.core.indexes.base", "Index"), p.dict([text("data"), p.array(new Uint8Array(8))])))],
  ["a cython class of scikit-learn", pickle(called(imported("sklearn._loss._loss", "__pyx_unpickle_CyHalfBinomialLoss"), imported("sklearn._loss._loss", "CyHalfBinomialLoss"), int(3), none))],
  ["a transformer with a function of NumPy", pickle(p.built(p.made(imported("sklearn.preprocessing._function_transformer", "FunctionTransformer")), p.dict([text("func"), imported("numpy", "log1p")])))],
  ["an object that refers to itself", pickle(bytes("]q", 0, "h", 0, "a"))],
];

describe("pickles that libraries write", () => {
  test.each(benign)("%s passes", async (_, data) => {
    expect(await scanned(data)).toMatchObject({ verdict: "pass", findings: [] });
  });

  test.each(benign)("%s does not pass once a payload is put into it", async (_, data) => {
    const infected = bytes(data.subarray(0, data.length - 1), "0", p.payload, p.stop);
    expect((await verdictOf(infected)).verdict).toBe("fail");
  });
});

describe("texts that resemble pickles", () => {
  test.each([["count\nabc\ndef\n"], ["No. Smith called."], ["customer,age\n1,2\n"], ["N."], ["I am a text.\nReally.\n"]])("%j is not taken for a pickle", async (content) => {
    const { format, verdict } = await scanned(bytes(content));
    expect(["text", "python", "pickle"]).toContain(format.format);
    expect(verdict).not.toBe("fail");
  });
});

test("a pickle that refers to buffers elsewhere is left undecided", async () => {
  expect(await verdictOf(bytes(0x80, 5, int(1), int(2), 0x97, p.stop))).toEqual({ verdict: "insufficient_evidence", rules: ["pickle.buffers"] });
});

test("the names that loading imports are told, also those behind a fault", async () => {
  const { globals } = await scanned(bytes(p.p4, p.payload, p.made(imported("sklearn.pipeline", "Pipeline")), 0xff));
  expect(globals).toEqual([{ module: "os", name: "getpid" }, { module: "sklearn.pipeline", name: "Pipeline" }]);
});

test("a stream with more opcodes than the bound is left undecided, not passed", async () => {
  const long = pickle(bytes("]", ...Array.from({ length: 2000 }, () => bytes(int(1), "a"))));
  expect(await verdictOf(long, { stepsMax: 500 })).toEqual({ verdict: "insufficient_evidence", rules: ["limit.steps"] });
  expect((await verdictOf(long)).verdict).toBe("pass");
});
