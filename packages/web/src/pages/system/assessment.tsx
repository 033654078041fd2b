import { Alert, Button, Code, Group, List, SegmentedControl, Text, Textarea } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { space, useChange } from "../../api.ts";
import { Failure, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Word } from "../../parts/words.tsx";
import { labelOf, tones } from "../../theme.ts";
import { useWho } from "../../who.ts";

type OpenQuestion = SystemDetail["assessment"]["open"][number];

/** A statement of the risk owner, signed and logged with its reason. */
function AnswerForm({ system, question }: { readonly system: string; readonly question: string }): ReactNode {
  const [value, setValue] = useState<"yes" | "no">("no");
  const [reason, setReason] = useState("");
  const give = useChange("giveAnswer");
  return (
    <>
      {give.isError ? <Failure error={give.error} /> : null}
      <SegmentedControl aria-label={`answer to ${question}`} size="xs" w="fit-content" data={["yes", "no"]} value={value} onChange={(chosen) => setValue(chosen === "yes" ? "yes" : "no")} />
      <Textarea label={`Reason for the answer to ${question}`} required value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <Button size="xs" mt="xs" disabled={reason.trim() === ""} loading={give.isPending} onClick={() => give.mutate({ params: { space, system }, body: { question, value, reason } })}>
        Sign this answer
      </Button>
    </>
  );
}

function Open({ system, items }: { readonly system: string; readonly items: readonly OpenQuestion[] }): ReactNode {
  const { may } = useWho();
  return items.map((item) => (
    <Alert key={item.question} color={tones.wait} title={<>{item.question}: only a person may answer this</>}>
      <Text size="sm" mb="xs">
        {item.text} Until the {labelOf(item.turn)} signs an answer, the stricter branch holds.
      </Text>
      {may("answer.give") ? <AnswerForm system={system} question={item.question} /> : null}
    </Alert>
  ));
}

function More({ label, children }: { readonly label: string; readonly children: ReactNode }): ReactNode {
  return (
    <details>
      <summary>
        <Text size="sm" span>
          {label}
        </Text>
      </summary>
      {children}
    </details>
  );
}

export function Assessment({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { assessment } = detail;
  return (
    <Section id="tier" title="Risk tier" note="Computed from what the manifest declares and what the risk owner signed; the arithmetic stands below.">
      <Group gap="xs">
        <Word value={assessment.tier} />
        <Text size="sm" fw={600}>
          {assessment.arithmetic.at(-1)}
        </Text>
      </Group>
      <Open system={detail.system.name} items={assessment.open} />
      <List size="sm" aria-label="arithmetic">
        {assessment.arithmetic.slice(0, -1).map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
      <More label={`${assessment.legal.length} legal steps`}>
        <Rows
          label="legal steps"
          head={["Step", "Question", "Answer", "From", "Outcome"]}
          empty="No legal step applies."
          rows={assessment.legal.map((row) => ({
            key: row.id,
            cells: [
              <span key="s">
                <Code>{row.id}</Code> {row.ref}
              </span>,
              row.question,
              row.answer,
              labelOf(row.source),
              row.outcome,
            ],
          }))}
        />
      </More>
    </Section>
  );
}
