import { findPeerRuntime, type PeerRuntime } from "@licet/assurance";
import { LicetError } from "../base/errors.ts";

const variable = "LICET_ONNX_RUNTIME";

/**
 * ONNX Runtime, where it is installed beside licet or in the folder that the environment names; `none` there asks for no
 * other interpreter. Throws `file_unreadable` when a folder is named that does not have it: nobody shall believe that
 * two interpreters were compared.
 */
export function peerRuntime(folder = process.env[variable] || undefined): PeerRuntime | undefined {
  const found = findPeerRuntime(folder);
  if (found !== undefined || folder === undefined || folder === "none") return found;
  throw new LicetError("file_unreadable", { message: `${variable} names \`${folder}\`, and no ONNX Runtime is installed there: run \`npm install onnxruntime-web\` in it, or leave the variable away` });
}
