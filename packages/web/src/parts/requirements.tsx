import { Code, Group, Text } from "@mantine/core";
import type { GateAnswer, Requirement } from "@licet/contract";
import type { ReactNode } from "react";
import { labelOf } from "../theme.ts";
import { Age } from "./moments.tsx";
import { Rows, type Row } from "./tables.tsx";
import { Breakable, Digest, Prose, Word } from "./words.tsx";

export function Turn({ turn, people, me }: { readonly turn: string; readonly people: readonly string[]; readonly me: string }): ReactNode {
  return (
    <>
      <Text size="sm">
        {turn.split(", ").map(labelOf).join(", ")} {people.includes(me) ? <Word value="you" /> : null}
      </Text>
      <Text size="xs" c="dimmed">
        <Breakable>{people.filter((email) => email !== me).join(", ")}</Breakable>
      </Text>
    </>
  );
}

function unmetRow(item: Requirement, me: string): Row {
  return {
    key: item.id,
    cells: [
      <Word key="s" value={item.state} />,
      <div key="r">
        <Text size="sm" fw={600}>
          {item.title}
        </Text>
        <Text size="sm" c="dimmed">
          {item.reason}
        </Text>
      </div>,
      <Text key="d" size="sm">
        <Prose>{item.remedy}</Prose>
      </Text>,
      <Turn key="t" turn={item.turn} people={item.people} me={me} />,
      item.since === null ? null : <Age key="a" since={item.since} />,
    ],
  };
}

function Met({ items }: { readonly items: readonly Requirement[] }): ReactNode {
  if (items.length === 0) return null;
  return (
    <details>
      <summary>
        <Text size="sm" span>
          {items.length} met
        </Text>
      </summary>
      <Rows
        label="requirements met"
        head={["State", "Requirement", "What the record shows"]}
        empty=""
        rows={items.map((item) => ({ key: item.id, cells: [<Word key="s" value={item.state} />, item.title, item.reason] }))}
      />
    </details>
  );
}

/** Unmet first: the page answers "what is missing and whose turn is it". */
export function Requirements({ gate, me }: { readonly gate: GateAnswer; readonly me: string }): ReactNode {
  const met = gate.requirements.filter((item) => item.state === "met" || item.state === "waived");
  const unmet = gate.requirements.filter((item) => !met.includes(item));
  return (
    <>
      <Group gap="xs" role="status">
        <Word value={gate.decision} />
        <Text size="sm">
          to {gate.to} in {gate.environment}: {unmet.length === 0 ? `all ${met.length} requirements are met` : `${unmet.length} of ${gate.requirements.length} requirements are unmet`}
        </Text>
      </Group>
      {unmet.length === 0 ? null : <Rows label={`requirements unmet for ${gate.to}`} head={["State", "Requirement", "What to do", "Turn", "Waiting"]} empty="" rows={unmet.map((item) => unmetRow(item, me))} />}
      <Met items={met} />
      <Text size="xs" c="dimmed" component="div">
        Decided from facts <Digest value={gate.factsDigest} /> by policies <Digest value={gate.policyDigest} />; <Code>licet gate --facts FILE</Code> gives the same answer offline.
      </Text>
    </>
  );
}
