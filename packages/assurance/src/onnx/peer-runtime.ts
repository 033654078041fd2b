import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { parseJson } from "@licet/evidence";
import { z } from "zod";

/** ONNX Runtime as whoever runs the checks has installed it. Plain data, so that it can go to a thread or a process. */
export interface PeerRuntime {
  readonly name: "onnxruntime-web" | "onnxruntime-node";
  readonly version: string;
  /** File that is imported. */
  readonly module: string;
}

/** WebAssembly first: what runs in it reaches no further than its own memory, and native code does. */
const names = ["onnxruntime-web", "onnxruntime-node"] as const;

const Package = z.object({ name: z.string(), version: z.string().min(1).max(100) });

/**
 * The ONNX Runtime that is installed beside Licet, or in `folder`; undefined where there is none. Nothing of it is
 * loaded here. `none` for `folder` looks for nothing.
 */
export function findPeerRuntime(folder?: string): PeerRuntime | undefined {
  if (folder === "none") return undefined;
  const require = createRequire(folder === undefined ? import.meta.url : path.join(path.resolve(folder), "package.json"));
  for (const name of names) {
    try {
      const module = require.resolve(name);
      const version = versionOf(name, module);
      if (version !== undefined) return { name, version, module };
    } catch {
      // It is not installed: the next one may be.
    }
  }
  return undefined;
}

/** Its package.json need not be exported: it is looked for above the file. */
function versionOf(name: string, module: string): string | undefined {
  for (let folder = path.dirname(module); path.dirname(folder) !== folder; folder = path.dirname(folder)) {
    const found = packageIn(folder);
    if (found?.name === name) return found.version;
  }
  return undefined;
}

function packageIn(folder: string): z.infer<typeof Package> | undefined {
  try {
    return Package.safeParse(parseJson(readFileSync(path.join(folder, "package.json"), "utf8"))).data;
  } catch {
    return undefined;
  }
}
