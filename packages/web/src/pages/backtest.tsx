import { Button, Code, Group, Stack, Text } from "@mantine/core";
import type { BacktestReport, BacktestView } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useChange, useRoute } from "../api.ts";
import { EntryLink } from "../parts/entry-link.tsx";
import { PageLink } from "../parts/links.tsx";
import { Age, Moment } from "../parts/moments.tsx";
import { Failure, Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Digest, Field, Word } from "../parts/words.tsx";
import { useWho } from "../who.ts";
import { Bar } from "./policies/backtests.tsx";

function About({ backtest }: BacktestView): ReactNode {
  return (
    <Section title="What is compared">
      <Field name="Candidate">
        <Digest value={backtest.candidate} />
      </Field>
      <Field name="Active when asked">
        <Digest value={backtest.active} />
      </Field>
      <Field name="Decisions from">
        <Moment at={backtest.from} />
      </Field>
      <Field name="to">
        <Moment at={backtest.to} />
      </Field>
      <Field name="System">{backtest.system ?? "all"}</Field>
      <Field name="Asked by">
        {backtest.askedBy}, <Age since={backtest.askedAt} />
      </Field>
      {backtest.entry === null ? null : (
        <Field name="Record">
          <EntryLink id={backtest.entry} />
        </Field>
      )}
    </Section>
  );
}

function summary({ counts }: BacktestReport): string {
  const changed = counts.allowToDeny + counts.denyToAllow;
  if (counts.decisions === 0) return "No recorded decision could be made again in this period.";
  return changed === 0 ? `None of ${counts.decisions.toLocaleString()} decisions would change.` : `${changed.toLocaleString()} of ${counts.decisions.toLocaleString()} decisions would change.`;
}

const changes = { "deny-to-allow": "refused, would be allowed", "allow-to-deny": "allowed, would be refused", reasons: "same answer, by other policies" } as const;

function Result({ report }: { readonly report: BacktestReport }): ReactNode {
  const { counts, undecided } = report;
  return (
    <Section title="Result">
      <Text fw={600} role="status">
        {summary(report)}
      </Text>
      <Rows
        label="counts"
        head={["Allowed, would be refused", "Refused, would be allowed", "Same answer, other policies", "Unchanged"]}
        empty=""
        rows={[{ key: "all", cells: [counts.allowToDeny, counts.denyToAllow, counts.reasons, counts.unchanged].map((value) => value.toLocaleString()) }]}
      />
      <Text size="sm" c="dimmed">
        Not decided again: {undecided.refusedBefore.toLocaleString()} refused before policies were asked, {undecided.erased.toLocaleString()} erased, {undecided.misfit.toLocaleString()} whose request does not fit the
        candidate's schema, {undecided.unreadable.toLocaleString()} unreadable.
      </Text>
    </Section>
  );
}

function ByPolicy({ report }: { readonly report: BacktestReport }): ReactNode {
  return (
    <Section title="By policy">
      <Rows
        label="by policy"
        head={["Policy", "Would refuse", "Would allow", "Reasons", "Warnings", "Shadow", "Examples"]}
        empty="No policy decides otherwise."
        rows={report.byPolicy.map((row) => ({
          key: row.policy,
          cells: [
            <Code key="p">{row.policy}</Code>,
            String(row.allowToDeny),
            String(row.denyToAllow),
            String(row.reasons),
            String(row.warnings),
            String(row.shadowed),
            <Group key="e" gap="xs">
              {row.examples.slice(0, 3).map((decision, at) => (
                <PageLink key={decision} to="/decisions/$decision" params={{ decision }} size="sm">
                  {at + 1}
                </PageLink>
              ))}
            </Group>,
          ],
        }))}
      />
    </Section>
  );
}

function Report({ report }: { readonly report: BacktestReport }): ReactNode {
  return (
    <>
      <Result report={report} />
      <ByPolicy report={report} />
      <Section title="By system">
        <Rows
          label="by system"
          head={["System", "Decisions", "Would refuse", "Would allow", "Reasons"]}
          empty="No decision in this period."
          rows={report.bySystem.map(({ system, counts: each }) => ({ key: system ?? "others", cells: [system ?? "others", ...[each.decisions, each.allowToDeny, each.denyToAllow, each.reasons].map((value) => value.toLocaleString())] }))}
        />
      </Section>
      <Section title="Examples">
        <Rows
          label="examples"
          head={["Decision", "System", "Change"]}
          empty="No decision would change."
          rows={report.examples.map((row) => ({
            key: row.decision,
            cells: [
              <PageLink key="d" to="/decisions/$decision" params={{ decision: row.decision }} size="sm">
                <Age since={row.at} />
              </PageLink>,
              row.system ?? "unknown",
              changes[row.change],
            ],
          }))}
        />
      </Section>
    </>
  );
}

function Whole({ view }: { readonly view: BacktestView }): ReactNode {
  const { may } = useWho();
  const cancel = useChange("cancelBacktest");
  const { backtest, report } = view;
  const underWay = backtest.state === "waiting" || backtest.state === "running";
  return (
    <Stack key={backtest.id}>
      <Group gap="sm">
        <PageTitle>Backtest</PageTitle>
        <Word value={backtest.state} />
      </Group>
      {underWay ? <Bar row={backtest} /> : null}
      {underWay && may("policy.propose") ? (
        <Button w="fit-content" size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate({ params: { space, backtest: backtest.id }, body: {} })}>
          Stop it
        </Button>
      ) : null}
      {cancel.isError ? <Failure error={cancel.error} /> : null}
      {backtest.error === null ? null : <Text role="alert">It could not be finished: {backtest.error}</Text>}
      {report === null ? null : <Report report={report} />}
      <About {...view} />
    </Stack>
  );
}

export function Backtest(): ReactNode {
  const { backtest } = useParams({ from: "/policies/backtests/$backtest" });
  const query = useRoute("showBacktest", { params: { space, backtest } });
  return <Loaded query={query} title="Backtest">{(view) => <Whole view={view} />}</Loaded>;
}
