import type { ImportFormat, SignConvention } from "./report.ts";

interface Rule {
  readonly tool: ImportFormat | "aif360" | "fairlearn";
  readonly name: RegExp;
  readonly sign: SignConvention;
}

/**
 * What a figure of a name means in a tool. AIF360's differences are signed (unprivileged minus privileged), Fairlearn's absolute; garak's
 * scores are shares that passed, DeepTeam's and promptfoo's rates likewise; Evidently's drift is read by its method. Source: the tools'
 * documentation: aif360 `metrics/classification_metric.py`, fairlearn `metrics/_fairness_metrics.py`, garak `analyze/report_digest.py`.
 */
const rules: readonly Rule[] = [
  { tool: "aif360", name: /(?:difference|gap)/iu, sign: "signed_difference" },
  { tool: "aif360", name: /(?:ratio|disparate_impact)/iu, sign: "ratio" },
  { tool: "fairlearn", name: /difference/iu, sign: "absolute_difference" },
  { tool: "fairlearn", name: /ratio/iu, sign: "ratio" },
  { tool: "garak", name: /score/iu, sign: "pass_share" },
  { tool: "deepteam", name: /pass_rate/iu, sign: "pass_share" },
  { tool: "promptfoo", name: /(?:score|pass)/iu, sign: "pass_share" },
  { tool: "moonshot", name: /(?:attack_success_rate|asr|refusal)/iu, sign: "event_share" },
  { tool: "moonshot", name: /(?:accuracy|exact_str_match|f1|bleu|bert)/iu, sign: "pass_share" },
  // AI Verify's fairness toolbox reports each group's rate and parity as a ratio between groups.
  { tool: "aiverify", name: /(?:ratio|impact)/iu, sign: "ratio" },
  { tool: "aiverify", name: /(?:difference|gap|parity)/iu, sign: "signed_difference" },
];

/** `unknown` where no rule is sure: such a figure is compared with nothing. */
export function signOf(tool: Rule["tool"], name: string): SignConvention {
  return rules.find((rule) => rule.tool === tool && rule.name.test(name))?.sign ?? "unknown";
}
