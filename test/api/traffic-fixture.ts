import type { Client } from "@licet/client";
import type { ErrorCode, FindingCount } from "@licet/contract";
import { bareFacts } from "../../packages/licet/src/gateway/facts.ts";
import { decisionRecord, reasonOf } from "../../packages/licet/src/gateway/record.ts";
import { refuse } from "../../packages/licet/src/gateway/refusal.ts";
import type { CredentialView } from "../../packages/licet/src/gateway/snapshot.ts";
import { exampleBundle, exampleManifest } from "../../packages/licet/src/inventory/example-manifest.ts";
import { releaseOf } from "../../packages/licet/src/inventory/release.ts";
import type { Installation } from "./installation.ts";

const bundleOf = (system: string) => exampleBundle({ ...exampleManifest, name: system, title: system });

function releaseFor(system: string): string {
  return releaseOf(bundleOf(system)).digest;
}

/** A registered system with a deployment that was never authorised: only its row, which no route would make. */
export async function deployed({ database }: Pick<Installation, "database">, client: Client, system: string): Promise<void> {
  await client("pushRelease", { params: { space: "main" }, body: bundleOf(system) });
  const row = { space: "main", id: `dep_${system}`, system, environment: "local", stage: "pilot", release: releaseFor(system), active: 1, recorded_by: "x", recorded_at: 1, attested: "[]", entry: "e" };
  await database.write(async (tx) => {
    await tx.insertInto("deployment").values(row).execute();
  });
}

/** A deployment as the snapshot knows it. */
export function credentialOf(system: string, space = "main"): CredentialView {
  const deployment = { id: `dep_${system}`, space, system, environment: "local", stage: "pilot", active: true, release: releaseFor(system), tier: "limited", models: [], prompts: [], tools: [], boundary: { classes: [], regions: [] } };
  return { id: `cred_${system}`, space, digest: "0".repeat(64), expiresAt: Number.MAX_SAFE_INTEGER, revokedAt: null, deployment };
}

export interface Calling {
  readonly system: string;
  readonly code?: ErrorCode;
  readonly policy?: string;
  readonly findings?: readonly FindingCount[];
  readonly model?: string;
  readonly bundle?: string;
  /** A policy that permitted the call, which something else refused. */
  readonly permitted?: string;
}

export interface Ending {
  readonly totalMs?: number;
  readonly finish?: "complete" | "refused" | "failed" | "aborted";
  readonly code?: ErrorCode;
  readonly cost?: { readonly costMicros: number; readonly currency: string };
}

export interface Traffic {
  /** Records a decision as the gateway does; answers its id. */
  decide(calling: Calling): Promise<string>;
  end(decision: string, system: string, ending?: Ending): Promise<void>;
  /** Every row is there. */
  settle(): Promise<void>;
}

/** Calls through the gateway's own recorder, without a provider behind them. */
export function traffic({ recorder }: Pick<Installation, "recorder">, space = "main"): Traffic {
  const record = decisionRecord({ ledger: recorder, gateway: "gw_test", space });
  return {
    decide: async ({ system, code, policy, findings = [], model = "gpt-test", bundle, permitted }) => {
      const refusal = code === undefined ? undefined : refuse(code, policy === undefined ? {} : { policy });
      const bare = bareFacts({ action: "callModel", endpoint: "/openai/v1/chat/completions", time: recorder.now() });
      const facts = { ...bare, more: { ...bare.more, scanned: "full" }, credential: credentialOf(system, space), model, findings, policyBundle: bundle ?? null, reasons: [...(refusal === undefined ? [] : [reasonOf(refusal)]), ...(permitted === undefined ? [] : [{ policy: permitted, remedy: "" }])] };
      const written = await record.decision({ kind: "gateway.decision", facts, refusal });
      if (!("id" in written)) throw new Error("the log did not take the decision");
      return written.id;
    },
    end: async (decision, system, { totalMs = 40, finish = "complete", code, cost } = {}) => {
      const body = {
        deployment: `dep_${system}`,
        release: releaseFor(system),
        status: 200,
        code: code ?? null,
        finish,
        finishReasons: ["stop"],
        abortedBy: null,
        usage: { prompt: 10, completion: 5, total: 15 },
        findings: [],
        scanned: "full",
        answerBytes: 100,
        timings: { decisionMs: 2, firstByteMs: 20, totalMs },
        upstreamStatus: 200,
        ...(cost !== undefined && { cost: { ...cost, tokens: 15, day: "2026-11-21", priceDate: null, estimated: false, reserved: { tokens: 100, costMicros: null } } }),
      };
      if (!(await record.outcome({ decision, credential: credentialOf(system, space), body }))) throw new Error("the log did not take the outcome");
    },
    settle: () => recorder.settle(),
  };
}
