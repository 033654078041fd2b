import { dirname, join } from "node:path";
import { errorInfo, LicetError, type ErrorCode, type PackSource } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import { diagnostic, hasErrors, inOrder, quoted, type Diagnostic } from "../inventory/diagnostic.ts";
import { sourceText } from "../inventory/source-text.ts";
import type { BuiltinSource } from "./builtin.ts";
import { composeInWorker } from "./compile.ts";
import type { Composed } from "./compose.ts";
import type { Bundle } from "./bundle-form.ts";
import { createDecider } from "./decide.ts";
import { capProblem, cedarDiagnostic, fileOf, filesOf, type PolicyFile } from "./pack-cedar.ts";
import { packFileName, type OpenedPacks } from "./pack-folder.ts";
import { runPackJob } from "./pack-job.ts";
import { openScenarios, runScenarios, scenarioDiagnostic, type Scenario } from "./scenario.ts";

export interface CheckedPacks {
  readonly diagnostics: readonly Diagnostic[];
  /** Of all packs of the folder, in the order of their files; none of a file that is wrong. */
  readonly scenarios: readonly Scenario[];
  /** Present exactly when no diagnostic is an error: the installation's packs and these. */
  readonly bundle?: Bundle;
  /** Present when nothing is wrong but what scenarios expect: what they can be run against. */
  readonly testable?: Bundle;
}

/**
 * What a folder is checked with: the installation's schema and packs, and their bundle. Where the packs of `source` come
 * without their scenarios, that is quicker by seconds: decisions are the same, and the bundle's digest is nobody else's.
 */
export interface CheckOptions {
  readonly source: BuiltinSource;
  readonly builtin: Bundle;
}

/** A policy of the folder, and where its text stands. */
interface PlacedPolicy {
  readonly id: string | null;
  readonly pack: string;
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** Everything that is wrong with the packs of a folder, each at its place. The texts are hostile; nothing is thrown for them. */
export async function checkPacks(opened: OpenedPacks, options: CheckOptions): Promise<CheckedPacks> {
  const tests = opened.packs.flatMap((pack) => pack.scenarios.map(({ path, text }) => openScenarios({ file: fileOf(opened, pack, path), text })));
  const scenarios = tests.flatMap((each) => each.scenarios);
  const before = [...opened.diagnostics, ...tests.flatMap((each) => each.diagnostics)];
  const examined = await examineAll(opened, options);
  const found = [...before, ...examined.diagnostics];
  if (hasErrors(found)) return { diagnostics: sorted(found), scenarios };
  // A pack that is not enabled decides nothing yet; it must be sound all the same.
  const all = opened.packs.map((pack) => ({ ...pack, manifest: { ...pack.manifest, enabled: true } }));
  const compiled = await compiledOf(all, options);
  if (compiled.kind === "composed") {
    const warnings = compiled.warnings.map((each) => placeOf(compilerFinding({ ...each }, new LicetError("policy_invalid")), opened, examined.policies));
    return { diagnostics: sorted([...found, ...warnings]), scenarios, bundle: await enabledBundle(opened.packs, compiled.bundle, options), testable: compiled.bundle };
  }
  const failed = compiled.error.code === "scenario_failed" ? await failedScenarios(all, scenarios, options) : undefined;
  if (failed !== undefined) return { diagnostics: sorted([...found, ...failed.diagnostics]), scenarios, testable: failed.testable };
  return { diagnostics: sorted([...found, ...compilerFindings(compiled.error).map((each) => placeOf(each, opened, examined.policies))]), scenarios };
}

/** The bundle that publishing would make, which leaves out what is not enabled. */
async function enabledBundle(packs: readonly PackSource[], all: Bundle, { source, builtin }: CheckOptions): Promise<Bundle> {
  return packs.some(({ manifest }) => manifest.enabled === false) ? (await composeInWorker({ ...source, packs }, { known: builtin })).bundle : all;
}

type Compiled = ({ readonly kind: "composed" } & Composed) | { readonly kind: "refused"; readonly error: LicetError };

async function compiledOf(packs: readonly PackSource[], { source, builtin }: CheckOptions): Promise<Compiled> {
  try {
    return { kind: "composed", ...(await composeInWorker({ ...source, packs }, { known: builtin })) };
  } catch (error) {
    if (!(error instanceof LicetError)) throw error;
    return { kind: "refused", error };
  }
}

interface Failed {
  readonly testable: Bundle;
  readonly diagnostics: readonly Diagnostic[];
}

/** The compiler names the first that failed; here all are run, each at its place. Nothing when the failures are not the folder's. */
async function failedScenarios(packs: readonly PackSource[], scenarios: readonly Scenario[], options: CheckOptions): Promise<Failed | undefined> {
  const bare = await compiledOf(withoutScenarios(packs), { ...options, source: { ...options.source, builtin: withoutScenarios(options.source.builtin) } });
  if (bare.kind !== "composed") return undefined;
  const failed = runScenarios(createDecider(bare.bundle), scenarios).filter(({ differences }) => differences.length > 0);
  return failed.length === 0 ? undefined : { testable: bare.bundle, diagnostics: failed.map(scenarioDiagnostic) };
}

export function withoutScenarios(packs: readonly PackSource[]): readonly PackSource[] {
  return packs.map((pack) => ({ ...pack, scenarios: [] }));
}

/** By file, then by place. */
function sorted(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))];
  return files.flatMap((file) => inOrder(diagnostics.filter((each) => each.file === file)));
}

