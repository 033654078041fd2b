/** Writes docs/errors.md from the registry: node --conditions=source scripts/docs-errors.ts */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorsPage } from "./docs/errors.ts";

writeFileSync(join(import.meta.dirname, "..", "docs", "errors.md"), errorsPage());
