import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { peerRuntime } from "./check-peer.ts";

function folderWith(...names: readonly string[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), "licet-runtime-"));
  for (const name of names) {
    const home = path.join(folder, "node_modules", name);
    mkdirSync(home, { recursive: true });
    writeFileSync(path.join(home, "package.json"), JSON.stringify({ name, version: "1.22.0", main: "index.js" }));
    writeFileSync(path.join(home, "index.js"), "throw new Error('is not loaded to be found');");
  }
  return folder;
}

test("ONNX Runtime is found in the folder that is named, WebAssembly before native code, and not loaded", () => {
  expect(peerRuntime(folderWith("onnxruntime-node"))).toMatchObject({ name: "onnxruntime-node", version: "1.22.0" });
  expect(peerRuntime(folderWith("onnxruntime-node", "onnxruntime-web"))).toMatchObject({ name: "onnxruntime-web", module: expect.stringContaining("index.js") });
});

test("a folder without it is an error that says what to do, and `none` asks for none", () => {
  expect(() => peerRuntime(folderWith("other"))).toThrow(expect.objectContaining({ code: "file_unreadable", message: expect.stringContaining("npm install onnxruntime-web") }));
  expect(peerRuntime("none")).toBeUndefined();
});
