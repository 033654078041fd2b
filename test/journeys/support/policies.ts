import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What people read when the pack refuses them. */
export const teamPack = { name: "pathology", policy: "pathology.rehearsed", code: "deployment_inactive", remedy: "score in pilot or production only", comment: "no scores from an experiment" } as const;

const manifest = (system: string) => `v: 1
name: ${teamPack.name}
title: Rules of pathology
description: What the department asks of its classifier.
kind: team
systems: [${system}]
`;

const rules = `@id("${teamPack.policy}")
@requirement("${teamPack.code}")
@title("proposals come from a rehearsed deployment")
@remedy("${teamPack.remedy}")
@turn("technical-owner")
@severity("high")
forbid (
  principal,
  action == Licet::Action::"score",
  resource
)
unless { principal has stage && principal.stage != "experiment" };
`;

const tests = (system: string) => `v: 1
fixtures:
  score:
    principal: Licet::Workload::"dep_1"
    action: Licet::Action::"score"
    resource: Licet::Model::"local/model"
    context: { now: "2026-11-20T17:00:00Z", release: r1, dataClasses: [] }
    entities:
      - uid: Licet::Workload::"dep_1"
        attrs:
          system: ${system}
          environment: local
          stage: pilot
          release: r1
          tier: high
          boundary: [public]
          regions: [eu]
          held: false
          oversight: spot-checks
          ato: { id: ato_1, state: granted, stage: pilot, environment: local, release: r1, notBefore: "2026-11-01T00:00:00Z", notAfter: "2027-02-01T00:00:00Z" }
      - uid: Licet::Model::"local/model"
        attrs: { provider: local, name: model, region: "", declared: true }
scenarios:
  - { name: a pilot scores, base: score, expect: { decision: allow } }
  - name: an experiment does not
    base: score
    set: { entities.Licet::Workload::dep_1.attrs.stage: experiment, entities.Licet::Workload::dep_1.attrs.ato.stage: experiment }
    expect: { decision: deny, reasons: [${teamPack.policy}] }
`;

/** A team's repository with one pack; answers the folder that `licet policy` takes. */
export function policyFolder(folder: string, system: string): string {
  const policies = join(folder, "policies");
  const pack = join(policies, "packs", teamPack.name);
  mkdirSync(join(pack, "tests"), { recursive: true });
  writeFileSync(join(pack, "pack.yaml"), manifest(system));
  writeFileSync(join(pack, "rules.cedar"), rules);
  writeFileSync(join(pack, "tests/rules.yaml"), tests(system));
  return policies;
}
