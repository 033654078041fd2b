import { start } from "../../unit/support/governed.ts";
import { detectionOf, type Detection } from "../../../packages/licet/src/gateway/detect/rules.ts";
import type { Row } from "./measure.ts";
import type { Place, Standing } from "./place.ts";
import type { Fault } from "./provider.ts";
import { releaseOf, type Column } from "./surfaces.ts";

const mail = "jo.secret@example.org";
const token = "AKIAIOSFODNN7EXAMPL2";
const canary = "canary-7f3a91c2";
const everything = { boundary: { classes: ["public", "internal", "personal"], regions: ["eu"] } };

type Action = "block" | "redact" | "mask" | "flag";

function rule(action: Action, hold: boolean): Detection {
  return detectionOf([{ pack: "matrix", section: { actions: [{ of: "email", action, ...(hold && { hold: "message" as const }) }], canaries: [canary] } }]);
}

/** Addresses may pass the boundary; what is done about them is declared. */
function declares(action: Action, hold = false) {
  return ({ surface }: Place): Standing => ({ release: releaseOf(surface, everything), detection: rule(action, hold) });
}

const external = (on: "request" | "answer"): Standing => ({
  detection: detectionOf([{ pack: "matrix", section: { external: [{ name: "away", url: "http://127.0.0.1:9/find", classes: { name: "personal" }, on: [on], timeoutMs: 200, allow: ["loopback"] }] } }]),
});

const echo: Fault = { kind: "answer", said: { echo: true } };
const asked = (needle: string): Pick<Row, "text" | "needle" | "fault"> => ({ text: `Write to ${needle} today.`, needle, fault: echo });
const says = (needle: string): Pick<Row, "needle" | "fault" | "on"> => ({ needle, fault: { kind: "answer", said: { text: `Ask ${needle} today.` } }, on: ({ surface }) => surface.speaks });
/** The words of an answer as arguments of a tool: cut every four characters where they are streamed. */
const calls = (needle: string): Pick<Row, "needle" | "fault" | "on" | "variant"> => ({
  needle,
  variant: "declared tool",
  fault: { kind: "answer", said: { calls: [{ city: needle }] } },
  on: ({ surface }: Column) => surface.speaks && surface.kind !== "oip",
});

const stopped: Row["expect"] = { json: "403 `answer_outside_boundary`", stream: "stream broken off: `answer_outside_boundary`" };

/** An answer that calls a tool, of another name than the request's where one is given. */
const uses = (tool?: string): Pick<Row, "fault" | "on" | "variant"> => ({
  variant: "declared tool",
  fault: { kind: "answer", said: { calls: [{ city: "Atlantis" }], ...(tool !== undefined && { tool }) } },
  on: ({ surface }: Column) => surface.calls === true,
});
const heldBack = (code: string): Row["expect"] => ({ json: `403 \`${code}\``, stream: `stream broken off: \`${code}\`` });
const allowed = { decision: "allow" as const, reasons: [], errors: [] };
/** Policies that allow every call, and say this of the tools in its answer. */
const ofTools = (said: NonNullable<Standing["decide"]>): Standing => ({ decide: async (call) => (call.action.id === "callTool" ? said(call) : allowed) });

const observe = { id: "wvr_1", notBefore: start - 1000, notAfter: start + 86_400_000, asked: "per_tom", granted: [{ person: "per_rita", role: "risk-owner" }], soleOperator: false };
const observed = ({ surface }: Place): Standing => ({ release: releaseOf(surface, { observe }), decide: async () => allowed });

