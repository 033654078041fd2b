// What the tests import as "fast-check" (vitest.config.ts). Where LICET_PROPERTY_SEED is set, the properties of all
// files draw from it: CI judges a commit, so the same commit gets the same cases. Everywhere else each run draws anew.
import fc from "../../../node_modules/fast-check/lib/fast-check.js";

const seed = process.env["LICET_PROPERTY_SEED"];
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number.parseInt(seed, 10) });

// oxlint-disable-next-line import/no-default-export -- as the package itself has it
export default fc;
