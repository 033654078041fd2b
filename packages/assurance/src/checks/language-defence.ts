import { LicetError, type DefenceCheck } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { builtInCalls, decideReplay, type HijackedCall, measureReplay, readHijackedCalls, replayLimit, type ReplayStatistics } from "../llm/checks/defence-replay.ts";
import { replayThrough } from "../llm/replay/through-gateway.ts";
import type { Components, Loaded } from "../suite/component.ts";
import type { RunContext } from "./definition.ts";
import { count } from "./model-figures.ts";
import { type MeasuredStatistics, statisticsCheck } from "./statistics.ts";

const figures: z.ZodType<ReplayStatistics> = z.object({
  kind: z.literal("replay"),
  hijacked: count,
  blocked: count,
  honest: count,
  honestBlocked: count,
  failed: count,
  wrong: z.array(z.string().max(100)).max(200),
});

const bytesMax = 16 * 1024 * 1024;

export const defenceReplay = statisticsCheck<DefenceCheck, ReplayStatistics>({
  check: "llm.defence.replay",
  version: "1",
  op: replayLimit.op,
  // The policies and detectors that decide are those of the moment, and no file of the release.
  fresh: true,
  unit: "share of a hijacked model's calls that are blocked",
  figures,
  limitValue: () => replayLimit.value,
  components: ({ model, calls }) => [model, ...(calls === undefined ? [] : [calls])],
  measure: measured,
  decide: decideReplay,
});

async function measured(check: DefenceCheck, files: Components, { language }: RunContext): Promise<MeasuredStatistics<ReplayStatistics>> {
  const defence = language?.defence?.(check.model, check.prompt);
  if (defence === undefined) {
    throw new LicetError("endpoint_unknown", { message: `nobody said which gateway stands before \`${check.model}\`: run \`licet check\` with --endpoint, or --on-server`, at: { component: check.model } });
  }
  const own = check.calls === undefined ? undefined : await read(files, check.calls);
  const calls = own?.content ?? builtInCalls();
  const { statistics, notes } = await measureReplay(replayThrough(defence.gateway, calls), calls);
  const { hijacked, honest, failed } = statistics;
  return {
    subject: { kind: "openai", id: check.model, digest: defence.digest },
    inputs: own === undefined || check.calls === undefined ? [] : [{ role: "prompts", id: check.calls, digest: own.digest, rows: calls.length }],
    figures: statistics,
    counts: { attempted: calls.length, assessed: hijacked + honest, unassessed: failed },
    notes: [...defence.notes, ...notes],
    queries: 2 * calls.length,
  };
}

async function read(files: Components, name: string): Promise<Loaded<readonly HijackedCall[]>> {
  const { content, ...loaded } = await files.bytes(name, bytesMax);
  return { ...loaded, content: readHijackedCalls(parsed(content)) };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new LicetError("probes_malformed", { message: "the calls are no JSON", cause });
  }
}
