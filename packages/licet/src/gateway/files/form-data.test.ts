import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readForm, type FormPart } from "./form-data.ts";

const name = fc.string({ unit: fc.constantFrom("a", "b", "[", "]", "_", ".", " ", ";", "=", "é", "%"), minLength: 1, maxLength: 12 });
const content = fc.uint8Array({ maxLength: 200 });
const part = fc.record({ name, filename: fc.option(name, { nil: undefined }), bytes: content });

const plain = (parts: readonly FormPart[] | undefined) => parts?.map((each) => ({ name: each.name, filename: each.filename, bytes: Buffer.from(each.bytes).toString("base64") }));

/** As the official client's runtime writes forms. */
async function written(parts: readonly FormPart[]): Promise<{ readonly bytes: Uint8Array; readonly type: string }> {
  const form = new FormData();
  for (const { name: key, filename, bytes } of parts) form.append(key, new File([Buffer.from(bytes)], filename ?? "blob"), filename ?? "blob");
  const response = new Response(form);
  return { bytes: new Uint8Array(await response.arrayBuffer()), type: response.headers.get("content-type") ?? "" };
}

test("a form that a client wrote is read as the client's own runtime reads it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
      const { bytes, type } = await written(parts);
      const read = readForm(bytes, type);
      const theirs = await new Response(Buffer.from(bytes), { headers: { "content-type": type } }).formData().catch(() => undefined);
      const files = await Promise.all([...(theirs ?? new FormData())].map(async ([key, value]) => ({ name: key, filename: value instanceof File ? value.name : undefined, bytes: value instanceof File ? Buffer.from(await value.arrayBuffer()).toString("base64") : "" })));
      expect(plain(read)).toEqual(files);
    }),
    { numRuns: 150 },
  );
});

test("a form that was damaged anywhere is read as what stands there, or not at all", () => {
  const whole = '--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n';
  const piece = fc.constantFrom("", "--x", "\r\n", "--", "\r\n\r\n", "\r\n--x", '; filename="b"', '"', "\n", "\u0000");
  fc.assert(
    fc.property(fc.nat(whole.length), fc.nat(8), piece, (at, cut, more) => {
      const body = whole.slice(0, at) + more + whole.slice(at + cut);
      const read = readForm(Buffer.from(body), "multipart/form-data; boundary=x") ?? [];
      const said = read.map(({ name: key, filename, bytes }) => `name="${key}"${filename === undefined ? "" : `; filename="${filename}"`}\r\n\r\n${Buffer.from(bytes).toString("utf8")}\r\n--x`);
      expect(said.filter((each) => !body.includes(each))).toEqual([]);
      expect(read.length).toBeLessThanOrEqual(body.split("--x").length - 1);
    }),
    { numRuns: 1000 },
  );
});

describe("a form is refused that could be read in two ways", () => {
  const type = "multipart/form-data; boundary=x";
  const one = (head: string, rest = "hello") => `--x\r\n${head}\r\n\r\n${rest}\r\n--x--\r\n`;
  const good = 'content-disposition: form-data; name="file"; filename="a.txt"';

  test("but not a plain one", () => {
    expect(plain(readForm(Buffer.from(one(good)), type))).toEqual([{ name: "file", filename: "a.txt", bytes: Buffer.from("hello").toString("base64") }]);
    expect(readForm(Buffer.from(one(`Content-Type: text/plain\r\n${good}`)), 'multipart/form-data; boundary="x"')).toHaveLength(1);
    expect(readForm(Buffer.from("--x--\r\n"), type)).toEqual([]);
  });

  test.each([
    ["words before the first boundary", `hello\r\n${one(good)}`, type],
    ["words after the last", `${one(good)}more`, type],
    ["no end", one(good).replace("--x--\r\n", ""), type],
    ["another encoding", one(`${good}\r\ncontent-transfer-encoding: base64`), type],
    ["two dispositions", one(`${good}\r\ncontent-disposition: form-data; name="other"`), type],
    ["a name in another writing", one(`${good}; filename*=UTF-8''b.txt`), type],
    ["a header on two lines", one(`content-disposition: form-data;\r\n name="file"`), type],
    ["lines that end in one character", one(good).replaceAll("\r\n", "\n"), type],
    ["a name that is not UTF-8", Buffer.concat([Buffer.from('--x\r\ncontent-disposition: form-data; name="'), Buffer.from([0xff]), Buffer.from('"\r\n\r\nhello\r\n--x--\r\n')]), type],
    ["no boundary", one(good), "multipart/form-data"],
    ["two boundaries", one(good), "multipart/form-data; boundary=x; boundary=y"],
    ["more parts than anybody needs", `${"--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(17)}--x--`, type],
  ])("%s", (_, body, contentType) => {
    expect(readForm(Buffer.from(body), contentType)).toBeUndefined();
  });
});
