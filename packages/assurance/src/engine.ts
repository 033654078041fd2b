import { createHash } from "node:crypto";
import { catalogue } from "./checks/catalogue.ts";
import { operatorNames } from "./onnx/operators.ts";

const version = "0.1.0";

/**
 * Who computed a result. `digest` is over the engine's version, its checks with their versions and its operators:
 * it names the definition of the calculus, not the bytes of a build.
 */
export const engine = {
  name: "@licet/assurance",
  version,
  digest: `sha256:${createHash("sha256").update(JSON.stringify([version, catalogue.map((each) => [each.check, each.version]), operatorNames])).digest("hex")}`,
} as const;
