import { Button, Code, Group, NativeSelect, Text } from "@mantine/core";
import { callSecondsMax, type TrafficRow } from "@licet/contract";
import { useState, type ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { countText, milliseconds, moneyText, timeOfDay } from "../../parts/amounts.ts";
import { PageLink } from "../../parts/links.tsx";
import { Age } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows, type Row } from "../../parts/tables.tsx";
import { Breakable, Word } from "../../parts/words.tsx";
import { labelOf, tones } from "../../theme.ts";
import { without, type Searching } from "./search.ts";

function Called({ row: { ended } }: { readonly row: TrafficRow }): ReactNode {
  return ended === null || ended.tools.length === 0 ? null : <Text size="xs">called {ended.tools.join(", ")}</Text>;
}

function Verdict({ row }: { readonly row: TrafficRow }): ReactNode {
  const code = row.code ?? row.ended?.code ?? null;
  const cut = row.ended !== null && row.ended.finish !== "complete" && row.ended.finish !== "";
  return (
    <div>
      <Group gap={4}>
        <Word value={row.decision} />
        {cut ? <Word value={row.ended?.finish ?? ""} /> : null}
      </Group>
      {code === null ? null : <Text size="xs">{labelOf(code)}</Text>}
      <Called row={row} />
      {row.observed.length === 0 ? null : <Text size="xs">observed: {row.observed.map(labelOf).join(", ")}</Text>}
    </div>
  );
}

function Found({ row }: { readonly row: TrafficRow }): ReactNode {
  return row.findings.map(({ type, dataClass, count }) => (
    <Text size="xs" key={`${type} ${dataClass}`}>
      {countText(count)}× {type}
    </Text>
  ));
}

function Took({ row }: { readonly row: TrafficRow }): ReactNode {
  const { ended } = row;
  if (ended === null) return row.decision === "allow" && row.kind === "gateway.decision" ? <Text size="xs">{Date.now() - row.at > callSecondsMax * 1000 ? "end not recorded" : "running"}</Text> : null;
  return (
    <div>
      {ended.totalMs === null ? null : <Text size="sm">{milliseconds(ended.totalMs)}</Text>}
      <Text size="xs" c="dimmed">
        {[ended.tokens === null ? "" : `${countText(ended.tokens)} tokens`, ended.costMicros === null || ended.currency === null ? "" : moneyText(ended.costMicros, ended.currency)].filter((part) => part !== "").join(", ")}
      </Text>
    </div>
  );
}

function lineOf(row: TrafficRow): Row {
  return {
    key: row.id,
    cells: [
      <div key="t">
        <Text size="sm" component="time" dateTime={new Date(row.at).toISOString()}>
          {timeOfDay(row.at)}
        </Text>
        <Text size="xs">
          <Age since={row.at} />
        </Text>
      </div>,
      row.system === null ? "unknown caller" : <Breakable key="s">{row.system}</Breakable>,
      <Verdict key="v" row={row} />,
      row.model === null ? labelOf(row.action) : row.model,
      row.findings.length === 0 ? null : <Found key="f" row={row} />,
      <Took key="e" row={row} />,
      <PageLink key="l" to="/decisions/$decision" params={{ decision: row.id }} size="sm" aria-label={`who, what, why of decision ${row.seq}: ${row.decision === "allow" ? "allowed" : "refused"}, ${row.system ?? "unknown caller"}`}>
        who, what, why
      </PageLink>,
    ],
  };
}

const verdicts = [
  [undefined, "all"],
  ["allow", "allowed"],
  ["deny", "refused"],
] as const;

function Filters({ search, change }: Searching): ReactNode {
  const systems = useRoute("listSystems", { params: { space }, query: { limit: 200 } });
  const names = systems.data?.items.map(({ name }) => name) ?? [];
  const { system, code } = search;
  const options = system === undefined || names.includes(system) ? names : [system, ...names];
  return (
    <Group gap="sm" align="end">
      <NativeSelect
        label="System"
        size="xs"
        value={system ?? ""}
        data={[{ value: "", label: "every system" }, ...options.map((value) => ({ value, label: value }))]}
        onChange={(event) => change(event.currentTarget.value === "" ? without(search, "system") : { ...search, system: event.currentTarget.value })}
      />
      <Group gap="xs" role="group" aria-label="decision">
        {verdicts.map(([value, label]) => (
          <Button key={label} size="xs" radius="xl" aria-pressed={search.decision === value} variant={search.decision === value ? "filled" : "default"} color={tones.info} onClick={() => change(value === undefined ? without(search, "decision") : { ...search, decision: value })}>
            {label}
          </Button>
        ))}
      </Group>
      {code === undefined ? null : (
        <Button size="xs" variant="default" onClick={() => change(without(search, "code"))} aria-label={`show every code, not only ${code}`}>
          <Code>{code}</Code>&nbsp;✕
        </Button>
      )}
    </Group>
  );
}

function Pages({ older, cursors, turn }: { readonly older: number | null; readonly cursors: readonly number[]; readonly turn: (cursors: readonly number[]) => void }): ReactNode {
  if (older === null && cursors.length === 0) return null;
  return (
    <Group gap="xs">
      <Button size="xs" variant="default" disabled={cursors.length === 0} onClick={() => turn(cursors.slice(0, -1))}>
        Newer
      </Button>
      <Button size="xs" variant="default" disabled={older === null} onClick={() => older !== null && turn([...cursors, older])}>
        Older
      </Button>
      <Text size="xs" c="dimmed" role="status">
        page {cursors.length + 1}
        {cursors.length === 0 ? ", live" : ""}
      </Text>
    </Group>
  );
}

export function List({ search, change }: Searching): ReactNode {
  const [cursors, turn] = useState<readonly number[]>([]);
  const before = cursors.at(-1);
  const { system, decision, code } = search;
  const query = { limit: 25, ...(system === undefined ? {} : { system }), ...(decision === undefined ? {} : { decision }), ...(code === undefined ? {} : { code }), ...(before === undefined ? {} : { before }) };
  const traffic = useRoute("listTraffic", { params: { space }, query }, { keep: true });
  const filtered = system !== undefined || decision !== undefined || code !== undefined;
  return (
    <Section title="Decisions" note="Each was durable in the log before anything left. The newest come by themselves; licet tail shows them in a terminal.">
      <Filters search={search} change={change} />
      <Loaded query={traffic}>
        {({ items, older }) => (
          <>
            <Rows label="decisions" head={["When", "System", "Decision", "Model", "Found", "Took", "Detail"]} empty={filtered ? "No such decision. Choose another system, or show all." : "No call yet. The first one appears here, allowed or refused."} rows={items.map(lineOf)} />
            <Pages older={older} cursors={cursors} turn={turn} />
          </>
        )}
      </Loaded>
    </Section>
  );
}
