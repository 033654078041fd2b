import type { Manifest, ReleaseBundle } from "@licet/contract";
import { stringify } from "yaml";

/** A small, complete manifest for tests: minimal tier, one hosted model, one prompt in the manifest itself. */
export const exampleManifest: Manifest = {
  apiVersion: "licet/v1",
  name: "example",
  title: "Example",
  purpose: "Answer questions about the canteen.",
  owners: { business: "b@example.com", technical: "t@example.com", risk: "r@example.com" },
  users: ["staff"],
  affectedPeople: [],
  deploymentContext: "Intranet.",
  jurisdictions: ["DE"],
  oversight: { mode: "none" },
  autonomy: "suggests",
  risk: {
    effectOnPeople: "convenience",
    peopleReached: "team",
    reversibility: "undo-in-seconds",
    exposure: "staff-input",
    suppliers: "replaceable",
    opacity: "opaque",
    businessCriticality: "none",
    moneyAtStake: "none",
    eu: {
      scope: { aiSystem: true, inUnion: true, excludedUse: false, openSource: false },
      role: { provider: false, deployer: true, becomesProvider: false },
      prohibited: {
        manipulation: false,
        exploitsVulnerability: false,
        intimateMaterial: false,
        childAbuseMaterial: false,
        socialScoring: false,
        crimePrediction: false,
        faceScraping: false,
        emotionAtWorkOrSchool: false,
        biometricCategorisation: false,
        realTimeBiometricId: false,
      },
      annexI: { regulatedProduct: false, thirdPartyAssessment: false },
      annexIII: [],
      transparency: { notObviouslyAi: false, syntheticContent: false, emotionOrCategorisation: false, deepFakesOrPublicText: false },
      gpai: { placesModel: false },
    },
  },
  components: {
    models: [{ name: "chat", provider: "simulator", model: "sim-1", description: "hosted" }],
    prompts: [{ name: "system", role: "system", text: "You know the canteen.", description: "tone" }],
  },
  dataBoundary: { classes: ["public", "internal"], regions: ["eu"], retentionDays: 30, sharingPaths: [] },
  downstreamActions: [],
  rollback: { plan: "Take it down." },
  environments: ["local"],
};

/** The bundle of a manifest whose contents all stand in the manifest itself. */
export function exampleBundle(manifest: Manifest = exampleManifest): ReleaseBundle {
  const { prompts = [], tools = [] } = manifest.components;
  return {
    v: 1,
    manifest,
    manifestText: stringify(manifest),
    prompts: prompts.map(({ name, text }) => ({ name, text: text ?? "" })),
    tools: tools.map(({ name, schema }) => ({ name, schema: schema ?? {} })),
    files: [],
  };
}
