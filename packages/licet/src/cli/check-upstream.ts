import { readFileSync } from "node:fs";
import { builtInCalls, readHijackedCalls, scriptOf } from "@licet/assurance";
import { parseJson } from "@licet/evidence";
import { serveScript, type ScriptedListener } from "../http/scripted-listener.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface UpstreamOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** A file of calls; the same that the check names. */
  readonly calls?: string;
}

/** A provider that answers as a hijacked model would, until it is ended. */
export async function startUpstream({ port, calls }: UpstreamOptions, terminal: Terminal): Promise<ScriptedListener> {
  const scripted = calls === undefined ? builtInCalls() : readHijackedCalls(read(calls));
  const listener = await serveScript({ port, answer: scriptOf(scripted).upstream });
  terminal.out(`a provider without a model, with ${scripted.length} scripted calls: ${listener.baseUrl}`);
  return listener;
}

export async function runCheckUpstream(options: UpstreamOptions, terminal: Terminal): Promise<void> {
  const listener = await startUpstream(options, terminal);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await listener.close();
}

function read(path: string): unknown {
  try {
    return parseJson(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new UsageError(`\`${path}\` cannot be read as JSON: ${cause instanceof Error ? cause.message : ""}`);
  }
}
