import type { SystemDetail } from "@licet/contract";
import type { ReactNode } from "react";
import { Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Digest } from "../../parts/words.tsx";

export function Components({ detail }: { readonly detail: SystemDetail }): ReactNode {
  return (
    <Section id="components" title="Components" note="Content-addressed: the release's digest covers all of them.">
      <Rows
        label="components"
        head={["Kind", "Name", "Digest", "Detail"]}
        empty="No component is declared."
        rows={detail.components.map((row) => ({ key: `${row.kind} ${row.name}`, cells: [row.kind, row.name, <Digest key="d" value={row.digest} />, row.detail] }))}
      />
    </Section>
  );
}
