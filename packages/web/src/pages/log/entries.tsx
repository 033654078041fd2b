import { Button, Group, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState, type ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { EntryLink } from "../../parts/entry-link.tsx";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows, usePaging } from "../../parts/tables.tsx";
import { tones } from "../../theme.ts";

/** The kinds that people look for; everything else is under all. */
const kinds = [
  ["", "all"],
  ["release.pushed", "releases"],
  ["check.recorded", "checks"],
  ["check.repeated", "checks made again"],
  ["approval.given", "approvals"],
  ["ato.granted", "authorizations"],
  ["deployment.recorded", "deployments"],
  ["hold.placed", "holds"],
  ["role.granted", "roles"],
  ["person.signed-in", "sign-ins"],
  ["payload.erased", "erasures"],
  ["key.rotated", "keys"],
] as const;

interface Asked {
  readonly kind: string;
  readonly find: string;
  readonly from: string;
  readonly to: string;
}

/** Days as the reader counts them, the last one included. */
function dayStart(day: string, add = 0): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/u.test(day)) return undefined;
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  const time = new Date(year, month - 1, date + add).getTime();
  return Number.isNaN(time) || time < 0 ? undefined : time;
}

function List({ kind, find, from, to }: Asked): ReactNode {
  const paging = usePaging();
  const [begin, end] = [dayStart(from), dayStart(to, 1)];
  const query = { limit: 25, ...(kind === "" ? {} : { kind }), ...(find === "" ? {} : { find }), ...(begin === undefined ? {} : { from: begin }), ...(end === undefined ? {} : { to: end }), ...paging.query };
  const entries = useRoute("listLog", { params: { space }, query }, { keep: true });
  return (
    <Loaded query={entries}>
      {({ items, next }) => (
        <>
          <Rows
            label="entries"
            head={["Entry", "Kind", "System", "By", "When"]}
            empty="No such entry. Decisions on calls are not listed here: open one by its number, or from its system."
            rows={items.map((row) => ({
              key: row.id,
              cells: [
                <EntryLink key="i" id={row.id} index={row.index} />,
                row.kind,
                row.system === null ? null : (
                  <PageLink key="s" to="/systems/$system" params={{ system: row.system }} size="sm">
                    {row.system}
                  </PageLink>
                ),
                row.actor,
                <Age key="t" since={row.at} />,
              ],
            }))}
          />
          {paging.bar(next)}
        </>
      )}
    </Loaded>
  );
}

const typingMilliseconds = 250;

export function Entries(): ReactNode {
  const [kind, setKind] = useState("");
  const [find, setFind] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [typed] = useDebouncedValue(find.trim(), typingMilliseconds);
  return (
    <Section title="Entries" note="What people and the server did. Decisions on calls stand in the same log and are reached by their number or from their system.">
      <Group gap="sm" align="end">
        <TextInput label="Find" description="number, id, kind, system, name or e-mail" value={find} onChange={(event) => setFind(event.currentTarget.value)} size="xs" maxLength={200} w={280} type="search" />
        <TextInput label="From" type="date" size="xs" value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
        <TextInput label="Up to" type="date" size="xs" value={to} onChange={(event) => setTo(event.currentTarget.value)} />
        {/^\d{1,15}$/u.test(typed) ? <EntryLink id={typed} index={Number(typed)} /> : null}
      </Group>
      <Group gap="xs" role="group" aria-label="kind of entry">
        {kinds.map(([value, label]) => (
          <Button key={value} size="xs" radius="xl" aria-pressed={kind === value} variant={kind === value ? "filled" : "default"} color={tones.info} onClick={() => setKind(value)}>
            {label}
          </Button>
        ))}
      </Group>
      <List key={`${kind} ${typed} ${from} ${to}`} kind={kind} find={typed} from={from} to={to} />
    </Section>
  );
}
