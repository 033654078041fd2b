import { readmit, type Admission, type PipelineParts } from "../admission.ts";
import type { ToolCall } from "../dialect.ts";
import { unreadName } from "../facts.ts";
import { concludedOn } from "../judge.ts";
import { lift, observation, policiesAgree, type Observed } from "../observe-mode.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { DeploymentView, ModelView, ProviderView } from "../snapshot.ts";
import { holdOn } from "../standing.ts";
import type { JudgedTool, ToolJudge } from "./judged-tool.ts";
import { toolQuestion, type CalledTool } from "./tool-question.ts";

export interface Judging {
  readonly admission: Admission;
  readonly model: ModelView;
  readonly provider: ProviderView;
  /** Whose permissions count; `model` alone where absent. */
  readonly models?: readonly ModelView[];
  /** See `ModelCall.offered`. */
  readonly offered?: ReadonlyMap<string, string> | undefined;
  /** What the call's own decision says already. */
  readonly observed?: Observed | undefined;
}

const toolsMax = 600;
const nameCharactersMax = 256;

interface Verdict {
  readonly refusal?: Refusal | undefined;
  readonly observed?: Observed | undefined;
}

export function toolJudge(parts: PipelineParts, judging: Judging): ToolJudge {
  const judged = new Map<string, JudgedTool>();
  const reasons: Refusal[] = [];
  let waiver: string | undefined;
  return {
    judge: async (call) => {
      const { refusal, observed } = await verdictOn(parts, judging, call).catch((): Verdict => ({ refusal: refuse("policy_errored", { policy: "none" }) }));
      const tool = recordedName(judging, calledTool(judging.admission.credential.deployment, judging, call).call);
      const known = judged.get(tool);
      if (known === undefined && judged.size >= toolsMax) return refuse("upstream_too_large", { message: "the answer calls more tools than the limit" });
      const why = refusal ?? observed?.refusals[0];
      judged.set(tool, { tool, calls: (known?.calls ?? 0) + 1, decision: refusal === undefined ? "allow" : "deny", ...(why !== undefined && { refusal: why }) });
      if (observed !== undefined) {
        waiver = observed.waiver;
        for (const each of observed.refusals) if (!reasons.some(({ code, message }) => code === each.code && message === each.message)) reasons.push(each);
      }
      return refusal;
    },
    get judged() {
      return [...judged.values()];
    },
    get observed() {
      return waiver === undefined ? undefined : { waiver, refusals: reasons.slice(0, reasonsMax) };
    },
  };
}

const reasonsMax = 100;

/** By what stands when the answer comes, not when it was asked for. */
async function verdictOn(parts: PipelineParts, judging: Judging, call: ToolCall): Promise<Verdict> {
  const admission = readmit(parts, judging.admission);
  if (admission === undefined) return { refusal: refuse("snapshot_stale") };
  const { deployment } = admission.credential;
  const tool = calledTool(deployment, judging, call);
  const own = ownRefusal(judging, tool);
  if (own !== undefined && call.name.length > nameCharactersMax) return { refusal: own };
  const { model, provider } = judging;
  const question = toolQuestion({ deployment, model, provider, held: holdOn(admission) !== undefined, now: admission.now }, tool);
  const concluded = await concludedOn(admission, question, [own]);
  if (concluded.refusal === undefined || observation(deployment, admission.now) === undefined) return { refusal: concluded.refusal };
  const lifted = lift({ ...concluded, stopped: [] }, deployment, admission.now);
  const agreed = lifted !== undefined && (await policiesAgree(admission, { action: "callTool" }, lifted));
  if (!agreed) return { refusal: concluded.refusal };
  const refusals = lifted.refusals.filter(({ code }) => judging.observed?.refusals.some((said) => said.code === code) !== true);
  return refusals.length === 0 ? {} : { observed: { waiver: lifted.waiver, refusals } };
}

function calledTool(deployment: DeploymentView, { model, models = [model], offered }: Judging, call: ToolCall): CalledTool {
  const declared = call.kind === "function" ? deployment.tools.find(({ name }) => name === call.name) : undefined;
  const behind = call.kind === "power" ? call.permission : declared === undefined ? offered?.get(call.name) : undefined;
  if (behind === undefined) return { call, declared, permitted: false };
  return { call: { kind: "power", permission: behind, name: call.name }, permitted: models.some(({ permissions }) => permissions?.includes(behind) === true) };
}

/** What the gateway demands whatever policies say. */
function ownRefusal(judging: Judging, { call, declared, permitted }: CalledTool): Refusal | undefined {
  if (call.name === "") return refuse("tool_undeclared", { message: "the model's answer calls a tool without saying which" });
  if (declared !== undefined || permitted) return undefined;
  const name = shownName(judging, call);
  const message = call.kind === "function" ? `the model's answer calls the tool \`${name}\`, which the release does not declare` : `the model's answer calls the tool \`${name}\`, and the release does not permit \`${unreadName(judging.admission, call.permission)}\``;
  return refuse("tool_undeclared", { message, component: `tool:${name}` });
}

/** A name that nobody declared is the model's own words. */
function shownName({ admission }: Judging, { name }: ToolCall): string {
  return admission.credential.deployment.tools.some((tool) => tool.name === name) ? name : unreadName(admission, name);
}

function recordedName(judging: Judging, call: ToolCall): string {
  if (call.kind === "function") return `function:${shownName(judging, call)}`;
  const permission = unreadName(judging.admission, call.permission);
  return call.permission.endsWith(`:${call.name}`) ? permission : `${permission}/${shownName(judging, call)}`;
}
