/** What is wrong with a policy, where, why it matters, and what to do. Errors refuse the bundle; warnings are listed. */
export interface PolicyFinding {
  readonly severity: "error" | "warning";
  readonly rule: "invalid" | "missing-guard" | "can-overflow" | "constructor-not-literal" | "rounded-number" | "omission";
  readonly policy: string;
  readonly pack: string;
  /** The expression or clause, as Cedar text; empty where it is the whole policy. */
  readonly place: string;
  readonly why: string;
  readonly fix: string;
}

export function findingText({ policy, place, why, fix }: PolicyFinding): string {
  return `\`${policy}\`${place === "" ? "" : `, at \`${place}\``}: ${why}; ${fix}`;
}
