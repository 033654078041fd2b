import { Code, Group, Text, UnstyledButton } from "@mantine/core";
import type { RouteAnswer, SystemTraffic } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "../../api.ts";
import { countText, milliseconds, moneyText } from "../../parts/amounts.ts";
import { PageLink } from "../../parts/links.tsx";
import { Age, Moment } from "../../parts/moments.tsx";
import { Loaded, Section } from "../../parts/states.tsx";
import { Rows } from "../../parts/tables.tsx";
import { Breakable } from "../../parts/words.tsx";
import { periods, type Searching } from "./search.ts";

function Codes({ row, search, change }: Searching & { readonly row: SystemTraffic }): ReactNode {
  if (row.codes.length === 0) return <Text size="sm">none</Text>;
  return (
    <div>
      <Text size="sm">
        {countText(row.refused)} of {countText(row.calls)} refused
      </Text>
      {row.codes.map(({ code, what, calls }) => (
        <Group key={code} gap={6} wrap="nowrap" align="baseline">
          <Text size="xs">{countText(calls)}×</Text>
          <UnstyledButton onClick={() => change({ ...search, ...(row.system === null ? {} : { system: row.system }), code })} aria-label={`show those refused with ${code}: ${what}`} title={what}>
            <Code style={{ overflowWrap: "anywhere" }}>
              <Breakable>{code}</Breakable>
            </Code>
          </UnstyledButton>
        </Group>
      ))}
    </div>
  );
}

function Found({ row }: { readonly row: SystemTraffic }): ReactNode {
  if (row.findings.length === 0) return <Text size="sm">none</Text>;
  return row.findings.map(({ type, dataClass, count }) => (
    <Text size="xs" key={`${type} ${dataClass}`}>
      {countText(count)}× {type} ({dataClass})
    </Text>
  ));
}

function Spend({ row }: { readonly row: SystemTraffic }): ReactNode {
  const { prompt, completion } = row.tokens;
  return (
    <div>
      {row.cost.map(({ currency, micros }) => (
        <Text size="sm" key={currency}>
          {moneyText(micros, currency)}
        </Text>
      ))}
      <Text size="xs" c="dimmed">
        {prompt + completion === 0 ? "no tokens counted" : `${countText(prompt)} tokens in, ${countText(completion)} out`}
      </Text>
    </div>
  );
}

const spans = [
  ["decisionMs", "own"],
  ["firstByteMs", "first byte"],
  ["totalMs", "whole"],
] as const;

function Latency({ row }: { readonly row: SystemTraffic }): ReactNode {
  const known = spans.flatMap(([key, label]) => {
    const span = row[key];
    return span === null ? [] : [{ label, span }];
  });
  if (known.length === 0) return null;
  return known.map(({ label, span }) => (
    <Text size="xs" key={label} style={{ whiteSpace: "nowrap" }}>
      {label} {milliseconds(span.p50)} / {milliseconds(span.p95)}
    </Text>
  ));
}

function Name({ row, search, change }: Searching & { readonly row: SystemTraffic }): ReactNode {
  const { system } = row;
  if (system === null) return <Text size="sm">callers that no credential names</Text>;
  return (
    <div>
      <PageLink to="/systems/$system" params={{ system }} fw={600} size="sm">
        <Breakable>{system}</Breakable>
      </PageLink>
      <div>
        <UnstyledButton onClick={() => change({ ...search, system })} aria-label={`only this: ${system}`}>
          <Text size="xs" td="underline" c="dimmed">
            only this
          </Text>
        </UnstyledButton>
      </div>
    </div>
  );
}

function table(data: RouteAnswer<"showTraffic">, searching: Searching): ReactNode {
  return (
    <>
      <Rows
        label="traffic by system"
        head={["System", "Calls", "Refused or failed", "Findings", "Spend", "Latency: half / 95 %", "Last call"]}
        empty={
          <>
            No call in this period. A system calls through the data plane with the credential of its deployment: <Code>licet deploy record</Code> issues it.
          </>
        }
        rows={data.systems.map((row) => ({
          key: row.system ?? "",
          cells: [
            <Name key="n" row={row} {...searching} />,
            <div key="c">
              <Text size="sm">{countText(row.calls)}</Text>
              {row.running === 0 ? null : (
                <Text size="xs" c="dimmed">
                  {countText(row.running)} running
                </Text>
              )}
            </div>,
            <Codes key="r" row={row} {...searching} />,
            <Found key="f" row={row} />,
            <Spend key="s" row={row} />,
            <Latency key="l" row={row} />,
            <Age key="t" since={row.lastAt} />,
          ],
        }))}
      />
      {data.complete ? null : (
        <Text size="sm" c="dimmed" role="status">
          More calls than are counted here: these are those since <Moment at={data.from} />.
        </Text>
      )}
    </>
  );
}

export function Summary({ minutes, ...searching }: Searching & { readonly minutes: number }): ReactNode {
  const traffic = useRoute("showTraffic", { params: { space }, query: { minutes } }, { keep: true });
  const period = periods.find(([value]) => value === minutes)?.[1] ?? `${minutes} minutes`;
  return (
    <Section title="By system" note={`The last ${period.replace(/^1 /u, "")}. Own latency is what the gateway itself took until the call could leave.`}>
      <Loaded query={traffic}>{(data) => table(data, searching)}</Loaded>
      <PageLink to="/budgets" size="sm">
        budgets, and what is left of them
      </PageLink>
    </Section>
  );
}
