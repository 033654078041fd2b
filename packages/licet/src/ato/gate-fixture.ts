import type { GateFacts, JudgedBy } from "@licet/contract";

const release = `sha256:${"ab".repeat(32)}`;
const t0 = Date.UTC(2026, 10, 20, 12);

/** Facts of an internal language-model application at minimal tier: what the tests start from. */
export const minimalPilot: GateFacts = {
  v: 1,
  offline: false,
  now: t0,
  system: "helpdesk",
  release,
  releasePushedAt: t0 - 60_000,
  number: 1,
  from: "proposed",
  to: "pilot",
  environment: "local",
  declaredEnvironment: true,
  tier: "minimal",
  prohibited: false,
  tierReasons: ["minimal"],
  openQuestions: [],
  owners: { business: "bea@example.org", technical: "tom@example.org", risk: "rita@example.org" },
  declared: ["owner.business", "owner.technical", "owner.risk", "purpose", "users", "affectedPeople", "deploymentContext", "dataBoundary", "rollback", "classical:none"],
  unregisteredProviders: [],
  declaredChecks: [],
  advisoryChecks: [],
  checks: [],
  approvals: [],
  authors: ["tom@example.org"],
  requestedAt: null,
  holds: [],
  evidence: [],
  turns: { "risk-owner": ["rita@example.org"], "authorizing-official": ["ada@example.org"], "technical-owner": ["tom@example.org"] },
};

/** What a result stood on that was judged by the limit that its check has by default. */
export const judged = (limit: number, given: Partial<JudgedBy> = {}): JudgedBy => ({ op: "<=", limit, alpha: 0.05, attempted: 600, assessed: 600, origin: "native", ...given });

const check = (id: string, kind: string, by: JudgedBy): GateFacts["checks"][number] => ({ id, check: kind, verdict: "pass", producer: "licet", producedBy: "server", at: t0 - 30_000, result: `entry_${id}`, judged: by });

const approval = (person: string, role: string): GateFacts["approvals"][number] => ({ id: `approval_${role}`, role, person, answer: "approve", counts: true, why: "", at: t0 - 10_000, notAfter: t0 + 86_400_000 });

/** Facts of a diagnostic model at high tier with two approvals. */
export const highPilot: GateFacts = {
  ...minimalPilot,
  system: "tumour",
  tier: "high",
  declared: [...minimalPilot.declared.filter((name) => name !== "classical:none"), "overseer", "llm:none", "vendors:none"],
  declaredChecks: ["schema", "recall", "opportunity"],
  advisoryChecks: ["odds"],
  checks: [
    check("schema", "data.schema", judged(0)),
    check("recall", "perf.metric", judged(0.9, { op: ">=", figure: "recall" })),
    check("opportunity", "fair.opportunity", judged(0.1)),
    { ...check("odds", "fair.odds", judged(0.1)), verdict: "insufficient_evidence" },
  ],
  approvals: [approval("rita@example.org", "risk-owner"), approval("ada@example.org", "authorizing-official")],
  requestedAt: t0 - 20_000,
};
