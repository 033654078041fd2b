import { type Detector, startsWith } from "../container/detectors.ts";
import type { Layer } from "../layer.ts";
import type { ArtifactRule } from "../rules.ts";
import { isHdf5 } from "./hdf5-file.ts";
import { isCoreml, scanCoreml } from "./scan-coreml.ts";
import { scanGguf } from "./scan-gguf.ts";
import { scanHdf5 } from "./scan-hdf5.ts";
import { scanNpy } from "./scan-npy.ts";
import { isOnnx, scanOnnx } from "./scan-onnx.ts";
import { isSafetensors, scanSafetensors } from "./scan-safetensors.ts";
import { isGraphDef, isSavedModel, scanGraphDef, scanSavedModel } from "./scan-savedmodel.ts";
import { isTflite, scanTflite } from "./scan-tflite.ts";
import { isUbjson, scanUbjson } from "./scan-ubjson.ts";

function refused(format: string, rule: ArtifactRule, matches: Detector["matches"]): Detector {
  return {
    format,
    matches,
    scan: (layer: Layer) => {
      layer.report(rule, `the content is ${format}`, 0);
      layer.claimAll(format);
    },
  };
}

function isProgram(head: Uint8Array): boolean {
  const magic = Buffer.from(head.subarray(0, 4)).toString("hex");
  return ["7f454c46", "feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "0061736d", "6465780a"].includes(magic) || isWindowsProgram(head);
}

function isWindowsProgram(head: Uint8Array): boolean {
  if (!startsWith(head, "MZ") || head.length < 64) return false;
  const at = (head[60] ?? 0) + (head[61] ?? 0) * 256;
  return startsWith(head, "PE\0\0", at) || startsWith(head, "This program", 78);
}

/** Python's compiled modules: a version number, then carriage return and line feed. */
function isBytecode(head: Uint8Array): boolean {
  return head.length >= 16 && head[2] === 13 && head[3] === 10 && (head[1] ?? 0) >= 0x0b && (head[1] ?? 0) <= 0x10 && head.subarray(4, 8).every((byte) => byte <= 3);
}

/** Formats of models and arrays, and programs that have no place among them. */
export const binaryFormats: readonly Detector[] = [
  { format: "npy", matches: (head) => startsWith(head, "\u0093NUMPY"), scan: scanNpy },
  { format: "hdf5", matches: isHdf5, scan: scanHdf5 },
  { format: "gguf", matches: (head) => startsWith(head, "GGUF"), scan: scanGguf },
  { format: "safetensors", matches: isSafetensors, scan: scanSafetensors },
  { format: "tflite", matches: (_, source) => isTflite(source), scan: scanTflite },
  { format: "ubjson", matches: isUbjson, scan: scanUbjson },
  refused("a program", "native", isProgram),
  refused("compiled Python", "bytecode", isBytecode),
  refused("serialised Java objects", "java.object", (head) => startsWith(head, "\u00AC\u00ED\0\u0005")),
  { format: "onnx", matches: (_, source) => isOnnx(source), scan: scanOnnx },
  { format: "savedmodel", matches: (_, source) => isSavedModel(source), scan: scanSavedModel },
  { format: "coreml", matches: (_, source) => isCoreml(source), scan: scanCoreml },
  { format: "graphdef", matches: (_, source) => isGraphDef(source), scan: scanGraphDef },
];
