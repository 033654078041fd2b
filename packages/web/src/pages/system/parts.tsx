import { Code, Text } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { EntryLink } from "../../parts/entry-link.tsx";
import { Age } from "../../parts/moments.tsx";
import { Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest, Word } from "../../parts/words.tsx";
import { labelOf } from "../../theme.ts";

export function Components({ detail }: { readonly detail: SystemDetail }): ReactNode {
  return (
    <Section id="components" title="Components" note="Content-addressed: the release's digest covers all of them.">
      <Rows
        label="components"
        head={["Kind", "Name", "Digest", "Detail"]}
        empty="No component is declared."
        rows={detail.components.map((row) => ({ key: `${row.kind} ${row.name}`, cells: [row.kind, row.name, <Digest key="d" value={row.digest} />, row.detail] }))}
      />
    </Section>
  );
}

type Result = Readonly<Record<string, unknown>>;

function record(value: unknown): Result {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function figure(value: unknown): string {
  return typeof value === "number" ? String(Math.round(value * 1e4) / 1e4) : "";
}

function boundsOf(result: Result): string {
  const interval = record(result["interval"]);
  const [lower, upper] = [figure(interval["lower"]), figure(interval["upper"])];
  return lower === "" && upper === "" ? "" : `${lower || "…"} to ${upper || "…"}`;
}

function limitOf(result: Result): string {
  const limit = record(result["limit"]);
  const operator = word(limit, "op").replace("<=", "≤").replace(">=", "≥");
  return `${operator}\u00a0${figure(limit["value"])}`.trim();
}

function word(result: Result, key: string): string {
  const value = result[key];
  return typeof value === "string" ? value : "";
}

function Verdict({ verdict, result }: { readonly verdict: string; readonly result: Result }): ReactNode {
  const needed = result["requiredN"];
  const reason = labelOf(word(result, "reason"));
  return (
    <div>
      <Word value={verdict} />
      {reason === "" ? null : (
        <Text size="xs" c="dimmed">
          {reason}
          {typeof needed === "number" ? `: about ${needed} cases needed` : ""}
        </Text>
      )}
    </div>
  );
}

function Check({ id, result }: { readonly id: string; readonly result: Result }): ReactNode {
  return (
    <div>
      <Text size="sm">
        {id} <Code>{word(result, "check")}</Code>
      </Text>
      <Text size="xs" c="dimmed">
        {word(result, "label")}
      </Text>
    </div>
  );
}

export function Checks({ detail }: { readonly detail: SystemDetail }): ReactNode {
  return (
    <Section id="checks" title="Checks" note="Three verdicts: too little data is insufficient evidence, never a pass. The interval, not the estimate, is held against the limit.">
      <Rows
        label="checks"
        head={["Check", "Verdict", "Estimate", "Interval", "Limit", "Producer", "When", "Record"]}
        empty={
          <>
            No result for this release. Run <Code>licet check</Code>, or <Code>licet check --on-server</Code> above minimal tier.
          </>
        }
        rows={detail.checks.map((row) => ({
          key: row.id,
          cells: [
            <Check key="c" id={row.checkId} result={row.result} />,
            <Verdict key="v" verdict={row.verdict} result={row.result} />,
            figure(row.result["estimate"]),
            boundsOf(row.result),
            limitOf(row.result),
            row.producer === "licet" ? "this server's runner" : `${row.producer}: ${row.producedBy}`,
            <Age key="t" since={row.at} />,
            <EntryLink key="l" id={row.entry} />,
          ],
        }))}
      />
    </Section>
  );
}
