import { Code, Text } from "@mantine/core";
import type { PolicyChange } from "@licet/contract";
import type { ReactNode } from "react";
import { Rows } from "../../parts/tables.tsx";

const signs = { "+": "added", "~": "changed", "-": "removed" } as const;

/** What stood before and what stands now, one under the other: policies are short. */
function Texts({ change }: { readonly change: PolicyChange }): ReactNode {
  if (change.before === null && change.after === null) return null;
  return (
    <details>
      <summary>
        <Text size="sm" span>
          show
        </Text>
      </summary>
      {change.before === null ? null : (
        <>
          <Text size="xs" c="dimmed">
            before
          </Text>
          <Code block className="exact">
            {change.before}
          </Code>
        </>
      )}
      {change.after === null ? null : (
        <>
          <Text size="xs" c="dimmed">
            after
          </Text>
          <Code block className="exact">
            {change.after}
          </Code>
        </>
      )}
    </details>
  );
}

export function Changes({ changes, left, empty }: { readonly changes: readonly PolicyChange[]; readonly left: number; readonly empty: string }): ReactNode {
  return (
    <>
      <Rows
        label="changes"
        head={["Change", "Pack", "Policy", "What", "Text"]}
        empty={empty}
        rows={changes.map((change) => ({
          key: `${change.pack} ${change.policy ?? ""} ${change.what} ${change.part ?? ""}`,
          cells: [signs[change.sign], change.pack, change.policy === null ? (change.part ?? "") : <Code key="p">{change.policy}</Code>, change.what, <Texts key="t" change={change} />],
        }))}
      />
      {left === 0 ? null : (
        <Text size="sm" c="dimmed">
          and {left} more: <Code>licet policy pull</Code> and <Code>licet policy diff</Code> show all.
        </Text>
      )}
    </>
  );
}
