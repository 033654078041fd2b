import { dataClasses, type FindingCount } from "@licet/contract";
import { z } from "zod";
import { declaredModel } from "../gateway/conform.ts";
import { adviceOf, exportCall } from "../gateway/decide.ts";
import { rulesFor, type DetectionRules } from "../gateway/detect/rules.ts";
import { classRefusal, concluded, concludedOn, providerRefusal, registered, undeclared, type Judgement } from "../gateway/judge.ts";
import { collect } from "../gateway/json.ts";
import type { Admission } from "../gateway/admission.ts";
import { observed, observedFacts, outsideClasses, scannedBoundary } from "../gateway/observe-mode.ts";
import { openScan } from "../gateway/scan.ts";
import { reasonOf, type DecisionFacts } from "../gateway/record.ts";
import { refuse, shown, type Refusal } from "../gateway/refusal.ts";
import type { DeploymentView, ModelView } from "../gateway/snapshot.ts";
import { holdOn, standingRefusal, vendorRefusal } from "../gateway/standing.ts";
import type { JsonObject } from "../ledger/recorder.ts";
import { obligationsIn } from "./grants.ts";
import { obligationRefusal, obligationsOf } from "./obligations.ts";
import { wrongWith, type Evaluation } from "./protocol.ts";
import { unasked, type Verdict } from "./verdict.ts";

type Judged = Omit<Judgement, "findings">;

interface Looking {
  readonly admission: Admission;
  readonly evaluation: Evaluation;
  readonly findings: readonly FindingCount[];
  /** Of the words that came with the question. */
  readonly dataClasses: readonly string[];
  /** Classes that must not leave, whatever the boundary. */
  readonly stopped: readonly string[];
}

interface Found extends Pick<Looking, "findings" | "dataClasses" | "stopped"> {
  readonly rules: DetectionRules;
  readonly boundary: readonly string[];
}

/** Owned by `looked`: what was found in an evaluation that cannot change, and by which rules. */
const foundIn = new WeakMap<Evaluation, Found>();

/** Detection over the words of a question. Nothing of them is rewritten, so what would be taken out is stopped. */
function looked(admission: Admission, evaluation: Evaluation): Looking {
  const { credential, now, snapshot } = admission;
  const { deployment } = credential;
  const exports = evaluation.action.name === "exportData";
  const rules = rulesFor(snapshot.spaces.get(credential.space), deployment.system);
  const boundary = exports ? deployment.boundary.classes : scannedBoundary(deployment, now);
  const before = foundIn.get(evaluation);
  if (before?.rules === rules && before.boundary === boundary) return { admission, evaluation, ...before };
  const texts: string[] = [];
  // A destination's name says where data goes, and is none of it.
  collect(exports ? [evaluation.action, evaluation.context] : evaluation, texts);
  const { findings, stopped } = openScan({ rules, boundary, request: { texts }, isFixed: () => true }).verdict;
  const known: readonly string[] = dataClasses;
  const found = { rules, boundary, findings, stopped, dataClasses: [...new Set(findings.flatMap(({ dataClass }) => (known.includes(dataClass) ? [dataClass] : [])))] };
  foundIn.set(evaluation, found);
  return { admission, evaluation, ...found };
}

