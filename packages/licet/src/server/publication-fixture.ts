import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PackManifest } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import { openWorld, cookies, fresh, type Caller, type World, type WorldOptions } from "../ato/world-fixture.ts";
import { needRequest, moveAnswer, requestView } from "../oversight/view.ts";
import { policiesFolder } from "../policy/builtin.ts";
import { packOf } from "../policy/bundle-fixture.ts";
import type { Bundle } from "../policy/bundle-form.ts";
import { backtests, type Backtests } from "../policy/backtest.ts";
import { composeBundle, type Composed } from "../policy/compose.ts";
import type { PackSource } from "../policy/pack.ts";
import type { Compile, PublicationDeps } from "../policy/publication.ts";
// oxlint-disable-next-line no-restricted-imports -- this fixture mounts the routes as compose.ts does
import { policyRoutes } from "../policy/routes.ts";
import { standing, type Standing } from "../policy/standing.ts";
import { workloadRequest } from "../policy/request-fixture.ts";

/** An installation with one pack of its own, which permits every call: quick to compile, and easy to tighten. */
const schema = readFileSync(join(policiesFolder(), "licet.cedarschema"), "utf8");

export function builtinPack(name = "runtime"): PackSource {
  const permit = `@id("runtime.call")\n@title("a call that nothing forbids")\npermit (principal is Licet::Workload, action in [Licet::Action::"callModel", Licet::Action::"score"], resource is Licet::Model);`;
  return packOf({ name, kind: "builtin" }, permit);
}

export function compileWith(builtin: readonly PackSource[] = [builtinPack()]): Compile {
  return async (packs) => {
    const sources = digestOf({ builtin, packs });
    const ready = composed.get(sources) ?? composeBundle({ schema, builtin, packs });
    composed.set(sources, ready);
    return ready;
  };
}

/** Owned by `compileWith`: the tests compose the same few packs again and again. */
const composed = new Map<string, Composed>();

export async function smallBundle(): Promise<Bundle> {
  return (await compileWith()([])).bundle;
}

/** Forbids calls with a class of data. */
export function tightening(name: string, manifest: Partial<PackManifest> & Pick<PackManifest, "kind">, { dataClass = "internal", mode = "enforce" }: { readonly dataClass?: string; readonly mode?: string } = {}): PackSource {
  return packOf({ name, ...manifest }, `@id("${name}.no-${dataClass}")\n@title("no ${dataClass} data")\n@remedy("leave it out")\n@turn("technical-owner")${mode === "enforce" ? "" : `\n@mode("${mode}")`}\nforbid (principal, action == Licet::Action::"callModel", resource) when { context.dataClasses.contains("${dataClass}") };`);
}

export const teamPack = (dataClass?: string): PackSource => tightening("helpdesk-rules", { kind: "team", systems: ["helpdesk"] }, dataClass === undefined ? {} : { dataClass });

export interface PolicyWorld {
  readonly world: World;
  readonly deps: PublicationDeps;
  readonly standing: Standing;
  readonly backtests: Backtests;
  readonly routes: ReturnType<typeof policyRoutes>;
  publish(by: Caller, packs: readonly PackSource[], more?: { readonly remove?: readonly string[]; readonly space?: string; readonly base?: string }): ReturnType<ReturnType<typeof policyRoutes>["publishPolicies"]>;
  approve(request: string, by: Caller): Promise<{ readonly status: string; readonly detail: Readonly<Record<string, unknown>> }>;
  /** What the active bundle says of a call of `helpdesk` with internal data. */
  decision(space?: string): Promise<string>;
  close(): Promise<void>;
}

export async function openPolicyWorld(options: WorldOptions & { readonly builtin?: readonly PackSource[] } = {}): Promise<PolicyWorld> {
  const compile = options.compile ?? compileWith(options.builtin);
  const world = await openWorld({ ...options, bundle: options.bundle ?? (await smallBundle()), compile });
  const { recorder, database, log, keyring } = world.installation;
  const { read } = database;
  const deps: PublicationDeps = { read, recorder, compile };
  const onFailure = (error: unknown) => void world.failures.push(error);
  const standings = standing({ ...deps, onFailure });
  const replays = backtests({ ...deps, database, log, keyring, clock: world.clock, onFailure, pollMilliseconds: 20 });
  const open = async (opening: Parameters<World["oversight"]["ask"]>[0]) => {
    const id = await world.oversight.ask(opening);
    return moveAnswer(await requestView({ read, judge: world.oversight.judge, now: recorder.now() }, await needRequest(read, opening.space, id)));
  };
  const gateQuestion = () => Promise.resolve({ request: workloadRequest(), remedies: new Map<string, string>(), digest: "" });
  const callQuestion = () => workloadRequest();
  const routes = policyRoutes({ ...deps, standing: standings, moves: { open }, backtests: replays, gateQuestion, callQuestion });
  return {
    world,
    deps,
    standing: standings,
    backtests: replays,
    routes,
    publish: (by, packs, { remove = [], space = "main", base } = {}) => routes.publishPolicies({ params: { space }, body: { packs: [...packs], remove: [...remove], comment: "because of the audit", base } }, by, cookies),
    approve: (request, by) => world.routes.giveApproval({ params: { space: "main", request }, body: { role: "risk-owner", answer: "approve", comment: "" } }, fresh(world, by), cookies),
    decision: async (space = "main") => (await routes.explainPolicy({ params: { space }, body: { request: JSON.parse(JSON.stringify(workloadRequest())) } }, { personId: "per_x", email: "x", name: "x", space, roles: [], authenticatedAt: 0, method: "password", ip: "" }, cookies)).decision,
    close: async () => {
      await replays.stop();
      await world.close();
    },
  };
}

