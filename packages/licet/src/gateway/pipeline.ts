import { admit, admitAgain, readmit, refusedStranger, type Admission, type PipelineParts, type Stranger } from "./admission.ts";
import { answerRefusal, type Caller, type ErrorForm, type Inbound } from "./answer.ts";
import { attempt, refused, type Attempted } from "./attempt.ts";
import { declaredModel } from "./conform.ts";
import type { Dialect, ModelCall } from "./dialect.ts";
import { bareFacts, unreadName } from "./facts.ts";
import { watched, type Watched } from "./observed-call.ts";
import { answered, mayGoElsewhere } from "./outcome.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { DeploymentView, ModelView } from "./snapshot.ts";

/** One call to a model on one surface. A refusal at any step is recorded like an allow. */
export async function callModel(parts: PipelineParts, dialect: Dialect, inbound: Inbound, caller: Caller): Promise<void> {
  const admitted = admit(parts, inbound);
  const asked = { action: "callModel", endpoint: dialect.path, dialect: dialect.name } as const;
  const seen = watched(parts, inbound, dialect.name);
  const turnedAway = ({ stranger }: { readonly stranger: Stranger }) => {
    const { now, snapshot } = stranger;
    return refusedStranger(parts, caller, { stranger, kind: "gateway.decision", facts: bareFacts({ ...asked, time: now, snapshot }), form: dialect, watched: seen });
  };
  if ("stranger" in admitted) return turnedAway(admitted);
  const read = await inbound.body();
  const again = admitAgain(parts, inbound, admitted.admission);
  if ("stranger" in again) return turnedAway(again);
  const { admission } = again;
  const parsed = "refusal" in read ? read : dialect.parse(read.bytes, (name) => inbound.header(name));
  if ("refusal" in parsed) {
    const facts = { ...bareFacts({ ...asked, time: admission.now, snapshot: admission.snapshot }), credential: admission.credential };
    return answerAttempt(caller, await refused(parts, { refusal: parsed.refusal, facts, watched: seen }), dialect);
  }
  return answerAttempt(caller, await attempts(parts, caller, { admission, call: parsed.call, watched: seen }), dialect);
}

interface Asking {
  readonly admission: Admission;
  readonly call: ModelCall;
  readonly watched: Watched;
}

/** The model that the call names, then those that the release declares in its place, each by a decision of its own. */
async function attempts(parts: PipelineParts, caller: Caller, { admission, call, watched: seen }: Asking): Promise<Attempted> {
  let last = await attempt(parts, caller, { admission, call, target: undefined, watched: seen });
  for (const target of last.kind === "refused" ? [] : fallbacks(admission.credential.deployment, call.model)) {
    if (last.kind === "refused" || !mayGoElsewhere(last.end, caller)) break;
    const again = readmit(parts, admission);
    if (again === undefined) break;
    const next = await attempt(parts, caller, { admission: again, call, target, watched: seen, fallbackOf: last.decision });
    // What refuses a model in its place says nothing of the call itself: the answer is still the provider's.
    if (next.kind === "ended") last = next;
  }
  return last;
}

function fallbacks(deployment: DeploymentView, name: string): readonly ModelView[] {
  const names = declaredModel(deployment, name)?.fallback ?? [];
  return names.flatMap((each) => deployment.models.find((model) => model.name === each) ?? []);
}

function answerAttempt(caller: Caller, attempted: Attempted, form: ErrorForm): void {
  if (attempted.kind === "refused") answerRefusal(caller, attempted, {}, form);
  else answered(caller, { ...attempted, form });
}

export interface Denied {
  readonly refusal: Refusal;
  readonly form: ErrorForm;
}

/** Any other endpoint: nothing passes. A known workload that tries is recorded, a stranger's guesses are not. */
export async function unsupported(parts: PipelineParts, inbound: Inbound, caller: Caller, { refusal, form }: Denied): Promise<void> {
  const admitted = admit(parts, inbound);
  if ("stranger" in admitted) {
    return answerRefusal(caller, { refusal }, {}, form);
  }
  const { now, snapshot, credential } = admitted.admission;
  const tried = unreadName(admitted.admission, `${inbound.method} ${inbound.path}`.slice(0, triedCharactersMax));
  const facts = { ...bareFacts({ action: "unknown", endpoint: tried, time: now, snapshot }), credential };
  return answerAttempt(caller, await refused(parts, { refusal, facts, watched: watched(parts, inbound) }), form);
}

const triedCharactersMax = 300;

export interface ModelList {
  readonly endpoint: string;
  readonly form: ErrorForm;
  /** The answer's body; undefined for a model that is not declared. */
  readonly body: (models: readonly ModelView[]) => string | undefined;
}

/** What the caller's release declares, in the surface's own form. */
export async function listModels(parts: PipelineParts, inbound: Inbound, caller: Caller, { endpoint, form, body }: ModelList): Promise<void> {
  const admitted = admit(parts, inbound);
  const asked = { action: "listModels", endpoint } as const;
  if ("stranger" in admitted) {
    const facts = bareFacts({ ...asked, time: admitted.stranger.now, snapshot: admitted.stranger.snapshot });
    return refusedStranger(parts, caller, { ...admitted, kind: "gateway.decision", facts, form, watched: watched(parts, inbound) });
  }
  const { now, snapshot, credential } = admitted.admission;
  const answer = body(credential.deployment.models);
  if (answer !== undefined) {
    return caller.json(200, {}, answer);
  }
  const facts = { ...bareFacts({ ...asked, time: now, snapshot }), credential };
  return answerAttempt(caller, await refused(parts, { refusal: refuse("model_undeclared", { status: 404 }), facts, watched: watched(parts, inbound) }), form);
}