/** May this workload do that now? Asked by the deployment's credential, for itself only, and decided as the gateway decides. */
export async function workloadVerdict(admission: Admission, evaluation: Evaluation): Promise<Verdict> {
  const looking = looked(admission, evaluation);
  const { findings } = looking;
  const { judged, more } = evaluation.action.name === "exportData" ? await exporting(looking) : await modelling(looking);
  const { policy, cedar, reasons } = judged;
  const obliging = { determining: policy.decision.reasons.map((reason) => reason.policy), obligations: obligationsIn(admission.snapshot.applications.get(admission.credential.space)), evaluation };
  const unmet = judged.refusal === undefined ? obligationRefusal(obliging) : undefined;
  const refusal = judged.refusal ?? unmet;
  const obligations = unmet === undefined ? obligationsOf(obliging) : [];
  const facts: DecisionFacts = {
    action: evaluation.action.name,
    time: admission.now,
    snapshot: admission.snapshot,
    credential: admission.credential,
    model: evaluation.resource.type === "model" ? evaluation.resource.id.slice(0, 400).toWellFormed() : undefined,
    policyBundle: policy.bundle,
    cedar,
    reasons: unmet === undefined ? reasons : [...reasons, reasonOf(unmet)],
    policyErrors: policy.decision.errors.map((error) => error.policy),
    advice: adviceOf(policy.decision),
    findings,
    more: { ...unasked, ...askedOf(evaluation), ...more, ...(judged.observed !== undefined && observedFacts(judged.observed)), obligations: obligations.map(({ id, type }) => ({ id, type })) },
  };
  const told = judged.observed === undefined ? {} : { more: { observed: [...new Set(judged.observed.refusals.map(({ code }) => code))] } };
  return { facts, obligations, ...(refusal === undefined ? told : { refusal }) };
}

export function askedOf({ subject, resource }: Evaluation): JsonObject {
  return { asked: { subject: named(subject), resource: named(resource) } };
}

function named({ type, id }: { readonly type: string; readonly id: string }): JsonObject {
  return { type: type.toWellFormed(), id: id.toWellFormed() };
}

interface Looked {
  readonly judged: Judged;
  readonly more: JsonObject;
}

/** `score`: a model of the system's own, by its digest. `callModel`: a registered provider's, as the gateway would call it. */
async function modelling({ admission, evaluation, dataClasses: found, stopped }: Looking): Promise<Looked> {
  const { deployment } = admission.credential;
  const { action, resource } = evaluation;
  const fits = resource.type === "model" && (action.name === "callModel" || action.name === "score");
  const asked = { action: action.name === "callModel" ? ("callModel" as const) : ("score" as const), model: resource.id, fits: () => true };
  const model = resource.type === "model" ? declaredModel(deployment, resource.id) : undefined;
  const provider = asked.action === "callModel" ? registered(admission, model) : undefined;
  const digest = resource.properties?.["digest"];
  const named = namedClasses(action.properties);
  const classes = [...new Set([...found, ...named.classes])].sort();
  const judged = await concluded(admission, {
    action: asked.action,
    model: { name: resource.id, ...(model && { declared: model }), ...(provider && { provider }) },
    dataClasses: classes,
    ownRefusals: [
      ownRefusal(deployment, evaluation),
      fits ? undefined : refuse("action_unsupported", { param: "action" }),
      standingRefusal(admission),
      vendorRefusal(admission, provider?.vendor),
      modelRefusal(model, () => (asked.action === "callModel" ? providerRefusal(deployment, provider) : digestRefusal(model?.digest, digest)), resource.id),
      named.refusal,
      classRefusal(outsideClasses(deployment, { stopped, leaving: classes }), "context"),
    ],
  });
  const lifted = fits ? await observed(admission, { ...judged, model, provider, stopped }, asked) : {};
  return { judged: { ...judged, ...lifted }, more: { digest: toldDigest(digest) } };
}

const digestCharactersMax = 100;

/** As the caller says it, bounded. */
function toldDigest(digest: unknown): string | null {
  return typeof digest === "string" ? digest.slice(0, digestCharactersMax).toWellFormed() : null;
}

/** What the caller says of data that no detector of text can read, such as numbers. */
function namedClasses(properties: unknown): { readonly classes: readonly string[]; readonly refusal?: Refusal } {
  const read = Classified.safeParse(properties ?? {});
  if (read.success) return { classes: read.data.dataClasses ?? [] };
  return { classes: [], refusal: refuse("query_invalid", { message: `\`dataClasses\` is a list of at most ${exportClassesMax} short names`, param: "action.properties", status: 403 }) };
}

