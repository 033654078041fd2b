import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAnswer } from "./infer-answer.ts";
import { neededPermissions, readInfer } from "./infer-request.ts";
import { oipRoute } from "./paths.ts";
import { readTensor, type Datatype } from "./tensor.ts";

const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
const tensor = (change: object = {}) => ({ name: "x", shape: [2, 2], datatype: "FP32", data: [1, 2, 3, 4], ...change });
const request = (change: object = {}) => ({ inputs: [tensor()], ...change });
const refused = (value: unknown) => {
  const read = readInfer(bytes(value));
  return "refusal" in read ? [read.refusal.code, read.refusal.param] : "read";
};

describe("a tensor", () => {
  const values: Readonly<Record<Datatype, fc.Arbitrary<string | number | boolean>>> = {
    BOOL: fc.boolean(),
    UINT8: fc.integer({ min: 0, max: 255 }),
    UINT16: fc.integer({ min: 0, max: 65_535 }),
    UINT32: fc.integer({ min: 0, max: 4_294_967_295 }),
    UINT64: fc.maxSafeNat(),
    INT8: fc.integer({ min: -128, max: 127 }),
    INT16: fc.integer({ min: -32_768, max: 32_767 }),
    INT32: fc.integer(),
    INT64: fc.maxSafeInteger(),
    FP16: fc.double({ min: -65_504, max: 65_504, noNaN: true }),
    FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
    FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
    BYTES: fc.string(),
  };
  const any = fc.constantFrom(...(Object.keys(values) as Datatype[])).chain((datatype) =>
    fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }).chain((shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return fc.array(values[datatype], { minLength: size, maxLength: size }).map((data) => ({ name: "x", datatype, shape, data }));
    }),
  );
  const nested = (data: readonly unknown[], [first = 1, ...rest]: readonly number[]): readonly unknown[] =>
    rest.length === 0 ? data : Array.from({ length: first }, (_, at) => nested(data.slice((at * data.length) / first, ((at + 1) * data.length) / first), rest));

  test("is read as it came, flat or nested as its shape says", () => {
    fc.assert(
      fc.property(any, (one) => {
        expect(readTensor(one, "inputs[0]")).toEqual({ value: one });
        const deep = { ...one, data: nested(one.data, one.shape) };
        expect(readTensor(deep, "inputs[0]")).toEqual({ value: deep });
      }),
      { numRuns: 300 },
    );
  });

  test("with one element too few or too many is refused", () => {
    fc.assert(
      fc.property(any, (one) => {
        for (const data of [one.data.slice(1), [...one.data, ...one.data.slice(0, 1)]]) expect(readTensor({ ...one, data }, "t")).toMatchObject({ wrong: { code: "tensor_invalid", param: "t.data" } });
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ["of ragged data", { data: [[1, 2, 3], [4]] }],
    ["nested in some places only", { data: [[1, 2], 3, 4] }],
    ["nested the other way round", { shape: [1, 4], data: [[1], [2], [3], [4]] }],
    ["of another datatype", { data: [1, 2, 3, "4"] }],
    ["of a datatype that nobody knows", { datatype: "FLOAT" }],
    ["of a datatype without a JSON form", { datatype: "BF16" }],
    ["of a number beyond its datatype", { datatype: "UINT8", data: [1, 2, 3, 256] }],
    ["of a fraction where whole numbers stand", { datatype: "INT32", data: [1, 2, 3, 4.5] }],
    ["of a number that JSON does not carry exactly", { datatype: "INT64", data: [1, 2, 3, 2 ** 53] }],
    ["of a number that becomes infinite", { data: [1, 2, 3, 1e39] }],
    ["of a negative shape", { shape: [-2, -2] }],
    ["of a shape that overflows", { shape: [2 ** 30, 2 ** 30] }],
    ["of too many dimensions", { shape: Array.from({ length: 17 }, () => 1), data: [1] }],
    ["without data", { data: undefined }],
  ])("%s is refused", (_, change) => {
    expect(refused({ inputs: [tensor(change)] })).toEqual(["tensor_invalid", expect.stringMatching(/^inputs\[0\]\.(data|shape|datatype)$/u)]);
  });
});

describe("a request", () => {
  test("that is no JSON, too deep or holds half a surrogate pair is refused", () => {
    expect(refused("{")).toEqual(["request_unreadable", null]);
    expect(refused("{\"inputs\":[{\"name\":\"x\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[NaN]}]}")).toEqual(["request_unreadable", null]);
    expect(refused({ inputs: [tensor({ datatype: "BYTES", shape: [1], data: ["\ud800"] })] })).toEqual(["request_unreadable", null]);
    expect(refused(`${"[".repeat(100)}${"]".repeat(100)}`)).toEqual(["request_unreadable", null]);
    expect(refused([])).toEqual(["request_unreadable", ""]);
  });

  test("with a member that nobody checks is refused by its name", () => {
    expect(refused(request({ model_name: "y" }))).toEqual(["field_unsupported", "model_name"]);
    expect(refused({ inputs: [tensor({ contents: {} })] })).toEqual(["field_unsupported", "inputs[0].contents"]);
    expect(refused(request({ outputs: [{ name: "y", x: 1 }] }))).toEqual(["field_unsupported", "outputs[0].x"]);
  });

  test("that moves tensors past the JSON is refused with a code of its own", () => {
    expect(refused({ inputs: [{ name: "x", shape: [1], datatype: "FP32", parameters: { binary_data_size: 4 } }] })).toEqual(["binary_data_unsupported", "inputs[0].parameters.binary_data_size"]);
    expect(refused(request({ outputs: [{ name: "y", parameters: { binary_data: true } }] }))).toEqual(["binary_data_unsupported", "outputs[0].parameters.binary_data"]);
    expect(refused(request({ parameters: { binary_data_output: true } }))).toEqual(["binary_data_unsupported", "parameters.binary_data_output"]);
    expect(refused({ inputs: [tensor({ parameters: { shared_memory_region: "r" } })] })).toEqual(["binary_data_unsupported", "inputs[0].parameters.shared_memory_region"]);
  });

  test("names each input once, at least one and no more than the bound", () => {
    expect(refused({ inputs: [] })).toEqual(["request_unreadable", "inputs"]);
    expect(refused({ inputs: [tensor(), tensor()] })).toEqual(["request_unreadable", "inputs[1].name"]);
    expect(refused({ inputs: Array.from({ length: 257 }, (_, at) => tensor({ name: `x${at}` })) })).toEqual(["request_unreadable", "inputs"]);
  });

  test("needs a permission for every parameter that is not the protocol's own", () => {
    const read = readInfer(bytes(request({ parameters: { timeout: 5, temperature: 1 }, inputs: [tensor({ parameters: { content_type: "np", top_k: 3 } })] })));
    expect("request" in read && neededPermissions(read.request).map(({ permission }) => permission)).toEqual(["parameter:temperature", "parameter:top_k"]);
  });

  test("whatever the bytes are, is read or refused, and never throws", () => {
    fc.assert(fc.property(fc.oneof(fc.uint8Array().map((each) => Buffer.from(each)), fc.json().map((text) => Buffer.from(text)), fc.json().map((text) => bytes(`{"inputs":[${text}]}`))), (body) => {
      const read = readInfer(body);
      expect("refusal" in read || "request" in read).toBe(true);
      readAnswer(body);
    }), { numRuns: 300 });
  });
});

test("an answer is read only where its tensors fit; what the protocol does not name is left out", () => {
  const answer = { model_name: "m", model_version: "1", outputs: [tensor()], extra: { anything: 1 } };
  expect(readAnswer(bytes(answer))).toEqual({ modelName: "m", modelVersion: "1", outputs: [tensor()] });
  for (const bad of [{ ...answer, outputs: [tensor({ shape: [3] })] }, { ...answer, model_name: 1 }, { outputs: [] }, { ...answer, outputs: undefined }, { ...answer, parameters: { binary_data_size: 1 } }]) expect(readAnswer(bytes(bad))).toBeUndefined();
});

test("paths are the protocol's core and nothing else", () => {
  const kind = (method: string, path: string) => oipRoute({ method, path })?.kind;
  expect([kind("GET", "/oip/v2"), kind("GET", "/oip/v2/health/live"), kind("GET", "/oip/v2/health/ready"), kind("GET", "/oip/v2/models/m"), kind("GET", "/oip/v2/models/m/versions/2"), kind("GET", "/oip/v2/models/m/ready"), kind("POST", "/oip/v2/models/m/infer"), kind("POST", "/oip/v2/models/m/versions/2/infer")]).toEqual(["server", "live", "ready", "metadata", "metadata", "model-ready", "infer", "infer"]);
  expect(oipRoute({ method: "POST", path: "/oip/v2/models/a%2Fb/infer" })).toMatchObject({ model: "a/b" });
  for (const [method, path] of [["POST", "/oip/v2/repository/index"], ["POST", "/oip/v2/models/m/generate"], ["POST", "/oip/v2/models/m/unload"], ["GET", "/oip/v2/models/m/infer"], ["PUT", "/oip/v2/models/m/infer"], ["POST", "/oip/v2/models/m/infer/"], ["POST", "/oip/v2/models/%ff/infer"], ["GET", "/oip/v2/models/m/stats"], ["POST", "/oip/v3/models/m/infer"]] as const) expect(kind(method, path)).toBeUndefined();
});