interface Placed {
  readonly diagnostics: readonly Diagnostic[];
  readonly policies: readonly PlacedPolicy[];
}

async function examineAll(opened: OpenedPacks, { builtin }: CheckOptions): Promise<Placed> {
  const all = filesOf(opened);
  const steep = all.flatMap(capProblem);
  const files = all.filter(({ file }) => !steep.some((each) => each.file === file));
  const results = [await examine(files.filter(({ pack }) => pack.schema === undefined), builtin.schema)];
  for (const pack of opened.packs) if (pack.schema !== undefined) results.push(await examineApplication(opened, { pack, files, builtin }));
  const policies = results.flatMap((each) => each.policies);
  return { diagnostics: [...steep, ...results.flatMap((each) => each.diagnostics), ...idProblems(policies, { builtin, files })], policies };
}

interface Application {
  readonly pack: PackSource;
  readonly files: readonly PolicyFile[];
  readonly builtin: CheckOptions["builtin"];
}

/** An application's schema may name Licet's types, so both are read together. */
async function examineApplication(opened: OpenedPacks, { pack, files, builtin }: Application): Promise<Placed> {
  const schema = pack.schema ?? "";
  const file = [...opened.texts.keys()].find((each) => dirname(each) === opened.folders.get(pack.name) && each.endsWith(".cedarschema")) ?? fileOf(opened, pack, packFileName);
  const steep = capProblem({ file, text: schema });
  if (steep.length > 0) return { diagnostics: steep, policies: [] };
  const whole = `${builtin.schema}\n\n${schema}`;
  const before = whole.length - schema.length;
  const [answer] = await runPackJob({ kind: "schema", text: whole });
  const wrong = (answer?.findings ?? []).map(({ start, end, ...said }) => cedarDiagnostic({ ...said, start: Math.max(0, start - before), end: Math.max(1, end - before) }, { file, text: schema }));
  if (wrong.length > 0) return { diagnostics: wrong, policies: [] };
  return examine(files.filter((each) => each.pack === pack), whole);
}

async function examine(files: readonly PolicyFile[], schema: string): Promise<Placed> {
  if (files.length === 0) return { diagnostics: [], policies: [] };
  const answers = await runPackJob({ kind: "examine", schema, texts: files.map(({ text }) => text) });
  const together = files.map((each, index) => ({ ...each, answer: answers[index] }));
  return {
    diagnostics: together.flatMap(({ file, text, answer }) => (answer?.findings ?? []).map((finding) => cedarDiagnostic(finding, { file, text }))),
    policies: together.flatMap(({ file, pack, answer }) => (answer?.policies ?? []).map((policy) => ({ ...policy, file, pack: pack.name }))),
  };
}

interface IdContext {
  readonly builtin: CheckOptions["builtin"];
  readonly files: readonly PolicyFile[];
}

