import type { JsonObject } from "../../ledger/entry.ts";
import type { Need } from "../dialect.ts";
import { jsonDepthMax, readJson, wellFormed } from "../json.ts";
import { refuse, shown, type Refusal } from "../refusal.ts";
import type { Fault, Shape } from "./shape.ts";
import { asRead } from "./wire.ts";

/** Tiers of service that cost more than the price list says, or use what somebody has set aside. */
const dearTiers: ReadonlySet<string> = new Set(["priority", "scale", "fast", "ultrafast"]);

export function tierNeeds(tier: string | null | undefined): readonly Need[] {
  return typeof tier === "string" && dearTiers.has(tier) ? [{ permission: `service-tier:${tier}`, param: "service_tier" }] : [];
}

export type ReadBody<T> = { readonly request: T; readonly json: JsonObject } | { readonly refusal: Refusal };

/** Reads a caller's body by its shape: what the shape does not list is refused, never passed on. */
export function readBody<T extends object>(shape: Shape<T>, body: Uint8Array): ReadBody<T> {
  const parsed = readJson(body);
  if (parsed === undefined) {
    return { refusal: refuse("request_unreadable", { message: "the body is not JSON in UTF-8" }) };
  }
  if (!wellFormed(parsed.value)) {
    const message = `the body nests deeper than ${jsonDepthMax} levels or holds half a surrogate pair`;
    return { refusal: refuse("request_unreadable", { message }) };
  }
  const fault = shape.fault(parsed.value);
  if (fault === undefined && fits(shape, parsed.value)) {
    return { request: parsed.value, json: asRead(parsed.value) };
  }
  return { refusal: faultRefusal(fault ?? { kind: "unfit", message: "must be an object", path: [] }) };
}

/** A value without a fault is of the type that its shape was written for. */
function fits<T extends object>(_: Shape<T>, value: unknown): value is T {
  return typeof value === "object" && value !== null;
}

function faultRefusal({ kind, message, path }: Fault): Refusal {
  const param = dotPath(path);
  if (kind === "unfit") {
    return refuse("request_unreadable", { message: `${param === "" ? "the body" : `\`${shown(param)}\``}: ${message}`, param });
  }
  return refuse("field_unsupported", { message: `\`${shown(param)}\` ${message}`, param });
}

function dotPath(path: Fault["path"]): string {
  return path.reduce<string>((before, step) => (typeof step === "number" ? `${before}[${step}]` : before === "" ? step : `${before}.${step}`), "");
}