/** Whether what an answer calls may be called. */
export const toolRows: readonly Row[] = [
  { title: "the release declares it", ...uses(), expect: "200" },
  { title: "the release does not declare it", ...uses("erase"), never: "Atlantis", expect: heldBack("tool_undeclared") },
  { title: "it has no name", ...uses(""), never: "Atlantis", expect: heldBack("tool_undeclared") },
  { title: "its name only begins like a declared one", ...uses("weather_erase"), never: "Atlantis", expect: heldBack("tool_undeclared") },
  { title: "a policy denies it", ...uses(), never: "Atlantis", standing: ofTools(async () => ({ decision: "deny", reasons: [], errors: [] })), expect: heldBack("policy_denied") },
  { title: "a policy on it cannot be evaluated", ...uses(), never: "Atlantis", standing: ofTools(async () => ({ ...allowed, errors: [{ policy: "odd", message: "type error" }] })), expect: heldBack("policy_errored") },
  { title: "the policy engine throws", ...uses(), never: "Atlantis", standing: ofTools(() => Promise.reject(new Error("engine lost"))), expect: heldBack("policy_errored") },
  { title: "an observed system calls one that is not declared", ...uses("erase"), standing: observed, expect: "200" },
];

/** What is found, in the call and in the answer, and what is done about it. */
export const detectionRows: readonly Row[] = [
  { title: "address in the call, outside the boundary", ...asked(mail), expect: "403 `data_outside_boundary`" },
  { title: "the same, block", ...asked(mail), standing: declares("block"), expect: "403 `data_outside_boundary`" },
  { title: "the same, redact: said back by the model", ...asked(mail), standing: declares("redact"), expect: { any: "200 redact: goes out as a placeholder", speaks: "200 redact: goes out as a placeholder, comes back" } },
  { title: "the same, mask", ...asked(mail), standing: declares("mask"), expect: { any: "200 mask: goes out masked", speaks: "200 mask: goes out masked, comes back masked" } },
  { title: "the same, flag", ...asked(mail), standing: declares("flag"), expect: { any: "200 flag: goes out", speaks: "200 flag: goes out, comes back" } },
  { title: "secret in the call", ...asked(token), expect: "403 `data_outside_boundary`" },
  { title: "address in the call, base64", ...asked(mail), text: `Decode ${Buffer.from(`write to ${mail} today`).toString("base64")} please.`, expect: "403 `data_outside_boundary`" },
  { title: "canary in the call", ...asked(canary), standing: declares("flag"), expect: "403 `data_outside_boundary`" },
  { title: "invisible text in the call", text: `Hello${Array.from("obey", (each) => String.fromCodePoint(0xe0000 + (each.codePointAt(0) ?? 0))).join("")} there.`, expect: "403 `data_outside_boundary`" },
  { title: "address in the answer, outside the boundary", ...says(mail), expect: stopped },
  { title: "the same, block", ...says(mail), standing: declares("block"), expect: stopped },
  { title: "the same, block with `hold: message`", ...says(mail), never: "Ask", standing: declares("block", true), expect: stopped },
  { title: "the same, redact", ...says(mail), standing: declares("redact"), expect: "200 redact: comes back masked" },
  { title: "the same, mask", ...says(mail), standing: declares("mask"), expect: "200 mask: comes back masked" },
  { title: "the same, flag", ...says(mail), standing: declares("flag"), expect: "200 flag: comes back" },
  { title: "secret in the answer", ...says(token), expect: stopped },
  { title: "secret in a tool's arguments, in pieces of four characters", ...calls(token), expect: stopped },
  { title: "address in a tool's arguments, mask", ...calls(mail), standing: declares("mask"), expect: "200 mask: comes back masked" },
  { title: "secret in the provider's words about an error", needle: token, fault: (column) => failing(column, `wrong key ${token}`), expect: "400 `upstream_error`" },
  { title: "external detector of calls does not answer", standing: external("request"), expect: "503 `detector_unavailable`" },
  { title: "external detector of answers does not answer", standing: external("answer"), expect: "503 `detector_unavailable`" },
];

export function failing({ surface }: Column, message: string, status = 400): Fault {
  const body = surface.kind === "oip" ? { error: message } : { type: "error", error: { type: "odd", code: "odd", message } };
  return { kind: "raw", status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

