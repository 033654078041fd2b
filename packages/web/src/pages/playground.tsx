import { Button, JsonInput, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { ExplainAsked, PolicyQuestion } from "@licet/contract";
import { useSearch } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { space, useChange, useRoute } from "../api.ts";
import { Failure, PageTitle, Section } from "../parts/states.tsx";
import { Explained } from "./policies/explanation.tsx";

const sources = [
  { value: "gate", label: "A system and a stage" },
  { value: "call", label: "A system's model call" },
  { value: "decision", label: "A recorded decision" },
  { value: "request", label: "A request of your own" },
] as const;
type Source = (typeof sources)[number]["value"];

const stages = ["experiment", "pilot", "production"] as const;

interface Draft {
  readonly source: Source;
  readonly system: string;
  readonly to: (typeof stages)[number];
  readonly environment: string;
  readonly model: string;
  readonly classes: string;
  readonly decision: string;
  readonly request: string;
  readonly unknown: string;
  readonly digest: string | null;
}

const example = JSON.stringify(
  {
    principal: { type: "Licet::Workload", id: "dep_example" },
    action: { type: "Licet::Action", id: "callModel" },
    resource: { type: "Licet::Model", id: "provider/model" },
    context: { now: { __extn: { fn: "datetime", arg: "2027-01-01T00:00:00Z" } }, release: "sha256:example", dataClasses: ["internal"] },
    entities: [],
  },
  null,
  2,
);

type Read = { readonly asked: ExplainAsked } | { readonly problem: string };

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function words(text: string): string[] {
  return text.split(/[\s,]+/u).filter((word) => word !== "");
}

function read(draft: Draft): Read {
  const unknown = words(draft.unknown);
  const common = { ...(draft.digest === null ? {} : { digest: draft.digest }), ...(unknown.length === 0 ? {} : { unknown }) };
  const environment = draft.environment.trim();
  if (draft.source === "gate") return checked({ ...common, system: draft.system.trim(), to: draft.to, ...(environment === "" ? {} : { environment }) });
  if (draft.source === "call") {
    const dataClasses = words(draft.classes);
    return checked({ ...common, system: draft.system.trim(), call: { model: draft.model.trim(), ...(dataClasses.length === 0 ? {} : { dataClasses }) }, ...(environment === "" ? {} : { environment }) });
  }
  if (draft.source === "decision") return checked({ ...common, decision: draft.decision.trim() });
  const request = PolicyQuestion.safeParse(parsed(draft.request));
  return request.success ? checked({ ...common, request: request.data }) : { problem: `the request is not one: ${placesOf(request.error)}` };
}

interface Unfit {
  readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
}

function placesOf({ issues }: Unfit): string {
  return issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}

function checked(value: ExplainAsked): Read {
  const asked = ExplainAsked.safeParse(value);
  return asked.success ? { asked: asked.data } : { problem: placesOf(asked.error) };
}

type Change = (part: Partial<Draft>) => void;

function Question({ draft, change }: { readonly draft: Draft; readonly change: Change }): ReactNode {
  const board = useRoute("listSystems", { params: { space }, query: { limit: 100 } });
  if (draft.source === "request") return <JsonInput label="Request" description="principal, action, resource, context and entities in Cedar's JSON form" value={draft.request} onChange={(request) => change({ request })} autosize minRows={8} maxRows={24} formatOnBlur validationError="not JSON" />;
  if (draft.source === "decision") return <TextInput label="Decision" description="its id, as it stands in the answer and on the decision's page" value={draft.decision} maxLength={80} onChange={(event) => change({ decision: event.currentTarget.value })} />;
  const systems = (board.data?.items ?? []).map((item) => item.name);
  return (
    <>
      <Select label="System" searchable data={[...new Set(systems)]} value={draft.system === "" ? null : draft.system} onChange={(system) => change({ system: system ?? "" })} nothingFoundMessage="no such system" />
      {draft.source === "call" ? <ModelCall draft={draft} change={change} /> : <Select label="To" data={[...stages]} value={draft.to} allowDeselect={false} onChange={(to) => change({ to: stages.find((stage) => stage === to) ?? "pilot" })} />}
      <TextInput label="Environment" description={draft.source === "call" ? "empty for any that may call" : "empty for the first declared one"} value={draft.environment} maxLength={63} onChange={(event) => change({ environment: event.currentTarget.value })} />
    </>
  );
}

function ModelCall({ draft, change }: { readonly draft: Draft; readonly change: Change }): ReactNode {
  return (
    <>
      <TextInput label="Model" description="as the manifest names it" value={draft.model} maxLength={300} onChange={(event) => change({ model: event.currentTarget.value })} />
      <TextInput label="Data classes" description="that the call would carry, such as internal personal" value={draft.classes} maxLength={400} onChange={(event) => change({ classes: event.currentTarget.value })} />
    </>
  );
}

function isSource(value: string): value is Source {
  return sources.some((source) => source.value === value);
}

export function Playground(): ReactNode {
  const { decision = "", system = "" } = useSearch({ from: "/policies/playground" });
  const [draft, setDraft] = useState<Draft>({ source: decision === "" ? "gate" : "decision", system, to: "pilot", environment: "", model: "", classes: "", decision, request: example, unknown: "", digest: null });
  const [problem, setProblem] = useState<string>();
  const publications = useRoute("listPublications", { params: { space }, query: { limit: 50 } });
  const explain = useChange("explainPolicy");
  const change: Change = (part) => setDraft({ ...draft, ...part });
  const ask = (): void => {
    const answer = read(draft);
    setProblem("problem" in answer ? answer.problem : undefined);
    if ("asked" in answer) explain.mutate({ params: { space }, body: answer.asked });
  };
  const bundles = [...new Set((publications.data?.items ?? []).map((row) => row.digest))].map((digest) => ({ value: digest, label: `${digest.slice(7, 19)}…` }));
  return (
    <Stack>
      <PageTitle>Try a decision</PageTitle>
      <Text size="sm" c="dimmed">
        Decides and explains by the same evaluator as gate and gateway. Nothing is recorded, nothing is changed, nothing passes.
      </Text>
      <Section title="What is asked">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            ask();
          }}
        >
          <Stack gap="sm">
            <SegmentedControl aria-label="what to decide" data={[...sources]} value={draft.source} onChange={(source) => isSource(source) && change({ source })} />
            <Question draft={draft} change={change} />
            <Select label="Policies" placeholder="the active bundle" clearable data={bundles} value={draft.digest} onChange={(digest) => change({ digest })} />
            <TextInput label="Not known yet" description="parts of the request, such as context.approvals: the answer says what they still have to be" value={draft.unknown} maxLength={2000} onChange={(event) => change({ unknown: event.currentTarget.value })} />
            {problem === undefined ? null : (
              <Text size="sm" role="alert" className="exact">
                {problem}
              </Text>
            )}
            <Button type="submit" w="fit-content" loading={explain.isPending}>
              Decide
            </Button>
          </Stack>
        </form>
      </Section>
      {explain.isError ? <Failure error={explain.error} /> : null}
      {explain.data === undefined ? null : <Explained explanation={explain.data} />}
    </Stack>
  );
}
