import { Code, List, Text } from "@mantine/core";
import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { Rows } from "../../parts/tables.tsx";
import { Section } from "../../parts/states.tsx";
import { Word } from "../../parts/words.tsx";

function Open({ items }: { readonly items: SystemDetail["assessment"]["open"] }): ReactNode {
  if (items.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600}>
        Only a person may answer; until then the stricter branch holds
      </Text>
      <List size="sm">
        {items.map((item) => (
          <List.Item key={item.question}>
            <Code>{item.question}</Code> {item.text} ({item.turn})
          </List.Item>
        ))}
      </List>
    </div>
  );
}

export function Assessment({ detail }: { readonly detail: SystemDetail }): ReactNode {
  const { assessment } = detail;
  return (
    <Section title="Risk tier" note="Computed from what the manifest declares and what the risk owner signed.">
      <Text size="sm">
        Tier <Word value={assessment.tier} />
      </Text>
      <List size="sm" aria-label="arithmetic">
        {assessment.arithmetic.map((line) => (
          <List.Item key={line}>{line}</List.Item>
        ))}
      </List>
      <Open items={assessment.open} />
      <Rows
        label="levels"
        head={["Question", "Dimension", "Level", "Meaning", "From"]}
        empty="no levels"
        rows={assessment.score.map((row) => ({ key: row.id, cells: [row.id, row.dimension, row.level, row.meaning, row.source] }))}
      />
      <Rows
        label="legal steps"
        head={["Step", "Question", "Answer", "From", "Outcome"]}
        empty="no legal step applies"
        rows={assessment.legal.map((row) => ({ key: row.id, cells: [`${row.id} (${row.ref})`, row.question, row.answer, row.source, row.outcome] }))}
      />
    </Section>
  );
}
