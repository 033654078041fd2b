import { callSecondsMax, type TrafficRow } from "@licet/contract";
import { describe, expect, it } from "vitest";
import { trafficLine } from "./tail.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

const terminal: Terminal = { ...processTerminal, colour: false };
const row: TrafficRow = { id: "dec_1", kind: "gateway.decision", system: "helpdesk", deployment: "dep_1", release: null, action: "callModel", decision: "allow", code: null, model: "chat", gateway: "gw_1", seq: 1, at: Date.now(), logIndex: 1, reasons: [], findings: [], observed: [], ended: null };

describe("a line of `licet tail`", () => {
  it("says what a waiver let pass", () => {
    expect(trafficLine({ ...row, observed: ["ato_missing", "data_outside_boundary"] }, terminal)).toContain("would have been refused: ato_missing, data_outside_boundary");
  });

  it("names the tools that an answer called and may not call", () => {
    const ended = { finish: "refused", code: "tool_undeclared", status: 200, totalMs: 5, firstByteMs: 2, decisionMs: 1, tokens: null, costMicros: null, currency: null, tools: ["function:erase"] };
    expect(trafficLine({ ...row, ended }, terminal)).toContain("called function:erase");
  });

  it("names the check of the code that was told, not one that a waiver let pass", () => {
    const reasons = ["gateway.ato_missing", "gateway.data_outside_boundary"].map((policy) => ({ policy, remedy: "" }));
    expect(trafficLine({ ...row, decision: "deny", code: "data_outside_boundary", reasons }, terminal)).toContain("by gateway.data_outside_boundary");
    expect(trafficLine({ ...row, decision: "deny", code: "held", reasons: [{ policy: "runtime.held", remedy: "" }] }, terminal)).toContain("by runtime.held");
  });

  it("does not say that a call runs which can run no more: its process was cut off", () => {
    expect(trafficLine(row, terminal)).toContain("allowed, runs");
    expect(trafficLine({ ...row, at: Date.now() - callSecondsMax * 1000 - 1 }, terminal)).toContain("its end was never recorded");
  });
});
