import { isRecord, parseJson } from "@licet/evidence";
import type { RunnerAnswer } from "../../assurance/runner-asks.ts";
import type { Clock } from "../../base/clock.ts";
import { newId } from "../../base/ids.ts";
import type { Outbound } from "../../base/outbound.ts";
import type { PipelineParts } from "../admission.ts";
import type { AnswerHeaders, Caller, Inbound } from "../answer.ts";
import { ExternalLines } from "../detect/external.ts";
import { streamedCalls } from "../dialects/chat/calls.ts";
import { chatDialect } from "../dialects/chat/chat.ts";
import { listAt, wireObject } from "../dialects/wire.ts";
import { BoundIds } from "../files/bound-ids.ts";
import { inflightCalls } from "../inflight.ts";
import { digestText, readJson } from "../json.ts";
import { noObserver } from "../observe/observer.ts";
import { callModel } from "../pipeline.ts";
import { decisionRecord, type GatewayLedger } from "../record.ts";
import type { Snapshot } from "../snapshot.ts";
import { strangerLimit } from "../stranger-limit.ts";
import { textAt } from "../texts.ts";
import { conformingFields, type Tested } from "./tested-release.ts";

export interface ReplayedCall {
  readonly clock: Clock;
  readonly snapshot: Snapshot;
  readonly tested: Tested;
  readonly external: ExternalLines;
  /** Name of a declared model. */
  readonly model: string;
  readonly body: string;
  /** What the provider says. */
  readonly answer: RunnerAnswer;
}

/**
 * One call through the pipeline that every call goes through, from its credential to the answer's last byte: conformity, detectors,
 * policies, scanning of the answer. Its provider is a script, nothing of it is recorded, and budgets do not count.
 */
export async function replayCall({ clock, snapshot, tested, external, model, body, answer }: ReplayedCall): Promise<RunnerAnswer> {
  const standing = withTools(snapshot, tested, calledTools(answer));
  const snapshots = { current: () => standing };
  const ledger = forgetful(clock);
  const parts: PipelineParts = {
    clock,
    ledger,
    snapshots,
    external,
    record: decisionRecord({ ledger, gateway: "gw_test" }),
    lines: { open: async () => scriptedOutbound(answer), forget: () => undefined, close: async () => undefined },
    inflight: inflightCalls(snapshots, 1),
    strangers: strangerLimit(() => clock.now()),
    providerKey: async () => "",
    observer: noObserver,
    boundIds: new BoundIds(),
  };
  const bytes = Buffer.from(JSON.stringify(conforming(body, tested, model)));
  const inbound: Inbound = { method: "POST", path: chatDialect.path, authorization: `Bearer ${tested.token}`, requestId: undefined, header: () => undefined, address: "127.0.0.1", body: async () => ({ bytes }) };
  const caller = listening();
  await callModel(parts, chatDialect, inbound, caller);
  return caller.heard();
}

/**
 * The same standing, and a release that declares what the script calls, for reading. Undeclared, honest calls would stop like
 * hijacked ones, and nobody would learn what the detectors and policies make of either. No policy on what a tool can do gets
 * credit for a tool that the release has not.
 */
function withTools(snapshot: Snapshot, { credential }: Tested, names: readonly string[]): Snapshot {
  const { deployment } = credential;
  const missing = [...new Set(names)].filter((name) => !deployment.tools.some((tool) => tool.name === name));
  if (missing.length === 0) return snapshot;
  const tools = [...deployment.tools, ...missing.map((name) => ({ name, digest: digestText(name), power: "read" }))];
  return { ...snapshot, byCredentialDigest: new Map([[credential.digest, { ...credential, deployment: { ...deployment, tools } }]]) };
}

/** Names of the tools that a whole or streamed answer calls; none where it is no answer. */
function calledTools({ contentType, body }: RunnerAnswer): readonly string[] {
  if (contentType.startsWith("application/json")) return (chatDialect.answer(readJson(Buffer.from(body))?.value)?.toolCalls ?? []).map(({ name }) => name);
  return body.split("\n").flatMap((line) => {
    const value = line.startsWith("data: {") ? wireObject(readJson(Buffer.from(line.slice("data: ".length)))?.value) : undefined;
    const choices = value === undefined ? [] : listAt(value, "choices").map(wireObject);
    const calls = choices.flatMap((choice, position) => (choice === undefined ? [] : streamedCalls(choice, { index: position, position })));
    return value === undefined ? [] : calls.flatMap(({ piece }) => (piece === undefined ? [] : (textAt(value, piece) ?? [])));
  });
}

function conforming(body: string, { credential }: Tested, name: string): Readonly<Record<string, unknown>> {
  const value = parseJson(body);
  const model = credential.deployment.models.find((each) => each.name === name);
  return { ...(isRecord(value) ? value : {}), ...(model !== undefined && conformingFields(model)), model: name };
}

/** Takes entries and keeps none: a test is no traffic. */
function forgetful(clock: Clock): GatewayLedger {
  let index = 0;
  return {
    append: async (draft) => ({ ...draft, id: newId("ent", clock.now()), v: 1, time: clock.now(), index: index++ }),
    now: () => clock.now(),
  };
}

function scriptedOutbound({ status, contentType, body }: RunnerAnswer): Outbound {
  return {
    origin: "http://script.invalid",
    address: "127.0.0.1",
    send: (_request, handler) => {
      let ended = false;
      const say = (): void => {
        handler.onTaken?.();
        if (!ended) handler.onHead(status, { "content-type": contentType });
        if (!ended) handler.onData(Buffer.from(body));
        if (!ended) handler.onEnd();
      };
      queueMicrotask(say);
      return {
        abort: () => {
          ended = true;
        },
        resume: () => undefined,
      };
    },
    close: async () => undefined,
  };
}

interface Listening extends Caller {
  heard(): RunnerAnswer;
}

/** The caller's side, read to the end. */
function listening(): Listening {
  let heard: RunnerAnswer = { status: 502, contentType: "text/plain", body: "" };
  const add = (text: string): void => {
    heard = { ...heard, body: heard.body + text };
  };
  return {
    gone: false,
    onGone: () => undefined,
    onDrain: () => undefined,
    json: (status: number, _headers: AnswerHeaders, body: string) => {
      heard = { status, contentType: "application/json", body };
    },
    startStream: () => {
      heard = { status: 200, contentType: "text/event-stream", body: "" };
    },
    write: (text) => {
      add(text);
      return true;
    },
    end: () => undefined,
    breakOff: add,
    heard: () => heard,
  };
}