/** What is wrong with ids, at the policy that is wrong; the compiler refuses the same, without a place. */
function idProblems(policies: readonly PlacedPolicy[], { builtin, files }: IdContext): readonly Diagnostic[] {
  const known = new Map(builtin.policies.map(({ id }) => [id, "the installation"]));
  return policies.flatMap(({ id, pack, file, start, end }) => {
    const text = files.find((each) => each.file === file)?.text ?? "";
    const at = (message: string, fix?: string) => [diagnostic({ code: "policy_annotation", message, path: [], ...(fix === undefined ? {} : { fix }) }, idRange(text, { start, end }), { ...sourceText(text), file })];
    if (id === null || id === "") return at("the policy has no `@id`", `begin it with \`@id("${pack}.what-it-refuses")\``);
    const other = known.get(id);
    known.set(id, file);
    if (other !== undefined) return at(`the id ${quoted(id)} stands twice: also in ${quoted(other)}`, "give each policy its own id");
    return id.startsWith(`${pack}.`) ? [] : at(`the id ${quoted(id)} does not begin with the pack's name`, `write \`@id("${pack}.${id.replaceAll('"', "")}")\``);
  });
}

/** The annotation itself where it stands, else the policy's first characters. */
function idRange(text: string, { start, end }: { readonly start: number; readonly end: number }): readonly [number, number] {
  const found = /@id\s*\([^)]*\)/u.exec(text.slice(start, end));
  return found === null ? [start, Math.min(end, start + 60)] : [start + found.index, start + found.index + found[0].length];
}

interface CompilerFinding {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly fix: string;
  readonly policy?: string;
  readonly pack?: string;
  /** The expression that is wrong, as Cedar text. */
  readonly place?: string;
}

/** The compiler names policies; a failure without findings is one finding. */
function compilerFindings(error: LicetError): readonly CompilerFinding[] {
  const listed = Array.isArray(error.at["findings"]) ? error.at["findings"].filter(isRecord) : [];
  const found = listed.length > 0 ? listed : [{ ...error.at, message: error.message }];
  return found.map((each: Readonly<Record<string, unknown>>) => compilerFinding(each, error));
}

function compilerFinding(each: Readonly<Record<string, unknown>>, error: LicetError): CompilerFinding {
  const text = (name: string) => (typeof each[name] === "string" && each[name] !== "" ? each[name] : undefined);
  const [policy, pack, place] = [text("policy"), text("pack"), text("place")];
  return {
    code: error.code,
    severity: each["severity"] === "warning" ? "warning" : "error",
    message: text("message") ?? `${policy === undefined ? "the pack" : quoted(policy)}: ${text("why") ?? error.message}`,
    fix: text("fix") ?? errorInfo(error.code).fix,
    ...(policy === undefined ? {} : { policy }),
    ...(pack === undefined ? {} : { pack }),
    ...(place === undefined ? {} : { place }),
  };
}

function placeOf(finding: CompilerFinding, opened: OpenedPacks, policies: readonly PlacedPolicy[]): Diagnostic {
  const { code, severity, message, fix, policy, pack } = finding;
  const found = policies.find(({ id }) => id !== null && (policy === id || (policy === undefined && message.includes(`\`${id}\``))));
  const folder = opened.folders.get(pack ?? opened.packs.find(({ name }) => message.includes(`\`${name}\``))?.name ?? "");
  const file = found?.file ?? (folder === undefined ? opened.folder : join(folder, packFileName));
  const text = opened.texts.get(file) ?? "";
  const range = found === undefined ? ([0, 1] as const) : (expressionRange(text, found, finding.place) ?? idRange(text, found));
  return diagnostic({ code, severity, message: found === undefined && folder === undefined ? `with the installation's packs: ${message}` : message, fix, path: [] }, range, { ...sourceText(text), file });
}

/** The expression where it is written as the compiler prints it. */
function expressionRange(text: string, { start, end }: PlacedPolicy, place: string | undefined): readonly [number, number] | undefined {
  const at = place === undefined ? -1 : text.slice(start, end).indexOf(place);
  return place === undefined || at < 0 ? undefined : [start + at, start + at + place.length];
}
