import type { PolicyRequest } from "./request.ts";

const now = Date.UTC(2026, 10, 20, 17);
const at = (time: number) => ({ __extn: { fn: "datetime", arg: new Date(time).toISOString() } });
const release = `sha256:${"ab".repeat(32)}`;
const ato = { id: "ato_1", state: "granted", stage: "pilot", environment: "local", release, notBefore: at(now - 1000), notAfter: at(now + 1000) };

interface Call {
  readonly system?: string | undefined;
  readonly ato?: null;
  readonly held?: boolean;
  readonly region?: string;
  readonly action?: string;
}

/** For tests: a workload of a pilot calls a model, and nothing is wrong with it unless said. */
export function workloadRequest(call: Call = {}): PolicyRequest {
  const principal = { type: "Licet::Workload", id: "dep_1" };
  const resource = { type: "Licet::Model", id: "simulator/sim-1" };
  const vendor = { type: "Licet::Vendor", id: "simulator" };
  const workload = { system: call.system ?? "helpdesk", environment: "local", stage: "pilot", release, tier: "minimal", boundary: ["internal"], regions: ["eu"], held: call.held ?? false, unlimited: true, ...(call.ato === null ? {} : { ato }) };
  return {
    principal,
    action: { type: "Licet::Action", id: call.action ?? "callModel" },
    resource,
    context: { now: at(now), release, dataClasses: ["internal"] },
    entities: [
      { uid: principal, attrs: workload, parents: [] },
      { uid: resource, attrs: { provider: "simulator", name: "sim-1", region: call.region ?? "eu", declared: true, vendor: { __entity: vendor } }, parents: [] },
      { uid: vendor, attrs: { suspended: false }, parents: [] },
    ],
  };
}
