import { LicetError } from "@licet/contract";
import { quoted } from "../inventory/diagnostic.ts";
import { suggest } from "../inventory/suggest.ts";
import type { Bundle, BundlePack, BundlePolicy } from "../policy/bundle-form.ts";
import { list } from "../policy/decide.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { policiesFrom, type PoliciesOptions } from "./policy-folder.ts";
import { columns, painted, type Terminal } from "./terminal.ts";

interface ListOptions extends PoliciesOptions {
  readonly pack?: string;
  readonly json?: boolean;
}

export async function runPolicyList(options: ListOptions, terminal: Terminal): Promise<ExitCode> {
  const { bundle, digest } = await policiesFrom(options);
  const packs = bundle.packs.filter(({ name }) => options.pack === undefined || name === options.pack);
  if (packs.length === 0) throw unknown("pack", options.pack ?? "", bundle.packs.map(({ name }) => name));
  if (options.json === true) terminal.out(JSON.stringify({ digest, packs: packs.map((pack) => ({ ...pack, policies: policiesOf(bundle, pack).map(summary) })) }, null, 2));
  else terminal.out([...packs.map((pack) => packText(bundle, pack, terminal)), ...(digest === null ? [] : [`bundle ${digest}`])].join("\n\n"));
  return exitCodes.fine;
}

function policiesOf(bundle: Bundle, pack: BundlePack): readonly BundlePolicy[] {
  return bundle.policies.filter((policy) => policy.pack === pack.name);
}

function summary({ id, effect, mode, annotations }: BundlePolicy): object {
  return { id, effect, mode, title: titleOf(annotations) ?? null };
}

/** At run time a requirement is a code, and its title says what it is. */
function titleOf({ title, requirement }: BundlePolicy["annotations"]): string | undefined {
  return title ?? requirement;
}

function packText(bundle: Bundle, pack: BundlePack, terminal: Terminal): string {
  const policies = policiesOf(bundle, pack);
  const systems = pack.systems === undefined ? "" : `, for ${pack.systems.join(", ")}`;
  const head = `${painted(terminal, "bold", pack.name)}: ${pack.title}  (${pack.kind}${systems}; ${pack.covered.length} of ${policies.length} covered by ${pack.scenarios} scenarios)`;
  const rows = policies.map(({ id, effect, mode, annotations }) => [`  ${id}`, mode === "enforce" ? effect : `${effect}, ${mode}`, titleOf(annotations) ?? ""]);
  return rows.length === 0 ? head : `${head}\n${columns(rows)}`;
}

interface ShowOptions extends PoliciesOptions {
  readonly id: string;
  readonly json?: boolean;
}

export async function runPolicyShow(options: ShowOptions, terminal: Terminal): Promise<ExitCode> {
  const { bundle } = await policiesFrom(options);
  const policy = bundle.policies.find(({ id }) => id === options.id);
  const pack = bundle.packs.find(({ name }) => name === (policy?.pack ?? options.id));
  if (pack === undefined) throw unknown("policy or pack", options.id, [...bundle.policies.map(({ id }) => id), ...bundle.packs.map(({ name }) => name)]);
  if (policy === undefined) terminal.out(options.json === true ? JSON.stringify({ ...pack, policies: policiesOf(bundle, pack).map(summary) }, null, 2) : `${packText(bundle, pack, terminal)}\n\n${pack.description}`);
  else terminal.out(options.json === true ? JSON.stringify({ ...policy, pack: pack.name, covered: pack.covered.includes(policy.id) }, null, 2) : policyText(policy, pack, terminal));
  return exitCodes.fine;
}

function policyText(policy: BundlePolicy, pack: BundlePack, terminal: Terminal): string {
  const { requirement, title, remedy, turn, control, severity } = policy.annotations;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["requirement", requirement],
    ["title", title],
    ["remedy", remedy],
    ["turn", turn],
    ["controls", control === undefined ? undefined : list(control).join(", ")],
    ["severity", severity],
    ["mode", policy.mode],
    ["pack", `${pack.name}: ${pack.title} (${pack.kind}${pack.systems === undefined ? "" : `, for ${pack.systems.join(", ")}`})`],
    ["tested", pack.covered.includes(policy.id) ? "scenarios determine it" : "no scenario determines it"],
  ];
  const facts = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return `${painted(terminal, "bold", policy.id)}\n${columns(facts)}\n\n${policy.text}`;
}

function unknown(what: string, name: string, known: readonly string[]): LicetError {
  const meant = suggest(name, known);
  return new LicetError("policy_unknown", { message: `there is no ${what} ${quoted(name)}${meant === undefined ? "" : `; did you mean ${quoted(meant)}?`}` });
}
