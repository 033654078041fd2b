import { Text } from "@mantine/core";
import type { PrivacyView } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { Age, Moment } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Field, Prose } from "../../parts/words.tsx";
import { useWho } from "../../who.ts";
import type { LogAnswer } from "./checkpoint.tsx";

const units = ["bytes", "kB", "MB", "GB", "TB"] as const;

export function bytesText(bytes: number): string {
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power] ?? ""}`;
}

/** Below so many entries the journal's preallocated space is most of what there is. */
const entriesTelling = 10_000;

function Shards({ log }: { readonly log: LogAnswer }): ReactNode {
  if (log.shards.length < 2) return null;
  return (
    <Rows
      label="shards"
      head={["Shard", "Entries", "First entry", "State"]}
      empty=""
      rows={log.shards.map((shard) => ({ key: shard.name, cells: [shard.name, String(shard.size), String(shard.base), shard.frozen ? "closed by a restore" : "in use"] }))}
    />
  );
}

const kept = { governance: "kept: approvals, authorizations and people are not forgotten by schedule", runtime: "decisions and outcomes of calls", content: "prompts and answers, where they are recorded" } as const;
const classes = ["governance", "runtime", "content"] as const;

function Retention({ privacy }: { readonly privacy: PrivacyView }): ReactNode {
  const { keys, retentionDays, nextDue } = privacy;
  return (
    <>
      <Rows
        label="retention"
        head={["Class", "What", "Kept after its month", "Next destroyed", "Living keys", "Destroyed"]}
        empty=""
        rows={classes.map((name) => {
          const due = name === "governance" ? null : nextDue[name];
          return {
            key: name,
            cells: [name, kept[name], name === "governance" ? "for good" : `${retentionDays[name]} days`, due === null ? "nothing yet" : <Moment key="d" at={due} />, String(keys[name].living), String(keys[name].destroyed)],
          };
        })}
      />
      <Rows
        label="recording of content"
        head={["Data class", "Recorded of a call's words"]}
        empty=""
        rows={Object.entries(privacy.contentModes).map(([name, mode]) => ({ key: name, cells: [name, mode] }))}
      />
      <Text size="sm" c="dimmed">
        <Prose>{"A call gets the least of the modes of all data classes that its system declares. To change them: `licet privacy set`, and another person approves."}</Prose>
      </Text>
    </>
  );
}

export function Keeping({ log }: { readonly log: LogAnswer }): ReactNode {
  const { may } = useWho();
  const privacy = useRoute("showPrivacy", { params: { space } }, { enabled: may("privacy.read") });
  const { logBytes, databaseBytes, filesBytes, at } = log.storage;
  return (
    <Section title="Storage and retention" note="Nothing is cut out of the log. What may no longer be read loses its key; the leaf stays and still verifies.">
      <Field name="On disk">
        log {bytesText(logBytes)}
        {log.size < entriesTelling ? "" : ` (${bytesText(Math.round(logBytes / log.size))} an entry)`}, database {bytesText(databaseBytes)}, files {bytesText(filesBytes)}; measured <Age since={at} />
      </Field>
      <Shards log={log} />
      {may("privacy.read") ? <Loaded query={privacy}>{(data) => <Retention privacy={data} />}</Loaded> : null}
    </Section>
  );
}
