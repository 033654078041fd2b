import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { LicetError } from "@licet/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { json } from "../../../../test/unit/support/oip-model.ts";
import { oipSubject, type OipSubjectOptions } from "./oip-subject.ts";
import { packed, unpackedTail } from "./oip-tensors.ts";
import { rowsOf } from "./probe.ts";

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly head: { id: string; inputs: { name: string; datatype: string; shape: number[]; data?: unknown[]; parameters?: { binary_data_size: number } }[] };
  readonly tail: Buffer;
}

interface BinaryModel extends AsyncDisposable {
  readonly baseUrl: string;
  readonly asked: Asked[];
  datatype: string;
  answer: (asked: Asked, response: ServerResponse) => void;
}

const lengthHeader = "inference-header-content-length";

/** A server that takes and gives binary tensor data: the score is the row's first number. */
async function startBinaryModel(): Promise<BinaryModel> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method === "GET") return json(response, 200, { name: "m", versions: ["7"], inputs: [{ name: "x", datatype: model.datatype, shape: [-1, 2] }], outputs: [] });
      const body = Buffer.concat(chunks);
      const front = Number(request.headers[lengthHeader] ?? body.length);
      const asked = { headers: request.headers, head: JSON.parse(body.toString("utf8", 0, front)), tail: body.subarray(front) };
      model.asked.push(asked);
      return model.answer(asked, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const model: BinaryModel = {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`,
    asked: [],
    datatype: "FP32",
    answer: (asked, response) => binary(response, ...plain(asked)),
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
  return model;
}

function binary(response: ServerResponse, head: unknown, tail: Uint8Array, length?: string): void {
  const front = Buffer.from(JSON.stringify(head));
  response.writeHead(200, { "content-type": "application/octet-stream", [lengthHeader]: length ?? String(front.length) });
  response.end(Buffer.concat([front, tail]));
}

const scoresOf = ({ head, tail }: Asked) => Array.from({ length: head.inputs[0]?.shape[0] ?? 0 }, (_, row) => tail.readFloatLE(8 * row));
const headOf = ({ head }: Asked, output: object) => ({ id: head.id, model_name: "m", model_version: "7", outputs: [output] });
const plain = (asked: Asked): [object, Uint8Array] => {
  const scores = scoresOf(asked);
  return [headOf(asked, { name: "p", datatype: "FP64", shape: [scores.length, 1], parameters: { binary_data_size: 8 * scores.length } }), packed("FP64", scores) ?? Buffer.alloc(0)];
};

const bounds = { callMsMax: 20_000, attemptsMax: 3, batchRowsMax: 3, inFlightMax: 2, queriesMax: 100, model: "m", tensors: "binary" } as const;
const subjectOf = (model: BinaryModel, more: Partial<OipSubjectOptions> = {}) => oipSubject({ ...bounds, baseUrl: model.baseUrl, ...more });
const four = rowsOf(2, Float32Array.of(0.1, 1, 0.2, 2, 0.3, 3, Number.NaN, 4));

async function code(act: () => Promise<unknown>): Promise<string> {
  return act().then(() => "nothing was thrown", (error: unknown) => (error instanceof LicetError ? error.code : String(error)));
}

describe("binary tensor data", () => {
  test("numbers go and come as bytes, NaN too, and the header says where the JSON ends", async () => {
    await using model = await startBinaryModel();
    await using subject = await subjectOf(model);
    expect([...(await subject.scores(four)).scores]).toEqual([Math.fround(0.1), Math.fround(0.2), Math.fround(0.3), Number.NaN]);
    expect(model.asked[0]).toMatchObject({ headers: { "content-type": "application/octet-stream" }, head: { parameters: { binary_data_output: true }, inputs: [{ name: "x", datatype: "FP32", shape: [3, 2], parameters: { binary_data_size: 24 } }] } });
    expect(model.asked[0]?.head.inputs[0]?.data).toBeUndefined();
    await subject.settle();
  });

  test("a number that the datatype does not hold is never sent as another one: its batch goes as JSON", async () => {
    await using model = await startBinaryModel();
    model.datatype = "UINT8";
    model.answer = (asked, response) => json(response, 200, headOf(asked, { name: "p", datatype: "FP32", shape: [asked.head.inputs[0]?.shape[0]], data: Array.from({ length: asked.head.inputs[0]?.shape[0] ?? 0 }, () => 0.5) }));
    await using subject = await subjectOf(model, { batchRowsMax: 1 });
    await subject.scores(rowsOf(2, Float32Array.of(1, 255, -1, 3, 2, 256, 7, Number.NaN)));
    const seen = model.asked.map(({ head, tail }) => head.inputs[0]?.data ?? [...tail]);
    expect(seen.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([[-1, 3], [1, 255], [2, 256], [7, null]]);
  });

  test("where JSON is asked for, a tail is no answer", async () => {
    await using model = await startBinaryModel();
    model.answer = (asked, response) => binary(response, headOf(asked, { name: "p", datatype: "FP32", shape: [1], parameters: { binary_data_size: 4 } }), Buffer.alloc(4));
    await using subject = await subjectOf(model, { tensors: "json" });
    expect(await code(() => subject.scores(rowsOf(2, Float32Array.of(1, 2))))).toBe("subject_failed");
  });

  const output = (more: object) => ({ name: "p", datatype: "FP32", shape: [1, 1], parameters: { binary_data_size: 4 }, ...more });
  const lies: readonly (readonly [name: string, output: object, bytes: number, length?: string])[] = [
    ["a header longer than the answer", output({}), 4, "99999"],
    ["a header that is no number", output({}), 4, "-1"],
    ["a header that cuts the JSON", output({}), 4, "10"],
    ["a header of nothing", output({}), 4, "0"],
    ["fewer bytes than it says", output({}), 3],
    ["more bytes than it says", output({}), 5],
    ["a size that is not that of its shape", output({ parameters: { binary_data_size: 8 } }), 8],
    ["a shape beyond all memory", output({ shape: [1, 1e15] }), 4],
    ["a size beyond all memory", output({ parameters: { binary_data_size: 9e15 } }), 4],
    ["a negative size", output({ parameters: { binary_data_size: -4 } }), 4],
    ["half a number", output({ parameters: { binary_data_size: 3 } }), 3],
    ["data twice", output({ data: [1] }), 4],
    ["no data", output({ parameters: {} }), 0],
    ["a datatype that nobody knows", output({ datatype: "FP999" }), 4],
    ["another number of rows", output({ shape: [2, 1], parameters: { binary_data_size: 8 } }), 8],
  ];

  test.each(lies.map(([name, given, bytes, length]) => ({ name, given, bytes, length })))("$name is a failure of the system, never a score", async ({ given, bytes, length }) => {
    await using model = await startBinaryModel();
    model.answer = (asked, response) => binary(response, headOf(asked, given), Buffer.alloc(bytes, 0x3f), length);
    await using subject = await subjectOf(model);
    expect(await code(() => subject.scores(rowsOf(2, Float32Array.of(1, 2))))).toBe("subject_failed");
  });

  test("texts are no scores", async () => {
    await using model = await startBinaryModel();
    model.answer = (asked, response) => binary(response, headOf(asked, output({ datatype: "BYTES", shape: [1], parameters: { binary_data_size: 6 } })), Buffer.from([2, 0, 0, 0, 0x61, 0x62]));
    await using subject = await subjectOf(model, { output: "p" });
    expect([...(await subject.scores(rowsOf(2, Float32Array.of(1, 2)))).scores]).toEqual([Number.NaN]);
    model.answer = (asked, response) => binary(response, headOf(asked, output({ datatype: "BYTES", shape: [1], parameters: { binary_data_size: 6 } })), Buffer.from([255, 255, 255, 255, 0x61, 0x62]));
    expect(await code(() => subject.scores(rowsOf(2, Float32Array.of(1, 2))))).toBe("subject_failed");
  });

  test("every datatype gives back what it holds, to the last bit, and holds nothing else", () => {
    const exact: Record<string, fc.Arbitrary<number>> = {
      BOOL: fc.constantFrom(0, 1), UINT8: fc.nat(255), UINT16: fc.nat(65_535), UINT32: fc.nat(2 ** 31), UINT64: fc.maxSafeNat(),
      INT8: fc.integer({ min: -128, max: 127 }), INT16: fc.integer({ min: -32_768, max: 32_767 }), INT32: fc.integer(), INT64: fc.maxSafeInteger(),
      FP32: fc.float(), FP64: fc.double(), FP16: fc.constantFrom(0, -0.5, 65_504, 1, Number.NaN, Infinity), BF16: fc.constantFrom(0, -0.5, 2 ** 100, 1, Number.NaN, -Infinity),
    };
    for (const [datatype, values] of Object.entries(exact)) {
      fc.assert(
        fc.property(fc.array(values, { maxLength: 5 }), (given) => {
          const bytes = packed(datatype, given) ?? new Uint8Array(1);
          const back = unpackedTail([{ name: "t", datatype, shape: [given.length], bytes: bytes.length }], bytes).get("t");
          expect([...(back ?? [])].map((value) => value + 0)).toEqual(given.map((value) => value + 0));
        }),
        { numRuns: 20 },
      );
    }
    expect([packed("UINT8", [-1]), packed("INT8", [128]), packed("INT32", [0.5]), packed("INT64", [2 ** 63]), packed("INT64", [Number.NaN]), packed("FP16", [1e5]), packed("BF16", [3.4e38 * 1.001]), packed("BYTES", [1])]).toEqual(Array.from({ length: 8 }, () => undefined));
    // Halves go to the even neighbour: 1 + 2^-8 lies between 1 and 1 + 2^-7.
    expect([...(packed("BF16", [1 + 2 ** -8, 1 + 3 * 2 ** -8]) ?? [])]).toEqual([0x80, 0x3f, 0x82, 0x3f]);
  });
});
