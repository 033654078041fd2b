import { obligationTypes } from "../policy/obligation-form.ts";
import type { DecisionParts } from "./parts.ts";

/** AuthZEN 1.0, section 9, with the members that the profiles add. */
export function metadata({ origin, approvals }: DecisionParts): string {
  const at = origin();
  return JSON.stringify({
    policy_decision_point: at,
    access_evaluation_endpoint: `${at}/access/v1/evaluation`,
    access_evaluations_endpoint: `${at}/access/v1/evaluations`,
    search_subject_endpoint: `${at}/access/v1/search/subject`,
    search_resource_endpoint: `${at}/access/v1/search/resource`,
    search_action_endpoint: `${at}/access/v1/search/action`,
    supported_obligations: obligationTypes,
    ...(approvals !== undefined && { access_request_endpoint: `${at}/access/v1/requests`, capabilities: ["urn:openid:authzen:capability:access-request"] }),
  });
}
