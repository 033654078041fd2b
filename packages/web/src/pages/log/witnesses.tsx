import { Alert } from "@mantine/core";
import type { ReactNode } from "react";
import { Age } from "../../parts/moments.tsx";
import { Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Prose } from "../../parts/words.tsx";
import { tones } from "../../theme.ts";
import type { LogAnswer } from "./checkpoint.tsx";

export function Witnesses({ log }: { readonly log: LogAnswer }): ReactNode {
  const { configured, note, items, quorum } = log.witnesses;
  return (
    <Section title="Witnesses" note="Somebody else's signature that they saw this log, and that it only grew.">
      {configured === 0 ? (
        <Alert color={tones.wait} title="Not witnessed">
          {note} Let another department or organisation run <Prose>`licet witness serve`</Prose>, and name it with <Prose>`licet serve --witness-policy FILE`</Prose>.
        </Alert>
      ) : (
        <Alert color={quorum ? tones.good : tones.bad} title={quorum ? "Witnessed: the policy's quorum has signed" : "No quorum: do not rely on this checkpoint alone"}>
          {note}
        </Alert>
      )}
      {configured === 0 ? null : (
        <Rows
          label="witnesses"
          head={["Witness", "Address", "Entries seen", "Signed", "Trouble"]}
          empty=""
          rows={items.map((item) => ({
            key: item.name,
            cells: [item.name, item.url, item.size === null ? "none yet" : String(item.size), item.cosignedAt === null ? "never" : <Age key="t" since={item.cosignedAt} />, item.error ?? ""],
          }))}
        />
      )}
    </Section>
  );
}
