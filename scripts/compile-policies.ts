/** Part of the build: parses and validates the built-in policies once, so that no start of the product does. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { precompiledBuiltin } from "../packages/licet/src/policy/builtin.ts";

writeFileSync(fileURLToPath(new URL("../packages/licet/dist/policies.json", import.meta.url)), JSON.stringify(precompiledBuiltin()));
