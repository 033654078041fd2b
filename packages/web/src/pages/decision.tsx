import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import type { DecisionView, RouteAnswer } from "@licet/contract";
import { useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { space, useRoute } from "../api.ts";
import { EntryLink } from "../parts/entry-link.tsx";
import { PageLink } from "../parts/links.tsx";
import { Moment } from "../parts/moments.tsx";
import { Loaded, PageTitle, Section } from "../parts/states.tsx";
import { Rows } from "../parts/tables.tsx";
import { Digest, Field, Prose, Word } from "../parts/words.tsx";
import { labelOf, tones } from "../theme.ts";

type Loose = Readonly<Record<string, unknown>>;

function loose(value: unknown): Loose {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function listOf(value: unknown): readonly Loose[] {
  return Array.isArray(value) ? value.map(loose) : [];
}

function OnTrial({ title, note, ids }: { readonly title: string; readonly note: string; readonly ids: unknown }): ReactNode {
  if (!Array.isArray(ids) || ids.length === 0) return null;
  return (
    <Field name={title}>
      {ids.map((id) => (
        <Code key={text(id)} mr="xs">
          {text(id)}
        </Code>
      ))}
      <Text size="xs" c="dimmed" span>
        {note}
      </Text>
    </Field>
  );
}

function Why({ decision, detail }: { readonly decision: DecisionView; readonly detail: Loose }): ReactNode {
  const errors = Array.isArray(detail["policyErrors"]) ? detail["policyErrors"].map(text) : [];
  return (
    <Section title="Why" note="The policies that decided, and what to do.">
      <Rows
        label="reasons"
        head={["Policy", "What to do"]}
        empty="No policy is named."
        rows={decision.reasons.map((reason) => ({ key: reason.policy, cells: [<Code key="p">{reason.policy}</Code>, reason.remedy === "" ? "nothing: it allowed the call" : <Prose key="r">{reason.remedy}</Prose>] }))}
      />
      {errors.length === 0 ? null : (
        <Alert color={tones.bad} title="A policy could not be evaluated, so the call was refused">
          {errors.join("; ")}
        </Alert>
      )}
      <OnTrial title="Warned" note="will refuse such a call once they are enforced" ids={detail["warnings"]} />
      <OnTrial title="In the shadow" note="on trial: would have refused it" ids={detail["shadowed"]} />
      {typeof detail["policyBundle"] === "string" ? (
        <>
          <Field name="Policies">
            <Digest value={detail["policyBundle"]} />
          </Field>
          <PageLink to="/policies/playground" search={{ decision: decision.id }} size="sm">
            decide it again, and see what would have to hold
          </PageLink>
        </>
      ) : null}
    </Section>
  );
}

function Findings({ detail, outcome }: { readonly detail: Loose; readonly outcome: Loose }): ReactNode {
  const found = [...listOf(detail["findings"]).map((item) => ({ ...item, in: "request" })), ...listOf(outcome["findings"]).map((item) => ({ ...item, in: "answer" }))].map(loose);
  return (
    <Section title="Findings" note="Kinds and counts of sensitive data; what was found itself is not kept.">
      <Rows
        label="findings"
        head={["In", "Kind", "Class", "Count"]}
        empty="None."
        rows={found.map((item, at) => ({ key: `${at} ${text(item["type"])}`, cells: [text(item["in"]), text(item["type"]), text(item["dataClass"]), text(item["count"])] }))}
      />
    </Section>
  );
}

const callFields = [
  ["endpoint", "Endpoint"],
  ["provider", "Provider"],
  ["region", "Region"],
  ["upstreamModel", "Model at the provider"],
  ["stream", "Streamed"],
  ["requestBytes", "Request bytes"],
  ["scanned", "Scanned"],
  ["credential", "Credential"],
] as const;

function Call({ decision, detail }: { readonly decision: DecisionView; readonly detail: Loose }): ReactNode {
  return (
    <Section title="Call">
      <Field name="When">
        <Moment at={decision.at} />
      </Field>
      <Field name="System">
        {decision.system === null ? (
          "unknown"
        ) : (
          <PageLink to="/systems/$system" params={{ system: decision.system }} size="sm">
            {decision.system}
          </PageLink>
        )}
      </Field>
      <Field name="Deployment">{decision.deployment ?? "unknown"}</Field>
      <Field name="Release">{decision.release === null ? "unknown" : <Digest value={decision.release} />}</Field>
      <Field name="Action">{labelOf(decision.action)}</Field>
      {decision.model === null ? null : <Field name="Model">{decision.model}</Field>}
      {callFields
        .filter(([key]) => text(detail[key]) !== "")
        .map(([key, label]) => (
          <Field key={key} name={label}>
            {text(detail[key])}
          </Field>
        ))}
      <Field name="Gateway">
        {decision.gateway}, its decision number {decision.seq}
      </Field>
      <Field name="Record">
        <EntryLink id={decision.id} index={decision.logIndex} />
      </Field>
    </Section>
  );
}

function Outcome({ decision }: { readonly decision: DecisionView }): ReactNode {
  if (decision.decision === "deny") return null;
  const outcome = loose(decision.outcome);
  return (
    <Section title="Outcome" note="Recorded when the answer was over.">
      {decision.outcome === null ? (
        <Text size="sm">Not recorded: the call is still running, or its end was never reported.</Text>
      ) : (
        Object.entries(outcome)
          .filter(([key, value]) => !["decision", "deployment", "release", "findings"].includes(key) && text(value) !== "")
          .map(([key, value]) => (
            <Field key={key} name={key.replaceAll(/([A-Z])/gu, " $1").toLowerCase()}>
              {text(value)}
            </Field>
          ))
      )}
    </Section>
  );
}

function Whole({ data }: { readonly data: RouteAnswer<"showDecision"> }): ReactNode {
  const { decision, detail } = data;
  return (
    <Stack key={decision.id}>
      <Group gap="sm">
        <PageTitle>{`Decision ${decision.seq}`}</PageTitle>
        <Word value={decision.decision} />
        {decision.code === null ? null : <Code>{decision.code}</Code>}
      </Group>
      <Digest value={decision.id} />
      <Why decision={decision} detail={detail} />
      <Call decision={decision} detail={detail} />
      <Findings detail={detail} outcome={loose(decision.outcome)} />
      <Outcome decision={decision} />
      <Section title="Everything that was logged">
        <details>
          <summary>
            <Text size="sm" span>
              Show the record, with the facts that the policies saw
            </Text>
          </summary>
          <Code block className="exact">
            {JSON.stringify(detail, null, 2)}
          </Code>
        </details>
      </Section>
    </Stack>
  );
}

export function Decision(): ReactNode {
  const { decision } = useParams({ from: "/decisions/$decision" });
  const query = useRoute("showDecision", { params: { space, decision } });
  return <Loaded query={query} title="Decision">{(data) => <Whole data={data} />}</Loaded>;
}
