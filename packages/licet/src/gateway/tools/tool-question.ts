import { constant } from "../../ledger/canonical-text.ts";
import { datetime, entityRef, wholeSecond, workload, type CedarCall, type CedarEntity, type CedarValue, type EntityUid } from "../decide.ts";
import type { ToolCall } from "../dialect.ts";
import { digestText } from "../json.ts";
import type { DeploymentView, ModelView, ProviderView, ToolView } from "../snapshot.ts";

/** What is asked about: the tool, as far as the release declares it, and where it stands. */
export interface CalledTool {
  readonly call: ToolCall;
  /** The function that the release declares by this name. */
  readonly declared?: ToolView | undefined;
  /** Whether the release permits what the tool stands behind. */
  readonly permitted: boolean;
}

export interface ToolAsking {
  readonly deployment: DeploymentView;
  readonly model: ModelView;
  readonly provider: ProviderView;
  readonly held: boolean;
  readonly now: number;
}

/** Questions of each deployment's view; owned by `toolQuestion`. */
const questions = new WeakMap<DeploymentView, Map<string, CedarCall>>();
const questionsMax = 256;

/**
 * `callTool` of Cedar, of a call that stands in a model's answer (`context.inAnswer`): the tool runs elsewhere, so who runs it,
 * for whom and with whose leave is not known here and not said. A function's id is `local/NAME`; that of a tool at the provider
 * begins with the provider's id, that of a connector's tool with its label. The same question is the same object, so that a
 * bundle answers it once.
 */
export function toolQuestion(asking: ToolAsking, tool: CalledTool): CedarCall {
  const { deployment, model, provider, held, now } = asking;
  const known = questions.get(deployment) ?? new Map<string, CedarCall>();
  questions.set(deployment, known);
  const { call, declared, permitted } = tool;
  const key = JSON.stringify([call.kind, call.name, call.kind === "power" ? call.permission : null, declared !== undefined, permitted, model.name, provider.id, provider.region, held, wholeSecond(now)]);
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= questionsMax) known.clear();
  const made = constant(newQuestion(asking, tool));
  known.set(key, made);
  return made;
}

function newQuestion({ deployment, provider, held, now }: ToolAsking, tool: CalledTool): CedarCall {
  const principal: EntityUid = { type: "Licet::Workload", id: deployment.id };
  const { resource, attrs, definition, more } = tool.call.kind === "function" ? functionTool(tool.call.name, tool.declared) : powerTool(tool.call, provider, tool.permitted);
  return {
    principal,
    action: { type: "Licet::Action", id: "callTool" },
    resource,
    context: {
      now: datetime(wholeSecond(now)),
      release: deployment.release,
      dataClasses: [],
      request: digestText(JSON.stringify([deployment.release, resource.id, definition ?? null])),
      inAnswer: true,
      ...(definition !== undefined && { definition }),
    },
    entities: [{ uid: principal, attrs: workload(deployment, held), parents: [] }, { uid: resource, attrs: { ...attrs, ...(definition !== undefined && { definition }) }, parents: [] }, ...more],
  };
}

interface ToolFacts {
  readonly resource: EntityUid;
  readonly attrs: Readonly<Record<string, CedarValue>>;
  /** Its definition: every one that the call offers was compared with the release's. */
  readonly definition: string | undefined;
  readonly more: readonly CedarEntity[];
}

function functionTool(name: string, declared: ToolView | undefined): ToolFacts {
  const attrs = { name, declared: declared !== undefined, quarantined: false, ...(declared?.power !== undefined && { power: declared.power }) };
  return { resource: { type: "Licet::Tool", id: `local/${name}` }, attrs, definition: declared?.digest, more: [] };
}

/** The release says of such a tool that it is permitted, and no more: the permission is its definition. */
function powerTool({ permission, name }: Extract<ToolCall, { readonly kind: "power" }>, provider: ProviderView, permitted: boolean): ToolFacts {
  const connector = /^connector:(.*)$/su.exec(permission)?.[1];
  const server: EntityUid = { type: "Licet::ToolServer", id: connector ?? provider.id };
  // An operator registered the provider; of a connector nobody said anything.
  const entity: CedarEntity = { uid: server, attrs: connector === undefined ? { verified: true, region: provider.region } : {}, parents: [] };
  const attrs = { name, declared: permitted, quarantined: false, power: powers.get(permission) ?? strongest, server: entityRef(server) };
  return { resource: { type: "Licet::Tool", id: `${server.id}/${name}` }, attrs, definition: permitted ? digestText(permission) : undefined, more: [entity] };
}

/** What tools that providers define can do, in the manifest's words. */
const powers: ReadonlyMap<string, string> = new Map(
  Object.entries({
    none: ["image_generation"],
    read: ["web_search", "file_search", "web_fetch", "tool_search"],
    write: ["memory", "apply_patch", "text_editor"],
    "run-code": ["code_interpreter", "code_execution", "computer", "shell", "local_shell", "bash"],
  }).flatMap(([power, tools]) => tools.map((tool) => [`server-tool:${tool}`, power] as const)),
);

/** Of a tool of which nobody said what it can do. */
const strongest = "change-access";
