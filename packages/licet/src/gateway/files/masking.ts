import type { DetectionAction } from "@licet/contract";
import type { DetectionRules } from "../detect/rules.ts";

/** Of what is stored, nothing that is taken out can be given back: who reads it later is nobody's answer. So a redaction masks. */
export function maskingRules(rules: DetectionRules): DetectionRules {
  const masked = (action: DetectionAction): DetectionAction => (action === "redact" ? "mask" : action);
  return { ...rules, action: (type, boundary) => masked(rules.action(type, boundary)) };
}
