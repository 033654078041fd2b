import { LicetError, type ArtifactCheck } from "@licet/contract";
import { z } from "zod";
import { decideArtifact, measureArtifact } from "../artifact/decide-artifact.ts";
import { artifactRules, type ArtifactRule } from "../artifact/rules.ts";
import { FileSource } from "../artifact/source.ts";
import { count } from "./model-figures.ts";
import { statisticsCheck } from "./statistics.ts";

type Figures = Awaited<ReturnType<typeof measureArtifact>>["statistics"];

const isRule = (rule: unknown): rule is ArtifactRule => typeof rule === "string" && Object.hasOwn(artifactRules, rule);

const scanned = z.object({
  name: z.string().max(1000),
  digest: z.string().max(100),
  bytes: count,
  format: z.string().max(100),
  block: count,
  insufficient: count,
  advisory: count,
  rules: z.array(z.custom<ArtifactRule>(isRule)).max(100),
});

export const artifactScan = statisticsCheck<ArtifactCheck, Figures>({
  check: "artifact.scan",
  version: "1",
  op: "<=",
  exact: true,
  unit: "files that must not be loaded",
  figures: z.object({ artifacts: z.array(scanned).max(1001) }),
  limitValue: () => 0,
  components: ({ artifact }) => [artifact],
  measure: async ({ artifact }, files) => {
    const { file, digest } = await files.locate(artifact);
    const source = new FileSource(file);
    try {
      const { statistics, notes } = await measureArtifact([{ name: artifact, source }]);
      // The scan has hashed what it read: only that is known.
      if (statistics.artifacts.some((each) => each.digest !== digest)) throw new LicetError("component_digest_mismatch", { message: `the file of \`${artifact}\` is not the declared one: restore it, or declare its digest as a new release`, at: { component: artifact } });
      return { subject: { kind: "artifact", id: artifact, digest }, inputs: [], counts: { attempted: 1, assessed: 1, unassessed: 0 }, figures: statistics, notes };
    } finally {
      source.close();
    }
  },
  decide: decideArtifact,
});
