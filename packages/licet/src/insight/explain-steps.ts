import { errorInfo, isErrorCode, type FindingCount } from "@licet/contract";

/** What the steps of a refusal are told with. */
export interface Place {
  readonly system: string;
  readonly stage: string;
  readonly environment: string;
  readonly model: string | null;
  readonly provider: string | null;
  /** What differs from the release, as `prompt` or `tool:search`. */
  readonly component: string | null;
  readonly findings: readonly FindingCount[];
  readonly hold: string | null;
  readonly remedy: string | null;
}

interface Advice {
  readonly turn: string;
  readonly steps: (place: Place) => readonly string[];
}

const developer = "technical-owner";
const operator = "platform-engineer";

/** A change of what was authorised takes this way, whatever it is. */
function newRelease(change: string, { system, stage, environment }: Place): readonly string[] {
  return [
    change,
    "push it: `licet push`",
    `ask for its authorization: \`licet promote --system ${system} --to ${stage} --environment ${environment}\``,
    `when it is granted, put it there: \`licet deploy record --system ${system} --environment ${environment} --stage ${stage}\``,
  ];
}

function ask({ system, stage, environment }: Place): readonly string[] {
  return [
    `see what is unmet: \`licet gate --system ${system} --to ${stage} --environment ${environment}\``,
    `ask for it: \`licet promote --system ${system} --to ${stage} --environment ${environment}\``,
  ];
}

function classes(findings: readonly FindingCount[]): string {
  const named = [...new Set(findings.map(({ dataClass }) => dataClass))].map((name) => `\`${name}\``).join(", ");
  return named === "" ? "the class of data" : named;
}

const wait: Advice = { turn: operator, steps: () => [] };

/** Refusals that a policy's own remedy says less about than the record does. The others are told by remedy and registry. */
const advice: Readonly<Record<string, Advice>> = {
  ato_missing: { turn: developer, steps: ask },
  ato_expired: { turn: developer, steps: ask },
  ato_revoked: { turn: developer, steps: ask },
  ato_suspended: { turn: "risk-owner", steps: ({ system }) => [`see why: \`licet ato show --system ${system}\``, "put right what its condition names; it is restored, or a new one is asked for"] },
  held: {
    turn: "security-engineer, risk-owner",
    steps: ({ hold }) => ["see who stopped it and why: `licet hold list`", ...(hold === null ? [] : [`when the reason is gone, ask to lift it: \`licet hold lift ${hold} --reason "…"\``])],
  },
  data_outside_boundary: {
    turn: developer,
    steps: (place) => [`leave the data out of the call: it holds ${classes(place.findings)}`, ...newRelease(`or, where the system is meant to process it, add ${classes(place.findings)} to \`dataBoundary\` in licet.yaml`, place)],
  },
  answer_outside_boundary: {
    turn: developer,
    steps: (place) => ["change the question so that the answer does not hold it", ...newRelease(`or, where the system is meant to process it, add ${classes(place.findings)} to \`dataBoundary\` in licet.yaml`, place)],
  },
  sharing_path_missing: { turn: developer, steps: (place) => newRelease("add the path to `dataBoundary.sharingPaths` in licet.yaml, or send less", place) },
  model_undeclared: { turn: developer, steps: (place) => [`call a model that the release declares${place.model === null ? "" : `: \`${place.model}\` is none`}`, ...newRelease("or declare this one under `models` in licet.yaml", place)] },
  release_mismatch: {
    turn: developer,
    steps: (place) => [`send what the release declares${place.component === null ? "" : `: \`${place.component}\` differs`}`, ...newRelease("or put the change into licet.yaml and the files that it names", place)],
  },
  tool_undeclared: { turn: developer, steps: (place) => ["see which tool it was: the decision's outcome names it", ...newRelease("declare the tool in licet.yaml, or the permission that it stands behind, where the model is meant to call it", place)] },
  permission_undeclared: { turn: developer, steps: (place) => ["leave out the field that the refusal names", ...newRelease(`or declare the permission${place.component === null ? "" : ` \`${place.component}\``} in licet.yaml`, place)] },
  provider_unknown: { turn: operator, steps: ({ provider }) => [`have it registered: \`licet provider add${provider === null ? "" : ` ${provider}`}\`, which is a gate move`] },
  deployment_inactive: { turn: developer, steps: ({ system, environment, stage }) => [`record the deployment: \`licet deploy record --system ${system} --environment ${environment} --stage ${stage}\``] },
  credential_invalid: { turn: operator, steps: () => ["send the credential of this deployment; where it has run out or was revoked, record the deployment again: `licet deploy record`"] },
  snapshot_stale: wait,
  evidence_unavailable: wait,
  gateway_busy: wait,
  clock_regressed: wait,
};

/** Whose turn where no policy says so; empty where only the caller can do something. */
export function turnOf(code: string): string {
  return advice[code]?.turn ?? "";
}

export function stepsOf(code: string, place: Place): readonly string[] {
  const known = advice[code]?.steps(place) ?? [];
  const told = [place.remedy, isErrorCode(code) ? errorInfo(code).fix : null].filter((text) => text !== null && text !== "").slice(0, 1);
  return known.length > 0 ? known : told.flatMap((text) => text ?? []);
}
