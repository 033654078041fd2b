import { Text } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { Rows } from "../../parts/tables.tsx";
import { Section } from "../../parts/states.tsx";
import { Age, Digest, Word } from "../../parts/words.tsx";

export function Components({ detail }: { readonly detail: SystemDetail }): ReactNode {
  return (
    <Section title="Components" note="Content-addressed: the release digest covers all of them.">
      <Rows
        label="components"
        head={["Kind", "Name", "Digest", "Detail"]}
        empty="No component is declared."
        rows={detail.components.map((row) => ({ key: `${row.kind} ${row.name}`, cells: [row.kind, row.name, <Digest key="d" value={row.digest} />, row.detail] }))}
      />
    </Section>
  );
}

function figure(value: unknown): string {
  return typeof value === "number" ? String(Math.round(value * 1e4) / 1e4) : "";
}

function boundsOf(result: Readonly<Record<string, unknown>>): string {
  const interval = result["interval"];
  if (typeof interval !== "object" || interval === null || !("lower" in interval) || !("upper" in interval)) return "";
  return `${figure(interval.lower) || "…"} to ${figure(interval.upper) || "…"}`;
}

function limitOf(result: Readonly<Record<string, unknown>>): string {
  const limit = result["limit"];
  if (typeof limit !== "object" || limit === null || !("op" in limit) || !("value" in limit)) return "";
  return `${String(limit.op)} ${figure(limit.value)}`;
}

export function Checks({ detail }: { readonly detail: SystemDetail }): ReactNode {
  return (
    <Section title="Checks" note="Three verdicts: too little data is insufficient evidence, never a pass.">
      <Rows
        label="checks"
        head={["Check", "Verdict", "Estimate", "Interval", "Limit", "Producer", "When"]}
        empty="No result for this release. Run licet check."
        rows={detail.checks.map((row) => ({
          key: row.id,
          cells: [
            row.checkId,
            <span key="v">
              <Word value={row.verdict} />
              {typeof row.result["reason"] === "string" ? (
                <Text size="xs" c="dimmed">
                  {row.result["reason"]}
                </Text>
              ) : null}
            </span>,
            figure(row.result["estimate"]),
            boundsOf(row.result),
            limitOf(row.result),
            `${row.producer}, ${row.producedBy}`,
            <Age key="t" since={row.at} />,
          ],
        }))}
      />
    </Section>
  );
}
