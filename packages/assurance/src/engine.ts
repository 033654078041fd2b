import { createHash } from "node:crypto";
import { operatorNames } from "./onnx/operators.ts";

/** Version of each check's definition: raised whenever the same counts could lead to another verdict. */
export const checkVersions = {
  "data.schema": "1",
  "data.missing": "1",
  "perf.metric": "1",
  "fair.opportunity": "1",
  "fair.parity": "1",
  "fair.odds": "1",
} as const;

const version = "0.1.0";

/**
 * Who computed a result. `digest` is over the engine's version, its checks with their versions and its operators:
 * it names the definition of the calculus, not the bytes of a build.
 */
export const engine = {
  name: "@licet/assurance",
  version,
  digest: `sha256:${createHash("sha256").update(JSON.stringify([version, Object.entries(checkVersions), operatorNames])).digest("hex")}`,
} as const;
