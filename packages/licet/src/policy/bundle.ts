/** What the rest of the product needs of bundles. */
export { builtinBundle } from "./builtin.ts";
export { bundleJson, readBundle } from "./bundle-read.ts";
export type { Bundle, BundlePack, BundlePolicy, GoldenDecision, PackKind, PolicyMode } from "./bundle-form.ts";
export { compileBundle, composePacks } from "./compile.ts";