function modelRefusal(model: ModelView | undefined, otherwise: () => Refusal | undefined, name: string): Refusal | undefined {
  return model === undefined ? undeclared(name) : otherwise();
}

function ownRefusal(deployment: DeploymentView, { subject }: Evaluation): Refusal | undefined {
  const own = subject.type === "workload" && (subject.id === deployment.id || subject.id === deployment.system);
  return own ? undefined : refuse("subject_mismatch", { param: "subject" });
}

function digestRefusal(declared: string | undefined, digest: unknown): Refusal | undefined {
  return declared !== undefined && digest === declared
    ? undefined
    : refuse("release_mismatch", {
        message: "the model's digest is not the one that the deployed release declares",
        param: "resource.properties.digest",
        component: "model",
      });
}

const exportClassesMax = 20;
const Classified = z.object({ dataClasses: z.array(z.string().min(1).max(100)).max(exportClassesMax).optional() });
const Exported = z.object({ dataClasses: z.array(z.string().min(1).max(100)).min(1).max(exportClassesMax), purpose: z.string().max(1000).optional(), records: z.int().nonnegative().optional() });

interface Export {
  readonly dataClasses: readonly string[];
  readonly purpose: string | undefined;
  readonly records: number | undefined;
  readonly wrong: string | undefined;
}

/** `exportData`: to a destination, along a sharing path of the authorised release, with the classes that the caller names and those that are found. */
async function exporting({ admission, evaluation, dataClasses: found, stopped }: Looking): Promise<Looked> {
  const { deployment } = admission.credential;
  const { resource, action } = evaluation;
  const asked = exportOf(action.properties ?? {});
  const classes = [...new Set([...asked.dataClasses, ...found])].sort();
  const path = resource.type === "destination" ? deployment.boundary.sharingPaths?.find(({ to }) => to === resource.id) : undefined;
  const cedar = exportCall({ ...admission, to: resource.id, path, held: holdOn(admission) !== undefined, dataClasses: classes, purpose: asked.purpose });
  const judged = await concludedOn(admission, cedar, [
    ownRefusal(deployment, evaluation),
    resource.type === "destination" ? undefined : refuse("action_unsupported", { param: "resource" }),
    standingRefusal(admission),
    asked.wrong === undefined ? undefined : refuse("query_invalid", { message: asked.wrong, param: "action.properties", status: 403 }),
    pathRefusal(resource.id, path, classes),
    classRefusal(outsideClasses(deployment, { stopped, leaving: classes })),
  ]);
  const { purpose = null, records = null } = asked;
  return { judged, more: { exported: { to: shown(resource.id), dataClasses: classes.map(shown), purpose: purpose === null ? null : shown(purpose), records } } };
}

/** What cannot be read is refused, whatever else stands for it. */
function exportOf(properties: Readonly<Record<string, unknown>>): Export {
  const parsed = Exported.safeParse(properties);
  if (!parsed.success) return { dataClasses: [], purpose: undefined, records: undefined, wrong: `an export names one to ${exportClassesMax} \`dataClasses\`, a \`purpose\` in words and \`records\` as a whole number: ${wrongWith(parsed.error)}` };
  const { dataClasses, purpose, records } = parsed.data;
  return { dataClasses, purpose, records, wrong: undefined };
}

function pathRefusal(to: string, path: { readonly classes: readonly string[] } | undefined, classes: readonly string[]): Refusal | undefined {
  if (path === undefined) return refuse("sharing_path_missing", { message: `the release declares no sharing path to \`${to}\``, param: "resource.id" });
  const beyond = classes.filter((each) => !path.classes.includes(each));
  return beyond.length === 0 ? undefined : refuse("sharing_path_missing", { message: `the sharing path to \`${to}\` does not take ${beyond.join(" and ")} data`, param: "action.properties.dataClasses" });
}
