import { Code, List, Stack, Table, Text } from "@mantine/core";
import type { GateAnswer, Requirement } from "@licet/contract";
import type { ReactNode } from "react";
import { labelOf } from "../theme.ts";
import { Age, Digest, Word } from "./words.tsx";

function RequirementLine({ item }: { readonly item: Requirement }): ReactNode {
  return (
    <Table.Tr>
      <Table.Td>
        <Word value={item.state} />
      </Table.Td>
      <Table.Td>
        <Text size="sm" fw={500}>
          {item.title}
        </Text>
        <Text size="xs" c="dimmed">
          {item.reason}
        </Text>
      </Table.Td>
      <Table.Td>{item.state === "met" ? null : <Text size="sm">{item.remedy}</Text>}</Table.Td>
      <Table.Td>
        {item.state === "met" ? null : (
          <>
            <Text size="sm">{labelOf(item.turn)}</Text>
            <Text size="xs" c="dimmed">
              {item.people.join(", ")}
            </Text>
          </>
        )}
      </Table.Td>
      <Table.Td>{item.since === null || item.state === "met" ? null : <Age since={item.since} />}</Table.Td>
    </Table.Tr>
  );
}

/** Unmet first: the page answers "what is missing and whose turn is it". */
export function Requirements({ gate }: { readonly gate: GateAnswer }): ReactNode {
  const items = [...gate.requirements].sort((a, b) => Number(a.state === "met") - Number(b.state === "met"));
  const unmet = items.filter((item) => item.state !== "met" && item.state !== "waived").length;
  return (
    <Stack gap="xs">
      <Text size="sm" role="status">
        To {gate.to} in {gate.environment}: <Word value={gate.decision} /> {unmet === 0 ? "every requirement is met" : `${unmet} of ${items.length} requirements unmet`}
      </Text>
      <Table.ScrollContainer minWidth={800}>
        <Table aria-label={`requirements for ${gate.to}`}>
          <Table.Thead>
            <Table.Tr>
              {["State", "Requirement", "Remedy", "Turn", "Waiting"].map((head) => (
                <Table.Th key={head} scope="col">
                  {head}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {items.map((item) => (
              <RequirementLine key={item.id} item={item} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <List size="xs" c="dimmed" listStyleType="none">
        <List.Item>
          facts <Digest value={gate.factsDigest} />, policies <Digest value={gate.policyDigest} />; the same answer comes from <Code>licet gate --facts FILE</Code>
        </List.Item>
      </List>
    </Stack>
  );
}
