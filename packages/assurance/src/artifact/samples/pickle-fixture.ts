import { bytes, u32, u64 } from "./bytes-fixture.ts";

/** Pickles assembled by hand. Nothing here can be loaded to any effect: the calls are `os.getpid` and the like. */
export const p2 = bytes(0x80, 2);
export const p4 = bytes(0x80, 4);
export const stop = ".";

export function text(value: string): Uint8Array {
  const encoded = Buffer.from(value, "utf8");
  return encoded.length < 256 ? bytes(0x8c, encoded.length, encoded) : bytes("X", u32(encoded.length), encoded);
}

export function imported(module: string, name: string): Uint8Array {
  return bytes(`c${module}\n${name}\n`);
}

export function stacked(module: string, name: string): Uint8Array {
  return bytes(text(module), text(name), 0x93);
}

export function int(value: number): Uint8Array {
  return value >= 0 && value < 256 ? bytes("K", value) : bytes("J", u32(value >>> 0));
}

export function tuple(...items: readonly Uint8Array[]): Uint8Array {
  return bytes("(", ...items, "t");
}

export function list(...items: readonly Uint8Array[]): Uint8Array {
  return bytes("](", ...items, "e");
}

export function dict(...pairs: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  return bytes("}(", ...pairs.flat(), "u");
}

export function called(callable: Uint8Array, ...args: readonly Uint8Array[]): Uint8Array {
  return bytes(callable, tuple(...args), "R");
}

export function made(type: Uint8Array, ...args: readonly Uint8Array[]): Uint8Array {
  return bytes(type, tuple(...args), 0x81);
}

export function built(target: Uint8Array, state: Uint8Array): Uint8Array {
  return bytes(target, state, "b");
}

export function blob(data: Uint8Array): Uint8Array {
  return bytes("B", u32(data.length), data);
}

export function frame(body: Uint8Array): Uint8Array {
  return bytes(p4, 0x95, u64(body.length), body);
}

export function pickle(body: Uint8Array): Uint8Array {
  return bytes(p4, body, stop);
}

export const no = bytes(0x89);
export const yes = bytes(0x88);
export const none = bytes("N");

/** `os.getpid()`: the payload of most samples. */
export const payload = called(imported("os", "getpid"));

export function dtype(code: string): Uint8Array {
  return built(called(imported("numpy", "dtype"), text(code), no, yes), tuple(int(3), text("<"), none, none, none, int(-1), int(-1), int(0)));
}

/** An array of numbers as NumPy's own `__reduce__` writes it. */
export function array(data: Uint8Array, code = "f8"): Uint8Array {
  const empty = called(imported("numpy.core.multiarray", "_reconstruct"), imported("numpy", "ndarray"), tuple(int(0)), blob(bytes("b")));
  return built(empty, tuple(int(1), tuple(int(data.length / 8)), dtype(code), no, blob(data)));
}

export const estimator = built(made(imported("sklearn.linear_model._logistic", "LogisticRegression")), dict([text("coef_"), array(new Uint8Array(16))], [text("C"), bytes("G", new Uint8Array(8))]));

/** joblib's wrapper and the raw bytes that follow it. */
export function wrapped(raw: Uint8Array, { code = "f8", count = raw.length / 8, padding = bytes(0) } = {}): Uint8Array {
  const state = dict(
    [text("subclass"), imported("numpy", "ndarray")],
    [text("shape"), tuple(int(count))],
    [text("order"), text("C")],
    [text("dtype"), dtype(code)],
    [text("allow_mmap"), yes],
    [text("numpy_array_alignment_bytes"), int(16)],
  );
  return bytes(built(made(imported("joblib.numpy_pickle", "NumpyArrayWrapper")), state), padding, raw);
}

export function storage(key: string, elements: number): Uint8Array {
  return bytes(tuple(text("storage"), imported("torch", "FloatStorage"), text(key), text("cpu"), int(elements)), "Q");
}

export function tensor(key: string, elements: number): Uint8Array {
  return called(imported("torch._utils", "_rebuild_tensor_v2"), storage(key, elements), int(0), tuple(int(elements)), tuple(int(1)), no, called(imported("collections", "OrderedDict")));
}
