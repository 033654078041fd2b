import { AccessDecisionBody } from "@licet/contract";
import { expect, test } from "vitest";
import { gatewayEntryDefinitions } from "./entries.ts";

const first = { id: "dec_1", decision: "allow", code: null, reasons: [], policyErrors: [], policyBundle: null, snapshot: null, cedar: null, deployment: "dep_1", credential: "crd_1", release: null, model: "m", findings: [], action: "score", digest: null };

test("an access decision of the first version is read as one of today, with nothing in what it did not have", () => {
  const definition = gatewayEntryDefinitions.find(({ kind }) => kind === "access.decision");
  expect(AccessDecisionBody.safeParse(first).success).toBe(false);
  expect(AccessDecisionBody.parse(definition?.upcast?.(first, 1))).toEqual({ ...first, client: null, asked: null, obligations: [], exported: null });
});
