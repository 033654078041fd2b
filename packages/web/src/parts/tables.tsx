import { Table, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** A plain table: head cells, rows of cells; says so when there is nothing. */
export function Rows({ label, head, rows, empty }: { readonly label: string; readonly head: readonly string[]; readonly rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[]; readonly empty: string }): ReactNode {
  if (rows.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {empty}
      </Text>
    );
  }
  return (
    <Table.ScrollContainer minWidth={600}>
      <Table aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {head.map((cell) => (
              <Table.Th key={cell} scope="col">
                {cell}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.key}>
              {row.cells.map((cell, at) => (
                <Table.Td key={head[at] ?? at}>{cell}</Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
