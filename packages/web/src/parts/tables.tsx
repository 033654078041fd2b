import { Button, Group, Table, Text } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { Breakable } from "./words.tsx";

export interface Row {
  readonly key: string;
  readonly cells: readonly ReactNode[];
}

export interface RowsProps {
  readonly label: string;
  readonly head: readonly string[];
  readonly rows: readonly Row[];
  readonly empty: ReactNode;
}

/** A plain table, a list of cards where it is narrow; says so when there is nothing. */
export function Rows({ label, head, rows, empty }: RowsProps): ReactNode {
  if (rows.length === 0) {
    return (
      <Text size="sm" c="dimmed" component="div">
        {empty}
      </Text>
    );
  }
  return (
    <Table aria-label={label} className="rows">
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
              <Table.Td key={head[at] ?? at} data-label={head[at] ?? ""}>
                {cell === "" || cell === null ? null : <div>{typeof cell === "string" ? <Breakable>{cell}</Breakable> : cell}</div>}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

export interface Paging {
  /** Of the page shown; none on the first. */
  readonly query: { readonly cursor?: string };
  readonly bar: (next: string | null) => ReactNode;
}

/** Pages by cursor: back to the newer ones, on to the older ones. */
export function usePaging(): Paging {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const cursor = cursors.at(-1);
  return {
    query: cursor === undefined ? {} : { cursor },
    bar: (next) =>
      cursor === undefined && next === null ? null : (
        <Group gap="xs">
          <Button size="xs" variant="default" disabled={cursor === undefined} onClick={() => setCursors(cursors.slice(0, -1))}>
            Newer
          </Button>
          <Button size="xs" variant="default" disabled={next === null} onClick={() => next !== null && setCursors([...cursors, next])}>
            Older
          </Button>
          <Text size="xs" c="dimmed" role="status">
            page {cursors.length + 1}
          </Text>
        </Group>
      ),
  };
}
